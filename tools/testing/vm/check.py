# SPDX-License-Identifier: GPL-2.0
"""All tests: `vm check [STEP...]`, which `make check` runs; and `vm stock`.

Each step adds results: name, state (pass, fail, skip) and reason. results.py decides which of
them count as failures. Kernels are built one after the other. A step starts when its kernel is
built, and as many guests run at a time as the host has processors.

The base's tests have to pass on our kernel. Results of the stock kernel are recorded in stock/ (see
record.py), so a stock kernel is built only if nothing is recorded.
"""
from __future__ import annotations

import concurrent.futures
import functools
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Callable, Iterable, Sequence, TYPE_CHECKING

import campaign
import commands
import fuzz
import guest
import hardened
import hitpath
import kbuild
import ktap
import lint
import litmus
import record
import tree
from arch import ARCHES, DEFAULT, split_step
from common import HERE, TOP, Failure
from guests import LOGS, Runner, Slots, Times, say
from results import KINDS, Expected, Report
from suites import ARCH_SUITES, DEBUG_SUITES, KCSAN_SUITE, PORT_SUITES, SUITES, Want, kunit_missing

if TYPE_CHECKING:
    from concurrent.futures import Future
    from guest import Result
    from guests import Outcome
    from kbuild import Kernel
    from suites import Suite

# Not more than processors: in a slow debug kernel, KUnit cases would exceed their time limit.
GUESTS = max(2, os.cpu_count() or 1)

printing = threading.Lock()


class Built:
    """A kernel, and files for its guests: {function that builds them: directory, or a Failure}."""

    def __init__(self, k: Kernel) -> None:
        self.k = k
        self.shares: dict = {}

    def share(self, build: Callable | None) -> Any:
        got = self.shares[build] if build else None
        if isinstance(got, Failure):
            raise got
        return got


class Context:
    """State that steps share."""

    def __init__(self, names: list[str], only: Sequence[str] = (), stock: bool = False) -> None:
        self.names = names
        self.only = list(only)
        self.report = Report(Expected.load())
        self.times = Times()
        self.runner = Runner(self.times, Slots(GUESTS))
        self.compiler = concurrent.futures.ThreadPoolExecutor(1)
        self.builds: dict = {}
        self.lock = threading.Lock()
        self.records = {} if stock else {arch: record.Record.nearest(arch) for arch in {split_step(n)[0] for n in names}}

    def order(self, step: str) -> int:
        return list(STEPS).index(step) if step in STEPS else len(STEPS)

    def build(self, name: str, make: Callable) -> Future:
        """The future of make(), which is called once for each name."""
        with self.lock:
            if name not in self.builds:
                self.builds[name] = self.compiler.submit(self.timed, name, make)
            return self.builds[name]

    def timed(self, name: str, make: Callable) -> Any:
        start, spent = time.time(), len(kbuild.spent)
        try:
            return make()
        finally:
            self.times.add("build", name, time.time() - start, sum(s or 0 for s in kbuild.spent[spent:]))

    def kernel(self, profile: str | None = None, stock: bool = False, arch: str = DEFAULT) -> Future:
        """The future of a Built. A kernel that does not build is reported as one failure."""
        k = kbuild.Kernel(arch, profile, stock)
        suites = DEBUG_SUITES if profile == "debug" else SUITES
        names = [n for a, n in map(split_step, self.names) if a == arch]
        wanted = [s for n, s in suites.items() if n in names or step_name(n) in names]
        if profile in {row.profile for row in hardened.HARDENED.values()}:
            wanted = [hardened.suite()]
        return self.build(k.name, lambda: self.make_kernel(k, [s.build for s in wanted if s.build]))

    def boot_job(self, step: str, name: str, *args: Any) -> Result:
        """Run a guest that belongs to no suite, when it is its turn."""
        with self.runner.slots.take(self.order(step)):
            res = guest.run(*args)
        self.times.add(step, name, res.took, res.cpu)
        return res

    def make_kernel(self, k: Kernel, builders: list) -> Built:
        try:
            kbuild.build(k)
        except Failure as e:
            self.report.add(f"build: {k.name}", "fail", str(e))
            raise
        self.report.add(f"build: {k.name}", "pass")
        built = Built(k)
        for build in builders:
            try:
                built.shares[build] = build(k)
            except Failure as e:
                built.shares[build] = e
        return built


