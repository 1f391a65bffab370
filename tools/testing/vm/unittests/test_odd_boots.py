# SPDX-License-Identifier: GPL-2.0
"""Odd boots follow from a seed, and what is wrong with the events of a guest is found."""
import unittest

import odd_boots


def boot_with(good, bad):
    boot = odd_boots.OddBoot(1, 0)
    boot.good, boot.bad = good, bad
    return boot


LINE = "p:booted/e1 vfs_read"


class OddBoots(unittest.TestCase):
    def test_a_number_gives_the_same_boot(self):
        for n in range(20):
            self.assertEqual(odd_boots.OddBoot(7, n).text(), odd_boots.OddBoot(7, n).text())
        self.assertNotEqual(odd_boots.OddBoot(7, 1).text(), odd_boots.OddBoot(8, 1).text())

    def test_parameters_fit_the_command_line(self):
        boots = [odd_boots.OddBoot(3, n) for n in range(100)]
        for b in boots:
            kept = b.before + (b.events[:b.room] if b.full else b.events)
            self.assertLessEqual(len(kept.encode()), odd_boots.ROOM)
            self.assertNotIn("#", b.events + b.config)
            self.assertNotIn("\n", b.events)
            self.assertFalse(set(b.good) & set(b.bad))
        self.assertTrue(any(b.good for b in boots) and any(b.bad for b in boots))

    def test_some_fill_the_command_line(self):
        boots = [odd_boots.OddBoot(3, n) for n in range(1, 100, 3)]
        for b in boots:
            self.assertGreaterEqual(len(b.before + b.events), odd_boots.ROOM - 1)
            self.assertEqual(b.full, len(b.before + b.events) >= odd_boots.ROOM)
        self.assertTrue(any(len(b.before + b.events) == odd_boots.ROOM for b in boots))
        self.assertTrue(any(len(b.before + b.events) > odd_boots.ROOM for b in boots))

    def test_what_is_cut_is_not_expected(self):
        for n in range(1, 200, 3):
            b = odd_boots.OddBoot(3, n)
            kept = b.events[:b.room]
            for name in (x for x in b.good if x.startswith("booted/")):
                self.assertIn(f":{name},", kept)
            # The command at the cut is the last one.
            self.assertTrue(b.reference().endswith("\n" + kept.rpartition(";")[2].replace(",", " ") + "\n"))

    def test_a_full_command_line_has_its_length(self):
        b = next(b for b in (odd_boots.OddBoot(3, n) for n in range(100)) if b.full)
        b.good = []
        self.assertEqual(b.wrong(f"length {odd_boots.LINE + 1}\n"), [])
        self.assertEqual(b.wrong("length 9\n"), ["the command line has ['9'] characters"])

    def test_the_last_parameter_counts(self):
        for n in range(2, 100, 3):
            b = odd_boots.OddBoot(3, n)
            self.assertGreater(b.before.count("event="), 1)
            self.assertEqual(b.before.count('"') % 2, 0)
            for name in (x for x in b.good if x.startswith("booted/")):
                self.assertNotIn(f"{name},", b.before)

    def test_quotes_around_a_value_are_removed(self):
        for value, taken in (('"p:a,b"', "p:a,b"), ('"p:a', "p:a"), ('p:a,c=\\"x\\"', 'p:a,c=\\"x\\"'), ("", "")):
            self.assertEqual(odd_boots.taken(value), taken)

    def test_equal_lists_are_right(self):
        boot = boot_with(["booted/e1"], ["booted/e2"])
        self.assertEqual(boot.wrong(f"boot {LINE}\nreference {LINE}\n"), [])

    def test_what_differs_is_found(self):
        boot = boot_with(["booted/e1"], ["booted/e2"])
        self.assertEqual(boot.wrong(""), ["booted/e1 is missing"])
        self.assertIn(f"not at boot: {LINE}", boot.wrong(f"reference {LINE}\n"))
        self.assertEqual(boot.wrong(f"boot {LINE}\n"), [f"only at boot: {LINE}"])
        other = LINE.replace("e1", "e2")
        self.assertIn("booted/e2 exists", boot.wrong(f"boot {other}\nreference {other}\n"))

    def test_what_stays_or_is_off_is_found(self):
        boot = boot_with([], [])
        self.assertEqual(boot.wrong(f"left {LINE}\n"), [f"stays: {LINE}"])
        self.assertEqual(boot.wrong("stays\n"), ["stays"])
        boot = boot_with(["booted/e1"], [])
        text = f"boot {LINE}\nreference {LINE}\n"
        self.assertEqual(boot.wrong(text + "off booted/e1\n"), ["off booted/e1"])
        self.assertEqual(boot.wrong(text + "off kprobes/ce1\n"), [])


if __name__ == "__main__":
    unittest.main()
