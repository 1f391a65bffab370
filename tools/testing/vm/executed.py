# SPDX-License-Identifier: GPL-2.0
"""Probe each instruction that the campaign's workload executes, as breakpoint and as jump.

QEMU logs which instructions it translates. With one instruction in a translated block, the log has
each instruction that is executed for the first time. Instructions that are in the logs of several
guests are executed in each run of the workload.

These instructions are probed in chunks, and the workload runs once with each chunk. Other chunks of
the campaign are attached and detached while the workload runs; that would take too long here.
Instructions that were not hit are probed again, a few times. Instructions that could not be jumps
are tried once more without probes near them. `vm campaign --executed` goes on where it was
interrupted; see campaign.py for the rest.
"""
from __future__ import annotations

import array
import json
import os
import re
import shutil
import socket
import tempfile
import time
from typing import Any, Iterable, TYPE_CHECKING

import campaign
import campaign_report
import guest
import reasons
from campaign import APART, LENGTH_SHIFT, Task, out
from common import TOP, Failure, say

if TYPE_CHECKING:
    from campaign import Text, Words
    from kbuild import Kernel

RECORDINGS = 3          # guests whose logs have to agree
LIMIT = 1800            # seconds for each; single-stepping is slow
CHUNK = 50000           # instructions in a chunk
AGAIN = 4               # more tries for instructions that were not hit
FEW = 1000              # instructions in a chunk of such a try, as jumps
WAYS = ("plain", "jump")


def monitor(path: str, *commands: str) -> None:
    """Give commands to QEMU's monitor."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall("".join(c + "\n" for c in commands).encode())
        # QEMU echoes a command when it has run it.
        seen = b""
        while seen.count(b"(qemu)") <= len(commands):
            got = s.recv(4096)
            if not got:
                raise Failure("QEMU's monitor is gone")
            seen += got


def logged(path: str) -> set:
    """The addresses in QEMU's log of translated code."""
    line = re.compile(r"(0x[0-9a-f]+): ")
    with open(path, errors="replace") as f:
        return {int(m.group(1), 16) for m in map(line.match, f) if m}


def record(k: Kernel, tools: str, base: int, end: int) -> set:
    """Addresses from base to end that one guest executes while the workload runs."""
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        share, script, log, door = (os.path.join(tmp, n) for n in ("share", "script", "log", "monitor"))
        os.mkdir(share)
        shutil.copy(os.path.join(tools, "workload"), share)
        with open(script, "w") as f, open(os.path.join(campaign.SOURCE, "guest.sh")) as g:
            f.write("#!/bin/sh\nQUEUE=\nTESTS=\n" + g.read())
        seen = bytearray()
        # The guest prints these words, and QEMU gets these commands then. Shutdown is not logged.
        signs = [(b"watch\n", ("singlestep on", "log in_asm")), (b"\nstatus ", ("log none", "singlestep off"))]

        def sink(data: bytes) -> None:
            seen.extend(data)
            while signs and signs[0][0] in seen:
                monitor(door, *signs.pop(0)[1])

        job = guest.Job(script=script, share=share, append="nokaslr", timeout=LIMIT, qemu=(
            "-monitor", f"unix:{door},server=on,wait=off", "-D", log, "-dfilter", f"{base:#x}+{end - base:#x}"))
        res = guest.run(k, job, sink)
        # Its status does not count here: single-stepped, the workload exceeds its time limits.
        if res.fault or signs:
            raise Failure(f"the workload does not run to its end: {res.fault or seen.decode(errors='replace')[-300:]}")
        return logged(log)


def some(words: Words, offsets: Iterable[int]) -> Words:
    """The words whose offset is one of offsets."""
    return array.array("I", (w for w in words if w & (1 << LENGTH_SHIFT) - 1 in offsets))


def offsets_of(words: Words) -> set:
    return {w & (1 << LENGTH_SHIFT) - 1 for w in words}


