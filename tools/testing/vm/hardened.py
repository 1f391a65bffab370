# SPDX-License-Identifier: GPL-2.0
"""Steps hardened*: kernels with mitigations, on processors with the flaws that they mitigate.

Each kernel is a profile of config/. On each machine a test checks that the kernel reports the mitigation.
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

# KUnit suites: all with those of the base, those on probes, or ours on instructions. Others of the base
# call by pointers of the wrong type, which kCFI does not allow.
ALL, PROBES, RETURNS, INSNS = "*", "*prob*", "rethook*", "kprobes_{arch}_*"

# Some of our kselftests: each way of tracing, and concurrent changes.
TRACE = ("events.sh", "fprobe_events.sh", "arg_returns.sh", "blocking_returns.sh", "profile.sh", "samples.sh")
RACE = ("modules.sh", "tprobe_events.sh", "odd_functions.sh", "jump_races.sh", "hotplug.sh", "stress.sh", "batch.sh",
        "ftrace_users.sh")


@dataclass(frozen=True)
class Machine:
    """A guest: its processor, arguments of its kernel, and what the kernel has to report."""
    name: str
    cpu: str = ""               # "": the default of the architecture
    append: str = ""
    says: tuple = ()            # (file, pattern that it has to contain)
    expect: str | None = None   # pattern of a splat that the base causes
    kunit: str = INSNS
    tests: tuple = TRACE


@dataclass(frozen=True)
class Row:
    """A step: a kernel, and machines on which it boots."""
    title: str
    profile: str
    machines: tuple


# QEMU drops features of these models that it does not emulate. For -cx16 see arch.py.
HARDENED = {
    "hardened": Row("PREEMPT_RT, shuffled structures and wiped stacks, on processors with flaws", "hardened-rt", (
        # Call depth tracking: a thunk in front of each function counts calls. Here cmpxchg16b stays:
        # the base's replacement for it returns a flag, which the counting of its return changes.
        Machine("skylake", "Skylake-Server", "pti=on spectre_v2=retpoline retbleed=stuff",
                ((FLAWS + "retbleed", "Mitigation: Stuffing"), (FLAWS + "meltdown", "Mitigation: PTI"))),
        # Returns and indirect branches in the first half of a cache line use thunks.
        Machine("icelake", "Icelake-Server,-cx16", "indirect_target_selection=force",
                ((FLAWS + "indirect_target_selection", "Mitigation: Aligned branch/return thunks"),)),
        # Return thunks at special addresses.
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
        Machine("kcfi", append="cfi=kcfi", says=((LOG, "Using .*kCFI"),), kunit=PROBES, tests=TRACE + RACE),
        Machine("rethook", append="cfi=kcfi", says=((LOG, "Using .*kCFI"),), kunit=RETURNS, tests=TRACE[:1]),
    )),
    "arm64-hardened-cfi": Row("clang, indirect calls that check types and land on BTI", "cfi", (
        Machine("bti", says=((LOG, "CPU features: detected: Branch Target Identification"),),
                kunit=PROBES, tests=TRACE + RACE),
        Machine("old", "cortex-a57"),
    )),
}

# make check does not run these.
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
    """The suite of a machine; None: one that only builds the tests."""
    return Suite("our KUnit suites, and kselftests that trace", "alone", functools.partial(boots, machine),
                 our_selftests)
