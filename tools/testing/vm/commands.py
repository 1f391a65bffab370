# SPDX-License-Identifier: GPL-2.0
"""Answers to commands for probe events, and records of events: ours against stock.

A program in commands/ generates commands from a seed: valid ones of all kinds for kprobe_events,
dynamic_events and uprobe_events, and many with small errors. It prints the answer of the kernel to
each: the error and its position, or the line of the event in the list and its format.
commands/examples has commands written by hand. The program also generates events on calls whose
arguments it knows, and prints their records.

stock/commands-* has hashes of the answers of stock, and commands/differs lists intended
differences. If an answer differs and a stock kernel is built, that kernel is asked again, to show
both answers. `vm commands` shows the answers to some of the commands, or to others, in full.
"""
from __future__ import annotations

import hashlib
import os
import re
import tempfile
import zlib
from dataclasses import dataclass
from typing import Any, Callable, Iterable, TYPE_CHECKING

import guest
import kbuild
import record
from common import BUILD, HERE, TOP, Failure, say

if TYPE_CHECKING:
    from kbuild import Kernel

SOURCE = os.path.join(HERE, "commands")
EXAMPLES = os.path.join(SOURCE, "examples")
DIFFERS = os.path.join(SOURCE, "differs")
SEED = 1
COUNT = 20000               # commands that are generated from the seed
HITS = 3000                 # events that are generated and hit
PER_BOOT = {"ask": 5000, "hit": 1000}
SHOWN = 10                  # answers that are shown in full
ASKED_AGAIN = 300           # answers for which stock is asked
LIMIT = 3000                # seconds for a guest
PER_LINE = 12
DIES = "the kernel dies"
FILES = {"K": "kprobe_events", "D": "dynamic_events", "U": "uprobe_events"}
# Of messages about commands only warnings matter. Stock waits for many grace periods.
APPEND = "loglevel=5 rcupdate.rcu_expedited=1"


@dataclass(frozen=True)
class Task:
    """Work for a guest: numbers of generated commands, or commands as text."""
    mode: str               # "ask": answers to commands; "hit": records of events
    numbers: tuple = ()
    lines: tuple = ()

    def __len__(self) -> int:
        return len(self.numbers) + len(self.lines)

    def behind(self, n: int) -> Task:
        """The rest after the first n commands."""
        return Task(self.mode, self.numbers[n:], self.lines[max(0, n - len(self.numbers)):])

    def script(self, seed: int) -> str:
        calls = [f"/mnt/commands {self.mode} {seed} {first} {last + 1}" for first, last in spans(self.numbers)]
        calls += ["/mnt/commands ask /mnt/lines"] if self.lines else []
        return "#!/bin/sh\n" + "".join(c + " || exit\n" for c in calls)


def spans(numbers: Iterable[int]) -> list:
    """[(first, last)] of each range without a gap."""
    out: list = []
    for n in numbers:
        if out and n == out[-1][1] + 1:
            out[-1] = (out[-1][0], n)
        else:
            out.append((n, n))
    return out


def sources() -> list:
    """The source files of the program."""
    return sorted(os.path.join(SOURCE, n) for n in os.listdir(SOURCE) if n.endswith(".c"))


def own(path: str = EXAMPLES) -> tuple:
    """Commands in a file of examples."""
    with open(path) as f:
        return tuple(l for l in f.read().splitlines() if l.strip() and not l.startswith("#"))


def tasks(mode: str, count: int) -> list:
    """Divide so many commands among guests."""
    step = PER_BOOT[mode]
    return [Task(mode, tuple(range(i, min(i + step, count)))) for i in range(0, count, step)]


def everything() -> list:
    """All commands whose answers are recorded."""
    return [*tasks("ask", COUNT), Task("ask", lines=own()), *tasks("hit", HITS)]


class Answer:
    """The answer to a command, or to several that belong together."""

    def __init__(self, mode: str, line: str) -> None:
        """Parse a line of the program. If the kernel died, the last line has a command and no answer."""
        self.mode = mode
        self.number, self.commands, *parts = line.split("\t")
        self.parts = parts or [DIES]
        self.text = "\t".join(self.parts)

    @property
    def recorded(self) -> str:
        """The commands, with a fixed address for the program's uprobes, which depends on the compiler."""
        return re.sub(r"(/mnt/commands:0x)[0-9a-f]+", r"\g<1>69e0", self.commands)

    def hash(self) -> str:
        return f"{zlib.crc32(f'{self.recorded}{chr(9)}{self.text}'.encode()):08x}"

    @property
    def group(self) -> str:
        return "events that are hit" if self.mode == "hit" else FILES[self.commands[0]]

    def line(self) -> str:
        """The line as the program prints it."""
        return f"{self.number}\t{self.commands}\t{self.text}"

    def lines(self) -> list:
        """The answer as readable text."""
        names = ("answer", "listed", "format") if self.mode == "ask" else ("answer", "recorded")
        return [self.commands] + [f"    {n}: {t}" for n, t in zip(names, self.parts) if t] + \
            [f"    {t}" for t in self.parts[len(names):]]


