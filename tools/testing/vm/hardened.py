# SPDX-License-Identifier: GPL-2.0
"""Hardened kernels, on processors with the flaws that they mitigate: step hardened and the like.

Each kernel is a profile of config/; on each machine it has to say that what the row is about is on.
"""
import functools
import os
from dataclasses import dataclass
from typing import Any

from guests import Boot
from suites import Suite, our_selftests

FLAWS = "/sys/devices/system/cpu/vulnerabilities/"
CPUINFO = "/proc/cpuinfo"
LOG = "/tmp/dmesg"              # see tests/hardened.sh

EFFORT = 20                     # see suites.py

# KUnit suites: the base's, too, or those on instructions.
ALL, INSNS = "*", "kprobes_{arch}_*"

# Of our kselftests those that trace in each way, and those in which much happens at a time.
TRACE = ("events.sh", "fprobe_events.sh", "arg_returns.sh", "blocking_returns.sh", "profile.sh", "samples.sh")
RACE = ("modules.sh", "tprobe_events.sh", "odd_functions.sh", "jump_races.sh", "hotplug.sh", "stress.sh", "batch.sh",
        "ftrace_users.sh")


@dataclass(frozen=True)
class Machine:
    """A guest: what it runs on, what its kernel is told, and what that has to come to."""
    name: str
    cpu: str = ""               # "": the architecture's own
    append: str = ""
    says: tuple = ()            # (file, what has to be in it)
    expect: str | None = None   # what it complains of by itself
    kunit: str = INSNS
    tests: tuple = TRACE


@dataclass(frozen=True)
class Row:
    """A step: the kernel, and where it boots."""
    title: str
    profile: str
    machines: tuple


# QEMU's models have what it does not emulate; it leaves that out. For -cx16 see arch.py.
HARDENED = {
    "hardened": Row("PREEMPT_RT, shuffled structures and wiped stacks, on processors with flaws", "hardened-rt", (
        # Call depth tracking: each call counts, by way of a thunk in front of the function. Without
        # cmpxchg16b the base has a function for it that returns a flag, which its return then loses.
        Machine("skylake", "Skylake-Server", "pti=on spectre_v2=retpoline retbleed=stuff",
                ((FLAWS + "retbleed", "Mitigation: Stuffing"), (FLAWS + "meltdown", "Mitigation: PTI"))),
        # Returns and indirect branches that lie in the wrong half of a cache line go by thunks.
        Machine("icelake", "Icelake-Server,-cx16", "indirect_target_selection=force",
                ((FLAWS + "indirect_target_selection", "Mitigation: Aligned branch/return thunks"),)),
        # Return thunks that lie at addresses of their own.
        Machine("zen2", "EPYC-Rome,-cx16", "retbleed=unret spec_rstack_overflow=off",
                ((FLAWS + "retbleed", "untrained return thunk"),)),
        Machine("zen3", "EPYC-Milan,-cx16", "spec_rstack_overflow=safe-ret",
                ((FLAWS + "spec_rstack_overflow", "[Ss]afe RET"),),
                expect="Speculative Return Stack Overflow: WARNING"),
        Machine("old", "qemu64,-cx16", "mitigations=off"),
    )),
    "hardened-rt": Row("all KUnit suites and what races, on that kernel and five levels of page tables", "hardened-rt", (
        Machine("la57", "max,-cx16,la57", says=((CPUINFO, "la57"), ("/proc/version", "PREEMPT_RT")),
                kunit=ALL, tests=TRACE + RACE),
    )),
    "hardened-cfi": Row("clang, and indirect calls that check types", "cfi", (
        Machine("kcfi", append="cfi=kcfi", says=((LOG, "Using .*kCFI"),), kunit=ALL, tests=TRACE + RACE),
    )),
    "arm64-hardened-cfi": Row("clang, indirect calls that check types and land on BTI", "cfi", (
        Machine("bti", says=((LOG, "CPU features: detected: Branch Target Identification"),),
                kunit=ALL, tests=TRACE + RACE),
        Machine("old", "cortex-a57"),
    )),
}

# What make check leaves out.
OPTIONAL = tuple(HARDENED)


def boots(machine: Machine | None, want: Any) -> list[Boot]:
    """The guest of a machine."""
    if machine is None:
        return []
    env = {"SAYS": ";".join("=".join(s) for s in machine.says), "EFFORT": EFFORT}
    job = {"share": os.path.join(want.share, "kprobes"), "timeout": 3600,
           "cpu": machine.cpu, "expect": machine.expect,
           "append": f"kunit.enable=1 kunit.filter_glob={machine.kunit.format(arch=want.k.arch.source)} {machine.append}"}
    return [Boot(want.step, f"{want.step}-{machine.name}", "hardened.sh kunit.sh selftest.sh",
                 list(machine.tests), env, job)]


def suite(machine: Machine | None = None) -> Suite:
    """What a machine runs; without one, only what has to be built for that."""
    return Suite("our KUnit suites, and kselftests that trace", "alone", functools.partial(boots, machine),
                 our_selftests)
