# SPDX-License-Identifier: GPL-2.0
"""What can a hit run? Follows the calls from where hits begin through a built kernel.

No function on the way may be probed, traced or instrumented: a probe in it would hit in a
hit. What it takes to know that is read from the guest: the list of what cannot be probed, and
that of what ftrace patches. Calls by pointer, which lead to handlers, are not followed.
"""
import os
import re
import subprocess

import guest
from common import HERE, Failure

# Where the processor, ftrace or a return lead to. What is called by pointer is named, too.
ROOTS = [
    "kprobe_int3_handler", "kprobe_fault_handler", "kprobe_exceptions_notify",
    "kprobe_detour", "entry_hit", "many_hit", "site_ip_hit", "site_entry_hit",
    "site_pre_handler", "site_post_handler", "kretprobe_pre_handler", "kretprobe_returned",
    "arch_rethook_trampoline", "fprobe_any_hit", "fprobe_switch_hit", "fprobe_entry_hit",
    "fprobe_call_hit", "fprobe_returned", "any_returned", "nobody_hit",
    "emulate_nop", "emulate_push_reg", "emulate_call", "emulate_call_reg", "emulate_jmp",
    "emulate_jmp_reg", "emulate_ret", "emulate_jcc", "emulate_loop", "emulate_jcxz",
    "emulate_pushf", "emulate_popf", "emulate_cli", "emulate_sti",
]

# Calls that may lead to what can be probed, and why. What they lead to is not followed.
ALLOWED = {
    "_printk": "says why the kernel is about to stop",
    "__warn_printk": "says what is wrong, once",
    "irq_work_queue": "asks for memory, with the guard against hits in hits on",
    "preempt_schedule_notrace_thunk": "leaves the hit; what it calls has preemption off",
    "__SCT__preempt_schedule_notrace": "leaves the hit; what it calls has preemption off",
    "preempt_schedule_thunk": "leaves the hit; what it calls has preemption off",
    "__SCT__preempt_schedule": "leaves the hit; what it calls has preemption off",
    "fixup_exception": "of a fault in a stepped instruction: the hit is over",
    "__stack_chk_fail": "stops the kernel",
    "dump_kprobe": "says why the kernel is about to stop",
}

INSTRUMENTS = re.compile(r"^__(asan|hwasan|ubsan|kcsan|tsan|msan|kmsan|sanitizer)_|^__sanitizer|^__cyg")
THUNK = re.compile(r"^__x86_(indirect|return)|^__pi_")


class Code:
    """The text of a built kernel."""

    def __init__(self, vmlinux):
        self.vmlinux = vmlinux
        self.start = {}         # name: address
        self.size = {}
        names = {}
        out = subprocess.run(["nm", "-S", "-n", vmlinux], capture_output=True, text=True, check=True).stdout
        ends = []
        for line in out.splitlines():
            f = line.split()
            if len(f) < 3 or f[-2] not in "tTwW":
                continue
            addr, name = int(f[0], 16), f[-1]
            names.setdefault(addr, []).append(name)
            ends.append(addr)
            self.start.setdefault(name, addr)
            if len(f) == 4:
                self.size[addr] = int(f[1], 16)
        self.names = names
        self.addrs = sorted(set(ends))

    def end(self, addr):
        if addr in self.size:
            return addr + self.size[addr]
        later = [a for a in self.addrs if a > addr]
        return later[0] if later else addr

    def calls(self, name):
        """Names of what a function calls or jumps to outside of itself."""
        start = self.start[name]
        end = self.end(start)
        out = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--start-address={start:#x}",
                              f"--stop-address={end:#x}", self.vmlinux],
                             capture_output=True, text=True, check=True).stdout
        found = set()
        for line in out.splitlines():
            m = re.search(r"\t(?:call|jmp|j[a-z]+)\s+([0-9a-f]+) <", line)
            if not m:
                continue
            target = int(m.group(1), 16)
            if start <= target < end:
                continue
            found.add(self.name(target))
        return found

    def name(self, addr):
        """The name of what is at an address, or around it."""
        if addr in self.names:
            return self.names[addr][0]
        before = [a for a in self.addrs if a < addr]
        return self.names[before[-1]][0] if before else hex(addr)


def closed_names(k):
    """(names that cannot be probed, names that ftrace patches), of a guest."""
    res = guest.run(k, guest.Job(script=os.path.join(HERE, "tests/hitpath.sh"), timeout=300,
                                 append="nokaslr"))
    if res.fault or res.code:
        raise Failure(f"the guest that tells what cannot be probed fails: {res.fault or res.code}")
    closed, traced = set(), set()
    for line in res.out.decode(errors="replace").splitlines():
        word, _, name = line.partition(" ")
        if word == "closed":
            closed.add(name)
        elif word == "traced":
            traced.add(name)
    if len(closed) < 100 or len(traced) < 10000:
        raise Failure(f"the guest tells of {len(closed)} closed and {len(traced)} traced functions")
    return closed, traced


def follow(code, closed, traced):
    """(functions on the way, what is wrong)"""
    bad, seen = [], {}
    todo = [(r, None) for r in ROOTS if r in code.start]
    missing = [r for r in ROOTS if r not in code.start]
    while todo:
        name, caller = todo.pop()
        if name in seen:
            continue
        seen[name] = caller
        by = f" (called by {caller})" if caller else ""
        if INSTRUMENTS.search(name):
            bad.append(f"{name} is an instrument{by}")
            continue
        if THUNK.search(name):
            continue
        if name in ALLOWED:
            continue
        if name in traced:
            bad.append(f"{name} can be traced{by}")
        if name not in closed:
            bad.append(f"{name} can be probed{by}")
        if name in code.start:
            todo += [(c, name) for c in sorted(code.calls(name))]
    return seen, bad, missing


def check(k):
    """[(name, state, reason)] for a built kernel."""
    code = Code(os.path.join(k.out, "vmlinux"))
    closed, traced = closed_names(k)
    seen, bad, missing = follow(code, closed, traced)
    for line in bad:
        print("  " + line, flush=True)
    out = [(f"hit path of {k.name}", "fail" if bad else "pass",
            f"{len(bad)} lines above" if bad else "")]
    if len(missing) > len(ROOTS) / 3:
        out.append((f"hit path of {k.name}: roots", "fail", f"not in the kernel: {' '.join(missing)}"))
    print(f"  {len(seen)} functions on the hit path of {k.name}", flush=True)
    return out
