# SPDX-License-Identifier: GPL-2.0
"""Recorded results of the untouched base, so that `vm check` need not build it.

A file in stock/ is for one version of the base on one architecture. It has a line for each test:
STATE STEP: TEST. `make stock` runs the tests on stock and compares; with --refresh it writes.
"""
from __future__ import annotations

import glob
import os
import re
import subprocess
from typing import Any, TYPE_CHECKING

import tree
from common import HERE, say
from results import step_of

if TYPE_CHECKING:
    from results import Expected

STOCK = os.path.join(HERE, "stock")
HEAD = """# What the untouched base does with the tests. Made by: tools/testing/vm/vm stock --refresh
"""


def version() -> str:
    """Version of the base: that of Debian's package, or else that in its Makefile."""
    res = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "linux-source-6.12"],
                         capture_output=True, text=True)
    if res.returncode == 0 and res.stdout:
        return res.stdout.strip()
    words = dict(l.split(" = ")[:2] for l in tree.read(os.path.join(tree.BASE, "Makefile")).decode().splitlines()[:6]
                 if " = " in l)
    return ".".join(words[w].strip() for w in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


def numbers(name: str) -> list:
    """The numbers in a version, for comparison."""
    return [int(n) for n in re.findall(r"\d+", os.path.basename(name))]


def path(arch: str) -> str:
    return os.path.join(STOCK, f"{arch}-{version()}")


def nearest_path(wanted: str, prefix: str) -> str | None:
    """The file, or the one with that prefix and the last version before it; None if there is none."""
    before = [p for p in glob.glob(prefix + "*") if numbers(p) < numbers(wanted)]
    if os.path.exists(wanted) or not before:
        return wanted if os.path.exists(wanted) else None
    name = max(before, key=numbers)
    say(f"what stock does is recorded of {os.path.basename(name)} only; to have it of this one: make stock")
    return name


class Record:
    """{step: {test: state}}"""

    def __init__(self, steps: dict | None = None) -> None:
        self.steps = steps or {}

    @classmethod
    def parse(cls, text: str) -> Record:
        rec = cls()
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                state, _, name = line.partition(" ")
                step, _, test = name.strip().partition(": ")
                rec.steps.setdefault(step, {})[test] = state
        return rec

    @classmethod
    def load(cls, arch: str) -> Record | None:
        """The record for the installed base; None if there is none."""
        return cls.read(path(arch)) if os.path.exists(path(arch)) else None

    @classmethod
    def nearest(cls, arch: str) -> Record | None:
        """The record for the installed base or the last version before it; None if there is none."""
        name = nearest_path(path(arch), os.path.join(STOCK, f"{arch}-"))
        return cls.read(name) if name else None

    @classmethod
    def read(cls, name: str) -> Record:
        with open(name) as f:
            return cls.parse(f.read())

    def save(self, arch: str) -> None:
        os.makedirs(STOCK, exist_ok=True)
        with open(path(arch), "w") as f:
            f.write(HEAD + self.text())

    def text(self) -> str:
        return "".join(sorted(f"{state:4} {step}: {test}\n" for step, tests in self.steps.items()
                              for test, state in tests.items()))

    def results(self, step: str) -> dict:
        """Results of a step in the form of a guest's."""
        return {t: (s, "as recorded") for t, s in self.steps.get(step, {}).items()}

    def take(self, step: str, results: dict, only: Any = ()) -> None:
        """Replace the results of a step, or of those tests whose names contain one of some words."""
        old = self.steps.get(step, {})
        kept = {t: s for t, s in old.items() if only and not any(belongs(t, o) for o in only)}
        self.steps[step] = {**kept, **{t: s for t, (s, _) in results.items()}}

    def changes(self, new: Record, expected: Expected, prefix: str = "") -> list:
        """[(test, state here, state in new)], except for tests whose result on stock varies.

        prefix: prefix of names of steps in `expected`.
        """
        out = []
        for step in sorted(set(self.steps) | set(new.steps)):
            a, b = self.steps.get(step, {}), new.steps.get(step, {})
            for test in sorted(set(a) | set(b)):
                was, now = a.get(test, "none"), b.get(test, "none")
                full = f"{step}: {test}"
                # Compare only whether it passed.
                loose = "pass" not in (was, now) and "none" not in (was, now) and expected.find("differs", prefix + full)
                if was != now and not loose:
                    out.append((full, was, now))
        return out


def belongs(test: str, only: Any) -> bool:
    """Does a test belong to a script whose name contains a word?"""
    return only in test.split(".")[0] + ".sh"


def steps_of(names: Any) -> set:
    return {step_of(n) for n in names}
