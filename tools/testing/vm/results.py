# SPDX-License-Identifier: GPL-2.0
"""Judge results of tests.

Results are {name of the test: (state, why)}; states are pass, fail and skip. Failures and skips are
errors unless the file `expected` lists them; see there.
"""
from __future__ import annotations

import fnmatch
import os
import re
from typing import Any

from common import HERE, Failure

EXPECTED = os.path.join(HERE, "expected")
KINDS = ("skip", "differs", "not-on-stock", "leave-out")


def step_of(name: str) -> str:
    """The step in a name like "STEP: TEST"."""
    return name.partition(":")[0]


class Entry:
    """A line of `expected`."""

    def __init__(self, nr: int, kind: str, pattern: str, reason: str) -> None:
        self.nr = nr
        self.kind = kind
        self.pattern = pattern
        self.reason = reason
        steps, self.test = pattern.split(": ", 1)
        self.steps = steps.split(",")
        self.used: set = set()       # steps with a test that it matched

    def __str__(self) -> str:
        return f"{os.path.basename(EXPECTED)}:{self.nr}: {self.kind} {self.pattern}"


class Expected:
    """The lines of `expected`, and which of them have matched."""

    def __init__(self, text: str) -> None:
        self.entries = []
        for nr, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                self.entries.append(self.parse(nr, line))

    @classmethod
    def load(cls) -> Expected:
        with open(EXPECTED) as f:
            return cls(f.read())

    @staticmethod
    def parse(nr: int, line: str) -> Entry:
        m = re.fullmatch(r"(\S+) +([^:*?\[]+: .*?) -- (.*\S)\s*", line)
        if not m or m.group(1) not in KINDS:
            raise Failure(f"expected:{nr}: not a line like \"skip STEP: TEST -- reason\": {line}")
        return Entry(nr, *m.groups())

    def find(self, kind: str, name: str) -> Entry | None:
        """The first line of a kind that matches a test; None if there is none."""
        test = name.partition(": ")[2]
        for e in self.entries:
            if e.kind == kind and step_of(name) in e.steps and fnmatch.fnmatchcase(test, e.test):
                e.used.add(step_of(name))
                return e
        return None

    def stale(self, steps: Any, kinds: Any = KINDS) -> list:
        """Lines for tests of these steps that matched nothing."""
        return [e for e in self.entries if e.kind in kinds and set(steps).intersection(e.steps) - e.used]


class Report:
    """All results so far."""

    def __init__(self, expected: Expected | None = None) -> None:
        self.results: list = []       # (name, state, why)
        self.expected = expected or Expected("")

    def add(self, name: str, state: str, why: str = "") -> None:
        """Add a result. A skip that is not listed is a failure."""
        if state == "skip":
            entry = self.expected.find("skip", name)
            state, why = ("skip", entry.reason) if entry else \
                ("fail", f"skipped ({why or 'no reason given'}), which {os.path.basename(EXPECTED)} does not list")
        self.results.append((name, state, why))

    def add_all(self, step: str | None, results: dict) -> None:
        for name, (state, why) in results.items():
            self.add(f"{step}: {name}", state, why)

    def count(self, state: str, step: str | None = None) -> int:
        return sum(s == state and step in (None, step_of(n)) for n, s, _ in self.results)

    def not_passed(self, state: str) -> list:
        return [(n, why) for n, s, why in self.results if s == state]

    def compare(self, step: str | None, stock: dict, ours: dict) -> list:
        """Compare tests of the base: ours has to pass all tests that stock has.

        Returns the rows of a table: name, state on stock, state on ours.
        """
        rows = []
        for name in stock | ours:
            s, _ = stock.get(name, ("none", ""))
            o, why = ours.get(name, ("none", ""))
            rows.append((name, s, o))
            if o == "none":
                self.add(f"{step}: {name}", "fail", f"no result of ours; {s} on stock")
            elif o == "fail":
                self.add(f"{step}: {name}", "fail", f"{why or o}; {s} on stock")
            else:
                self.add(f"{step}: {name}", o, why)
        return rows

    def agree(self, step: str | None, stock: dict, ours: dict) -> list:
        """Compare tests of ours: results on stock are the same, or `expected` says why not.

        Returns the rows of a table: name, state on stock, state on ours.
        """
        rows = []
        for name, (o, why) in ours.items():
            s, s_why = stock.get(name, ("none", ""))
            full = f"{step}: {name}"
            rows.append((name, s, o))
            if o == "pass" and s != o and not self.is_apart(step, name, s):
                o, why = "fail", self.apart(s, s_why)
            self.add(full, o, why)
        for name in stock:
            if name not in ours:
                rows.append((name, stock[name][0], "none"))
                self.add(f"{step}: {name}", "fail", "no result of ours, but stock has one; "
                         "if the test is gone: make stock")
        return rows

    def is_apart(self, step: str | None, name: str, s: str) -> Entry | None:
        """Does `expected` list that the result differs on stock, or that its script does not run there?"""
        script = f"{step}: {name.partition('.')[0]}.sh"
        return (s == "none" and self.expected.find("not-on-stock", script)) or \
            self.expected.find("differs", f"{step}: {name}")

    @staticmethod
    def apart(s: str, why: str) -> str:
        if s == "none":
            return "passes; what stock does is not recorded: make stock"
        return f"passes, but stock has: {s}{f' ({why})' if why else ''}; " \
            f"if that is intended, {os.path.basename(EXPECTED)} has to say why"

    def settle(self, steps: Any, kinds: Any = KINDS) -> None:
        """Fail for lines of `expected` that matched nothing, when these steps have run."""
        for e in self.expected.stale(steps, kinds):
            self.results.append((str(e), "fail", "matches nothing any more"))
