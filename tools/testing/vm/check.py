# SPDX-License-Identifier: GPL-2.0
"""All tests: `vm check [STEP...]`, which is what `make check` runs.

Each step adds results: a name, passed, failed or skipped, and why. Tests of
the base kernel run on the stock kernel and on ours; ours has to pass
whatever stock passes.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import campaign
import guest
import kbuild
import ktap
import lint
import tree
from common import BUILD, HERE, TOP, Failure

TESTS = os.path.join(HERE, "tests")
LOGS = os.path.join(BUILD, "check")
PROGRESS = 15


def say(text):
    print(text, flush=True)


class Report:
    """The results so far."""

    def __init__(self):
        self.results = []       # (name, state, reason)

    def add(self, name, state, reason=""):
        self.results.append((name, state, reason))

    def count(self, state):
        return sum(s == state for _, s, _ in self.results)

    def finish(self):
        """Print what did not pass and why, then the one line; the exit status."""
        for state, title in (("skip", "skipped"), ("fail", "FAILED")):
            chosen = [(n, r) for n, s, r in self.results if s == state]
            if chosen:
                say(f"\n{title}:")
            for name, reason in chosen:
                say(f"  {name}: {reason}" if reason else f"  {name}")
        passed, failed, skipped = (self.count(s) for s in ("pass", "fail", "skip"))
        if failed:
            say(f"\nThe whole output of each guest is in {os.path.relpath(LOGS, TOP)}/")
        say(f"{passed} passed, {failed} failed, {skipped} skipped")
        return 1 if failed or not passed else 0


class Context:
    """What the steps share: the report, and the kernels that could be built."""

    def __init__(self, report):
        self.report = report
        self.kernels = {}

    def kernel(self, stock=False, profile="release"):
        """A built kernel, or None if it does not build (which counts as failed, once)."""
        k = kbuild.Kernel("x86_64", profile, stock)
        if k.name not in self.kernels:
            self.kernels[k.name] = None
            try:
                kbuild.build(k)
                self.kernels[k.name] = k
                self.report.add(f"build: {k.name}", "pass")
            except Failure as e:
                self.report.add(f"build: {k.name}", "fail", str(e))
        return self.kernels[k.name]

    def pair(self):
        return self.kernel(stock=True), self.kernel()


def boot(k, step, script, env=None, **job):
    """Run one script of tests/ on k. Returns (results, output, fault)."""
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        path = os.path.join(tmp, "script")
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + "".join(f"export {n}='{v}'\n" for n, v in (env or {}).items()))
            f.write(open(os.path.join(TESTS, script)).read())
        seen, console = bytearray(), bytearray()
        done = threading.Event()

        def progress():
            while not done.wait(PROGRESS):
                count = len(re.findall(rb"(?m)^ *(?:not )?ok ", seen) or
                            re.findall(rb"(?m)^\[[ \d.]+\]  +(?:not )?ok ", console))
                say(f"  {step} on {k.name}: {count} results so far")

        t = threading.Thread(target=progress, daemon=True)
        t.start()
        try:
            res = guest.run(k, guest.Job(script=path, **job), seen.extend, console.extend)
        finally:
            done.set()
            t.join()
    out = res.out.decode(errors="replace")
    with open(os.path.join(LOGS, f"{step}-{k.name}.log"), "w") as f:
        f.write(out + "\n--- console ---\n" + res.console.decode(errors="replace"))
    fault = res.fault
    if fault:
        for text in res.splats[:1]:
            say("\n".join("  | " + l for l in text.splitlines()[:40]))
    elif res.code:
        fault = f"the script ends with status {res.code}"
    say(f"  {step} on {k.name}: {int(res.took)} s" + (f", {fault}" if fault else ""))
    results = ktap.parse(out)
    if fault and not results:
        # KUnit writes to the console, too: what it did before the guest died.
        results = ktap.parse(re.sub(r"(?m)^\[[ \d.]+\] ", "", res.console.decode(errors="replace")))
    return results, out, fault


def boot_all(kernels, step, script, jobs=None, **job):
    """The same on several kernels at once; {kernel name: (results, output, fault)}."""
    got = {}

    def one(k):
        try:
            got[k.name] = boot(k, step, script, **{**job, **(jobs or {}).get(k.name, {})})
        except Exception as e:  # a thread's exception would be lost
            got[k.name] = ({}, "", str(e))

    threads = [threading.Thread(target=one, args=(k,)) for k in kernels]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return got


def table(step, rows):
    """Print the comparison of stock and ours."""
    width = max([len(n) for n, _, _ in rows] + [4])
    say(f"\n  {step}: test".ljust(width + 4) + " | stock | ours")
    for name, stock, ours in rows:
        say(f"  {name:<{width}}   | {stock:<5} | {ours}")
    say("")


def compare(report, step, stock, ours):
    """A test of the base: ours has to pass what stock passes."""
    rows = []
    for name in stock | ours:
        s, s_why = stock.get(name, ("none", "stock does not have it"))
        o, o_why = ours.get(name, ("none", "no result on ours"))
        rows.append((name, s, o))
        full = f"{step}: {name}"
        if o == "pass":
            report.add(full, "pass")
        elif s == "pass":
            report.add(full, "fail", f"passes on stock; ours: {o_why or o}")
        elif o == "skip" or s == "skip":
            report.add(full, "skip", o_why or s_why)
        elif s == "fail":
            report.add(full, "skip", "fails on stock, too")
        else:
            report.add(full, "fail", o_why or o)
    table(step, rows)


def plain(report, step, results):
    for name, (state, why) in results.items():
        report.add(f"{step}: {name}", state, why)


def guest_ok(report, step, k, fault, results):
    """One result for the guest as a whole: it came up, it ended, no splat, some test ran."""
    if not fault and not results:
        fault = "no test ran"
    report.add(f"{step}: guest {k.name}", "fail" if fault else "pass",
               f"{fault}; see {os.path.relpath(LOGS, TOP)}/{step}-{k.name}.log" if fault else "")


# The steps

def step_harness(ctx):
    """The harness itself: does it see what it has to see?"""
    k = ctx.kernel(stock=True)
    if not k:
        return
    cases = [
        ("status of the script", "exit 7", 60, "status 7"),
        ("panic", "echo c > /proc/sysrq-trigger", 60, "panicked"),
        ("hang", "while :; do :; done", 15, "hangs"),
        ("splat", "echo '<4>WARNING: CPU: 0 PID: 1 at nowhere' > /dev/kmsg; sleep 1; exit 0", 60,
         "complains"),
    ]

    def one(name, script, limit, want):
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as f:
            f.write(script + "\n")
            f.flush()
            res = guest.run(k, guest.Job(script=f.name, timeout=limit))
        got = res.fault or f"status {res.code}"
        ctx.report.add(f"harness: {name} is seen", "pass" if want in got else "fail",
                       "" if want in got else f"reported as: {got}")

    threads = [threading.Thread(target=one, args=c) for c in cases]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def step_kunit(ctx):
    """KUnit at boot: the base's suites compared, ours counted."""
    pair = [k for k in ctx.pair() if k]
    got = boot_all(pair, "kunit", "kunit.sh", append="kunit.enable=1")
    for k in pair:
        guest_ok(ctx.report, "kunit", k, got[k.name][2], got[k.name][0])
    if len(pair) < 2:
        return
    stock, ours = got[pair[0].name][0], got[pair[1].name][0]
    base = {n: r for n, r in ours.items() if n in stock or n.split(".")[0] in
            {s.split(".")[0] for s in stock}}
    compare(ctx.report, "kunit", stock, base)
    own = {n: r for n, r in ours.items() if n not in base}
    plain(ctx.report, "kunit", own)


