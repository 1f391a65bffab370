# SPDX-License-Identifier: GPL-2.0
"""What probes cost, ours against stock: `vm bench`, which is what `make bench` runs.

Both kernels run the same module (bench/probe_bench.c) and the same user program
(bench/trace_bench.c) under --icount, where the guest's clock counts instructions;
time that passes while all sleep counts as if it had run. The module's figures for hits
are with empty handlers, with probes less without; they repeat to the digit. One
call of each of these is then followed with a debugger, which tells where the
instructions go, and how many traps there are. Rows are taken twice in a boot, since
the first time may be luckier; the worse one counts. Attaching takes stock minutes,
and is done once.
"""
import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time

import gdb
import chart
import guest
import kbuild
import steps
from common import BUILD, HERE, TOP, Failure, lock, say

SOURCE = os.path.join(HERE, "bench")
RESULTS = os.path.join(BUILD, "bench")
MODULE = "probe_bench"
MARK = "probe_bench_mark"   # the function that surrounds a call to be followed
PROGRAM = "trace_bench"
TIMES = 2                   # that most rows are taken
LIMIT = 900                 # seconds for a guest
SPREAD = 0.02               # of figures that wait or allocate: less is not worth a remark
WALL_PROCESSORS = 2         # of the guest in which time is measured
STEPS = 50000               # instructions in one call; more is a runaway


@dataclasses.dataclass(frozen=True)
class Row:
    """Something that is measured."""
    title: str
    reach: float                # the ratio to stock that we want
    by: str = "hits"            # how: see MEASURES
    run: str = ""               # what the guest is asked for, if not the row's name
    without: str = "none"       # the row without its probes
    scale: float = 1            # of what the guest counts to what is shown
    followed: bool = True       # one call, with a debugger; not where setting up takes minutes


def inside(title, reach, followed=True):
    return Row(title, reach, without="none-inside", followed=followed)


def attach(title, reach, run):
    return Row(title, reach, by="attach", run=run)


def event(title, reach):
    return Row(title, reach, by="trace")


def many(title, reach, run):
    return Row(title, reach, by="many", run=run)


def wall(title, reach):
    # Nanoseconds are shown as microseconds.
    return Row(title, reach, by="wall", run="wall", scale=1e-3)


ROWS = {
    "fprobe-entry": Row("fprobe, entry handler", 0.8),
    "fprobe-many": Row("the same on two thousand functions", 0.8),
    "fprobe-entry-exit": Row("fprobe, entry and exit handler", 0.65),
    "kretprobe": Row("kretprobe", 0.65),
    "shared": Row("two fprobes and a kretprobe on one function", 1.0),
    "kprobe-entry": Row("kprobe at a function's entry", 0.8),
    "kprobe-jump": inside("kprobe inside of a function, jump", 0.8),
    "kprobe-inside": inside("kprobe inside of a function, breakpoint", 0.9),
    "kprobe-among-512": inside("the same among 512 other probes", 0.9),
    "kprobe-among-4000": inside("the same among 4000 other probes", 0.9, followed=False),
    "register-batch": attach("register_kprobes(), 512 entries", 0.02, "batch"),
    "unregister-batch": attach("unregister_kprobes()", 0.02, "batch"),
    "register-single": attach("register_kprobe(), 64 entries one by one", 1.0, "single"),
    "unregister-single": attach("unregister_kprobe()", 1.0, "single"),
    "event-plain": event("event without arguments", 1.0),
    "event-registers": event("event, two registers", 1.0),
    "event-string": event("event, string", 1.0),
    "event-eight": event("event, eight arguments", 1.0),
    "event-filtered": event("event, string, filtered out", 1.0),
    "event-return": event("return event", 0.75),
    "group-create": many("create 300 events", 0.5, "group"),
    "group-enable": many("enable them as a group", 0.02, "group"),
    "group-disable": many("disable them", 0.02, "group"),
    "group-clear": many("clear them", 0.01, "group"),
    "perf-open": many("perf_event_open(), 300 kprobes one by one", 1.0, "perf"),
    "perf-close": many("close them", 1.0, "perf"),
    "perf": many("open and close", 1.0, "perf"),
    "wall-open": wall("perf_event_open(), 300 kprobes one by one", 1.0),
    "wall-close": wall("close them", 1.0),
    "wall": wall("open and close", 0.1),
}