class Progress:
    """Which tasks are done for a kernel, kept in files."""

    def __init__(self, k: Kernel, text: Text) -> None:
        self.stem = os.path.join(campaign.RESULTS, k.name)
        self.of, self.done = text.id, {}
        path = self.stem + ".executed.json"
        if os.path.exists(path):
            with open(path) as f:
                kept = json.load(f)
            if kept["of"] == text.id:
                self.done = kept["done"]
                return
            say(f"{k.name} was rebuilt, so everything is probed again")
        for nr in range(RECORDINGS):
            if os.path.exists(self.recording(nr)):
                os.unlink(self.recording(nr))
        self.save()

    def recording(self, nr: int) -> str:
        return f"{self.stem}.recording-{nr}"

    def save(self) -> None:
        path = self.stem + ".executed.json"
        with open(path + ".tmp", "w") as f:
            json.dump({"of": self.of, "done": self.done}, f)
        os.rename(path + ".tmp", path)

    def take(self, task: Task, chunk: Any) -> None:
        """Keep the results of a task. In a round that did not end, no instruction counts as hit."""
        rounds = {r.name: r for r in chunk.rounds if r.complete}
        missed = sorted(offsets_of(task.words) - set(chunk.refusals))
        self.done[task.name] = {
            "bad": chunk.complaints(), "figures": chunk.figures(), "refused": list(chunk.refusals.items()),
            "unhit": {way: rounds[way].unhit if way in rounds else missed for way in task.rounds},
            "traps": rounds["jump"].traps if "jump" in rounds else [],
        }
        self.save()


def find(k: Kernel, text: Text, tools: str, progress: Progress) -> Words:
    """Words of text for instructions that all recordings have."""
    spans, base = campaign.functions(os.path.join(k.out, "vmlinux"))
    kept: set[int] | None = None
    for nr in range(RECORDINGS):
        path = progress.recording(nr)
        if not os.path.exists(path):
            found = record(k, tools, base, max(e for _, e in spans))
            with open(path + ".tmp", "wb") as f:
                some(text.words, {a - base for a in found}).tofile(f)
            os.rename(path + ".tmp", path)
        words = array.array("I")
        with open(path, "rb") as f:
            words.frombytes(f.read())
        kept = set(words) if kept is None else kept & set(words)
        say(f"recording {nr + 1} of {RECORDINGS}: {len(words)} instructions, {len(kept)} in all so far")
    return array.array("I", (w for w in text.words if w in (kept or ())))