def step_name(suite: str) -> str:
    """The name of the step that runs a suite."""
    name = split_step(suite)[1]
    return suite.removesuffix(name) + ("debug" if name in DEBUG_SUITES else name)


def together(*functions: Callable) -> list:
    """Call functions in threads. Returns their results, or raises the first exception when all have ended."""
    with concurrent.futures.ThreadPoolExecutor(max(1, len(functions))) as pool:
        futures = [pool.submit(f) for f in functions]
    return [f.result() for f in futures]


def add_results(results: dict, more: dict) -> None:
    """Add results of another guest. A skip of the first guest stays; a failure in any guest is a failure."""
    for name, new in more.items():
        if name not in results or new[0] == "fail":
            results[name] = new


def run_suite(ctx: Context, step: str, suite: Suite, built: Built) -> dict:
    """Run all guests of a suite: {test: (state, why)}"""
    want = Want(built.k, step, ctx.report.expected, ctx.only, built.share(suite.build))
    order = ctx.order(step_name(step))
    results: dict = {}
    boot = ctx.runner.boot_rest if built.k.stock else ctx.runner.boot
    boots = suite.boots(want)
    if not boots:
        raise Failure(f"no test of it is named like {' or '.join(ctx.only)}" if ctx.only else "it has no test")
    outcomes = together(*(functools.partial(boot, built.k, b, order) for b in boots))
    for b, got in zip(boots, outcomes):
        add_results(results, {n: explained(n, r, got.out) for n, r in got.results.items()})
        if suite.more:
            add_results(results, suite.more(got))
        if not built.k.stock:
            guest_ok(ctx.report, step, b, got, kunit_missing(built.k, b, got.results))
    return results


def explained(name: str, result: tuple, out: str) -> tuple:
    """A result with what the test printed, if it failed without a reason."""
    return result if result != ("fail", "") else ("fail", ktap.said(out, name))


def guest_ok(report: Report, step: str, boot: Any, got: Outcome, missing: list) -> None:
    """Add one result for the guest as a whole: it booted, ended, had no splat, and ran its tests."""
    fault = got.fault or ("" if got.results else "no test ran") or \
        (f"these KUnit suites did not run: {' '.join(missing)}" if missing else "")
    why = "\n".join([f"{fault}; see {got.log}"] + got.splat.splitlines()) if fault else ""
    report.add(f"{step}: guest {boot.name}", "fail" if fault else "pass", why)


def table(step: str, rows: list) -> None:
    """Print how results of stock and ours compare, except for tests that pass on both."""
    odd = [r for r in rows if set(r[1:]) != {"pass"}]
    width = max([len(n) for n, _, _ in odd] + [4])
    with printing:
        say(f"\n  {step}: {len(rows) - len(odd)} pass on both" + (", and:" if odd else ""))
        for name, stock, ours in odd:
            say(f"  {name:<{width}}   | {stock:<5} | {ours}")
        say("")


# The steps

def on_stock(ctx: Context, step: str, suite: Suite) -> dict:
    """Results of stock for a suite: the recorded ones, or those of a run now."""
    arch, name = split_step(step)
    known = ctx.records[arch]
    if known:
        return known.results(name)
    say(f"  {step}: nothing is recorded of this version of the base, so stock is run, too; see make stock")
    return run_suite(ctx, step, suite, ctx.kernel(stock=True, arch=arch).result())


def step_suite(ctx: Context, step: str) -> None:
    """Run one of SUITES on our kernel, and compare with stock."""
    arch, name = split_step(step)
    suite = SUITES[name]
    ours = run_suite(ctx, step, suite, ctx.kernel(arch=arch).result())
    if suite.rule == "alone" or arch in PORT_SUITES:
        ctx.report.add_all(step, ours)
        return
    stock = on_stock(ctx, step, suite)
    if ctx.only:
        stock = {n: r for n, r in stock.items() if n in ours}
    if suite.rule == "own":
        table(step, ctx.report.agree(step, stock, ours))
        return
    # These are our KUnit suites.
    known = {n.split(".")[0] for n in stock}
    own = {} if name != "kunit" else {n: r for n, r in ours.items() if n.split(".")[0] not in known}
    table(step, ctx.report.compare(step, stock, {n: r for n, r in ours.items() if n not in own}))
    ctx.report.add_all(step, own)


