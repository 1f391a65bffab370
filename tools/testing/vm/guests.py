# SPDX-License-Identifier: GPL-2.0
"""Guests for the tests: run a limited number at a time, with logs, progress and times."""
from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import re
import tempfile
import threading
from dataclasses import dataclass, field, replace
from typing import Any, Iterator, TYPE_CHECKING

import guest
import ktap
from common import BUILD, HERE, TOP

if TYPE_CHECKING:
    from guest import Result
    from kbuild import Kernel

TESTS = os.path.join(HERE, "tests")
LOGS = os.path.join(BUILD, "check")
PROGRESS = 30


def say(text: str) -> None:
    print(text, flush=True)


class Slots:
    """Limits the number of guests that run. Others wait, ordered by their steps."""

    def __init__(self, count: int) -> None:
        self.free = count
        self.changed = threading.Condition()
        self.waiting: list = []
        self.numbers = itertools.count()

    @contextlib.contextmanager
    def take(self, order: int) -> Iterator:
        ticket = (order, next(self.numbers))
        with self.changed:
            heapq.heappush(self.waiting, ticket)
            while not self.free or self.waiting[0] != ticket:
                self.changed.wait()
            heapq.heappop(self.waiting)
            self.free -= 1
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self.free += 1
                self.changed.notify_all()


class Times:
    """Seconds and CPU seconds of each build and guest."""

    def __init__(self) -> None:
        self.rows: list = []          # (step or "build", name, seconds, CPU seconds)

    def add(self, group: str, name: str, took: float, cpu: float) -> None:
        self.rows.append((group, name, took, cpu))

    def lines(self, took: float) -> list:
        """A table of builds, of guests of each step, and of the sum."""
        rows = [(f"{g} {n}", "", t, c) for g, n, t, c in self.rows if g == "build"]
        for step in dict.fromkeys(r[0] for r in self.rows if r[0] != "build"):
            some = [r for r in self.rows if r[0] == step]
            longest = max(r[2] for r in some)
            rows.append((step, f"{len(some)} guests" + (f", the longest {longest:.0f}" if len(some) > 1 else ""),
                         sum(r[2] for r in some), sum(r[3] for r in some)))
        rows.append(("all", f"in {took:.0f} seconds", sum(r[2] for r in rows), sum(r[3] for r in rows)))
        width = max(len(r[0]) for r in rows)
        return [f"{'':<{width}}  seconds  of cpu"] + \
            [f"{name:<{width}}  {took:7.0f}  {cpu:6.0f}  {note}".rstrip() for name, note, took, cpu in rows]


@dataclass
class Boot:
    """A guest that runs one or more scripts of tests/, and their environment."""
    step: str
    name: str
    script: str                         # several: with blanks in between
    tests: list | None = None           # $TESTS, if the script reads that
    env: dict = field(default_factory=dict)
    job: dict = field(default_factory=dict)

    def text(self) -> str:
        env = dict(self.env)
        if self.tests is not None:
            env["TESTS"] = " ".join(self.tests)
        parts = ["#!/bin/sh\n"] + [f"export {n}='{v}'\n" for n, v in env.items()]
        for name in self.script.split():
            with open(os.path.join(TESTS, name)) as f:
                parts.append(f.read())
        return "".join(parts)


@dataclass
class Outcome:
    """Results of a guest: parsed KTAP, all output, its fault, and the gist of the first splat."""
    results: dict
    out: str
    fault: str | None
    log: str
    splat: str = ""


class Runner:
    """Boots guests."""

    def __init__(self, times: Times, slots: Slots) -> None:
        self.times = times
        self.slots = slots

    def boot(self, k: Kernel, b: Boot, order: int = 0) -> Outcome:
        """Run one guest of k to its end."""
        with self.slots.take(order), tempfile.TemporaryDirectory(prefix="vm-") as tmp:
            path = os.path.join(tmp, "script")
            with open(path, "w") as f:
                f.write(b.text())
            seen, console = bytearray(), bytearray()
            with progress(b.name, k, seen, console), open(log_of(k, b), "wb", buffering=0) as log:

                def sink(data: bytes) -> None:
                    seen.extend(data)
                    log.write(data)

                res = guest.run(k, guest.Job(script=path, **b.job), sink, console.extend)
                log.write(b"\n--- console ---\n" + res.console)
        self.times.add(b.step, b.name, res.took, res.cpu)
        return outcome(k, b, res)

    def boot_rest(self, k: Kernel, b: Boot, order: int = 0) -> Outcome:
        """Run a guest. If its kernel dies in one of b.tests, another guest runs the tests after that one.

        The test in which a kernel died has no result.
        """
        if not b.tests:
            return self.boot(k, b, order)
        whole, left = Outcome({}, "", "", ""), list(b.tests)
        while left:
            got = self.boot(k, replace(b, tests=left), order)
            whole.out += got.out
            whole.log, whole.fault, whole.splat = got.log, got.fault, got.splat
            whole.results.update((n, r) for n, r in got.results.items() if "(ended early)" not in n)
            left = behind_the_death(left, got.out)[1:] if got.fault else []
        return whole


def stem(name: str) -> str:
    return os.path.splitext(name)[0]


def behind_the_death(tests: Any, out: str) -> list:
    """The scripts that did not end: the one in which the guest died, and those after it."""
    began = re.findall(r"(?m)^ *# Subtest: (\S+)$", out)
    ended = re.findall(r"(?m)^(?:not )?ok \d+ (\S+)", out)
    return [t for t in tests if stem(t) not in ended] if began else []


@contextlib.contextmanager
def progress(name: str, k: Kernel, seen: bytearray, console: bytearray) -> Iterator:
    """Print the number of results from time to time."""
    done = threading.Event()

    def tell() -> None:
        while not done.wait(PROGRESS):
            count = len(re.findall(rb"(?m)^ *(?:not )?ok ", seen) or
                        re.findall(rb"(?m)^\[[ \d.]+\]  +(?:not )?ok ", console))
            say(f"  {name} on {k.name}: {count} results so far")

    t = threading.Thread(target=tell, daemon=True)
    t.start()
    try:
        yield
    finally:
        done.set()
        t.join()


def log_of(k: Kernel, b: Boot) -> str:
    """The file for a guest's output, followed by its console."""
    return os.path.join(LOGS, f"{b.name}-{k.name}.log")


def outcome(k: Kernel, b: Boot, res: Result) -> Outcome:
    """Parse the output of a guest."""
    out = res.out.decode(errors="replace")
    fault = res.fault
    if fault:
        for text in res.splats[:1]:
            say("\n".join("  | " + l for l in text.splitlines()[:40]))
    elif res.code:
        fault = f"the script ends with status {res.code}"
    say(f"  {b.name} on {k.name}: {int(res.took)} s" + (f", {fault}" if fault else ""))
    results = ktap.parse(out)
    if fault and not results:
        # KUnit writes to the console, too. Take its results from there if the guest died before the script ran.
        results = ktap.parse(re.sub(r"(?m)^\[[ \d.]+\] ", "", res.console.decode(errors="replace")))
    splat = guest.gist(res.splats[0]) if res.splats else ""
    return Outcome(results, out, fault, os.path.relpath(log_of(k, b), TOP), splat)
