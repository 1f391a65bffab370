# SPDX-License-Identifier: GPL-2.0
"""Failures and skips are errors unless `expected` lists them."""
import unittest

from common import Failure
from results import Expected, Report

PASS, FAIL, SKIP = ("pass", ""), ("fail", "why not"), ("skip", "no such thing")


def states(report):
    return {n: s for n, s, _ in report.results}


def why(report, name):
    return next(w for n, _, w in report.results if n == name)


class ExpectedLines(unittest.TestCase):
    def test_a_line_has_kind_step_test_and_reason(self):
        e, = Expected("# remark\n\nskip kunit: a.b -- no such CPU\n").entries
        self.assertEqual((e.nr, e.kind, e.pattern, e.reason), (3, "skip", "kunit: a.b", "no such CPU"))

    def test_other_lines_are_refused(self):
        for line in ("skip kunit: a.b", "skip kunit: a.b -- ", "skip a.b -- why", "may kunit: a -- why",
                     "skip *: a.b -- why", "kunit: a -- why"):
            with self.assertRaises(Failure, msg=line):
                Expected(line)

    def test_patterns_are_those_of_a_shell(self):
        expected = Expected("skip kunit: suite.* -- why\n")
        self.assertTrue(expected.find("skip", "kunit: suite.case"))
        self.assertFalse(expected.find("skip", "kunit: other.case"))
        self.assertFalse(expected.find("skip", "debug-kunit: suite.case"))
        self.assertFalse(expected.find("differs", "kunit: suite.case"))

    def test_lines_of_no_use_are_told_for_steps_that_were_run(self):
        expected = Expected("skip a: one -- why\nskip a: two -- why\nskip b: three -- why\ndiffers a: x -- why\n")
        expected.find("skip", "a: one")
        self.assertEqual([e.pattern for e in expected.stale({"a"})], ["a: two", "a: x"])
        self.assertEqual([e.pattern for e in expected.stale({"a"}, ["skip"])], ["a: two"])
        report = Report(expected)
        report.settle({"a"})
        self.assertEqual(list(states(report).values()), ["fail", "fail"])


    def test_a_line_for_several_steps_has_to_be_of_use_for_each(self):
        expected = Expected("differs a,arm64-a: x.* -- why\n")
        self.assertFalse(expected.find("differs", "b: x.y"))
        self.assertTrue(expected.find("differs", "arm64-a: x.y"))
        self.assertEqual(expected.stale({"arm64-a", "b"}), [])
        self.assertEqual(len(expected.stale({"a", "arm64-a"})), 1)
        self.assertTrue(expected.find("differs", "a: x.z"))
        self.assertEqual(expected.stale({"a", "arm64-a"}), [])


class Skips(unittest.TestCase):
    def test_only_what_is_listed_may_be_skipped(self):
        report = Report(Expected("skip s: listed -- no such CPU\n"))
        report.add_all("s", {"listed": SKIP, "other": SKIP, "good": PASS, "bad": FAIL})
        self.assertEqual(states(report), {"s: listed": "skip", "s: other": "fail", "s: good": "pass",
                                          "s: bad": "fail"})
        self.assertEqual(why(report, "s: listed"), "no such CPU")
        self.assertIn("no such thing", why(report, "s: other"))

    def test_a_listed_skip_does_not_excuse_a_failure(self):
        report = Report(Expected("skip s: t -- why\n"))
        report.add_all("s", {"t": FAIL})
        report.compare("s", {"t": SKIP}, {"t": FAIL})
        report.agree("s", {"t": SKIP}, {"t": FAIL})
        self.assertEqual(report.count("fail"), 3)


class TestsOfTheBase(unittest.TestCase):
    def compare(self, stock, ours, expected=""):
        report = Report(Expected(expected))
        report.compare("s", {} if stock is None else {"t": stock}, {} if ours is None else {"t": ours})
        (name, state, _), = report.results
        self.assertEqual(name, "s: t")
        return state

    def test_a_pass_of_ours_is_a_pass(self):
        for stock in (PASS, FAIL, SKIP, None):
            self.assertEqual(self.compare(stock, PASS), "pass")

    def test_a_failure_of_ours_is_one_whatever_stock_does(self):
        for stock in (PASS, FAIL, SKIP, None):
            self.assertEqual(self.compare(stock, FAIL), "fail")

    def test_no_result_of_ours_is_a_failure_whatever_stock_does(self):
        for stock in (PASS, FAIL, SKIP):
            self.assertEqual(self.compare(stock, None), "fail")

    def test_a_skip_of_ours_has_to_be_listed_whatever_stock_does(self):
        for stock in (PASS, FAIL, SKIP, None):
            self.assertEqual(self.compare(stock, SKIP), "fail")
            self.assertEqual(self.compare(stock, SKIP, "skip s: t -- why\n"), "skip")


class TestsOfOurs(unittest.TestCase):
    def agree(self, stock, ours, expected=""):
        report = Report(Expected(expected))
        report.agree("s", {} if stock is None else {"t": stock}, {} if ours is None else {"t": ours})
        report.settle({"s"})
        return [s for _, s, _ in report.results]

    def test_both_pass(self):
        self.assertEqual(self.agree(PASS, PASS), ["pass"])

    def test_a_difference_has_to_be_listed(self):
        for stock in (FAIL, SKIP, None):
            self.assertEqual(self.agree(stock, PASS), ["fail"])
            self.assertEqual(self.agree(stock, PASS, "differs s: t -- why\n"), ["pass"])

    def test_a_difference_that_is_none_any_more_is_told(self):
        self.assertEqual(self.agree(PASS, PASS, "differs s: t -- why\n"), ["pass", "fail"])

    def test_ours_fails(self):
        for stock in (PASS, FAIL, SKIP, None):
            self.assertEqual(self.agree(stock, FAIL), ["fail"])

    def test_ours_skips(self):
        for stock in (PASS, FAIL, SKIP):
            self.assertEqual(self.agree(stock, SKIP), ["fail"])
        self.assertEqual(self.agree(SKIP, SKIP, "skip s: t -- why\n"), ["skip"])

    def test_a_test_that_is_gone_is_told(self):
        self.assertEqual(self.agree(PASS, None), ["fail"])


if __name__ == "__main__":
    unittest.main()