def step_hitpath(ctx: Context, step: str) -> None:
    """Check that no function that a hit can run can be probed, traced or is instrumented."""
    k = ctx.kernel(arch=split_step(step)[0]).result().k
    with ctx.runner.slots.take(ctx.order(step)):
        start = time.time()
        found = hitpath.check(k)
    ctx.times.add(step, f"hit path of {k.name}", time.time() - start, 0)
    for name, state, why in found:
        ctx.report.add(f"{step}: {name}", state, why)


def debug_suites(arch: str) -> dict:
    """{suite: its full name} of the suites that the step debug of an architecture runs."""
    prefix = "" if arch == DEFAULT else f"{arch}-"
    return {n: prefix + n for n in DEBUG_SUITES if n not in OPTIONAL}


def step_debug(ctx: Context, step: str) -> None:
    """Run all of DEBUG_SUITES."""
    arch = split_step(step)[0]
    built = ctx.kernel("debug", arch=arch).result()

    def one(name: str, full: str) -> None:
        ctx.report.add_all(full, run_suite(ctx, full, DEBUG_SUITES[name], built))

    together(*(functools.partial(one, n, full) for n, full in debug_suites(arch).items()))
    for name, state, why in hitpath.check_instruments(built.k):
        ctx.report.add(f"{step}: {name}", state, why)


def step_hardened(ctx: Context, step: str) -> None:
    """Run a hardened kernel on the processors of its row in hardened.py."""
    row = hardened.HARDENED[step]
    built = ctx.kernel(row.profile, arch=split_step(step)[0]).result()

    def one(machine: hardened.Machine) -> None:
        results = run_suite(ctx, step, hardened.suite(machine), built)
        ctx.report.add_all(step, {f"{machine.name}: {n}": r for n, r in results.items()})

    machines = [m for m in row.machines if not ctx.only or m.name in ctx.only]
    if not machines:
        raise Failure(f"its machines are {' '.join(m.name for m in row.machines)}")
    together(*(functools.partial(one, m) for m in machines))


def step_kcsan(ctx: Context, step: str) -> None:
    """Run our KUnit suites with KCSAN. A data race in our code fails."""
    built = ctx.kernel("kcsan", arch=split_step(step)[0]).result()
    ctx.report.add_all(step, run_suite(ctx, step, KCSAN_SUITE, built))


def step_litmus(ctx: Context, step: str) -> None:
    """Check lock-free protocols of hits by the kernel's memory model."""
    for name, state, why in litmus.run():
        ctx.report.add(f"{step}: {name}", state, why)


def step_debug_ftrace(ctx: Context, step: str) -> None:
    """Run the base's ftrace selftests of probes on the debug profile."""
    built = ctx.kernel("debug").result()
    ctx.report.add_all(step, run_suite(ctx, step, DEBUG_SUITES[step], built))


# A script for a guest, and the result that the harness has to report.
HARNESS_CASES = (
    ("status of the script", "exit 7", 60, "status 7"),
    ("panic", "echo c > /proc/sysrq-trigger", 60, "panicked"),
    ("hang", "while :; do :; done", 15, "hangs"),
    ("splat", "echo '<4>WARNING: CPU: 0 PID: 1 at nowhere' > /dev/kmsg; sleep 1; exit 0", 60, "complains"),
)


