# SPDX-License-Identifier: GPL-2.0
"""Check the functions that hits can run: follow calls from the entries of hits through a built kernel.

None of these functions may be probed, traced or instrumented, because a probe there would hit inside
a hit. A guest prints the ranges that cannot be probed, and the functions that ftrace patches. Calls
by pointer, which lead to handlers, are not followed.
"""
from __future__ import annotations

import bisect
import glob
import os
import re
import subprocess
from typing import TYPE_CHECKING

import guest
from common import HERE, Failure

if TYPE_CHECKING:
    from kbuild import Kernel

# Functions that exceptions, ftrace and hooked returns call, and those that are called by pointer.
# arch.py has more of them for each architecture.
ROOTS = [
    "kprobe_fault_handler", "entry_hit", "many_hit",
    "site_pre_handler", "site_post_handler", "kretprobe_pre_handler", "kretprobe_returned",
    "arch_rethook_trampoline", "fprobe_any_hit", "fprobe_switch_hit", "fprobe_entry_hit",
    "fprobe_call_hit", "fprobe_returned", "any_returned", "nobody_hit", "args_stop_time",
]

# Functions that may be called although they can be probed, and why. Their calls are not followed.
ALLOWED = {
    "_printk": "says why the kernel is about to stop",
    "__warn_printk": "says what is wrong, once",
    "irq_work_queue": "asks for memory, with the guard against hits in hits on",
    **dict.fromkeys(("preempt_schedule", "preempt_schedule_notrace", "dynamic_preempt_schedule",
                     "dynamic_preempt_schedule_notrace"), "leaves the hit; what it calls has preemption off"),
    "preempt_schedule_notrace_thunk": "leaves the hit; what it calls has preemption off",
    "__SCT__preempt_schedule_notrace": "leaves the hit; what it calls has preemption off",
    "preempt_schedule_thunk": "leaves the hit; what it calls has preemption off",
    "__SCT__preempt_schedule": "leaves the hit; what it calls has preemption off",
    "fixup_exception": "of a fault in a stepped instruction: the hit is over",
    "__stack_chk_fail": "stops the kernel",
    "dump_kprobe": "says why the kernel is about to stop",
    "__traceiter_nmi_noise": "records an event of osnoise, if that is enabled",
}

# Objects with our functions that a hit can run.
OBJECTS = ("kernel/kprobes/*.o", "arch/*/kernel/kprobes/*.o", "arch/*/kernel/probes/*.o", "arch/*/kernel/rethook.o",
           "kernel/trace/rethook*.o", "kernel/trace/fprobe*.o", "kernel/trace/entry_hook.o")

INSTRUMENTS = re.compile(r"^__(asan|hwasan|ubsan|kcsan|tsan|msan|kmsan|sanitizer)_|^__sanitizer|^__cyg")