def ask_guest(k: Kernel, boot: Callable, seed: int, task: Task) -> tuple:
    """Boot one guest. Returns its answers until it ended, and its fault, if any."""
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        kbuild.build_program(k, os.path.join(tmp, "commands"), sources())
        path = os.path.join(tmp, "script")
        with open(path, "w") as f:
            f.write(task.script(seed))
        with open(os.path.join(tmp, "lines"), "w") as f:
            f.writelines(l + "\n" for l in task.lines)
        res = boot(k, guest.Job(script=path, share=tmp, timeout=LIMIT, append=APPEND))
    out = res.out.decode(errors="replace")
    if res.fault:
        guest.explain(k, res)
    elif res.code:
        raise Failure(f"{k.name}: the program ends with status {res.code}: {out[-200:]}")
    return [Answer(task.mode, l) for l in out.split("\n") if "\t" in l], res.fault


def ask(k: Kernel, boot: Callable, seed: int, task: Task, faults: list | None = None) -> list:
    """The answers to a task. If a kernel dies, add to faults, and go on in another guest."""
    out, left = [], task
    while left:
        got, fault = ask_guest(k, boot, seed, left)
        if fault:
            say(f"{k.name}: {fault}, behind: {got[-1].commands if got else 'nothing'}")
            if faults is not None:
                faults.append(f"{fault} (at {got[-1].number if got else 'the beginning'} of {task.mode})")
        if not got or (not fault and len(got) != len(left)):
            raise Failure(f"{k.name}: {len(got)} answers to {len(left)} commands")
        out += got
        left = left.behind(len(got))
        say(f"{k.name}: {len(out)} of {len(task)} answers ({task.mode} {got[0].number} to {got[-1].number})")
    return out


# The record

def path(arch: str) -> str:
    return os.path.join(record.STOCK, f"commands-{arch}-{record.version()}")


class Recorded:
    """Answers of stock: a hash of each, and one of all commands."""

    def __init__(self, commands: Any, hashes: list[str]) -> None:
        self.commands = commands
        self.hashes = hashes

    @classmethod
    def of(cls, answers: list[Answer]) -> Recorded:
        h = hashlib.sha256("\n".join(a.recorded for a in answers).encode())
        return cls(h.hexdigest()[:16], [a.hash() for a in answers])

    @classmethod
    def load(cls, name: str) -> Recorded:
        with open(name) as f:
            lines = [l.split() for l in f.read().splitlines() if not l.startswith("#")]
        return cls(lines[0][1], sum(lines[1:], []))

    @classmethod
    def nearest(cls, arch: str) -> Recorded | None:
        """The record for the installed base or the last version before it; None if there is none."""
        name = record.nearest_path(path(arch), os.path.join(record.STOCK, f"commands-{arch}-"))
        return cls.load(name) if name else None

    def changes(self, old: Recorded | None) -> int:
        """How many answers have changed; all of them, if commands have changed."""
        if not old or old.commands != self.commands:
            return len(self.hashes)
        return sum(a != b for a, b in zip(old.hashes, self.hashes))

    def save(self, arch: str) -> None:
        with open(path(arch), "w") as f:
            f.write("# What the untouched base answers to commands, hashed; see commands.py. "
                    "Made by: tools/testing/vm/vm stock --refresh commands\n")
            f.write(f"commands {self.commands}\n")
            for i in range(0, len(self.hashes), PER_LINE):
                f.write(" ".join(self.hashes[i:i + PER_LINE]) + "\n")


@dataclass
class Difference:
    """A line of commands/differs, and the answers that it excused so far."""
    nr: int
    commands: re.Pattern
    text: re.Pattern
    known: str              # how many answers it excuses, and their hash
    reason: str
    excused: list

    def figures(self) -> str:
        joined = " ".join(a.hash() for a in self.excused)
        return f"{len(self.excused)} {zlib.crc32(joined.encode()):08x}"


class Differs:
    """Intended differences: COMMANDS => ANSWER -- COUNT HASH -- REASON. The first two are regular expressions."""

    def __init__(self, text: str) -> None:
        self.entries = []
        for nr, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            m = re.fullmatch(r"(.+?) => (.+?) -- (\d+ \w{8}) -- (.+)", line)
            if not m:
                raise Failure(f"{os.path.basename(DIFFERS)}:{nr}: not a line like "
                              "\"COMMANDS => ANSWER -- COUNT HASH -- REASON\"")
            self.entries.append(Difference(nr, re.compile(m[1]), re.compile(m[2]), m[3], m[4], []))

    @classmethod
    def load(cls) -> Differs:
        with open(DIFFERS) as f:
            return cls(f.read())

    def find(self, answer: Answer) -> str | None:
        """The reason why an answer of ours may differ; None if it may not."""
        for e in self.entries:
            if e.commands.search(answer.commands) and e.text.search(answer.text):
                e.excused.append(answer)
                return e.reason
        return None

    def changed(self) -> list:
        """[(name, what is wrong)] of lines that do not excuse the answers that they did."""
        return [(f"{os.path.basename(DIFFERS)}:{e.nr}: {e.commands.pattern}",
                 f"excuses {e.figures()}, not {e.known}; if this is intended, change the line" if e.excused else
                 "matches nothing any more")
                for e in self.entries if e.figures() != e.known]