def step_harness(ctx: Context, step: str) -> None:
    """Run the unit tests of the harness, and guests that fail in known ways."""
    # Unit tests replace functions of modules that other steps use, so run them in another process.
    res = subprocess.run([sys.executable, "-m", "unittest", "discover", "-s", "unittests"], cwd=HERE,
                         capture_output=True, text=True)
    for test in re.findall(r"^(?:FAIL|ERROR): (.*)$", res.stderr, re.M):
        ctx.report.add(f"{step}: {test}", "fail", "its trace is above")
    if res.returncode:
        say("\n".join("  | " + l for l in res.stderr.splitlines()))
    number = re.search(r"^Ran (\d+) tests", res.stderr, re.M)
    ctx.report.add(f"{step}: {number[1] if number else 'no'} unit tests", "fail" if res.returncode else "pass")
    k = ctx.kernel().result().k

    def one(name: str, script: str, limit: int, want: Any) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as f, ctx.runner.slots.take(ctx.order(step)):
            f.write(script + "\n")
            f.flush()
            res = guest.run(k, guest.Job(script=f.name, timeout=limit))
        ctx.times.add(step, name, res.took, res.cpu)
        got = res.fault or f"status {res.code}"
        ctx.report.add(f"{step}: {name} is seen", "pass" if want in got else "fail",
                       "" if want in got else f"reported as: {got}")

    together(*(functools.partial(one, *c) for c in HARNESS_CASES))


def step_campaign(ctx: Context, step: str) -> None:
    """Run a few chunks of make campaign; on x86-64 with preempt=full, too."""
    arch = split_step(step)[0]
    k = ctx.kernel(arch=arch).result().k
    seed = os.environ.get("SEED") or campaign.new_seed()
    say(f"  seed {seed}; again with: {campaign.command(k)} --seed {seed}")

    # Both need it; build it once.
    campaign.Text(k)
    campaign.build(k)

    boot = functools.partial(ctx.boot_job, step, "chunks")

    def one(append: str) -> None:
        how = f" with {append}" if append else ""
        found = campaign.sample(k, seed, lambda c, bad: say(f"  {c.name}{how}: {campaign.describe(c.figures())}"),
                                append=append, boot=boot)
        for name, bad in found.items():
            again = f"; again with: {campaign.repeat(k, name)}" if name != "report" else ""
            what = "as the report says" if name == "report" else name
            why = f"{'; '.join(bad[:3])}{again}" if bad else ""
            ctx.report.add(f"{step}: {what}{how}", "fail" if bad else "pass", why)

    together(*(functools.partial(one, a) for a in ("", "preempt=full")[:2 if arch == DEFAULT else 1]))


def ask_commands(ctx: Context, step: str, k: Kernel, faults: list | None = None) -> list:
    """Write all commands whose answers are recorded to k. Returns its answers."""
    boot = functools.partial(ctx.boot_job, step, "commands")
    parts = together(*(functools.partial(commands.ask, k, boot, commands.SEED, t, faults)
                       for t in commands.everything()))
    answers = [a for p in parts for a in p]
    commands.keep(k, answers)
    return answers


def step_commands(ctx: Context, step: str) -> None:
    """Compare answers to 20,000 commands, and records of events, with those of stock."""
    k = ctx.kernel().result().k
    faults: list = []
    answers = ask_commands(ctx, step, k, faults)
    for name, state, why in commands.check(k, answers, faults, functools.partial(ctx.boot_job, step, "stock")):
        ctx.report.add(f"{step}: {name}", state, why)


def step_fuzz(ctx: Context, step: str) -> None:
    """Run a few commands of make fuzz on the debug profile, and with type information."""
    (arch, profile), = needs(step)
    k = ctx.kernel(profile, arch=arch).result().k
    seed = int(os.environ.get("SEED") or fuzz.SAMPLE_SEED)
    say(f"  {step}: seed {seed}")
    failed, counts = fuzz.sample(k, seed, functools.partial(ctx.boot_job, step, "commands"))
    for number, why in failed:
        ctx.report.add(f"{step}: {number}", "fail", f"{why}; again with: {fuzz.again(k, seed, number)}")
    say(f"  {step}: {counts}")
    ctx.report.add(f"{step}: {fuzz.SAMPLE} commands", "fail" if failed else "pass")
    state = fuzz.Sample(seed, 0, 0, 0, fuzz.SAMPLE_BOOTS)
    fuzz.run_boots(k, functools.partial(ctx.boot_job, step, "boots"), state)
    why = "; ".join(f"{what}; again with: {fuzz.again_boot(k, seed, number)}" for number, what in state.bad_boots)
    ctx.report.add(f"{step}: {fuzz.SAMPLE_BOOTS} odd boots", "fail" if state.bad_boots else "pass", why)