def build_samples(k):
    """The base's sample modules as external modules for k; the directory they are in."""
    dest = os.path.join(BUILD, "ext", k.name)
    os.makedirs(dest, exist_ok=True)
    names = []
    for src in ("samples/kprobes/kprobe_example.c", "samples/kprobes/kretprobe_example.c",
                "samples/fprobe/fprobe_example.c", "kernel/trace/kprobe_event_gen_test.c"):
        shutil.copy2(os.path.join(tree.BASE, src), dest)
        names.append(os.path.basename(src)[:-2] + ".o")
    with open(os.path.join(dest, "Makefile"), "w") as f:
        f.write(f"obj-m := {' '.join(names)}\n")
    kbuild.run_make(k, f"building the base's samples for {k.name}", f"M={dest}", "modules")
    return dest


def said(out):
    """What the sample modules wrote, as results that can be compared."""
    return {l[2:].strip(): ("pass", "") for l in out.splitlines() if l.startswith("# says ")}


def step_samples(ctx):
    """The base's sample modules, unmodified, on both."""
    pair = [k for k in ctx.pair() if k]
    jobs = {}
    for k in pair:
        try:
            jobs[k.name] = {"share": build_samples(k)}
        except Failure as e:
            ctx.report.add(f"samples: build for {k.name}", "fail", str(e))
    if len(jobs) < 2:
        return
    got = boot_all(pair, "samples", "samples.sh", jobs)
    for k in pair:
        guest_ok(ctx.report, "samples", k, got[k.name][2], got[k.name][0])
    stock, ours = (dict(got[k.name][0], **said(got[k.name][1])) for k in pair)
    compare(ctx.report, "samples", stock, ours)


