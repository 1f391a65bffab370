# SPDX-License-Identifier: GPL-2.0
"""Tests that run in guests: modules and programs that they need, and guests that run them.

The step kselftest runs some of our kselftests with kselftest's runner.sh, to check that they work with
it. Not all run that way, because runner.sh has one list for one machine, and here several guests share
the tests.
"""
from __future__ import annotations

import fnmatch
import glob
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any, Callable, Sequence, TYPE_CHECKING

import kbuild
import tree
from common import BUILD, TOP, Failure
from guests import Boot, say

if TYPE_CHECKING:
    from guests import Outcome
    from kbuild import Kernel

OURS = os.path.join(TOP, "tools/testing/selftests/kprobes")
KSELFTESTS = os.path.join(tree.BASE, "tools/testing/selftests")


# Building

def module_dir(k: Kernel, what: str) -> str:
    dest = os.path.join(BUILD, "ext", f"{what}-{k.name}")
    os.makedirs(dest, exist_ok=True)
    return dest


def build_modules(k: Kernel, what: str, top: str, sources: list[str], dest: str, parts: dict | None = None) -> str:
    """Build source files below top as modules for k; parts: {module: its objects}."""
    parts = parts or {}
    names = []
    for src in sources:
        path, copy = os.path.join(top, src), os.path.join(dest, os.path.basename(src))
        if not os.path.exists(copy) or tree.read(copy) != tree.read(path):
            shutil.copy(path, copy)
        if src.endswith(".c"):
            names.append(os.path.basename(src)[:-2] + ".o")
    names = [n for n in names if n not in sum(parts.values(), [])] + [m + ".o" for m in parts]
    with open(os.path.join(dest, "Makefile"), "w") as f:
        f.write(f"obj-m := {' '.join(names)}\n")
        f.writelines(f"{m}-y := {' '.join(objs)}\n" for m, objs in parts.items())
    drop_stale(k, dest)
    kbuild.run_make(k, f"building {what} for {k.name}", f"M={dest}", "modules")
    return dest


def drop_stale(k: Kernel, dest: str) -> None:
    """Remove modules with BTF of an older vmlinux, so that make links them again."""
    built = os.path.getmtime(os.path.join(k.out, "vmlinux"))
    for ko in glob.glob(f"{dest}/*.ko"):
        if os.path.getmtime(ko) < built:
            os.unlink(ko)


def samples_of_the_base(k: Kernel) -> str:
    """Build the base's sample modules; the one for fprobes only if the kernel has them."""
    sources = ["samples/kprobes/kprobe_example.c", "samples/kprobes/kretprobe_example.c",
               "kernel/trace/kprobe_event_gen_test.c"]
    if kbuild.wanted([os.path.join(k.out, ".config")]).get("CONFIG_FPROBE") == "y":
        sources.append("samples/fprobe/fprobe_example.c")
    return build_modules(k, "the base's samples", tree.BASE, sources, module_dir(k, "samples"))


def our_modules_for_stock(k: Kernel) -> str:
    """Build the modules of our selftests for stock."""
    tests = os.path.join(TOP, "kernel/kprobes/tests")
    names = [n for n in os.listdir(tests) if re.fullmatch(r"kprobe_test_.*\.[ch]", n)]
    # Repeats the conditions in the Makefile of these modules.
    if k.arch.name != "x86_64":
        names = [n for n in names if not re.match("kprobe_test_(long|patch|odd|refuser|killer)", n)]
    sources = [os.path.relpath(os.path.join(tests, n), TOP) for n in names]
    sources += ["samples/kprobes/kprobe_example.c", "samples/kprobes/kretprobe_example.c",
                "samples/fprobe/fprobe_example.c", "kernel/trace/kprobe_event_gen_test.c"]
    with open(os.path.join(tests, "Makefile")) as f:
        parts = {m: objs.split() for m, objs in re.findall(r"(?m)^(kprobe_test_\w+)-y := (.*)$", f.read())
                 if objs.split()[0][:-1] + "c" in names}
    return build_modules(k, "our modules", TOP, sources, module_dir(k, "modules"), parts)