TRACE = "kernel/trace"
OURS_IN_TRACE = sorted(n[:-2] + ".o" for n in tree.our_files() if re.fullmatch(TRACE + r"/(?!.*_kunit)\w+\.c", n)
                       and "gen_test" not in n)

# Directories and objects with probe code or its callers. arch.py has those of each architecture.
VARIANTS = {
    "rt": ["lib/addr_table.o", "kernel/kprobes/", *OURS_IN_TRACE, "kernel/extable.o"],
    "noprobes": [*f"{TRACE}/ftrace.o {TRACE}/trace.o {TRACE}/trace_events.o {TRACE}/trace_dynevent.o "
                 f"{TRACE}/trace_event_perf.o {TRACE}/trace_uprobe.o {TRACE}/trace_eprobe.o "
                 f"{TRACE}/bpf_trace.o {TRACE}/probes/".split(), "kernel/extable.o", "kernel/kallsyms.o", "kernel/exit.o",
                 "kernel/fork.o", "kernel/module/", "init/main.o"],
    "bare": ["lib/addr_table.o", "kernel/kprobes/", "kernel/extable.o", "kernel/kallsyms.o", "kernel/exit.o",
             "kernel/fork.o", "init/main.o"],
}


def step_variants(ctx: Context, step: str) -> None:
    """Compile with other configurations: PREEMPT_RT, no probes, only kprobes."""
    arch = ARCHES[split_step(step)[0]]
    for profile, objs in VARIANTS.items():
        name = f"{step}: {profile} compiles without a warning"
        k = kbuild.Kernel(arch.name, profile)
        objs = objs + list(arch.objects[profile])
        try:
            clean = ctx.build(f"objects of {k.name}", functools.partial(kbuild.build_objects, k, objs)).result()
            ctx.report.add(name, "pass" if clean else "fail", "" if clean else "see the warnings above")
        except Failure as e:
            ctx.report.add(name, "fail", str(e))


# Generic objects that include our headers, for architectures that are only compiled; see arch.py.
SEE_OUR_CORE = {
    "tracer": ["lib/addr_table.o", "kernel/kprobes/", f"{TRACE}/", "kernel/extable.o", "kernel/kallsyms.o",
               "kernel/exit.o", "kernel/fork.o", "kernel/module/main.o", "samples/kprobes/"],
    "noftrace": ["lib/addr_table.o", "kernel/kprobes/", f"{TRACE}/"],
}


def step_arch_builds(ctx: Context, step: str) -> None:
    """Compile our core for other architectures of the base, whose code is unmodified."""
    subprocess.run([os.path.join(HERE, "packages"), "arches"], check=True)
    for arch in ARCHES.values():
        for profile, own in arch.objects.items():
            if profile not in SEE_OUR_CORE:
                continue
            name = f"{step}: {arch.name} {profile} compiles without a warning"
            k = kbuild.Kernel(arch.name, profile)
            objs = SEE_OUR_CORE[profile] + list(own)
            try:
                clean = ctx.build(f"objects of {k.name}", functools.partial(kbuild.build_objects, k, objs)).result()
                ctx.report.add(name, "pass" if clean else "fail", "" if clean else "see the warnings above")
            except Failure as e:
                ctx.report.add(name, "fail", str(e))


def step_lint(ctx: Context, step: str) -> None:
    """Run the static checks; see lint.py and lint_tools.py."""
    kernels = [ctx.kernel(arch=a).result().k for a in (DEFAULT, *ARCH_SUITES)]
    for name, state, reason in ctx.build("objects for lint", lambda: lint.run(kernels)).result():
        ctx.report.add(f"{step}: {name}", state, reason)


