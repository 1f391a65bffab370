# SPDX-License-Identifier: GPL-2.0
"""What probes cost, ours against stock: `vm bench`, which `make bench` runs.

Both kernels run the same module (bench/probe_bench.ko) and the same user programs
under --icount. The guest's clock counts instructions then, and idle time counts as if
instructions had run. For hits, the module measures calls with and without probes whose
handlers are empty, and takes the difference; these figures repeat to the digit. A
debugger then follows one call of each such row, and one hit of each event, and tells in
which functions the instructions are, and how many traps were taken.

Each row is measured twice in a boot, and the worse figure counts. Rows that take minutes
to attach or to set up are measured once.

The kernels run at the same time where instructions are counted, because the load of the
host makes no difference there. Where time is measured they run in turns, and the least
time counts.
"""
from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import tempfile
import threading
import time
from typing import Any, TYPE_CHECKING

import gdb
import guest
import kbuild
import report
import steps
from arch import ARCHES
from common import BUILD, HERE, TOP, Failure, say
from rows import ROWS, WALL_PROCESSORS

if TYPE_CHECKING:
    from gdb import Remote
    from guest import Job, Result
    from kbuild import Kernel
    from steps import Trace

SOURCE = os.path.join(HERE, "bench")
RESULTS = os.path.join(BUILD, "bench")
MODULE = "probe_bench"
MARK = "probe_bench_mark"   # the function before and after a call to be followed
PROGRAMS = ("trace_bench", "bytes_bench", "path_bench", "bpf_bench")
TIMES = 2                   # how often most rows are measured
LIMIT = 900                 # seconds for a guest
TURNS = 2                   # boots of each kernel when time is measured
STEPS = 50000               # instructions in one call; more is a runaway

# How rows are measured: the script, how often on ours and on stock, further options of the guest.
MEASURES: dict[str, tuple[str, dict, dict]] = {
    "hits": ("measure.sh", {"ours": TIMES, "stock": TIMES}, {}),
    "trace": ("trace.sh", {"ours": TIMES, "stock": TIMES}, {}),
    "attach": ("measure.sh", {"ours": TIMES, "stock": 1}, {}),
    "many": ("trace.sh", {"ours": TIMES, "stock": TIMES}, {}),
    "bpf": ("bpf.sh", {"ours": TIMES, "stock": TIMES}, {}),
    "links": ("bpf.sh", {"ours": TIMES, "stock": TIMES}, {}),
    "path": ("path.sh", {"ours": TIMES, "stock": TIMES}, {}),
    "bytes": ("bytes.sh", {"ours": TIMES, "stock": 1}, {}),
    "share": ("measure.sh", {"ours": 1, "stock": 1}, {}),
    "wall": ("trace.sh", {"ours": TIMES, "stock": TIMES}, {"icount": False, "smp": WALL_PROCESSORS}),
}


def sources(*suffixes: str) -> list:
    return [n for n in sorted(os.listdir(SOURCE)) if n.endswith(suffixes)]


def is_program(name: str) -> bool:
    return name.startswith("tool.") or name[:-2] in PROGRAMS


def build(k: Kernel) -> str:
    """Build the module and the programs for k. Returns their directory."""
    dest = os.path.join(BUILD, "ext", "bench-" + k.name)
    os.makedirs(dest, exist_ok=True)
    parts = ["Makefile"] + [n for n in sources(".c", ".h") if not is_program(n)]
    kbuild.build_module(k, MODULE, SOURCE, parts, dest)
    for name in PROGRAMS:
        kbuild.build_program(k, os.path.join(dest, name),
                             [os.path.join(SOURCE, c) for c in (name + ".c", "tool.c")])
    return dest


def job(tmp: str, script: str, rows: list[str], share: Any, **more: Any) -> Job:
    """A guest that runs one of our scripts on rows."""
    path = os.path.join(tmp, "script")
    with open(path, "w") as f:
        f.write(f"#!/bin/sh\nROWS='{' '.join(rows)}'\n")
        for name in ("common.sh", script):
            f.write(open(os.path.join(SOURCE, name)).read())
    # Addresses decide which entries share a bucket of a hash, so fix them.
    how = {"icount": True, "share": share, "timeout": LIMIT, "append": "nokaslr", **more}
    return guest.Job(script=path, **how)