def our_selftests(k: Kernel) -> str:
    """Build and install our kselftests with the Makefiles of the kernel."""
    tree.sync()
    dest = os.path.join(BUILD, "ext", "selftest-" + k.name)
    shutil.rmtree(dest, ignore_errors=True)
    res = subprocess.run(["make", "-s", "-C", os.path.join(tree.TREE, "tools/testing/selftests"),
                          f"O={dest}/objects", f"ARCH={k.arch.make}", f"CROSS_COMPILE={k.arch.cross}",
                          "TARGETS=kprobes", "FORCE_TARGETS=1", f"KSFT_INSTALL_PATH={dest}/installed",
                          "install"], env=k.env(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if res.returncode:
        raise Failure(f"the kselftests are not installed: {res.stderr.strip()}")
    if k.stock:
        os.mkdir(os.path.join(dest, "installed/kprobes/modules"))
        for ko in glob.glob(os.path.join(our_modules_for_stock(k), "*.ko")):
            shutil.copy(ko, os.path.join(dest, "installed/kprobes/modules"))
    return os.path.join(dest, "installed")


def livepatch_selftests(k: Kernel) -> str:
    """Build the base's livepatch selftests and their modules for k."""
    dest = module_dir(k, "livepatch")
    source = os.path.join(KSELFTESTS, "livepatch")
    shutil.copytree(source, dest, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("test_modules"))
    modules = os.path.join(dest, "test_modules")
    os.makedirs(modules, exist_ok=True)
    names = sorted(glob.glob(f"{source}/test_modules/*.c"))
    build_modules(k, "the livepatch selftests", tree.BASE,
                  [os.path.relpath(n, tree.BASE) for n in names], modules)
    kbuild.build_program(k, os.path.join(dest, "test_klp-call_getpid"),
                         [os.path.join(dest, "test_klp-call_getpid.c")])
    return dest


# KUnit suites of ours that only kernels of some profiles or architectures have
PROFILE_KUNIT = {"kprobes_delays": ("debug",), "kprobes_kcsan": ("kcsan",)}
ARCH_KUNIT = {"kprobes_entry_args": ("x86_64",), "kprobes_ftrace": ("x86_64",)}


def our_kunit(arch: str = "") -> dict:
    """{KUnit suite: names of its cases} of our files; with a directory of arch/, those that it has."""
    found = {}
    for name in tree.our_files():
        if not name.endswith("_kunit.c") or (arch and re.match(f"arch/(?!{arch}/)", name)):
            continue
        text = tree.read(os.path.join(TOP, name)).decode()
        suite = re.search(r"struct kunit_suite \w+ = \{.*?\.name\s*=\s*\"(\w+)\"", text, re.S)
        if suite:
            found[suite.group(1)] = re.findall(r"KUNIT_CASE\w*\((\w+)", text)
    return found


def kunit_missing(k: Kernel, b: Boot, results: Any) -> list:
    """KUnit suites of ours that a guest has to run, and did not."""
    if k.stock or k.arch.name in PORT_SUITES or "kunit.sh" not in b.script.split():
        return []
    globs = re.findall(r"kunit\.filter_glob=(\S+)", b.job.get("append", "")) or ["*"]
    ran = {n.split(".")[0] for n in results}
    return sorted(n for n in our_kunit(k.arch.source) if fnmatch.fnmatchcase(n, globs[0]) and n not in ran and
                  k.profile in PROFILE_KUNIT.get(n, (k.profile,)) and k.arch.name in ARCH_KUNIT.get(n, (k.arch.name,)))


# Guests

def deal(tests: list[str], hands: int) -> list:
    """Divide a list of tests among several guests."""
    return [tests[i::hands] for i in range(hands) if tests[i::hands]]


def listed(step: str, k: Kernel, names: Any, expected: Any) -> list:
    """The tests without those that are not to be run."""
    left = [n for n in names if not expected.find("leave-out", f"{step}: {n}")]
    return [n for n in left if not (k.stock and expected.find("not-on-stock", f"{step}: {n}"))]


def chosen(names: Any, only: Sequence[str]) -> list:
    return [n for n in names if not only or any(o in n for o in only)]


@dataclass
class Want:
    """What to run of a suite, and on which kernel."""
    k: kbuild.Kernel
    step: str
    expected: object
    only: list
    share: str          # directory that its build() returned


DELAYS = 7              # the seed, so that a check differs from the last one in what it checks only


def delays(want: Want) -> str:
    """Boot parameter for delays in lockless code, which the debug profile has (kernel/kprobes/tests/delays.c)."""
    if want.k.profile != "debug":
        return ""
    seed = int(os.environ.get("SEED") or DELAYS)
    say(f"  {want.step}: delays by seed {seed}; others with: SEED=N")
    return f" kprobes_delay.seed={seed}"


def kunit_boots(want: Want) -> list:
    job: dict = {"append": "kunit.enable=1" + delays(want), "timeout": 2400}
    boots = [Boot(want.step, want.step, "kunit.sh", job=job)]
    # An old processor matters only to suites on instructions, and stock has none of these.
    if want.k.arch.old_cpu and not want.k.stock:
        old = {**job, "append": f"kunit.enable=1 kunit.filter_glob=kprobes_{want.k.arch.name}*",
               "cpu": want.k.arch.old_cpu}
        boots.append(Boot(want.step, f"{want.step}-old", "kunit.sh", job=old))
    return boots


def preempt_boots(want: Want) -> list:
    return [Boot(want.step, want.step, "kunit.sh", job={
        "append": "kunit.enable=1 kunit.filter_glob=kprobes_* preempt=full", "timeout": 1500})]


def nmi_boots(want: Want) -> list:
    return [Boot(want.step, want.step, "kunit.sh", job={
        "append": f"kunit.enable=1 kunit.filter_glob=kprobes_* preempt=full {want.k.arch.nmi}", "timeout": 2400})]


def our_functions(k: Kernel) -> set:
    """Names of functions in our objects of k."""
    objs = [os.path.join(k.out, os.path.splitext(n)[0] + ".o") for n in tree.our_files() if n.endswith(".c")]
    res = subprocess.run([k.arch.tool("nm"), "--defined-only", "-A", *filter(os.path.exists, objs)],
                         capture_output=True, text=True)
    return {l.split()[-1] for l in res.stdout.splitlines() if l.split()[-2] in "tTwW"}


def races_of_others(names: Any) -> str:
    """A pattern for reports of KCSAN in which no access is in a function of ours."""
    ours = "|".join(sorted(map(re.escape, names)))
    return rf"BUG: KCSAN: .*race in (?!(?:\S+ / )?(?:{ours})(?: |\+|$))"


# kcsan_kunit.c causes this race, and fails if KCSAN does not report it.
PLANTED_RACE = {"kprobes_planted_race"}


def kcsan_boots(want: Want) -> list:
    expect = races_of_others(our_functions(want.k) - PLANTED_RACE)
    return [Boot(want.step, f"{want.step}-{name}", "kunit.sh", job={
        "append": f"kunit.enable=1 kunit.filter_glob={glob}", "timeout": 2400, "expect": expect})
        for name, glob in (("probes", "*prob*"), ("rethook", "rethook*"))]


def samples_boots(want: Want) -> list:
    return [Boot(want.step, want.step, "samples.sh", job={"share": want.share})]


# The base's ftrace selftests of probes, and those of files that our wiring changes.
FTRACE_ON_PROBES = ("test.d/kprobe", "test.d/dynevent")
FTRACE_BESIDE = ("test.d/00basic", "test.d/direct", "test.d/event", "test.d/filter", "test.d/ftrace",
                 "test.d/instances", "test.d/preemptirq", "test.d/tracer", "test.d/trigger")


def ftrace_boots(want: Want, dirs: Any = FTRACE_ON_PROBES, hands: int = 2) -> list:
    top = os.path.join(KSELFTESTS, "ftrace")
    names = sorted(os.path.relpath(p, top) for d in dirs
                   for p in glob.glob(f"{top}/{d}/**/*.tc", recursive=True))
    names = chosen(listed(want.step, want.k, names, want.expected), want.only)
    return [Boot(want.step, f"{want.step}-{i + 1}", "ftrace.sh", hand, {"BASE": tree.BASE},
                 {"host_root": True, "timeout": 2400}) for i, hand in enumerate(deal(names, hands))]


def ftrace_beside_boots(want: Want) -> list:
    return ftrace_boots(want, FTRACE_BESIDE)


# Selftests that need a boot of their own, and its options. {NAME} is a file beside the test.
OWN_BOOT: dict[str, dict[str, str]] = {
    "boot_events.sh": {"append": "kprobe_event=p:kprobes/booted,vfs_open;"
                                 "r:kprobes/booted_ret,vfs_open,ret=$retval"},
    "boot_bad_events.sh": {"append": "kprobe_event={boot_bad_events}"},
    "bootconfig.sh": {"append": "bootconfig", "bootconfig": "{bootconfig}"},
    "lockdown.sh": {"append": "lockdown=confidentiality kprobe_event=p:locked,vfs_read"},
    "lockdown_later.sh": {},
    "lockdown_rights.sh": {},
    "livepatch.sh": {"append": "preempt=full"},
    "init_text.sh": {"append": "pti=on"},
    "ftrace_killed.sh": {"append": "slub_debug=FPU"},
    "faults.sh": {"append": "kmemleak=on trace_buf_size=16k"},
    "sequences.sh": {"append": "kmemleak=on"},
    "armed_to_the_end.sh": {},
}


# Percentage of repetitions in tests. A debug kernel is slow and finds more by itself, and races in
# the core show on x86-64 as well.
EFFORT = {"release": 50, "debug": 20, "small": 25}


# Seed of sequences.sh; SEED=N for others.
SEQUENCES = "7"

# What faults.sh does on the debug kernel; all with OPERATIONS= , which takes a quarter of an hour.
FAULTS = "definitions"


def own_boot(name: str, share: str) -> dict:
    """Options of the boot of such a test."""
    told = {}
    for key, text in OWN_BOOT[name].items():
        m = re.search(r"{(\w+)}", text)
        told[key] = text
        if m:
            with open(os.path.join(share, m.group(1))) as f:
                told[key] = text.replace(m.group(0), f.read().rstrip("\n"))
    return told


def selftest_boots(want: Want) -> list:
    share = os.path.join(want.share, "kprobes")
    scripts = sorted(n for n in os.listdir(share) if n.endswith(".sh"))
    scripts = chosen(listed(want.step, want.k, scripts, want.expected), want.only)
    env = {"EFFORT": EFFORT[want.k.profile]}
    job: dict = {"share": share, "timeout": 2400}
    hands = deal([n for n in scripts if n not in OWN_BOOT], 2)
    boots = [Boot(want.step, f"{want.step}-{i + 1}", "selftest.sh", hand, env, job) for i, hand in enumerate(hands)]
    # Random sequences differ anyway, by when processes interleave.
    alone: dict = {**env, "LIMIT": str(job["timeout"] - 60), "SEED": os.environ.get("SEED") or SEQUENCES}
    if want.k.profile == "debug":
        alone["OPERATIONS"] = os.environ.get("OPERATIONS", FAULTS)
    for n in scripts:
        if n in OWN_BOOT:
            own = {**job, **own_boot(n, share)}
            if n == "sequences.sh":
                own["append"] += delays(want)
            boots.append(Boot(want.step, f"{want.step}-{n[:-3]}", "selftest.sh", [n], alone, own))
    return boots


# How much load.sh does when it is named: hours, in a guest for each line of parts. The environment
# has other values.
LOAD = {"KPROBES": "50000", "FUNCTIONS": "50000", "MINUTES": "60", "ROUNDS": "20", "CHANGES": "1000000",
        "OPENS": "1000000", "WAITS": "5000"}
LOAD_PARTS = ("many_kprobes many_functions_of_a_link",
              "kprobes_again functions_of_a_link_again define_and_remove open_and_close enable_and_disable "
              "register_and_unregister")
LOAD_LIMIT = 5 * 3600


def load_boots(want: Want) -> list:
    env = {**{n: os.environ.get(n, v) for n, v in LOAD.items()}, "LIMIT": str(LOAD_LIMIT)}
    job = {"share": os.path.join(want.share, "kprobes"), "timeout": LOAD_LIMIT + 60}
    return [Boot(want.step, f"{want.step}-{i + 1}", "selftest.sh", ["load.sh"], {**env, "PARTS": parts}, job)
            for i, parts in enumerate(LOAD_PARTS)]


def kselftest_boots(want: Want) -> list:
    return [Boot(want.step, want.step, "kselftest.sh", job={"share": want.share, "host_root": True})]


def livepatch_boots(want: Want) -> list:
    names = sorted(os.path.basename(p) for p in glob.glob(f"{want.share}/test-*.sh"))
    names = chosen(listed(want.step, want.k, names, want.expected), want.only)
    return [Boot(want.step, want.step, "livepatch.sh", names,
                 job={"share": want.share, "host_root": True, "timeout": 1200})]


def clients_boots(want: Want) -> list:
    env = {"TOP": TOP, "VMLINUX": os.path.join(want.k.out, "vmlinux")}
    return [Boot(want.step, want.step, "clients.sh", env=env, job={"host_root": True, "timeout": 900})]


def said(outcome: Outcome) -> dict:
    """Output of the sample modules as results that can be compared."""
    return {l[2:].strip(): ("pass", "") for l in outcome.out.splitlines() if l.startswith("# says ")}


@dataclass(frozen=True)
class Suite:
    """Tests that run in guests.

    rule: how results compare with stock. "base": tests of the base; ours passes what stock has.
    "own": tests of ours, which pass on stock, too. "alone": not compared.
    """
    title: str
    rule: str
    boots: Callable             # Want -> [Boot]
    build: Callable | None = None   # Kernel -> directory with files for the guest
    more: Callable | None = None    # Outcome -> further results


SUITES = {
    "kunit": Suite("KUnit at boot: the base's suites as on stock, and ours", "base", kunit_boots),
    "samples": Suite("the base's sample modules, unmodified, as on stock", "base", samples_boots,
                     samples_of_the_base, said),
    "selftest": Suite("our kselftests, and what stock does with them", "own", selftest_boots, our_selftests),
    "ftrace": Suite("the base's ftrace selftests on probes, as on stock", "base", ftrace_boots),
    "ftrace-beside": Suite("the base's other ftrace selftests, as on stock", "base", ftrace_beside_boots),
    "livepatch": Suite("the base's livepatch selftests, as on stock", "base", livepatch_boots,
                       livepatch_selftests),
    "load": Suite("many probes for an hour, and a million changes", "alone", load_boots, our_selftests),
    "kselftest": Suite("some of our kselftests, run by kselftest itself", "alone", kselftest_boots,
                       our_selftests),
    "clients": Suite("Debian's bpftrace, perf and trace-cmd: they count what happened", "own",
                     clients_boots),
    "preempt": Suite("our KUnit suites with preempt=full", "alone", preempt_boots),
    "nmi": Suite("our KUnit suites with preempt=full and NMIs that have to be asked for", "alone", nmi_boots),
}

# It needs a kernel of the profile kcsan.
KCSAN_SUITE = Suite("our KUnit suites: no data race in our code", "alone", kcsan_boots)

# Suites that run on other architectures, too.
ARCH_SUITES = {
    "arm64": ("kunit", "nmi", "selftest", "ftrace", "samples", "clients", "load"),
}

# kprobes of the base's architecture on our core. Not compared with stock.
PORT_SUITES = {
    "riscv64": ("kunit", "ftrace"),
}

# Suites of the step debug. Tests that `expected` lists for it are skipped: they find nothing more
# there than on the release profile, or take too long.
DEBUG_SUITES = {
    "debug-kunit": Suite("KUnit", "alone", kunit_boots),
    "debug-samples": Suite("the base's sample modules", "alone", samples_boots, samples_of_the_base),
    "debug-selftest": Suite("our kselftests", "alone", selftest_boots, our_selftests),
    "debug-ftrace": Suite("the base's ftrace selftests on probes", "alone", ftrace_boots),
}