# Guests start in this order. Long steps come first, so that the last guests end at about the same time.
STEPS = {
    "harness": step_harness,
    "selftest": step_suite,
    "ftrace": step_suite,
    "campaign": step_campaign,
    "commands": step_commands,
    "fuzz": step_fuzz,
    "clients": step_suite,
    "kunit": step_suite,
    "preempt": step_suite,
    "livepatch": step_suite,
    "kselftest": step_suite,
    "samples": step_suite,
    "hitpath": step_hitpath,
    "debug": step_debug,
    "debug-fuzz": step_fuzz,
    "variants": step_variants,
    "arch-builds": step_arch_builds,
    "lint": step_lint,
    "litmus": step_litmus,
    **{f"{arch}-{n}": step_suite for arch, names in (ARCH_SUITES | PORT_SUITES).items() for n in names},
    **{f"{arch}-{n}": step for arch in ARCH_SUITES for n, step in
       (("hitpath", step_hitpath), ("campaign", step_campaign))},
    **{f"{arch}-{n}": step for arch in ARCH_SUITES for n, step in
       (("debug", step_debug), ("variants", step_variants))},
    "ftrace-beside": step_suite,
    "load": step_suite,
    "debug-ftrace": step_debug_ftrace,
    "kcsan": step_kcsan,
    **{f"{arch}-kcsan": step_kcsan for arch in ARCH_SUITES},
    **dict.fromkeys(hardened.HARDENED, step_hardened),
}

# These run only if they are named: they take half an hour or more, need further configurations, or run on a
# port after its KUnit suites have passed.
OPTIONAL = ("ftrace-beside", "debug-ftrace", "kcsan", "load", *hardened.OPTIONAL,
            *(f"{arch}-{n}" for arch in ARCH_SUITES for n in ("debug", "variants", "kcsan", "load")),
            *(f"{arch}-ftrace" for arch in PORT_SUITES))


def needs(step: str) -> list:
    """[(architecture, profile)] of the kernels that a step boots; None is the default profile."""
    arch, name = split_step(step)
    if step in hardened.HARDENED:
        return [(arch, hardened.HARDENED[step].profile)]
    if name.startswith("debug"):
        return [(arch, "debug")]
    if name == "kcsan":
        return [(arch, name)]
    if name == "litmus":
        return []
    return [(a, None) for a in ARCH_SUITES] + [(DEFAULT, None)] if name == "lint" else [(arch, None)]


def title(step: str) -> str:
    arch, name = split_step(step)
    if step in hardened.HARDENED:
        text = hardened.HARDENED[step].title
    else:
        text = SUITES[name].title if name in SUITES else (STEPS[step].__doc__ or "").splitlines()[0]
    return text if arch == DEFAULT else f"{arch}: {text}"


def checked(names: list[str], all_names: Iterable[str], arch: str | None = None) -> list:
    """The steps that were named, or all. With an architecture, steps may be named without its prefix."""
    if arch:
        if arch not in ARCHES:
            raise Failure(f"no architecture {arch}; there is: {' '.join(ARCHES)}")
        all_names = [n for n in all_names if split_step(n)[0] == arch]
        names = [n if n in all_names or arch == DEFAULT else f"{arch}-{n}" for n in names]
    for n in names:
        if n not in all_names:
            raise Failure(f"there is no step {n}; there is: {' '.join(all_names)}")
    return names or [n for n in all_names if n not in OPTIONAL] or list(all_names)


def parts_of(step: str) -> list:
    """Names of the suites that a step reports separately."""
    arch, name = split_step(step)
    return list(debug_suites(arch).values()) if name == "debug" else []


def run_step(ctx: Context, name: str, start: int) -> None:
    """Run one step to its end."""
    say(f"{name}: {title(name)}")
    try:
        STEPS[name](ctx, name)
    except Exception as e:  # A broken step must not hide the others.
        ctx.report.add(f"{name}: the step itself", "fail", f"{type(e).__name__}: {e}")
    parts = [name] + parts_of(name)
    p, f, s = (sum(ctx.report.count(x, part) for part in parts) for x in ("pass", "fail", "skip"))
    say(f"{name}: {p} passed, {f} failed, {s} skipped ({int(time.time() - start)} s so far)")


def run(names: list[str], only: Sequence[str] = (), arch: str | None = None) -> int:
    """Run the named steps, or all."""
    names = checked(names, STEPS, arch)
    subprocess.run([os.path.join(HERE, "packages"), "clients"], check=False)
    os.makedirs(LOGS, exist_ok=True)
    ctx, start = Context(names, only), time.time()
    # Guests of the debug kernel take longest, but its build would delay all others.
    for where, profile in sorted({need for n in names for need in needs(n)}, key=lambda n: (n[1] or "", n[0] != DEFAULT)):
        ctx.kernel(profile, arch=where)
    together(*(functools.partial(run_step, ctx, n, start) for n in STEPS if n in names))
    if not only:
        settled = set(names).union(*(parts_of(n) for n in names))
        ctx.report.settle(settled, [kind for kind in KINDS if kind != "not-on-stock"])
    return finish(ctx, time.time() - start)


