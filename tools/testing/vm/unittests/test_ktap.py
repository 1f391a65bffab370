# SPDX-License-Identifier: GPL-2.0
"""The parser of KTAP."""
import unittest

import ktap


def states(text):
    return {n: s for n, (s, _) in ktap.parse(text).items()}


class Ktap(unittest.TestCase):
    def test_nested(self):
        self.assertEqual(states("    # Subtest: a\n    ok 1 x\n    not ok 2 y\n    1..2\nnot ok 1 a\n1..1\n"),
                         {"a.x": "pass", "a.y": "fail"})

    def test_words_behind_a_hash(self):
        self.assertEqual(ktap.parse("ok 1 a # SKIP why\nnot ok 2 b # UNRESOLVED\nok 3 c # XFAIL\n"),
                         {"a": ("skip", "why"), "b": ("skip", "unresolved: something it needs is missing"),
                          "c": ("skip", "expected to fail")})

    def test_fewer_than_announced(self):
        self.assertEqual(states("1..3\nok 1 a\n"), {"a": "pass", "(ended early)": "fail"})

    def test_a_suite_that_fails_although_its_parts_do_not(self):
        self.assertEqual(states("    # Subtest: a\n    ok 1 x\nnot ok 1 a # status 1\n"),
                         {"a.x": "pass", "a": "fail"})

    def test_what_a_failed_test_said(self):
        kunit = "    # Subtest: a\n    ok 1 x\n    # y: EXPECTATION FAILED at f.c:3\n    Expected 1\n    not ok 2 y\n"
        self.assertEqual(ktap.said(kunit, "a.y"), "# y: EXPECTATION FAILED at f.c:3\nExpected 1")
        script = "    not ok 1 x\n    # + one\n    # + two\n    # + return 1\n    # + end_test\n    ok 2 y\n"
        self.assertEqual(ktap.said(script, "a.x"), "+ one\n+ two")
        self.assertEqual(ktap.said(script, "a.x", 1), "+ two")
        self.assertEqual(ktap.said(script, "a.y"), "")


if __name__ == "__main__":
    unittest.main()