def chunks(words: Words, ways: Any, name: str, least: int = 1) -> list:
    """Divide words into tasks; at least so many, so that neighbours are in different ones."""
    count = min(len(words), max(least, -(-len(words) // CHUNK)))
    return [Task(f"x{name}{i}", words[i::count], list(ways), 0) for i in range(count)]


def outcome(tasks: Any, done: Any, key: str) -> dict:
    """{way: offsets} that were not hit ("unhit") or could not be jumps ("traps") in these tasks."""
    found: dict = {way: set() for way in WAYS}
    for t in tasks:
        for way in t.rounds:
            found[way].update(done[t.name]["unhit"][way] if key == "unhit" else done[t.name]["traps"])
    return found


def plan(words: Words, done: Any) -> tuple:
    """([(number of the try, task)] so far, {way: offsets not hit}, offsets that could not be jumps)."""
    tasks = chunks(words, WAYS, "")
    tries = [(0, t) for t in tasks]
    unhit: dict = {}
    traps: set = set()
    for nr in range(1 + AGAIN):
        if any(t.name not in done for t in tasks):
            break
        unhit, again = outcome(tasks, done, "unhit"), outcome(tasks, done, "traps")["jump"]
        # Only the next try, without probes near them, shows that these cannot be jumps.
        traps = again if nr == 0 else traps & again if nr == 1 else traps
        todo = {**unhit, "jump": unhit["jump"] | (traps if nr == 0 else set())}
        tasks = [t for way in WAYS
                 for t in chunks(some(words, todo[way]), [way], f"{way}-{nr + 1}-",
                                 max(APART, -(-len(todo[way]) // FEW)) if way == "jump" else 1)]
        if nr < AGAIN:
            tries += [(nr + 1, t) for t in tasks]
    return tries, unhit, traps


def probe(k: Kernel, tools: str, words: Words, progress: Progress, until: float | None) -> None:
    """Run tasks that are left until the time is over."""
    while True:
        left = [(nr, t) for nr, t in plan(words, progress.done)[0] if t.name not in progress.done]
        if not left or until and time.time() > until:
            return
        tasks = [t for nr, t in left if nr == left[0][0]][:campaign.PER_BOOT]
        by_name, seen = {t.name: t for t in tasks}, []

        def take(chunk: Any) -> None:
            progress.take(by_name[chunk.name], chunk)
            campaign.tell(k, chunk, chunk.complaints(), "")
            seen.append(chunk.name)

        fault = campaign.run_guest(k, tools, tasks, take)
        if not seen:
            raise Failure(f"a guest did no chunk ({fault})")


def report(k: Kernel, text: Text, words: Words, progress: Progress) -> list:
    """Lines of the report, when all is done."""
    symbols = reasons.Symbols(k)
    tries, unhit, traps = plan(words, progress.done)
    first = [progress.done[t.name] for nr, t in tries if nr == 0]
    total = campaign.add_up([d["figures"] for d in first])
    executed = offsets_of(words)
    refused = {o: symbols.why_refused(o, errno) for d in first for o, errno in d["refused"]}
    probed = len(executed) - len(refused)
    changed = any(d["bad"] for d in progress.done.values())
    lines = [f"What the campaign's workload executes, probed: {k.name}, by {campaign.command(k)} --executed",
             f"Linux {campaign_report.base_version()} with ours in place of what series/removed lists; QEMU's -cpu {k.arch.cpu}",
             "",
             f"{len(text.words)} instructions in functions, {len(executed)} of them executed in each of "
             f"{RECORDINGS} recordings of the workload",
             f"{probed} probed, {len(refused)} refused; {len(tries)} chunks in 1 + {AGAIN} tries at most",
             f"the workload's results: {'CHANGED, or a guest has failed' if changed else 'as without probes'}",
             ""]
    for way, what in (("plain", "hit as breakpoints"), ("jump", "hit where jumps are allowed")):
        hit = probed - len(unhit[way])
        lines.append(f"{what}: {hit} of {probed}, {100 * hit / max(1, probed):.3f} %")
    jumps = probed - total["ftrace"] - len(traps)
    lines += [f"there: {jumps} jumps, {total['ftrace']} entries that ftrace patches, {len(traps)} breakpoints", ""]
    lines += reasons.grouped(symbols, "refused", refused)
    for way, what in (("plain", "not hit as breakpoints"), ("jump", "not hit where jumps are allowed")):
        lines += ["", *reasons.grouped(symbols, what, {
            o: symbols.why_not_hit(o, unhit[way], executed) for o in unhit[way]})]
    lines += ["", *reasons.grouped(symbols, "breakpoints, with nobody near", {
        o: "could be no jump" for o in traps})]
    return lines


def tell(k: Kernel, text: Text, words: Words, progress: Progress) -> int:
    """Print the results. Returns the exit status."""
    tries, unhit, traps = plan(words, progress.done)
    done = [progress.done[t.name] for nr, t in tries if nr == 0 and t.name in progress.done]
    bad = [f"{name}: {b}" for name, d in progress.done.items() for b in d["bad"]]
    total = campaign.add_up([d["figures"] for d in done])
    out(campaign.describe(total))
    left = [t.name for _, t in tries if t.name not in progress.done]
    for b in bad:
        out(f"FAILED {b}")
    if left:
        out(f"{len(left)} chunks are left; the same command continues")
        return 1 if bad else 0
    for way in WAYS:
        hit = total["probed"] - len(unhit[way])
        out(f"{way}: {hit} of {total['probed']} hit ({100 * hit / max(1, total['probed']):.2f} %)")
        if unhit[way]:
            out("not hit:")
            campaign.show_places(k, some(words, unhit[way]))
    if traps:
        out(f"{len(traps)} of them could not be jumps:")
        campaign.show_places(k, some(words, traps))
    path = progress.stem + ".report"
    with open(path, "w") as f:
        f.writelines(line + "\n" for line in report(k, text, words, progress))
    out(f"all of that: {os.path.relpath(path, TOP)}")
    return 1 if bad or any(unhit.values()) else 0


def run(k: Kernel, chunk: Any, minutes: int) -> int:
    """Run all tasks, or one chunk. Returns the exit status."""
    until = time.time() + minutes * 60 if minutes else None
    text, tools = campaign.Text(k), campaign.build(k)
    progress = Progress(k, text)
    words = find(k, text, tools, progress)
    out(f"the workload executes {len(words)} of {len(text.words)} instructions each time")
    if chunk:
        tasks = {t.name: t for _, t in plan(words, progress.done)[0]}
        if chunk not in tasks:
            raise Failure(f"there is no chunk {chunk}; there is: {' '.join(tasks)}")
        return campaign.one(k, tasks[chunk])
    probe(k, tools, words, progress, until)
    return tell(k, text, words, progress)
