# SPDX-License-Identifier: GPL-2.0
"""Records of results on stock, and changes of them."""
import tempfile
import unittest
import unittest.mock

from record import Record
from results import Expected

TEXT = """# head
fail selftest: a.two
pass ftrace: a test: with a colon
pass selftest: a.one
"""


class Records(unittest.TestCase):
    def test_read_and_written(self):
        rec = Record.parse(TEXT)
        self.assertEqual(rec.results("ftrace"), {"a test: with a colon": ("pass", "as recorded")})
        self.assertEqual(rec.text(), TEXT.partition("\n")[2])
        self.assertEqual(rec.results("other"), {})

    def test_new_results_take_the_place_of_old_ones(self):
        rec = Record.parse(TEXT)
        rec.take("selftest", {"a.one": ("skip", "")})
        self.assertEqual(rec.steps["selftest"], {"a.one": "skip"})
        self.assertIn("ftrace", rec.steps)

    def test_those_of_some_scripts_only(self):
        rec = Record.parse(TEXT + "pass selftest: b.one\n")
        rec.take("selftest", {"b.new": ("pass", "")}, ["b.sh"])
        self.assertEqual(rec.steps["selftest"], {"a.one": "pass", "a.two": "fail", "b.new": "pass"})

    def test_that_of_the_version_before(self):
        with tempfile.TemporaryDirectory() as stock, unittest.mock.patch("record.STOCK", stock), \
                unittest.mock.patch("record.version", lambda: "6.12.118-1"), unittest.mock.patch("record.say"):
            self.assertIsNone(Record.nearest("arm64"))
            for version, state in (("6.12.9-1", "skip"), ("6.12.117-1", "pass"), ("6.12.120-1", "fail")):
                with open(f"{stock}/arm64-{version}", "w") as f:
                    f.write(f"{state} s: t\n")
            self.assertEqual(Record.nearest("arm64").steps, {"s": {"t": "pass"}})
            self.assertIsNone(Record.load("arm64"))
            self.assertIsNone(Record.nearest("x86_64"))
            with open(f"{stock}/arm64-6.12.118-1", "w") as f:
                f.write("skip s: t\n")
            self.assertEqual(Record.nearest("arm64").steps, {"s": {"t": "skip"}})

    def changes(self, was, now, expected=""):
        return Record({"s": was}).changes(Record({"s": now}), Expected(expected))

    def test_changes(self):
        self.assertEqual(self.changes({"t": "pass"}, {"t": "pass"}), [])
        self.assertEqual(self.changes({"t": "pass"}, {"t": "fail"}), [("s: t", "pass", "fail")])
        self.assertEqual(self.changes({"t": "pass"}, {}), [("s: t", "pass", "none")])
        self.assertEqual(self.changes({}, {"t": "pass"}), [("s: t", "none", "pass")])

    def test_of_what_differs_it_matters_only_whether_it_passes(self):
        listed = "differs s: t -- why\n"
        self.assertEqual(self.changes({"t": "skip"}, {"t": "fail"}, listed), [])
        self.assertEqual(len(self.changes({"t": "skip"}, {"t": "fail"})), 1)
        self.assertEqual(len(self.changes({"t": "fail"}, {"t": "pass"}, listed)), 1)


if __name__ == "__main__":
    unittest.main()
