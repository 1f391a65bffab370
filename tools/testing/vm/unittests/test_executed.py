# SPDX-License-Identifier: GPL-2.0
"""What QEMU says was executed, and what is made of it."""
import array
import os
import tempfile
import unittest

import campaign
import executed
from campaign import LENGTH_SHIFT

LOG = """----------------
IN: 
0xffff800080010000:  d503233f  paciasp  

----------------
IN: 
0xffff800080010004:  a9bf7bfd  stp      x29, x30, [sp, #-0x10]!
----------------
IN: 
0xffff800080010004:  a9bf7bfd  stp      x29, x30, [sp, #-0x10]!
  OBJD-T: 0x12345: no address
"""


class Executed(unittest.TestCase):
    def test_addresses_of_a_log(self):
        with tempfile.TemporaryDirectory() as tmp:
            path = os.path.join(tmp, "log")
            with open(path, "w") as f:
                f.write(LOG)
            self.assertEqual(executed.logged(path), {0xffff800080010000, 0xffff800080010004})

    def test_chunks_have_each_instruction_once(self):
        words = array.array("I", (4 * i | 4 << LENGTH_SHIFT for i in range(2 * executed.CHUNK + 1)))
        tasks = executed.chunks(words, ["plain"], "")
        self.assertEqual([t.name for t in tasks], ["x0", "x1", "x2"])
        self.assertEqual({t.kind for t in tasks}, {"x"})
        self.assertEqual(sorted(w for t in tasks for w in t.words), list(words))
        self.assertEqual(executed.chunks(words[:0], ["plain"], ""), [])

    def test_some_of_the_words(self):
        words = array.array("I", (4 * i | 4 << LENGTH_SHIFT for i in range(4)))
        self.assertEqual(list(executed.some(words, {4, 12, 99})), [words[1], words[3]])

    def test_what_is_not_hit_is_told(self):
        r = campaign.Round("plain")
        for line in ("probed 2", "hit 1", "unhit 1c", "odds 0"):
            r.take(line.split())
        self.assertEqual((r.unhit, r.complete, r.complaints(0)), ([0x1c], True, []))


if __name__ == "__main__":
    unittest.main()