# The parts of the table, in order: how, what is shown.
PARTS = (
    ("hits", "instructions per hit, in the kernel, empty handler"),
    ("trace", "instructions per hit of an event on do_filp_open"),
    ("attach", "instructions per probe of a module, waiting counted like running"),
    ("many", "instructions per event or perf probe of 300, waiting counted like running"),
    ("wall", f"microseconds per probe, {WALL_PROCESSORS} processors, not repeatable"),
)

# For the debugger: the number of the program counter, what objdump is told.
MACHINES = {
    "x86_64": (16, ("-m", "i386:x86-64", "--no-show-raw-insn")),
}


def out(text=""):
    print(text, flush=True)


def build_module(k):
    """The bench module for k; the directory that it is in."""
    dest = os.path.join(BUILD, "ext", "bench-" + k.name)
    os.makedirs(dest, exist_ok=True)
    for name in ("Makefile", MODULE + ".c"):
        src, dst = os.path.join(SOURCE, name), os.path.join(dest, name)
        if not os.path.exists(dst) or open(src).read() != open(dst).read():
            shutil.copy(src, dst)
    with lock(k.name):
        # Types would have to be those of the very vmlinux that boots, which make does not see to.
        kbuild.run_make(k, f"building {MODULE} for {k.name}", f"M={dest}",
                        "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules")
    return dest


def build_program(k):
    """The user program for k's guests; the directory that it is in."""
    dest = os.path.join(BUILD, "ext", "bench-" + k.name)
    os.makedirs(dest, exist_ok=True)
    res = subprocess.run([k.arch.cross + "gcc", "-O2", "-Wall", "-static", "-o", os.path.join(dest, PROGRAM),
                          os.path.join(SOURCE, PROGRAM + ".c")], capture_output=True, text=True)
    if res.returncode:
        raise Failure(f"{PROGRAM}.c does not compile: {res.stderr.strip()}")
    return dest


def job(tmp, script, rows, times, share, **more):
    """A guest that runs one of our scripts on rows, so many times."""
    path = os.path.join(tmp, "script")
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\nROWS='{' '.join(rows * times)}'\n")
        for name in ("common.sh", script):
            f.write(open(os.path.join(SOURCE, name)).read())
    # The layout of memory decides which buckets of a hash are shared.
    how = {"icount": True, "share": share, "timeout": LIMIT, "append": "nokaslr", **more}
    return guest.Job(script=path, **how)


def check(k, res):
    """A Failure if the guest did not do its job."""
    if res.fault:
        guest.explain(k, res)
        raise Failure(f"{k.name}: {res.fault}")
    if res.code:
        raise Failure(f"{k.name}: the script ended with status {res.code}: "
                      f"{res.out.decode(errors='replace').strip()[-200:]}")


def measure(k, share, rows, script, times, **more):
    """{row: [what a hit or a probe takes, each time it was measured]} of k."""
    say(f"measuring {len(rows)} rows on {k.name}: {' '.join(rows)}")
    runs = list(dict.fromkeys(ROWS[r].run or r for r in rows))
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        res = guest.run(k, job(tmp, script, runs, times, share, **more))
    check(k, res)
    found = {}
    for line in res.out.decode().splitlines():
        word = line.split()
        if word and word[0] == "row":
            name, ticks, hits, missed = word[1], *map(int, word[2:])
            if missed:
                raise Failure(f"{k.name}: {name} missed {missed} of {hits} hits")
            found.setdefault(name, []).append(ticks / hits * ROWS[name].scale)
    lack = [r for r in rows if len(found.get(r, [])) < times]
    if lack:
        raise Failure(f"{k.name}: no figure for {' '.join(lack)}: {res.out.decode().strip()[-200:]}")
    return {r: found[r] for r in rows}


# Following one call

def wait_for(path, thread):
    """Until the guest has written that file."""
    while not os.path.exists(path):
        if not thread.is_alive():
            raise Failure("the guest ended before it could be followed")
        time.sleep(0.05)


def follow_call(remote, mark, register):
    """Step from where the guest stopped, at a call of mark, to the next one."""
    trace = steps.Trace()
    pc = remote.pc(register)
    while not trace.pcs or pc != mark:
        trace.add(pc, remote.read)
        if len(trace.pcs) > STEPS:
            raise Failure(f"one call takes more than {STEPS} instructions")
        remote.step()
        pc = remote.pc(register)
    # Past the mark, for the next one to be a first one again.
    remote.step()
    return trace


