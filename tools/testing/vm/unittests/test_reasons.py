# SPDX-License-Identifier: GPL-2.0
"""Reasons why instructions are refused or not hit."""
import unittest

import reasons


def symbols():
    """Symbols of a kernel with f at 0 and g at 0x10 in ordinary text, and h at 0x20 in noinstr text."""
    s = reasons.Symbols.__new__(reasons.Symbols)
    s.base, s.marked = 0x1000, {"g"}
    s.texts = [(0x1020, 0x1030, reasons.TEXTS["noinstr"])]
    s.patched = [({0x1004}, "static branch")]
    s.functions = [(0x1000, "f"), (0x1010, "g.part.0"), (0x1020, "h")]
    s.starts = [start for start, _ in s.functions]
    return s


class Refused(unittest.TestCase):
    def test_by_the_text_it_is_in(self):
        self.assertEqual(symbols().why_refused(0x24, "EINVAL"), reasons.TEXTS["noinstr"])

    def test_by_the_mark_of_the_function_that_it_is_a_part_of(self):
        self.assertIn("NOKPROBE_SYMBOL", symbols().why_refused(0x14, "EINVAL"))

    def test_by_who_else_patches_it(self):
        self.assertEqual(symbols().why_refused(0x4, "EINVAL"), "static branch")

    def test_by_the_errno(self):
        self.assertEqual(symbols().why_refused(0x8, "EILSEQ"), reasons.BY_ERRNO["EILSEQ"])
        self.assertEqual(symbols().why_refused(0x8, "ENOMEM"), "ENOMEM")


class NotHit(unittest.TestCase):
    def test_all_of_a_function_or_some_of_it(self):
        executed = {0, 4, 8, 0x10, 0x14}
        self.assertIn("not called", symbols().why_not_hit(0x10, {0x10, 0x14}, executed))
        self.assertIn("a way through", symbols().why_not_hit(4, {4, 0x10, 0x14}, executed))


class Lines(unittest.TestCase):
    def test_most_frequent_first(self):
        lines = reasons.grouped(symbols(), "refused", {0: "a", 0x10: "b", 0x14: "b", 0x20: "b"})
        self.assertEqual(lines, ["refused: 4", "  3 b", "    g.part.0 (2), h", "  1 a", "    f"])

    def test_none(self):
        self.assertEqual(reasons.grouped(symbols(), "refused", {}), ["refused: 0"])


if __name__ == "__main__":
    unittest.main()