# Tests of the base that take the stock kernel down, in its fprobe: only ours runs them.
FTRACE_OURS_ONLY = ["test.d/dynevent/add_remove_tprobe_module.tc"]


def ftrace_job(k, *dirs):
    """How to run the base's ftrace selftests of these directories."""
    top = os.path.join(tree.BASE, "tools/testing/selftests/ftrace")
    names = sorted(os.path.relpath(p, top) for d in dirs for p in glob.glob(f"{top}/{d}/*.tc"))
    tests = " ".join(n for n in names if not k.stock or n not in FTRACE_OURS_ONLY)
    return {"env": {"BASE": tree.BASE, "TESTS": tests}, "host_root": True, "timeout": 2400}


def step_ftrace(ctx):
    """The base's ftrace selftests on probes, on both."""
    pair = [k for k in ctx.pair() if k]
    jobs = {k.name: ftrace_job(k, "test.d/kprobe", "test.d/dynevent") for k in pair}
    got = boot_all(pair, "ftrace", "ftrace.sh", jobs)
    for k in pair:
        guest_ok(ctx.report, "ftrace", k, got[k.name][2], got[k.name][0])
    if len(pair) == 2:
        compare(ctx.report, "ftrace", *(got[k.name][0] for k in pair))


# Selftests that are about the boot they run in, and what that boot is told.
OWN_BOOT = {
    "boot_events.sh": "kprobe_event=p:kprobes/booted,vfs_open;r:kprobes/booted_ret,vfs_open,ret=$retval",
    "armed_to_the_end.sh": "",
    "livepatch.sh": "preempt=full",
    "init_text.sh": "pti=on",
    "ftrace_killed.sh": "slub_debug=FPU",
}


def selftest_dir(k):
    """Our kselftests with their programs compiled and the documents they try out."""
    src = os.path.join(TOP, "tools/testing/selftests/kprobes")
    dest = os.path.join(BUILD, "ext", "selftest-" + k.name)
    shutil.rmtree(dest, ignore_errors=True)
    shutil.copytree(src, dest)
    shutil.copytree(os.path.join(TOP, "Documentation/trace"), os.path.join(dest, "docs"))
    for prog in glob.glob(os.path.join(dest, "*.c")):
        kbuild.build_program(k, prog[:-2], [prog])
    return dest


def selftest_scripts(share):
    return sorted(n for n in os.listdir(share) if n.endswith(".sh"))


def selftests(ctx, step, k, share, scripts):
    """Run some of our kselftests on k."""
    runs = [(step, [n for n in scripts if n not in OWN_BOOT], "")]
    runs += [(f"{step}-{n[:-3]}", [n], OWN_BOOT[n]) for n in scripts if n in OWN_BOOT]
    for name, tests, append in runs:
        results, _, fault = boot(k, name, "selftest.sh", {"TESTS": " ".join(tests), "DOCS": "/mnt/docs"},
                                 share=share, timeout=1800, append=append)
        guest_ok(ctx.report, name, k, fault, results)
        plain(ctx.report, step, results)


def step_selftest(ctx):
    """Our kselftests on ours."""
    k = ctx.kernel()
    if k:
        share = selftest_dir(k)
        selftests(ctx, "selftest", k, share, selftest_scripts(share))


def step_clients(ctx):
    """Debian's bpftrace, perf and trace-cmd on ours: they count what happened."""
    k = ctx.kernel()
    if not k:
        return
    env = {"TOP": TOP, "VMLINUX": os.path.join(k.out, "vmlinux")}
    results, _, fault = boot(k, "clients", "clients.sh", env, host_root=True, timeout=900)
    guest_ok(ctx.report, "clients", k, fault, results)
    plain(ctx.report, "clients", results)