def follow_all(remote, share, rows, register):
    """{row: a Trace for each time}, and the guest's symbols."""
    symbols = steps.Symbols(os.path.join(share, "kallsyms"), MODULE)
    mark = symbols.by_name[MARK]
    remote.stop_at(mark)
    open(os.path.join(share, "go"), "w").close()
    traces = {}
    for row in rows * TIMES:
        remote.go_on()
        traces.setdefault(row, []).append(follow_call(remote, mark, register))
    return traces, symbols


def follow(k, module_dir, rows):
    """Calls of each row on k, instruction by instruction: ({row: [Trace]}, symbols)."""
    say(f"following a call of {len(rows)} rows on {k.name}")
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        share = os.path.join(tmp, "share")
        os.mkdir(share)
        shutil.copy(os.path.join(module_dir, MODULE + ".ko"), share)
        port = os.path.join(tmp, "gdb")
        ended = []
        todo = job(tmp, "follow.sh", rows, TIMES, share, qemu=gdb.options(port))
        thread = threading.Thread(target=lambda: ended.append(guest.run(k, todo)))
        thread.start()
        remote = None
        try:
            wait_for(os.path.join(share, "ready"), thread)
            remote = gdb.Remote(port)
            traces, symbols = follow_all(remote, share, rows, MACHINES[k.arch.name][0])
        finally:
            # Whatever happened, the guest has to come to its end.
            open(os.path.join(share, "go"), "w").close()
            if remote:
                remote.leave()
            thread.join()
    check(k, ended[0])
    return traces, symbols


def less(counts, without):
    """The difference of two {name: number}, where there is one."""
    left = {n: c - without.get(n, 0) for n, c in counts.items()}
    return {n: c for n, c in left.items() if c}


def write_listing(path, named):
    """One line an instruction, under the names of the functions."""
    with open(path, "w") as f:
        last = None
        for pc, name, text in named:
            if name != last:
                f.write(f"\n{name}:\n")
            last = name
            f.write(f"  {pc:x}  {text}\n")


def explore(k, module_dir, rows):
    """Where the instructions of the rows go: {row: {"followed", "traps", "functions"}}."""
    base = list(dict.fromkeys(ROWS[r].without for r in rows))
    traces, symbols = follow(k, module_dir, base + rows)
    machine = MACHINES[k.arch.name][1]
    got = {}
    for row in rows:
        trace = max(traces[row], key=lambda t: len(t.pcs))
        without = traces[ROWS[row].without][0]
        named = trace.named(symbols, machine)
        write_listing(os.path.join(RESULTS, f"{k.name}-{row}.txt"), named)
        got[row] = {
            "followed": len(trace.pcs) - len(without.pcs),
            "traps": steps.traps(trace, symbols),
            "functions": less(steps.per_function(named),
                              steps.per_function(without.named(symbols, machine))),
        }
    return got


# Results

# How rows are measured: the script, how many times, how the guest is different.
MEASURES = {
    "hits": ("measure.sh", TIMES, {}),
    "trace": ("trace.sh", TIMES, {}),
    "attach": ("measure.sh", 1, {}),
    "many": ("trace.sh", TIMES, {}),
    "wall": ("trace.sh", 1, {"icount": False, "smp": WALL_PROCESSORS}),
}


def figures(k, rows):
    """{row: what was found} of one kernel, ready for the file."""
    found = {}
    for how, (script, times, more) in MEASURES.items():
        some = [r for r in rows if ROWS[r].by == how]
        if not some:
            continue
        share = build_program(k) if script == "trace.sh" else build_module(k)
        got = measure(k, share, some, script, times, **more)
        called = [r for r in some if how == "hits" and ROWS[r].followed]
        followed = explore(k, share, called) if called else {}
        for r in some:
            found[r] = {"instructions": max(got[r]), "measured": got[r], **followed.get(r, {})}
    return found


def number(x):
    if x is None:
        return "-"
    return f"{x:,.0f}" if x == round(x) or x >= 1000 else f"{x:.1f}"


def differ(row, low, high):
    """Is it worth a remark that a row's figures are not the same?"""
    exact = ROWS[row].by in ("hits", "trace")
    return low != high if exact else high > low * (1 + SPREAD)


