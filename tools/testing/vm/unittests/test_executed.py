# SPDX-License-Identifier: GPL-2.0
"""QEMU's log of executed instructions, and tasks and reports that follow from it."""
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

    def test_neighbours_are_apart_where_that_is_asked_for(self):
        words = array.array("I", range(8))
        tasks = executed.chunks(words, ["jump"], "", least=4)
        self.assertEqual([list(t.words) for t in tasks], [[0, 4], [1, 5], [2, 6], [3, 7]])
        self.assertEqual(len(executed.chunks(words[:2], ["jump"], "", least=4)), 2)

    def test_some_of_the_words(self):
        words = array.array("I", (4 * i | 4 << LENGTH_SHIFT for i in range(4)))
        self.assertEqual(list(executed.some(words, {4, 12, 99})), [words[1], words[3]])

    def test_what_is_not_hit_is_told(self):
        r = campaign.Round("plain")
        for line in ("probed 2", "hit 1", "deciding 60", "unhit 1c", "trap 20", "odds 0"):
            r.take(line.split())
        self.assertEqual((r.unhit, r.traps, r.complete, r.complaints(0)), ([0x1c], [0x20], True, []))


def result(plain=None, jump=None, traps=()):
    """The kept results of a chunk."""
    unhit = {way: list(u) for way, u in (("plain", plain), ("jump", jump)) if u is not None}
    return {"unhit": unhit, "traps": list(traps)}


class Plan(unittest.TestCase):
    words = array.array("I", range(10))

    def names(self, done):
        tries, unhit, traps = executed.plan(self.words, done)
        return [t.name for _, t in tries if t.name not in done], unhit, traps

    def test_all_are_probed_both_ways(self):
        self.assertEqual(self.names({})[0], ["x0"])

    def test_nothing_is_left_of_what_was_hit(self):
        self.assertEqual(self.names({"x0": result([], [])}), ([], {"plain": set(), "jump": set()}, set()))

    def test_what_was_not_hit_is_tried_again_until_it_is(self):
        done = {"x0": result([1, 2], [])}
        self.assertEqual(self.names(done)[0], ["xplain-1-0"])
        done["xplain-1-0"] = result([2])
        self.assertEqual(self.names(done)[0], ["xplain-2-0"])
        done["xplain-2-0"] = result([])
        self.assertEqual(self.names(done), ([], {"plain": set(), "jump": set()}, set()))

    def test_it_ends(self):
        done = {"x0": result([1], [])}
        done.update({f"xplain-{n}-0": result([1]) for n in range(1, executed.AGAIN + 1)})
        self.assertEqual(self.names(done), ([], {"plain": {1}, "jump": set()}, set()))

    def test_what_was_no_jump_is_tried_once_more_apart(self):
        done = {"x0": result([], [], traps=[1, 2])}
        self.assertEqual(self.names(done)[0], ["xjump-1-0", "xjump-1-1"])
        done["xjump-1-0"] = result(jump=[], traps=[1])
        done["xjump-1-1"] = result(jump=[2])
        self.assertEqual(self.names(done)[0], ["xjump-2-0"])
        done["xjump-2-0"] = result(jump=[])
        self.assertEqual(self.names(done), ([], {"plain": set(), "jump": set()}, {1}))


class Kept(unittest.TestCase):
    def chunk(self, lines):
        task = campaign.Task("x0", array.array("I", (1, 2, 3)), ["plain", "jump"], 0)
        chunk = campaign.Chunk(task)
        for line in lines:
            chunk.take(line.split())
        progress = executed.Progress.__new__(executed.Progress)
        progress.done, progress.save = {}, lambda: None
        progress.take(task, chunk)
        return progress.done["x0"]

    def test_what_a_guest_says(self):
        kept = self.chunk(("refusal 1 22", "round plain", "unhit 2", "odds 0", "round jump", "trap 3", "odds 0"))
        self.assertEqual(kept["unhit"], {"plain": [2], "jump": []})
        self.assertEqual((kept["traps"], kept["refused"]), ([3], [(1, "EINVAL")]))

    def test_a_round_that_did_not_end_has_hit_nothing(self):
        kept = self.chunk(("refusal 1 22", "round plain", "odds 0", "round jump"))
        self.assertEqual(kept["unhit"], {"plain": [], "jump": [2, 3]})
        self.assertTrue(kept["bad"])


if __name__ == "__main__":
    unittest.main()
