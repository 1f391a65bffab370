# SPDX-License-Identifier: GPL-2.0
"""Names in Documentation/trace/probe_testing.rst exist, and its figures are true."""
import glob
import os
import re
import unittest

import check
import commands
import fuzz
import litmus
import record
import suites
import tree
from common import HERE, TOP

PAGE = os.path.join(TOP, "Documentation/trace/probe_testing.rst")


def read(name):
    with open(os.path.join(TOP, name)) as f:
        return f.read()


def ours(pattern):
    return [n for n in tree.our_files() if re.search(pattern, n)]


def tests_of(script):
    """Names of the tests in a kselftest, as it reports them."""
    text = read(os.path.join(suites.OURS, script))
    loops = re.findall(r"^for t in ((?:.|\n)*?);\s*do\n\trun \$t$", text, re.M)
    names = re.findall(r"\brun (\w+)$", text, re.M) + re.findall(r"\w+", " ".join(loops))
    return {n.replace("_", " ") for n in names}


def cells(name):
    """The number of cells of a list that are tried."""
    rows = [l.split() for l in read(os.path.join(suites.OURS, name)).splitlines()]
    rows = [r for r in rows if r and r[0] not in ("#", "who", "columns", "set")]
    return sum(c != "-" for r in rows for c in r[2:])


def lines(name, pattern):
    return len(re.findall(pattern, read(name), re.M))


# {name in the table of the page: the real number}
FIGURES = {
    "KUnit suites": lambda: len(suites.our_kunit()),
    "KUnit cases": lambda: sum(map(len, suites.our_kunit().values())),
    "kselftests": lambda: len(ours(r"selftests/kprobes/\w+\.sh$")),
    "cells of who may do what": lambda: cells("rights.list") + cells("lockdown_rights.list"),
    "commands of ``bad_commands.list``": lambda: lines(os.path.join(suites.OURS, "bad_commands.list"), r"^[^#\t+]"),
    "commands that follow from a seed": lambda: commands.COUNT,
    "events on calls of known arguments": lambda: commands.HITS,
    "odd commands, anew each time": lambda: fuzz.SAMPLE,
    "examples in documents": lambda: sum(lines(n, r"^ *\.\. code-block:: sh$") for n in ours(r"^Documentation/trace/.*rst$")),
    "litmus tests": lambda: len(ours(litmus.OURS + r"/.*\.litmus$")),
    "results of 6.12 that are recorded": lambda: sum(
        lines(n, "^(?:pass|fail|skip) ") for n in glob.glob(os.path.join(record.STOCK, "[!c]*"))),
    "tests in which 6.12 differs": lambda: lines(os.path.join(HERE, "expected"), "^differs "),
}


class Page(unittest.TestCase):
    def setUp(self):
        text = read(PAGE)
        self.page = text
        self.words = [" ".join(w.split()) for w in re.findall(r"``([^`]+)``", text)]

    def all_named(self, pattern, at_least):
        found = [m for m in (re.fullmatch(pattern, w) for w in self.words) if m]
        self.assertGreaterEqual(len(found), at_least)
        return found

    def test_files_are_there(self):
        for m in self.all_named(r"(?:tools|kernel|Documentation|README)\S*", 5):
            self.assertTrue(os.path.exists(os.path.join(TOP, m.group())), m.group())
        for m in self.all_named(r"[\w-]+\.(sh|list|c|litmus)", 30):
            self.assertTrue(any(n.endswith("/" + m.group()) for n in tree.our_files()), m.group())

    def test_kselftests_are_there(self):
        for m in self.all_named(r"(\w+\.sh): (.*)", 15):
            self.assertIn(m.group(2), tests_of(m.group(1)), m.group())

    def test_kunit_cases_are_there(self):
        known = suites.our_kunit()
        for m in self.all_named(r"((?:kprobes|trace_probe|rethook|fprobe)\w*)(?:\.(?!sh$)(\w+))?", 45):
            self.assertIn(m.group(1), known)
            if m.group(2):
                self.assertIn(m.group(2), known[m.group(1)], m.group())

    def test_steps_are_there(self):
        for m in self.all_named(r"vm check ([\w-]+)", 15):
            self.assertIn(m.group(1), check.STEPS)
        for m in self.all_named(r"make (\w+).*", 5):
            self.assertRegex(read("Makefile"), rf"(?m)^(?:[\w ]+ )?{m.group(1)}(?: [\w ]+)?:")

    def test_all_is_run_or_said_not_to_be(self):
        """The page names each step, in at least one architecture, and each litmus test."""
        for step in check.STEPS:
            if "-" not in step:
                self.assertIn(f"vm check {step}", self.words)
        for name in glob.glob(os.path.join(TOP, litmus.OURS, "*.litmus")):
            self.assertIn(os.path.basename(name), self.page)

    def test_figures(self):
        """Figures are not too large, and not much too small. A new test need not change the page."""
        told = dict(re.findall(r"(?m)^(\S.*?) {2,}(\d+) {2,}\S", self.page))
        self.assertEqual(set(told), set(FIGURES))
        for what, number in told.items():
            there = FIGURES[what]()
            self.assertLessEqual(int(number), there, what)
            self.assertGreaterEqual(int(number), 0.8 * there, what)


if __name__ == "__main__":
    unittest.main()