def step_debug(ctx):
    """The same on the debug profile: everything passes, no splat."""
    k = ctx.kernel(profile="debug")
    if not k:
        return

    def part(step, script, **job):
        results, _, fault = boot(k, step, script, **job)
        guest_ok(ctx.report, step, k, fault, results)
        plain(ctx.report, step, results)

    def short_ones():
        part("debug-kunit", "kunit.sh", append="kunit.enable=1", timeout=1500)
        try:
            part("debug-samples", "samples.sh", share=build_samples(k))
        except Failure as e:
            ctx.report.add(f"debug-samples: build for {k.name}", "fail", str(e))
        selftests(ctx, "debug-selftest", k, share, scripts[::2])

    # A guest keeps one core of the host busy: two at a time.
    share = selftest_dir(k)
    scripts = selftest_scripts(share)
    other = threading.Thread(target=short_ones)
    other.start()
    part("debug-ftrace", "ftrace.sh", **ftrace_job(k, "test.d/kprobe", "test.d/dynevent"))
    selftests(ctx, "debug-selftest-too", k, share, scripts[1::2])
    other.join()


# Where probe code is held or called from.
VARIANTS = {
    "rt": ["kernel/kprobes/", "kernel/trace/", "arch/x86/kernel/kprobes/",
           "arch/x86/kernel/rethook.o", "arch/x86/kernel/traps.o", "kernel/extable.o"],
    "noprobes": ["kernel/trace/", "kernel/extable.o", "kernel/kallsyms.o", "kernel/exit.o",
                 "kernel/fork.o", "kernel/module/", "arch/x86/kernel/traps.o",
                 "arch/x86/kernel/hw_breakpoint.o", "arch/x86/mm/", "init/main.o"],
    "bare": ["kernel/kprobes/", "kernel/extable.o", "kernel/kallsyms.o", "kernel/exit.o",
             "kernel/fork.o", "arch/x86/kernel/kprobes/", "arch/x86/kernel/traps.o",
             "arch/x86/mm/fault.o", "init/main.o"],
}


def step_campaign(ctx):
    """Instructions all over the kernel probed under a workload: some of make campaign's chunks."""
    k = ctx.kernel()
    if not k:
        return
    seed = os.environ.get("SEED") or campaign.new_seed()
    say(f"  seed {seed}; again with: tools/testing/vm/vm campaign --seed {seed}")
    found = campaign.sample(k, seed, lambda c, bad: say(f"  {c.name}: {campaign.describe(c.figures())}"))
    for name, bad in found.items():
        why = f"{'; '.join(bad[:3])}; again with: {campaign.repeat(k, name)}" if bad else ""
        ctx.report.add(f"campaign: {name}", "fail" if bad else "pass", why)


def step_variants(ctx):
    """Compile in other configurations: PREEMPT_RT, no probes, bare kprobes."""
    for profile, objs in VARIANTS.items():
        name = f"variants: {profile} compiles without a warning"
        try:
            clean = kbuild.build_objects(kbuild.Kernel("x86_64", profile), objs)
            ctx.report.add(name, "pass" if clean else "fail", "" if clean else "see the warnings above")
        except Failure as e:
            ctx.report.add(name, "fail", str(e))


def step_lint(ctx):
    """checkpatch, kernel-doc, sparse and W=1 on our files."""
    for name, state, reason in lint.run(ctx.kernel()):
        ctx.report.add(f"lint: {name}", state, reason)


STEPS = {
    "harness": step_harness,
    "kunit": step_kunit,
    "samples": step_samples,
    "selftest": step_selftest,
    "ftrace": step_ftrace,
    "clients": step_clients,
    "campaign": step_campaign,
    "debug": step_debug,
    "variants": step_variants,
    "lint": step_lint,
}


def run(names):
    """Run the steps that are asked for, or all of them."""
    for n in names:
        if n not in STEPS:
            raise Failure(f"check has no step {n}; there is: {' '.join(STEPS)}")
    subprocess.run([os.path.join(HERE, "packages"), "clients"], check=False)
    os.makedirs(LOGS, exist_ok=True)
    report = Report()
    ctx = Context(report)
    start = time.time()
    for name, step in STEPS.items():
        if names and name not in names:
            continue
        before = [report.count(s) for s in ("pass", "fail", "skip")]
        say(f"{name}: {step.__doc__.splitlines()[0]}")
        try:
            step(ctx)
        except Exception as e:  # one broken step must not hide the others
            report.add(f"{name}: the step itself", "fail", f"{type(e).__name__}: {e}")
        p, f, s = (report.count(x) - b for x, b in zip(("pass", "fail", "skip"), before))
        say(f"{name}: {p} passed, {f} failed, {s} skipped ({int(time.time() - start)} s so far)")
    return report.finish()
