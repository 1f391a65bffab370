# SPDX-License-Identifier: GPL-2.0
"""Litmus tests: possible results, and barriers that forbid them."""
import unittest

import litmus
from common import Failure

MESSAGE = """C message
(*
 * Result: Never
 *)
{
}
P0(int *data, int *flag)
{
	WRITE_ONCE(*data, 1);
	smp_store_release(flag, 1);
}
P1(int *data, int *flag)
{
	int r0 = smp_load_acquire(flag);
	int r1;

	if (r0 == 1)
		r1 = READ_ONCE(*data);
}
exists (1:r0=1 /\\ 1:r1=0)
"""

LOOP = """C all-at-once
{
x=1;
}
P0(int *x)
{
	int r0;

	r0 = cmpxchg(x, 1, 2);
	if (r0 != 1)
		WRITE_ONCE(*x, 5);
}
P1(int *x)
{
	int r0;

	r0 = xchg(x, 3);
}
exists (0:r0=1 /\\ 1:r0=1)
"""


class Litmus(unittest.TestCase):
    def test_message(self):
        self.assertEqual(litmus.check(MESSAGE), [])
        self.assertTrue(litmus.agrees(MESSAGE))
        self.assertFalse(litmus.agrees(MESSAGE.replace("Never", "Sometimes")))
        weak = MESSAGE.replace("smp_load_acquire(flag)", "READ_ONCE(*flag)")
        self.assertEqual(litmus.check(weak), ["it can happen"])

    def test_what_is_not_needed(self):
        more = MESSAGE.replace("\tsmp_store_release", "\tsmp_wmb();\n\tsmp_store_release")
        self.assertEqual([l.split(":")[0] for l in litmus.check(more)],
                         ["nor without smp_store_release in line 11", "nor without smp_wmb in line 10"])

    def test_who_takes_it_takes_it_alone(self):
        self.assertFalse(litmus.happens(litmus.Test(LOOP)))
        self.assertTrue(litmus.happens(litmus.Test(LOOP.replace("0:r0=1 /\\", "0:r0=3 /\\"))))
        self.assertTrue(litmus.happens(litmus.Test(LOOP.replace("0:r0=1 /\\ 1:r0=1", "x=5"))))
        self.assertTrue(litmus.happens(litmus.Test(LOOP.replace("0:r0=1 /\\ 1:r0=1", "x=3 /\\ 1:r0=2"))))

    def test_what_cannot_be_read(self):
        self.assertIsNone(litmus.agrees(MESSAGE.replace("smp_store_release(flag, 1)", "spin_lock(flag)")))
        self.assertIsNone(litmus.agrees(MESSAGE.replace("WRITE_ONCE(*data, 1)", "*data = 1")))
        with self.assertRaises(Failure):
            litmus.happens(litmus.Test(MESSAGE.replace("WRITE_ONCE(*data, 1)", "frob(data)")))


if __name__ == "__main__":
    unittest.main()
