# SPDX-License-Identifier: GPL-2.0
"""Parse KTAP, the form of results of KUnit and kselftests.

The base's tools/testing/kunit/kunit_parser.py is not used: it drops the reason of a skipped test, which
`expected` needs, and it prints while it parses.
"""
from __future__ import annotations

import itertools
import re

LINE = re.compile(r"^( *)(ok|not ok) (\d+) ?-? ?(.*)$")
PLAN = re.compile(r"^( *)1\.\.(\d+)")
SUBTEST = re.compile(r"^( *)# Subtest: *(.*)$")
# What `set -x` shows of a kselftest after the command that failed.
AFTERMATH = re.compile(r"\+ (return 1|end_test|set \+ex)$")


class Level:
    """A level of nesting: its indentation, and its results so far."""

    def __init__(self, indent: int, name: str) -> None:
        self.indent = indent
        self.name = name
        self.planned: int | None = None
        self.seen = 0


def judge(ok: str, rest: str) -> tuple:
    """(name, state, reason) of a result line."""
    name, _, comment = rest.partition(" # ") if " # " in rest else rest.partition("# ")
    name, comment = name.strip(), comment.strip()
    m = re.match(r"(SKIP|XFAIL|TODO|UNRESOLVED)\b:? *(.*)", comment, re.I)
    word, why = (m.group(1).upper(), m.group(2)) if m else ("", "")
    if word == "SKIP":
        return name, "skip", why or "not supported here"
    if word == "XFAIL":
        return name, "skip", "expected to fail"
    if word == "UNRESOLVED":
        return name, "skip", "unresolved: something it needs is missing"
    return name, "pass" if ok == "ok" else "fail", comment


def parse(text: str, prefix: str = "") -> dict:
    """{name: (state, reason)}; nested results get names like suite.case.

    A level with fewer results than it announced has failed. The result line
    of a level itself is left out, unless it fails and none of its parts do.
    """
    results: dict = {}
    stack = [Level(-1, prefix)]

    def path(name: str) -> str:
        return ".".join([l.name for l in stack if l.name] + [name])

    def close(level: Level) -> None:
        if level.planned is not None and level.seen < level.planned:
            results[path("(ended early)")] = \
                ("fail", f"{level.seen} results of {level.planned} announced")

    for line in text.splitlines():
        line = line.rstrip("\r")
        m = SUBTEST.match(line)
        if m:
            stack.append(Level(len(m.group(1)), m.group(2).strip()))
            continue
        m = PLAN.match(line)
        if m:
            if len(m.group(1)) >= stack[-1].indent:
                # If several documents follow each other, add their plans.
                stack[-1].planned = (stack[-1].planned or 0) + int(m.group(2))
            continue
        m = LINE.match(line)
        if not m:
            continue
        indent = len(m.group(1))
        inner = 0
        while len(stack) > 1 and indent < stack[-1].indent:
            close(stack[-1])
            inner += stack[-1].seen
            stack.pop()
        name, state, reason = judge(m.group(2), m.group(4))
        stack[-1].seen += 1
        name = path(name)
        children = [s for n, (s, _) in results.items() if n.startswith(name + ".")]
        if inner and children and (state != "fail" or "fail" in children):
            continue
        while name in results:
            name += "'"
        results[name] = (state, reason)
    while stack:
        close(stack[-1])
        stack.pop()
    return results


def said(text: str, name: str, limit: int = 4) -> str:
    """What a test that failed printed last: KUnit prints it before the result, our kselftests after."""
    lines = text.splitlines()
    for i, line in enumerate(lines):
        m = LINE.match(line)
        if not m or m.group(2) == "ok" or judge("not ok", m.group(4))[0] != name.rpartition(".")[2]:
            continue
        return "\n".join((behind(lines[i + 1:], m.group(1) + "# ") or before(lines[:i]))[-limit:])
    return ""


def behind(lines: list, mark: str) -> list:
    """The comments at the beginning of lines."""
    log = [l[len(mark):].rstrip() for l in itertools.takewhile(lambda l: l.startswith(mark), lines)]
    return [l for l in log if not AFTERMATH.match(l)]


def before(lines: list) -> list:
    """Lines behind the last result or the name of the last suite."""
    last = [l for l in range(len(lines)) if LINE.match(lines[l]) or SUBTEST.match(lines[l])]
    return [l.strip() for l in lines[last[-1] + 1 if last else 0:] if l.strip()]