class Code:
    """The text of a built kernel. Functions are identified by address, because names are not unique."""

    def __init__(self, k: Kernel) -> None:
        self.vmlinux = os.path.join(k.out, "vmlinux")
        self.arch = k.arch
        self.roots = ROOTS + list(k.arch.code.roots)
        self.by_name: dict = {}     # name: [addresses]
        self.names: dict = {}       # address: [names]
        out = subprocess.run(["nm", "-n", self.vmlinux], capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            f = line.split()
            # $x and $d mark code and data.
            if len(f) == 3 and f[1] in "tTwW" and not f[2].startswith("$"):
                addr = int(f[0], 16)
                self.names.setdefault(addr, []).append(f[2])
                self.by_name.setdefault(f[2], []).append(addr)
        self.addrs = sorted(self.names)

    def start(self, addr: int) -> int:
        """The start of the function that contains an address."""
        return self.addrs[bisect.bisect_right(self.addrs, addr) - 1]

    def end(self, start: int) -> int:
        i = bisect.bisect_right(self.addrs, start)
        return self.addrs[i] if i < len(self.addrs) else start + 1

    def name(self, start: int) -> str:
        return self.names[start][0]

    def calls(self, start: int) -> set:
        """Functions that a function calls or jumps to."""
        end = self.end(start)
        out = subprocess.run([self.arch.tool("objdump"), "-d", "--no-show-raw-insn", f"--start-address={start:#x}",
                              f"--stop-address={end:#x}", self.vmlinux],
                             capture_output=True, text=True, check=True).stdout
        found = set()
        for m in re.finditer(self.arch.code.calls, out):
            target = int(m.group(1), 16)
            if not start <= target < end:
                found.add(self.start(target))
        return found


class Limits:
    """Output of a guest: ranges that cannot be probed, and addresses that ftrace patches."""

    def __init__(self, text: str) -> None:
        self.closed, self.traced = [], []
        for line in text.splitlines():
            word, _, where = line.partition(" ")
            if word == "closed":
                start, end = where.split("-")
                self.closed.append((int(start, 16), int(end, 16)))
            elif word == "traced":
                self.traced.append(int(where, 16))
        self.closed.sort()
        self.traced.sort()

    def is_closed(self, start: int, end: int) -> bool:
        """Is the whole range without probes?"""
        for a, b in self.closed:
            if a <= start < b:
                start = b
        return start >= end

    def is_traced(self, start: int, end: int) -> bool:
        i = bisect.bisect_left(self.traced, start)
        return i < len(self.traced) and self.traced[i] < end


def limits(k: Kernel) -> Limits:
    """Boot k to get its limits. With nokaslr, addresses are those of vmlinux."""
    res = guest.run(k, guest.Job(script=os.path.join(HERE, "tests/hitpath.sh"), timeout=300,
                                 append="nokaslr"))
    if res.fault or res.code:
        raise Failure(f"the guest that tells what cannot be probed fails: {res.fault or res.code}")
    found = Limits(res.out.decode(errors="replace"))
    if len(found.closed) < 100 or len(found.traced) < 10000:
        raise Failure(f"the guest tells of {len(found.closed)} ranges without probes "
                      f"and {len(found.traced)} traced functions")
    return found


def roots(code: Code, limit: Limits) -> tuple:
    """(addresses of the roots, names that do not exist). Of several with one name, take those without probes."""
    found: list = []
    missing: list = []
    for name in code.roots:
        addrs = code.by_name.get(name, [])
        ours = [a for a in addrs if limit.is_closed(a, a + 1)] or addrs
        found += ours
        if not addrs:
            missing.append(name)
    return found, missing


def follow(code: Code, limit: Limits) -> tuple:
    """({function: its caller}, errors, names of roots that do not exist)"""
    found, missing = roots(code, limit)
    bad: list = []
    seen: dict = {}
    todo: list[tuple[int, int | None]] = [(r, None) for r in found]
    while todo:
        start, caller = todo.pop()
        if start in seen:
            continue
        seen[start] = caller
        name, end = code.name(start), code.end(start)
        by = f" (called by {code.name(caller)})" if caller else ""
        if INSTRUMENTS.search(name):
            bad.append(f"{name} is an instrument{by}")
            continue
        if re.match(code.arch.code.thunks, name) or any(n in ALLOWED for n in code.names[start]):
            continue
        if limit.is_traced(start, end):
            bad.append(f"{name} can be traced{by}")
        if not limit.is_closed(start, start + 1) or not limit.is_closed(end - 1, end):
            bad.append(f"{name} can be probed{by}")
        todo += [(c, start) for c in code.calls(start)]
    return seen, bad, missing


def our_names(k: Kernel) -> set:
    """The functions of our objects in the build of k."""
    names: set = set()
    for pattern in OBJECTS:
        for obj in glob.glob(os.path.join(k.out, pattern)):
            out = subprocess.run(["nm", obj], capture_output=True, text=True, check=True).stdout
            names.update(f[2] for f in map(str.split, out.splitlines()) if len(f) == 3 and f[1] in "tT")
    return names


def check_instruments(k: Kernel) -> list:
    """Check that our functions are not instrumented in a kernel with sanitizers.

    Functions of others are not followed there: debugging code would make that endless.
    """
    code, ours = Code(k), our_names(k)
    todo = [a for name in code.roots for a in code.by_name.get(name, [])]
    seen, bad = set(), []
    while todo:
        start = todo.pop()
        if start in seen or not ours.intersection(code.names[start]):
            continue
        seen.add(start)
        called = code.calls(start)
        bad += [f"{code.name(start)} calls {code.name(c)}" for c in called if INSTRUMENTS.search(code.name(c))]
        todo += called
    for line in bad:
        print("  " + line, flush=True)
    few = "" if len(seen) > len(code.roots) / 2 else f"only {len(seen)} functions found"
    print(f"  {len(seen)} functions of ours on the hit path of {k.name}", flush=True)
    return [(f"instruments on the hit path of {k.name}", "fail" if bad or few else "pass",
             few or (f"{len(bad)} lines above" if bad else ""))]


def check(k: Kernel) -> list:
    """[(name, state, reason)] for a built kernel."""
    code = Code(k)
    seen, bad, missing = follow(code, limits(k))
    for line in bad:
        print("  " + line, flush=True)
    out = [(f"hit path of {k.name}", "fail" if bad else "pass",
            f"{len(bad)} lines above" if bad else "")]
    if missing:
        out.append((f"hit path of {k.name}: roots", "fail", f"not in the kernel: {' '.join(missing)}"))
    print(f"  {len(seen)} functions on the hit path of {k.name}", flush=True)
    return out