# The check

def stock_says(k: Kernel, boot: Callable, seed: int, answers: list[Answer]) -> dict:
    """{index in answers: answer of stock}; empty if there is no stock kernel."""
    stock = kbuild.Kernel(k.arch.name, stock=True)
    out: dict = {}
    if not os.path.exists(stock.image):
        return out
    for mode in PER_BOOT:
        which = [i for i, a in enumerate(answers) if a.mode == mode][:ASKED_AGAIN]
        if mode == "ask":
            task = Task(mode, lines=tuple(answers[i].commands for i in which))
        else:
            task = Task(mode, tuple(int(answers[i].number) for i in which))
        out.update(zip(which, ask(stock, boot, seed, task)))
    return out


def log(name: str) -> str:
    os.makedirs(os.path.join(BUILD, "check"), exist_ok=True)
    return os.path.join(BUILD, "check", name)


def keep(k: Kernel, answers: list[Answer]) -> None:
    """Write all answers to a file, one in a line."""
    with open(log(f"commands-{k.name}.txt"), "w") as f:
        f.writelines(a.line() + "\n" for a in answers)


def show(apart: list, stock: dict, where: str) -> str:
    """Write answers that differ to a file, and print the first ones. Returns the file's name."""
    with open(where, "w") as f:
        for i, a in enumerate(apart):
            text = a.lines() + (["  stock:"] + stock[i].lines()[1:] if i in stock else [])
            f.write("\n".join(text) + "\n\n")
            if i < SHOWN:
                print("\n".join("  | " + l[:400] for l in text), flush=True)
    return os.path.relpath(where, TOP)


def check(k: Kernel, answers: list[Answer], faults: list | None, boot: Callable) -> list:
    """[(name, state, why)] for the answers of k to everything()."""
    out = [("kernel is well", "fail" if faults else "pass", "; ".join((faults or [])[:3]))]
    rec = Recorded.nearest(k.arch.name)
    if not rec:
        return out + [("answers", "fail", "stock's are not recorded: make stock")]
    if rec.commands != Recorded.of(answers).commands:
        return out + [("answers", "fail", "stock's are recorded of other commands: make stock REFRESH=1")]
    differs = Differs.load()
    wrong = [a for a, h in zip(answers, rec.hashes) if a.hash() != h]
    apart = [a for a in wrong if not differs.find(a)]
    where = show(apart, stock_says(k, boot, SEED, apart), log(f"commands-{k.name}-differ.txt")) if apart else ""
    for name in dict.fromkeys(a.group for a in answers):
        count, other, bad = (sum(a.group == name for a in some) for some in (answers, wrong, apart))
        say(f"{name}: {count} answers, {other} are not stock's, {other - bad} of them on purpose")
        out.append((name, *(("fail", f"{bad} of {count} answers are not stock's; see {where}") if bad else ("pass", ""))))
    return out + [(e, "fail", why) for e, why in differs.changed()]


# vm commands

def wanted(words: list[str], hits: bool) -> list:
    """Tasks for numbers, ranges of numbers, and commands."""
    numbers = [re.fullmatch(r"(\d+)(?:-(\d+))?", w) for w in words]
    mode = "hit" if hits else "ask"
    out = [Task(mode, tuple(range(int(m[1]), int(m[2] or m[1]) + 1))) for m in numbers if m]
    lines = tuple(w if re.match("[KDU] ", w) else "D " + w for w, m in zip(words, numbers) if not m)
    return out + ([Task("ask", lines=lines)] if lines else [])


def all_of(count: int, hits: bool) -> list:
    """Tasks for that number of commands; None: for all whose answers are recorded."""
    if count is None:
        return tasks("hit", HITS) if hits else everything()
    return tasks("hit" if hits else "ask", count)


def run(kernels: list[Kernel], seed: int, todo: list, raw: bool) -> int:
    """Print the answers of a kernel. Of two, print those that differ; the exit status is 1 if any does."""
    if len(kernels) == 1:
        for a in (a for t in todo for a in ask(kernels[0], guest.run, seed, t)):
            print(a.line() if raw else "\n".join(a.lines()), flush=True)
        return 0
    differs, count, bad = Differs.load(), 0, 0
    for ours, stock in (pair for t in todo for pair in zip(*(ask(k, guest.run, seed, t) for k in kernels))):
        count += 1
        if ours.text == stock.text:
            continue
        reason = differs.find(ours)
        bad += not reason
        print("\n".join([f"{ours.number}: {ours.commands}"] + ([f"    on purpose: {reason}"] if reason else []) +
                        ["  ours:"] + ours.lines()[1:] + ["  stock:"] + stock.lines()[1:]), flush=True)
    say(f"{count} answers, {bad} are not stock's and should be")
    return 1 if bad else 0
