# SPDX-License-Identifier: GPL-2.0
"""The report of the campaign, which is kept in the tree, and comparison of a sample with it.

campaign/report-KERNEL.json has the base and commit that it is of, how many chunks of each kind are
done, how many instructions can be probed, how many are refused for each reason of the kernel, and
which kinds of instructions could not be jumps. `vm campaign --report` writes it from
build/campaign/. Chunks of a kind are done in random order, so shares of a part of them hold for all.

A sample agrees with the report if

- nothing is refused without a reason,
- the report has all reasons, except for a few instructions, whose reason may be too rare for it, and
- the number of instructions that are refused for each reason, and of those that are no jumps, is as
  expected from the report, within four standard deviations and a tenth. This counts only spread
  chunks of the sample.
"""
from __future__ import annotations

import collections
import json
import math
import os
import re
import subprocess
from typing import Any, TYPE_CHECKING

import tree
from common import HERE, TOP, Failure, say

if TYPE_CHECKING:
    from campaign import Progress, Text
    from kbuild import Kernel

RARE = 3                # most instructions of a sample refused for a reason that the report lacks
SIGMAS = 4
TENTH = 0.1
NO_REASON = "(no reason)"
KINDS = 30              # most kinds of instructions without a jump that are listed; the rest is "others"

# Reasons of the blacklist: code that a hit runs, and code that cannot take a trap.
BLACKLIST = re.compile("on the hit path of probes|noinstr: |entry of |kept free |part of a function that is kept free ")


def path_of(name: str) -> str:
    """The file with the report of the kernel of that name."""
    return os.path.join(HERE, "campaign", f"report-{name}.json")


def read(name: str) -> dict:
    """The report; empty if there is none."""
    try:
        with open(path_of(name)) as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def refusals(figures: Any) -> dict:
    """{reason: {errno: how many}} for figures of chunks."""
    found: dict = {}
    for f in figures:
        for errno, why in f["why"].values():
            count = found.setdefault(why or NO_REASON, collections.Counter())
            count[errno] += 1
    return {why: dict(count) for why, count in sorted(found.items())}


def total(refused: dict, pattern: Any = None) -> int:
    """How many instructions are refused for reasons that match."""
    return sum(n for why, count in refused.items() if not pattern or pattern.match(why) for n in count.values())


def share(part: float, whole: float) -> float:
    """The share in percent."""
    return round(100 * part / whole, 4) if whole else 0


# Kinds of instructions

def listing(vmlinux: str, tool: str, offsets: set) -> dict:
    """{offset: (bytes, text)} of these instructions."""
    found: dict = {}
    base = symbol(vmlinux, "_stext")
    proc = subprocess.Popen([tool, "-d", "-w", "--insn-width=16", vmlinux], stdout=subprocess.PIPE, text=True)
    line = re.compile(r"^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+|[0-9a-f]{8} ) *\t(.*)")
    for text in proc.stdout or ():
        m = line.match(text)
        at = int(m.group(1), 16) - base if m else -1
        if m and at in offsets:
            found[at] = (len(m.group(2).replace(" ", "")) // 2, m.group(3))
    if proc.wait():
        raise Failure(f"objdump cannot read {os.path.relpath(vmlinux, TOP)}")
    return found


def symbol(vmlinux: str, name: str) -> int:
    res = subprocess.run(["nm", vmlinux], capture_output=True, text=True, check=True)
    return next(int(line.split()[0], 16) for line in res.stdout.splitlines() if line.endswith(f" {name}"))


def kind_of(length: int, text: str) -> str:
    """The length of an instruction and its name, without its operands."""
    names = [w for w in text.split() if w not in ("cs", "ds", "es", "ss", "lock", "rep", "repz", "repnz", "bnd")]
    return f"{length} byte{'s' if length > 1 else ''}: {names[0] if names else '?'}"


def kinds(k: Kernel, offsets: Any) -> dict:
    """{kind: how many} of instructions."""
    found = listing(os.path.join(k.out, "vmlinux"), k.arch.tool("objdump"), set(offsets))
    return by_count(collections.Counter(kind_of(*found[o]) if o in found else "?" for o in offsets))


def by_count(counts: Any) -> dict:
    """The most frequent ones first, and one entry for all others."""
    first = dict(counts.most_common(KINDS))
    rest = sum(counts.values()) - sum(first.values())
    return {**first, "others": rest} if rest else first


# The report

def base_version() -> str:
    """The version in the base's Makefile."""
    with open(os.path.join(tree.BASE, "Makefile")) as f:
        found = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)$", f.read(), re.M))
    return ".".join(found[n] for n in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))


def commit() -> str:
    res = subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty", "--exclude=*"],
                         capture_output=True, text=True)
    return res.stdout.strip() or "?"