def remark(row, got):
    """What is odd about a figure: it is not always the same, or not what was followed."""
    if not got:
        return ""
    if differ(row, min(got["measured"]), max(got["measured"])):
        return "took " + ", then ".join(map(number, got["measured"]))
    if got.get("followed", got["instructions"]) != got["instructions"]:
        return f"followed {got['followed']}"
    return ""


def ratio_of(pair):
    """Ours to stock; None when one is missing."""
    return pair[1]["instructions"] / pair[0]["instructions"] if all(pair) else None


def both(results, row):
    return [results.get(side, {}).get(row) for side in ("stock", "ours")]


def short(ratio):
    """A ratio with the digits that matter."""
    return "-" if ratio is None else f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.4f}"


def print_row(row, results, width):
    pair = both(results, row)
    cost = [number(x and x["instructions"]) for x in pair]
    traps = [number(x and x.get("traps")) for x in pair]
    notes = [f"{side} {r}" for side, r in zip(("stock", "ours"), [remark(row, x) for x in pair]) if r]
    if row == "kprobe-jump" and pair[1] and pair[1].get("traps"):
        notes.insert(0, "a breakpoint, no jump yet")
    ratio = ratio_of(pair)
    if ratio is not None and ratio > ROWS[row].reach:
        notes.insert(0, "behind")
    out(f"{ROWS[row].title:<{width}} | {cost[0]:>11} | {cost[1]:>11} | {short(ratio):>6} | "
        f"{ROWS[row].reach:>5} | {traps[0]:>5} | {traps[1]:>4}  {'; '.join(notes)}".rstrip())


def print_table(results, chosen):
    """The chosen rows, stock next to ours."""
    width = max(len(r.title) for r in ROWS.values())
    for how, unit in PARTS:
        rows = [n for n in chosen if ROWS[n].by == how and any(both(results, n))]
        if not rows:
            continue
        out(f"\n{unit}\n{'':<{width}} |       stock |        ours |  ratio | reach | traps | ours")
        for row in rows:
            print_row(row, results, width)


def draw(path, results):
    """The ratios as a picture."""
    bars = []
    for row, r in ROWS.items():
        ratio = ratio_of(both(results, row))
        if ratio is not None:
            bars.append(chart.Bar(r.title, ratio, r.reach, short(ratio), r.by))
    with open(path + ".tmp", "w") as f:
        f.write(chart.svg(bars, dict(PARTS)))
    os.rename(path + ".tmp", path)


def print_functions(results, rows):
    """Where the instructions go, function by function."""
    for row in rows:
        for side in ("stock", "ours"):
            got = results.get(side, {}).get(row)
            if not got or "functions" not in got:
                continue
            out(f"\n{ROWS[row].title}, {side}: {got['followed']} instructions, of which")
            for name, n in got["functions"].items():
                out(f"  {n:5} {name}")


def load(path):
    if os.path.exists(path):
        with open(path) as f:
            return json.load(f)
    return {}


def run(arch, sides, rows, functions, build):
    """Measure on the kernels that sides names ("stock", "ours"), print and keep the results."""
    unknown = [r for r in rows if r not in ROWS]
    if unknown:
        raise Failure(f"bench has no row {unknown[0]}; there is: {' '.join(ROWS)}")
    if arch not in MACHINES:
        raise Failure(f"bench does not know {arch}; it knows: {' '.join(MACHINES)}")
    os.makedirs(RESULTS, exist_ok=True)
    path = os.path.join(RESULTS, arch + ".json")
    results = load(path)
    kernels = {side: kbuild.Kernel(arch, stock=side == "stock") for side in sides}
    for k in kernels.values():
        kbuild.ready(k, build)
    for side, k in kernels.items():
        built = os.stat(k.image).st_mtime_ns
        results[side] = {**results.get(side, {}), **figures(k, rows)}
        if os.stat(k.image).st_mtime_ns != built:
            say(f"{k.name} was rebuilt meanwhile: its figures are not all of one kernel")
        with open(path + ".tmp", "w") as f:
            json.dump(results, f, indent=1)
        os.rename(path + ".tmp", path)
    picture = os.path.join(RESULTS, arch + ".svg")
    draw(picture, results)
    if functions:
        print_functions(results, rows)
    print_table(results, rows)
    out(f"\nThe figures are in {os.path.relpath(path, TOP)}, a picture in {os.path.relpath(picture, TOP)}, "
        f"each instruction of a hit in {os.path.relpath(RESULTS, TOP)}/KERNEL-ROW.txt")
    return 0