def check(k: Kernel, res: Result) -> None:
    """Raise a Failure if the guest did not finish its job."""
    if res.fault:
        guest.explain(k, res)
        raise Failure(f"{k.name}: {res.fault}")
    if res.code:
        raise Failure(f"{k.name}: the script ended with status {res.code}: "
                      f"{res.out.decode(errors='replace').strip()[-200:]}")


class Reader:
    """Reads a guest's results while it runs."""

    def __init__(self, k: Kernel) -> None:
        self.k = k
        self.found: dict = {}         # row: the cost, each time
        self.refused: dict = {}       # row: why there is no figure
        self.of: dict = {}            # row: number of hits or probes
        self.rest = b""
        self.other: list = []         # lines that are not results

    def feed(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.line(line.decode(errors="replace").split())

    def line(self, word: list[str]) -> None:
        if word[:1] == ["refused"]:
            self.refused[word[1]] = " ".join(word[2:]) or "refused"
        elif word[:1] == ["row"] and word[1] in ROWS:
            self.row(word[1], *map(int, word[2:]))
        elif word:
            self.other.append(" ".join(word))

    def row(self, name: str, cost: int, hits: int, missed: int) -> None:
        if missed:
            self.refused[name] = f"missed {missed} of {hits} hits"
            return
        self.found.setdefault(name, []).append(cost / hits * ROWS[name].scale)
        self.of[name] = hits
        say(f"{self.k.name}: {name} {report.number(self.found[name][-1])}")


def measure(k: Kernel, share: Any, rows: list[str], script: str, times: int, **more: Any) -> dict:
    """{row: figures} of k: the cost of a hit or a probe, each time that it was measured."""
    say(f"measuring {len(rows)} rows on {k.name}: {' '.join(rows)}")
    runs = list(dict.fromkeys(ROWS[r].run or r for r in rows))
    again = [r for r in runs if not (r in ROWS and ROWS[r].slow)] * (times - 1)
    reader = Reader(k)
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        res = guest.run(k, job(tmp, script, runs + again, share, **more), sink=reader.feed)
    check(k, res)
    got = {}
    for row in rows:
        refused = reader.refused.get(row) or reader.refused.get(ROWS[row].run)
        taken = reader.found.get(row, [])
        if refused:
            say(f"{k.name}: no figure for {row}: {refused}")
            got[row] = {"refused": refused}
        elif len(taken) < (1 if ROWS[row].slow else times):
            raise Failure(f"{k.name}: no figure for {row}: {' '.join(reader.other)[-200:]}")
        else:
            got[row] = {"measured": taken, "of": reader.of[row]}
    return got


# Following one call

def wait_for(path: str, thread: threading.Thread) -> None:
    """Wait until the guest has written a file."""
    while not os.path.exists(path):
        if not thread.is_alive():
            raise Failure("the guest ended before it could be followed")
        time.sleep(0.05)


def follow_call(remote: Remote, mark: int, register: int) -> Trace:
    """Step from a call of mark, where the guest has stopped, to the next call of it."""
    trace = steps.Trace()
    pc = remote.pc(register)
    while not trace.pcs or pc != mark:
        trace.add(pc, remote.read)
        if len(trace.pcs) > STEPS:
            raise Failure(f"one call takes more than {STEPS} instructions")
        remote.step()
        pc = remote.pc(register)
    # Leave mark, so that the next stop is at the start of a pair again.
    remote.step()
    return trace


def follow_all(remote: Remote, share: Any, rows: list[str], register: int) -> tuple:
    """{row: [a Trace for each call]}, and the guest's symbols."""
    symbols = steps.Symbols(os.path.join(share, "kallsyms"), MODULE)
    mark = symbols.by_name[MARK]
    remote.stop_at(mark)
    open(os.path.join(share, "go"), "w").close()
    traces: dict = {}
    for row in rows * TIMES:
        remote.go_on()
        traces.setdefault(row, []).append(follow_call(remote, mark, register))
    return traces, symbols


def follow(k: Kernel, built: str, rows: list[str]) -> tuple:
    """Follow calls of each row on k by instructions: ({row: [Trace]}, symbols)."""
    say(f"following a call of {len(rows)} rows on {k.name}")
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        share = os.path.join(tmp, "share")
        os.mkdir(share)
        for name in (MODULE + ".ko", "trace_bench"):
            shutil.copy(os.path.join(built, name), share)
        port = os.path.join(tmp, "gdb")
        ended = []
        todo = job(tmp, "follow.sh", rows * TIMES, share, qemu=gdb.options(port))
        thread = threading.Thread(target=lambda: ended.append(guest.run(k, todo)))
        thread.start()
        remote = None
        try:
            wait_for(os.path.join(share, "ready"), thread)
            remote = gdb.Remote(port)
            traces, symbols = follow_all(remote, share, rows, k.arch.code.pc)
        finally:
            # Let the guest end in any case.
            open(os.path.join(share, "go"), "w").close()
            if remote:
                remote.leave()
            thread.join()
    check(k, ended[0])
    if ended[0].out.strip():
        raise Failure(f"{k.name}: following went wrong: {ended[0].out.decode(errors='replace').strip()[-200:]}")
    return traces, symbols


def less(counts: Any, without: Any) -> dict:
    """The difference of two {name: number}, without names whose difference is 0."""
    left = {n: c - without.get(n, 0) for n, c in counts.items()}
    return {n: c for n, c in left.items() if c}


def write_listing(path: str, named: list) -> None:
    """Write one line for each instruction, under the names of the functions."""
    with open(path, "w") as f:
        last = None
        for pc, name, text in named:
            if name != last:
                f.write(f"\n{name}:\n")
            last = name
            f.write(f"  {pc:x}  {text}\n")


def explore(k: Kernel, built: str, rows: list[str]) -> dict:
    """In which functions the instructions of the rows are: {row: {"followed", "traps", "functions"}}."""
    base = list(dict.fromkeys(ROWS[r].without for r in rows))
    traces, symbols = follow(k, built, base + rows)
    got = {}
    for row in rows:
        trace = max(traces[row], key=lambda t: len(t.pcs))
        without = traces[ROWS[row].without][-1]
        named = trace.named(symbols, k.arch)
        write_listing(os.path.join(RESULTS, f"{k.name}-{row}.txt"), named)
        got[row] = {
            "followed": len(trace.pcs) - len(without.pcs),
            "traps": steps.traps(trace, symbols, k.arch),
            "functions": less(steps.per_function(named),
                              steps.per_function(without.named(symbols, k.arch))),
        }
    return got


# Results

def chosen(rows: list[str], by: str, side: str) -> list:
    """The rows that are measured in this way on this kernel."""
    return [r for r in rows if ROWS[r].by == by and not (ROWS[r].against and side == "stock")]


def value(row: str, measured: dict) -> int:
    """The figure that counts."""
    return min(measured) if ROWS[row].by == "wall" else max(measured)


def add_value(got: dict) -> dict:
    for row, figures in got.items():
        if "measured" in figures:
            figures["value"] = value(row, figures["measured"])
    return got


def counted(k: Kernel, side: str, rows: list[str], built: str) -> dict:
    """{row: figures} of all rows that count instructions."""
    found = {}
    for by, (script, times, more) in MEASURES.items():
        some = chosen(rows, by, side)
        if some and by != "wall":
            # pylint: disable-next=not-a-mapping # MEASURES has the type of a mapping
            found.update(measure(k, built, some, script, times[side], **more))
    called = [r for r in found if ROWS[r].followed and "refused" not in found[r]]
    for row, figures in (explore(k, built, called) if called else {}).items():
        found[row].update(figures)
    return add_value(found)


def timed(kernels: dict, rows: list[str], built: dict) -> dict:
    """{side: {row: figures}} of the rows that measure time. The kernels run in turns."""
    script, times, more = MEASURES["wall"]
    found: dict = {side: {} for side in kernels}
    if not chosen(rows, "wall", "ours"):
        return found
    for _ in range(TURNS):
        for side, k in kernels.items():
            got = measure(k, built[side], chosen(rows, "wall", side), script, times[side], **more)
            for row, figures in got.items():
                have = found[side].setdefault(row, {**figures, "measured": []})
                have["measured"] += figures.get("measured", [])
    return {side: add_value(got) for side, got in found.items()}


def figures_of(kernels: dict, rows: list[str]) -> dict:
    """{side: {row: figures}} of all rows."""
    built = {side: build(k) for side, k in kernels.items()}
    # Guests that count instructions do not disturb each other.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        todo = {side: pool.submit(counted, k, side, rows, built[side]) for side, k in kernels.items()}
        found = {side: t.result() for side, t in todo.items()}
    for side, got in timed(kernels, rows, built).items():
        found[side].update(got)
    return found


def load(path: str) -> dict:
    if os.path.exists(path):
        with open(path) as f:
            return json.load(f)
    return {}


def save(path: str, text: str) -> None:
    with open(path + ".tmp", "w") as f:
        f.write(text)
    os.rename(path + ".tmp", path)


def run(arch: str, sides: list[str], rows: list[str], functions: bool, build_first: bool) -> int:
    """Measure on the kernels that sides names ("stock", "ours"), print and keep the results."""
    unknown = [r for r in rows if r not in ROWS]
    if unknown:
        raise Failure(f"bench has no row {unknown[0]}; there is: {' '.join(ROWS)}")
    if arch not in ARCHES or not ARCHES[arch].code:
        raise Failure(f"bench does not know {arch}; "
                      f"it is for: {' '.join(a.name for a in ARCHES.values() if a.code)}")
    os.makedirs(RESULTS, exist_ok=True)
    path = os.path.join(RESULTS, arch + ".json")
    start = time.time()
    kernels = {side: kbuild.Kernel(arch, stock=side == "stock") for side in sides}
    for k in kernels.values():
        kbuild.ready(k, build_first)
    images = {side: os.stat(k.image).st_mtime_ns for side, k in kernels.items()}
    found = figures_of(kernels, rows)
    results: dict = {**load(path), "arch": arch}
    for side, k in kernels.items():
        results[side] = {**results.get(side, {}), **found[side]}
        if os.stat(k.image).st_mtime_ns != images[side]:
            say(f"{k.name} was rebuilt meanwhile: its figures are not all of one kernel")
    save(path, json.dumps(results, indent=1))
    picture = os.path.join(RESULTS, arch + ".svg")
    save(picture, report.picture(results))
    if functions:
        report.print_functions(results, rows)
    report.print_table(results, rows)
    report.out(f"\nTook {int(time.time() - start)} s. The figures are in {os.path.relpath(path, TOP)}, a picture in "
               f"{os.path.relpath(picture, TOP)}, each instruction of a hit in "
               f"{os.path.relpath(RESULTS, TOP)}/KERNEL-ROW.txt.")
    report.out(f"To have them in README.md: tools/testing/vm/vm bench --arch {arch} --refresh")
    report.print_behind(results, rows)
    return 0


def refresh(arch: str) -> int:
    """Write the table of the last results into README.md, and draw the picture that it shows."""
    path = os.path.join(RESULTS, arch + ".json")
    results = load(path)
    if not results.get("ours") or not results.get("stock"):
        raise Failure("there are no results of both kernels; run: make bench")
    results["arch"] = arch
    picture = os.path.join(SOURCE, arch + ".svg")
    save(picture, report.picture(results))
    readme = os.path.join(TOP, "README.md")
    save(readme, report.fill_in(open(readme).read(), results))
    say(f"wrote {os.path.relpath(picture, TOP)} and the table in README.md")
    return 0