def jumps(figures: Any, key: str) -> dict:
    """Figures of jumps in spread chunks. Probes at entries that ftrace patches do not count."""
    done = [f for f in figures if f["tried"]]
    probes = sum(f["probed"] for f in done)
    entries = sum(f["ftrace"] for f in done)
    traps = sum(len(f[key]) for f in done)
    probes -= entries
    return {"probes": probes, "breakpoints": traps, "jumps, percent": share(probes - traps, probes)}


def hits(figures: Any) -> list:
    return [sum(f[key] for f in figures) for key in ("hit", "hits", "missed")]


def make(text: Text, progress: Progress) -> dict:
    """The part of the report that does not need the kernel."""
    done = {kind: [f for n, f in progress.done.items() if n[0] == kind] for kind in "tmsrf"}
    # An instruction can be in a chunk of both kinds. The shares are right even if it counts twice.
    all_tried = len(done["t"]) == len(text.names("t"))
    tried = done["t"] if all_tried else done["t"] + done["s"]
    refused = refusals(tried)
    count = sum(f["probed"] + len(f["why"]) for f in tried)
    allowed = count - total(refused, BLACKLIST)
    return {
        "instructions": len(text.words),
        "chunks done, of": {kind: [len(done[kind]), text.wanted(kind)] for kind in done},
        "chunks failed": {n: bad[:3] for n, bad in sorted(progress.failed.items())},
        "tried": count,
        "refused": refused,
        "blacklisted": total(refused, BLACKLIST),
        "refused without a reason": total(refused, re.compile(re.escape(NO_REASON))),
        "can be probed, percent": share(count - total(refused), count),
        "can be probed, of what is not blacklisted, percent": share(count - total(refused), allowed),
        "spread: hit, hits, missed": hits(done["s"]),
        "neighbours: hit, hits, missed": hits(done["r"]),
        "ftrace selftests: hit, hits, missed": hits(done["f"]),
        "modules: hit, hits, missed": hits(done["m"]),
        "modules: probed": sum(f["probed"] for f in done["m"]),
        "modules: refused": refusals(done["m"]),
        "spread: jumps": jumps(done["s"], "traps"),
        "spread: jumps with a post handler": jumps(done["s"], "post_traps"),
    }


def write(k: Kernel, text: Text, progress: Progress) -> int:
    """Write the report. Returns the exit status."""
    if not progress.done:
        raise Failure(f"no chunk of {k.name} is done; run: vm campaign")
    report: dict = {"kernel": k.name, "base": base_version(), "commit": commit(), **make(text, progress)}
    spread = [f for n, f in progress.done.items() if n[0] == "s"]
    say("disassembling the instructions that are no jumps")
    report["no jumps, by kind"] = kinds(k, [o for f in spread for o in f["traps"]])
    report["no jumps with a post handler, by kind"] = kinds(
        k, [o for f in spread for o in set(f["post_traps"]) - set(f["traps"])])
    with open(path_of(k.name), "w") as out:
        json.dump(report, out, indent=1)
        out.write("\n")
    say(f"written: {os.path.relpath(path_of(k.name), TOP)}")
    return 1 if progress.failed else 0


# A sample

def differs(what: str, count: int, rate: float, of: int) -> list:
    """A complaint if count is too far from rate * of."""
    expected = rate * of
    margin = SIGMAS * math.sqrt(max(expected, 1)) + TENTH * expected
    if abs(count - expected) <= margin:
        return []
    return [f"{what}: {count} of {of}, where {expected:.0f} were expected, {margin:.0f} more or less"]


def differences(report: dict, figures: dict) -> list:
    """Where a sample, {chunk: figures}, differs from the report."""
    if not report:
        return []
    bad = []
    if report["base"] != base_version():
        bad.append(f"the report is of {report['base']}; run make campaign and vm campaign --report")
    for why, count in refusals(figures.values()).items():
        if why == NO_REASON or why not in report["refused"] and total({why: count}) > RARE:
            bad.append(f"instructions are refused for a reason that the report lacks: {why}")
    spread = [f for n, f in figures.items() if n[0] == "s"]
    sampled = refusals(spread)
    of = sum(f["probed"] + len(f["why"]) for f in spread)
    for why, count in report["refused"].items():
        bad += differs(f"refused, {why}", total({why: sampled.get(why, {})}), total({why: count}) / report["tried"], of)
    for key, traps in (("spread: jumps", "traps"), ("spread: jumps with a post handler", "post_traps")):
        said, here = report[key], jumps(spread, traps)
        if said["probes"]:
            bad += differs(f"no {key[8:]}", here["breakpoints"], said["breakpoints"] / said["probes"], here["probes"])
    return bad