def finish(ctx: Context, took: float) -> int:
    """Print times, results that did not pass, and a line with the sum. Returns the exit status."""
    say("\n".join(["\nwhere the time went:"] + ["  " + l for l in ctx.times.lines(took)]))
    return tell(ctx.report)


def tell(report: Report) -> int:
    """Print results that did not pass, and a line with the sum. Returns the exit status."""
    for state, heading in (("skip", "skipped"), ("fail", "FAILED")):
        chosen = report.not_passed(state)
        if chosen:
            say(f"\n{heading}:")
        for name, why in chosen:
            say("\n    ".join(f"  {name}: {why}".splitlines()) if why else f"  {name}")
    passed, failed, skipped = (report.count(s) for s in ("pass", "fail", "skip"))
    if failed:
        say(f"\nThe whole output of each guest is in {os.path.relpath(LOGS, TOP)}/")
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


# Stock

def recorded(arch: str) -> list:
    """The steps of an architecture whose results on stock are recorded."""
    names = list(SUITES if arch == DEFAULT else ARCH_SUITES.get(arch) or [])
    return [n for n in names if SUITES[n].rule != "alone"] + (["commands"] if arch == DEFAULT else [])


def stock_commands(ctx: Context, k: Kernel, refresh: bool) -> int:
    """Write commands to stock; with refresh, record its answers. Returns how many differ from the record."""
    old, new = commands.Recorded.nearest(DEFAULT), commands.Recorded.of(ask_commands(ctx, "commands", k))
    changes = new.changes(old)
    if refresh or not old:
        new.save(DEFAULT)
    say(f"commands: {len(new.hashes)} answers, {changes} are not as recorded")
    return changes


def run_stock(names: list[str], only: Sequence[str], refresh: bool, arch: str = DEFAULT) -> int:
    """Run steps on stock, and compare with the record."""
    names = checked([split_step(n)[1] for n in names], recorded(arch))
    prefix = "" if arch == DEFAULT else f"{arch}-"
    subprocess.run([os.path.join(HERE, "packages"), "clients"], check=False)
    os.makedirs(LOGS, exist_ok=True)
    ctx, start = Context([prefix + n for n in names], only, stock=True), time.time()
    old = record.Record.load(arch)
    new = record.Record({s: dict(t) for s, t in (old.steps if old else {}).items()})

    broken, answers = [], []

    def one(step: str) -> None:
        try:
            built = ctx.kernel(stock=True, arch=arch).result()
            if step == "commands":
                answers.append(stock_commands(ctx, built.k, refresh))
                return
            new.take(step, run_suite(ctx, prefix + step, SUITES[step], built), only)
        except Exception as e:  # Keep the results of the other steps.
            broken.append(f"{step}: {e}")
            return
        if refresh:
            new.save(arch)
        say(f"{step}: {len(new.steps[step])} results ({int(time.time() - start)} s so far)")

    together(*(functools.partial(one, n) for n in names))
    say("\n".join(["\nwhere the time went:"] + ["  " + l for l in ctx.times.lines(time.time() - start)]))
    where = os.path.relpath(record.path(arch), TOP)
    changes = (old or record.Record()).changes(new, ctx.report.expected, prefix)
    for full, was, now in changes:
        say(f"  {full}: {was} -> {now}")
    for e in [] if only else ctx.report.expected.stale([prefix + n for n in names], ["not-on-stock"]):
        say(f"  {e}: matches nothing any more")
    count = len(changes) + sum(answers)
    if refresh or not old:
        new.save(arch)
        say(f"{count} changes written to {where}")
        return not_run(broken)
    say(f"{count} differences from {where}" + ("; if they are right: vm stock --refresh" if count else ""))
    return not_run(broken) or (1 if count else 0)


def not_run(broken: list) -> int:
    """Print which steps had no results. Returns the exit status."""
    for line in broken:
        say(f"not run: {line}")
    return 1 if broken else 0
