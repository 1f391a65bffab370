# SPDX-License-Identifier: GPL-2.0
"""Variables that make passes on."""
import subprocess
import unittest

from common import TOP

SHOW = '--eval=show: ; @printf %s "$$PROBE|$$CMD"'


def passed_on(*words):
    """PROBE and CMD in the environment of a recipe of our Makefile."""
    return subprocess.run(["make", "-s", "-C", TOP, SHOW, "show", *words],
                          check=True, capture_output=True, text=True).stdout


class Make(unittest.TestCase):
    def test_dollars_stay(self):
        probe = "r:took vfs_read ns=$duration a=+0($arg2):ustring"
        self.assertEqual(passed_on(f"PROBE={probe}", "CMD=echo $HOME"),
                         f"{probe}|echo $HOME")

    def test_none(self):
        self.assertEqual(passed_on(), "|")


if __name__ == "__main__":
    unittest.main()
