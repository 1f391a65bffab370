# SPDX-License-Identifier: GPL-2.0
"""What probes cost, ours against stock: `vm bench`, which is what `make bench` runs.

Both kernels run the same module (bench/probe_bench.c) under --icount, where the
guest's clock counts instructions. Figures are instructions per hit with empty
handlers, with probes less without; they repeat to the digit. One call of each row
is then followed with a debugger, which tells where they go, and how many traps
there are. Rows are taken twice in a boot, since the first time may be luckier.
"""
import json
import os
import shutil
import tempfile
import threading
import time

import gdb
import guest
import kbuild
import steps
from common import BUILD, HERE, TOP, Failure, lock, say

SOURCE = os.path.join(HERE, "bench")
RESULTS = os.path.join(BUILD, "bench")
MODULE = "probe_bench"
MARK = "probe_bench_mark"   # the function that surrounds a call to be followed
TIMES = 2                   # that a row is taken
LIMIT = 600                 # seconds for a guest
STEPS = 50000               # instructions in one call; more is a runaway

# name: what it is, the reach as ratio to stock, the row without its probes
ROWS = {
    "fprobe-entry": ("fprobe, entry handler", 0.8, "none"),
    "fprobe-many": ("the same on two thousand functions", 0.8, "none"),
    "fprobe-entry-exit": ("fprobe, entry and exit handler", 0.65, "none"),
    "kretprobe": ("kretprobe", 0.65, "none"),
    "shared": ("two fprobes and a kretprobe on one function", 1.0, "none"),
    "kprobe-entry": ("kprobe at a function's entry", 0.8, "none"),
    "kprobe-inside": ("kprobe inside of a function, breakpoint", 0.9, "none-inside"),
}

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
        kbuild.run_make(k, f"building {MODULE} for {k.name}", f"M={dest}", "modules")
    return dest


def job(tmp, script, rows, share, **more):
    """A guest that runs one of our scripts on rows, as often as they are taken."""
    path = os.path.join(tmp, "script")
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\nROWS='{' '.join(rows * TIMES)}'\n" + open(os.path.join(SOURCE, script)).read())
    # The layout of memory decides which buckets of a hash are shared.
    return guest.Job(script=path, icount=True, share=share, timeout=LIMIT, append="nokaslr", **more)


def check(k, res):
    """A Failure if the guest did not do its job."""
    if res.fault:
        guest.explain(k, res)
        raise Failure(f"{k.name}: {res.fault}")
    if res.code:
        raise Failure(f"{k.name}: the script ended with status {res.code}: "
                      f"{res.out.decode(errors='replace').strip()[-200:]}")


def measure(k, share, rows):
    """{row: [instructions per hit, each time it was measured]} of k."""
    say(f"measuring {len(rows)} rows on {k.name}")
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        res = guest.run(k, job(tmp, "measure.sh", rows, share))
    check(k, res)
    found = {}
    for line in res.out.decode().splitlines():
        word = line.split()
        if word[0] == "row":
            name, ticks, hits, missed = word[1], *map(int, word[2:])
            if missed:
                raise Failure(f"{k.name}: {name} missed {missed} of {hits} hits")
            found.setdefault(name, []).append(ticks / hits)
    lack = [r for r in rows if len(found.get(r, [])) < TIMES]
    if lack:
        raise Failure(f"{k.name}: no figure for {' '.join(lack)}: {res.out.decode().strip()[-200:]}")
    return found


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
        todo = job(tmp, "follow.sh", rows, share, qemu=gdb.options(port))
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
    base = list(dict.fromkeys(ROWS[r][2] for r in rows))
    traces, symbols = follow(k, module_dir, base + rows)
    machine = MACHINES[k.arch.name][1]
    got = {}
    for row in rows:
        trace = max(traces[row], key=lambda t: len(t.pcs))
        without = traces[ROWS[row][2]][0]
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

def figures(k, rows):
    """{row: what was found} of one kernel, ready for the file."""
    module_dir = build_module(k)
    found = measure(k, module_dir, rows)
    followed = explore(k, module_dir, rows)
    return {r: {"instructions": max(found[r]), "measured": found[r], **followed[r]} for r in rows}


def number(x):
    return "-" if x is None else f"{x:.0f}" if x == round(x) else f"{x:.1f}"


def remark(got):
    """What is odd about a figure: it is not always the same, or not what was followed."""
    if not got:
        return ""
    if min(got["measured"]) != max(got["measured"]):
        return "took " + ", then ".join(map(number, got["measured"]))
    if got["followed"] != got["instructions"]:
        return f"followed {got['followed']}"
    return ""


def print_table(results):
    """The rows, stock next to ours."""
    width = max(len(title) for title, _, _ in ROWS.values())
    out(f"\n{'':<{width}} |   instructions per hit, ratio   | traps per hit")
    out(f"{'':<{width}} |  stock |   ours | ratio | reach | stock | ours")
    for row, (title, reach, _) in ROWS.items():
        pair = [results.get(side, {}).get(row) for side in ("stock", "ours")]
        cost = [number(x and x["instructions"]) for x in pair]
        traps = [number(x and x["traps"]) for x in pair]
        ratio, notes = "-", [f"{side} {r}" for side, r in zip(("stock", "ours"), map(remark, pair)) if r]
        if all(pair):
            ratio = f"{pair[1]['instructions'] / pair[0]['instructions']:.2f}"
            if float(ratio) > reach:
                notes.insert(0, "behind")
        out(f"{title:<{width}} | {cost[0]:>6} | {cost[1]:>6} | {ratio:>5} | {reach:>5} | "
            f"{traps[0]:>5} | {traps[1]:>4}  {'; '.join(notes)}".rstrip())


def print_functions(results, rows):
    """Where the instructions go, function by function."""
    for row in rows:
        for side in ("stock", "ours"):
            got = results.get(side, {}).get(row)
            if not got:
                continue
            out(f"\n{ROWS[row][0]}, {side}: {got['followed']} instructions, of which")
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
        results[side] = {**results.get(side, {}), **figures(k, rows)}
    with open(path + ".tmp", "w") as f:
        json.dump(results, f, indent=1)
    os.rename(path + ".tmp", path)
    if functions:
        print_functions(results, rows)
    print_table(results)
    out(f"\nThe figures are in {os.path.relpath(path, TOP)}, each instruction is in "
        f"{os.path.relpath(RESULTS, TOP)}/KERNEL-ROW.txt")
    return 0
