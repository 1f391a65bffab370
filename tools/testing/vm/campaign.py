# SPDX-License-Identifier: GPL-2.0
"""The campaign: probe every instruction of the kernel, under a workload that uses many parts of it.

objdump finds the instructions of a built kernel's functions. They are divided into chunks of five
kinds:

    s17   instructions at equal distances over the whole text, SPREAD of them
    r17   neighbouring instructions
    f17   as s17, but FTRACE of them, and the base's ftrace selftests are the workload
    t17   as s17, but TRIED of them, which are only registered, to find out what can be probed
    m17   all instructions of a module, without the workload

A guest probes the chunks one after the other, in several rounds (see ROUNDS), while
campaign/workload runs and checks that its results are the same as without probes.
campaign/probe_campaign.c counts the hits, checks the state in which handlers run, and checks that
the text is restored. A round without hits would prove little, so some probes of a chunk have to be
hit if the workload is known to run the code.

`make campaign` does all chunks, of "f" only some, each kind in random order, so that the finished
part is a fair sample. It keeps results in build/campaign/ and goes on there the next time;
campaign_report.py makes a report of them. `make check` does a few chunks, chosen by a seed, and
compares them with the report.
"""
from __future__ import annotations

import array
import bisect
import collections
import concurrent.futures
import glob
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time
from typing import Any, Callable, Sequence, TYPE_CHECKING

import campaign_report
import guest
import kbuild
import tree
from arch import DEFAULT
from common import BUILD, HERE, TOP, Failure, say

if TYPE_CHECKING:
    from arch import Arch
    from guest import Job, Result
    from kbuild import Kernel

Words = array.array     # instructions: offsets from _stext, with lengths in the upper bits
SOURCE = os.path.join(HERE, "campaign")
RESULTS = os.path.join(BUILD, "campaign")
MODULE = "probe_campaign"
# Instructions in a chunk "s", spread over the text. Of 50,000 at once, 1.0 % are no jumps, in place of 0.6 %:
# more puns find no page.
SPREAD = 16000
DENSE = 50000           # in a chunk "r", of neighbours
FTRACE = 50000          # in a chunk "f", with the ftrace selftests
FTRACE_DONE = 4         # of these chunks, as each takes eleven minutes; the others by --chunk
TRIED = 60000           # in a chunk "t", only registered
APART = 4               # jumps in chunks "r" and "m" are so many instructions apart: one covers several
PER_BOOT = 4            # most chunks for a guest
SILENCE = 600           # seconds without output after which a guest hangs
SAMPLE = {"s": 1, "r": 1, "hot": 1}
SHOWN = 16              # instructions that are shown of a failed chunk
LENGTH_SHIFT = 28

# Usually the workload hits a fifth of the probes that are spread over the text.
SPREAD_HIT = 10         # percent that have to be hit

# A post handler does not run if the instruction faults, and a few may be about to run when they are counted.
POSTS = 99              # percent of hits

# The workload calls these functions. A chunk of neighbours that contains one has to be hit.
HOT = ("vfs_read", "vfs_write", "path_openat", "link_path_walk", "do_dentry_open", "copy_process",
       "do_exit", "do_mmap", "kmem_cache_free", "unix_stream_read_generic", "tcp_sendmsg_locked",
       "tcp_recvmsg_locked", "ip_finish_output2", "do_epoll_wait", "pipe_read", "futex_wait",
       "hrtimer_nanosleep", "load_elf_binary")

# Rounds of each kind: breakpoints with post handlers and without, jumps with and without. "jump,I,N"
# probes each N-th instruction from the I-th on.
APART_JUMPS = [f"jump,{i},{APART}" for i in range(APART)]
MIXED_JUMPS = [f"{('jump', 'post-jump')[i % 2]},{i},{APART}" for i in range(APART)]
ROUNDS: dict = {
    "t": [],
    "m": ["post", "plain", *APART_JUMPS],
    "r": ["post", "plain", *MIXED_JUMPS],
    "s": ["post", "plain", "post-jump", "jump"],
    "f": ["plain", "jump"],
}

# These kinds boot with preempt=full, the others with preempt=voluntary. So each instruction of the
# kernel is probed with both.
FULL_PREEMPTION = "r"

# Modules that have no chunk.
NO_CHUNK = {
    "kprobe_test_killer": "it makes ftrace shut down",
    "ftrace_ops": "it refuses to stay loaded",
    "kprobe_test_refuser": "it refuses to be loaded",
    "data_breakpoint": "it prints a stack trace for each tick",
}

# Ftrace selftests that serve as a workload. Others take long, or depend on timing.
FTRACE_TESTS = ["00basic", "dynevent", "event", "filter", "ftrace", "instances", "kprobe",
                "trigger"]

# Items of the workload that need what the small kernel of an architecture does not have.
LACKS = {"arm64": ("devices", "filtered", "frozen", "others_memory", "queues", "reclaimed", "spaces", "system_v", "tcp",
                   "udp")}

ORDER = "campaign"      # seed of the order of chunks

ERRNO = {2: "ENOENT", 16: "EBUSY", 22: "EINVAL", 84: "EILSEQ", 95: "EOPNOTSUPP", 12: "ENOMEM"}


def out(text: str = "") -> None:
    print(text, flush=True)


# The instructions

def functions(vmlinux: str, names: Any | None = None) -> tuple:
    """([(start, end)] of the functions from _stext to _etext, in order; _stext)"""
    found, bounds = [], {}
    res = subprocess.run(["nm", "-S", vmlinux], capture_output=True, text=True, check=True)
    for line in res.stdout.splitlines():
        word = line.split()
        if word[-1] in ("_stext", "_etext"):
            bounds[word[-1]] = int(word[0], 16)
        if names and word[-1] not in names:
            continue
        if len(word) == 4 and word[2] in "tTwW" and not re.match("__(pfx|cfi)_", word[3]):
            start = int(word[0], 16)
            found.append((start, start + int(word[1], 16)))
    lo, hi = bounds["_stext"], bounds["_etext"]
    return sorted(f for f in set(found) if lo <= f[0] and f[1] <= hi), lo


def module_functions(path: str) -> list:
    """[(start, end)] of the functions in a module's .text, in order. objdump -t reads any architecture's."""
    res = subprocess.run(["objdump", "-t", "-j", ".text", path], capture_output=True, text=True, check=True)
    found = re.findall(r"(?m)^([0-9a-f]+) .{6}F \.text\s([0-9a-f]+) (?:\.hidden )?(?!__pfx_|__cfi_)", res.stdout)
    return sorted({(int(at, 16), int(at, 16) + int(size, 16)) for at, size in found if int(size, 16)})


def module_files(k: Kernel) -> list:
    """[(name, file)] of the modules that are built."""
    with open(os.path.join(k.out, "modules.order")) as f:
        stems = [line.strip().removesuffix(".o") for line in f]
    return [(os.path.basename(s).replace("-", "_"), os.path.join(k.out, s + ".ko")) for s in stems]


def disassemble(path: str, arch: Arch, spans: list, base: int, *options: str) -> Words:
    """The instructions of all functions: offsets, with lengths in the upper bits."""
    starts, words = [s for s, _ in spans], array.array("I")
    # objdump shows instructions of fixed length as words, and data between them as .word and the like.
    line = re.compile(r"^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+|[0-9a-f]{8} )(?! *\t\.(?:word|short|byte|inst))")
    cmd = [arch.tool("objdump"), "-d", "-w", "--insn-width=16", *options, path]
    proc = subprocess.Popen(cmd, stdout=subprocess.PIPE, text=True)
    end, following = 0, 0
    for text in proc.stdout or ():
        m = line.match(text)
        if not m:
            continue
        at = int(m.group(1), 16)
        if at >= end:
            if at < following:
                continue
            i = bisect.bisect_right(starts, at) - 1
            following = starts[i + 1] if i + 1 < len(starts) else 1 << 64
            if i < 0 or at >= spans[i][1]:
                continue
            end = spans[i][1]
        words.append((at - base) | len(m.group(2).replace(" ", "")) // 2 << LENGTH_SHIFT)
    if proc.wait():
        raise Failure(f"objdump cannot read {os.path.relpath(path, TOP)}")
    return words


def disassemble_kernel(vmlinux: str, arch: Arch) -> Words:
    spans, base = functions(vmlinux)
    return disassemble(vmlinux, arch, spans, base, f"--start-address={base:#x}",
                       f"--stop-address={max(e for _, e in spans):#x}")


def identity(k: Kernel) -> str:
    st = os.stat(os.path.join(k.out, "vmlinux"))
    return f"{st.st_mtime_ns}-{st.st_size}"


# A chunk for a guest: its instructions, its rounds, how many probes have to be hit in each round, and the
# module that has them.
class Task(collections.namedtuple("Task", "name words rounds least_hit module", defaults=("",))):
    @property
    def kind(self) -> str:
        return self.name[0]


class Text:
    """The instructions of a kernel, and the chunks into which they are divided."""

    def __init__(self, k: Kernel) -> None:
        os.makedirs(RESULTS, exist_ok=True)
        self.id = identity(k)
        path = os.path.join(RESULTS, k.name + ".insns")
        stamp = path + ".of"
        if not os.path.exists(stamp) or open(stamp).read() != self.id:
            say(f"finding the instructions of {k.name}")
            with open(path, "wb") as f:
                disassemble_kernel(os.path.join(k.out, "vmlinux"), k.arch).tofile(f)
            with open(stamp, "w") as f:
                f.write(self.id)
        self.words = array.array("I")
        with open(path, "rb") as f:
            self.words.frombytes(f.read())
        self.many = {kind: -(-len(self.words) // size)
                     for kind, size in (("s", SPREAD), ("r", DENSE), ("f", FTRACE), ("t", TRIED))}
        self.arch = k.arch
        self.modules = [(n, p) for n, p in sorted(module_files(k)) if n not in NO_CHUNK and module_functions(p)]
        self.many["m"] = len(self.modules)
        spans, base = functions(os.path.join(k.out, "vmlinux"), HOT)
        self.hot = [(start - base, end - base) for start, end in spans]

    def names(self, kind: str) -> list:
        return [f"{kind}{i}" for i in range(self.many[kind])]

    def chunk(self, name: str) -> Words:
        """The instructions of a chunk."""
        m = re.fullmatch(r"([srftm])(\d+)", name)
        if not m or int(m.group(2)) >= self.many[m.group(1)]:
            there = ", ".join(f"{kind}0 to {kind}{n - 1}" for kind, n in self.many.items())
            raise Failure(f"there is no chunk {name}; there are {there}")
        kind, i = m.group(1), int(m.group(2))
        if kind == "r":
            return self.words[i * DENSE:(i + 1) * DENSE]
        if kind == "m":
            path = self.modules[i][1]
            return disassemble(path, self.arch, module_functions(path), 0, "-j", ".text")
        return self.words[i::self.many[kind]]

    def in_order(self) -> list:
        """The chunks to do, kind by kind, each kind in random order."""
        rng, names = random.Random(ORDER), []
        for kind in ROUNDS:
            some = self.names(kind)
            rng.shuffle(some)
            names += some[:FTRACE_DONE] if kind == "f" else some
        return names

    def wanted(self, kind: str) -> int:
        """How many chunks of a kind are to do."""
        return sum(n[0] == kind for n in self.in_order())

    def hot_names(self) -> list:
        """The chunks of neighbours that contain a whole function of HOT."""
        return [n for n in self.names("r") if self.least_hit(n)]

    def least_hit(self, name: str) -> int:
        """How many probes of a chunk have to be hit in each round."""
        words = self.chunk(name)
        if name[0] in "tm":
            return 0
        if name[0] != "r":
            return len(words) * SPREAD_HIT // 100
        first, last = (w & (1 << LENGTH_SHIFT) - 1 for w in (words[0], words[-1]))
        return int(any(first <= start and end <= last for start, end in self.hot))

    def task(self, name: str) -> Task:
        """The Task of a chunk."""
        module = self.modules[int(name[1:])][0] if name[0] == "m" else ""
        return Task(name, self.chunk(name), ROUNDS[name[0]], self.least_hit(name), module)


# Files for the guest

def build(k: Kernel) -> str:
    """Build the module and the workload for k. Returns their directory."""
    dest = os.path.join(BUILD, "ext", "campaign-" + k.name)
    os.makedirs(dest, exist_ok=True)
    kbuild.build_module(k, MODULE, SOURCE, ("Makefile", MODULE + ".c"), dest)
    kbuild.build_program(k, os.path.join(dest, "workload"),
                         sorted(glob.glob(os.path.join(SOURCE, "workload/*.c"))), "-pthread")
    return dest


# Output of the guest

class Round:
    """The guest's output about one round of a chunk."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: dict = {}
        self.odd: dict = {}           # offset: what is wrong with it
        self.unhit: list = []         # offsets that were not hit; see UNHIT in guest.sh
        self.traps: list = []         # offsets of breakpoints, where jumps are allowed
        self.said: list = []          # lines of the workload that differ
        self.complete = False
        self.times = ""         # seconds: registering, writing jumps, the rest of the workload

    def take(self, word: list[str]) -> None:
        if word[0] == "odd":
            self.odd[int(word[1], 16)] = word[2]
        elif word[0] == "unhit":
            self.unhit.append(int(word[1], 16))
        elif word[0] == "trap":
            self.traps.append(int(word[1], 16))
        elif word[0] == "said":
            self.said.append(" ".join(word[1:]))
        elif word[0] in ("unsettled", "batch"):
            self.values[word[0]] = 1
        elif word[0] == "times":
            self.times = "+".join(word[1:])
        elif len(word) == 2:
            self.values[word[0]] = max(int(word[1]), self.values.get(word[0], 0))
        # "odds" is in the last line of a round's results.
        self.complete |= word[0] == "odds"

    def complaints(self, least_hit: int) -> list:
        """What is wrong with the round."""
        v = self.values
        bad = [f"instruction +{o:#x}: {what}" for o, what in self.odd.items()]
        if v.get("status"):
            bad.append(f"the workload ends with {v['status']}: {'; '.join(self.said[:4])}")
        if v.get("excess"):
            bad.append(f"on {v['excess']} instructions the post handler ran more often than the pre handler")
        if v.get("bare"):
            bad.append(f"{v['bare']} probes are registered, but nothing is planted")
        if v.get("batch"):
            bad.append("a batch is refused, though each of its probes was accepted alone")
        if v.get("unsettled"):
            bad.append("jumps were decided on, but not written")
        if not self.complete:
            bad.append("no result")
        if self.name.startswith("post") and v.get("posts", 0) * 100 < v.get("hits", 0) * POSTS:
            bad.append(f"the post handler ran in {v.get('posts', 0)} of {v['hits']} hits")
        if self.complete and v.get("hit", 0) < least_hit:
            bad.append(f"{v.get('hit', 0)} of {v.get('probed', 0)} instructions were hit, "
                       f"fewer than {least_hit}")
        return [f"{self.name}: {b}" for b in bad]


class Chunk:
    """The guest's output about a chunk."""

    def __init__(self, task: Task, base: int = 0, unmet: Sequence = ()) -> None:
        self.name = task.name
        self.size = len(task.words)
        self.least_hit = task.least_hit
        self.planned = list(task.rounds)
        self.unmet = list(unmet)        # what of the workload fails without probes
        self.base = base
        self.rounds: list = []
        self.refusals: dict = {}      # offset: errno
        self.reasons: dict = {}       # offset: the kernel's reason; may have those of other chunks
        self.ended = False
        self.fault = ""         # the fault that ended the guest

    def take(self, word: list[str]) -> None:
        if word[0] == "refusal":
            self.refusals[int(word[1], 16)] = ERRNO.get(int(word[2]), word[2])
        elif word[0] == "why":
            # ADDRESS SYMBOL+OFFSET: -ERRNO: the reason; a hint (N times)
            m = re.match(r"\S.*?: -\w+: (.*?)(?:;.*| \(\d+ times\))?$", " ".join(word[2:]))
            if m:
                self.reasons[int(word[1], 16) - self.base] = m.group(1)
        elif word[0] == "round":
            self.rounds.append(Round(word[1]))
        elif self.rounds:
            self.rounds[-1].take(word)

    def complaints(self) -> list:
        bad = [f"fails without probes, too: {what}" for what in self.unmet]
        bad += [c for r in self.rounds for c in r.complaints(self.least_hit)]
        if not self.ended:
            at = self.rounds[-1].name if self.rounds else "before the first round"
            bad.append(f"{at}: {self.fault or 'the guest ended'}")
        elif [r.name for r in self.rounds] != self.planned:
            bad.append(f"rounds are missing: {' '.join(r.name for r in self.rounds)} of {' '.join(self.planned)}")
        return bad

    def most(self, key: str, rounds: Any = "") -> int:
        return max([r.values.get(key, 0) for r in self.rounds if r.name.startswith(rounds)] + [0])

    def total(self, key: str, rounds: Any = "") -> int:
        return sum(r.values.get(key, 0) for r in self.rounds if r.name.startswith(rounds))

    def why_refused(self) -> dict:
        """{offset: (errno, the kernel's reason)}"""
        return {o: (errno, self.reasons.get(o, "")) for o, errno in self.refusals.items()}

    def traps(self, name: str) -> list:
        """Offsets of breakpoints in a round."""
        return [o for r in self.rounds if r.name == name for o in r.traps]

    def figures(self) -> dict:
        """The figures of the chunk that are kept."""
        return {"probed": self.most("probed") or self.size - len(self.refusals), "hit": self.most("hit"),
                "refused": dict(collections.Counter(self.refusals.values())),
                "hits": self.total("hits"), "missed": self.total("missed"),
                "ftrace": self.total("ftrace", "jump"), "jumps": self.total("jumps", "jump"),
                "tried": self.total("probed", "jump"), "why": self.why_refused(),
                "traps": self.traps("jump"), "post_traps": self.traps("post-jump")}


class Listener:
    """Reads a guest's output line by line."""

    def __init__(self, job: Job, tasks: list, on_chunk: Callable, lacks: Sequence = ()) -> None:
        self.job = job
        self.lacks = lacks
        self.tasks = {t.name: t for t in tasks}
        self.on_chunk = on_chunk
        self.chunk: Chunk | None = None
        self.base = 0
        self.unmet: list = []
        self.rest = b""
        self.began = time.time()

    def sink(self, data: bytes) -> None:
        self.job.timeout = time.time() - self.began + SILENCE
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            word = line.decode(errors="replace").split()
            if word:
                self.take(word)

    def take(self, word: list[str]) -> None:
        if word[0] == "begin":
            self.chunk = Chunk(self.tasks[word[1]], self.base, self.unmet)
        elif word[0] == "stext":
            self.base = int(word[1], 16)
        elif word[0] == "end" and self.chunk:
            self.chunk.ended = True
            self.on_chunk(self.chunk)
            self.chunk = None
        elif word[0] == "unmet" and word[1] not in self.lacks:
            self.unmet.append(" ".join(word[1:]))
        elif self.chunk:
            self.chunk.take(word)


def show_fault(k: Kernel, chunk: Any, fault: str, res: Result) -> None:
    """Keep the output and console of a guest that failed in a file, and print the first splat."""
    keep = os.path.join(RESULTS, f"{k.name}-{chunk.name if chunk else 'end'}.console")
    with open(keep, "wb") as f:
        f.write(res.out + b"\n--- console ---\n" + res.console)
    for text in res.splats[:1]:
        say("\n".join(text.splitlines()[:40]))
    say(f"{fault}; all of the guest's output: {os.path.relpath(keep, TOP)}")


def settings(tasks: list) -> str:
    """The variables for guest.sh, as lines of a script."""
    queue = " ".join(":".join([f"{t.name}@{t.module}", *t.rounds]) for t in tasks)
    tests = " ".join(f"test.d/{d}" for d in FTRACE_TESTS) if tasks[0].kind == "f" else ""
    where = os.path.join(tree.BASE, "tools/testing/selftests/ftrace")
    unhit = "y" if tasks[0].kind == "x" else ""
    idle = "y" if tasks[0].kind in "tm" else ""
    return f"#!/bin/sh\nQUEUE='{queue}'\nTESTS='{tests}'\nFTRACETEST='{where}'\nUNHIT={unhit}\nIDLE={idle}\n"


def run_guest(k: Kernel, tools: str, tasks: list, on_chunk: Callable, quiet: bool = False, append: str = "",
              boot: Callable = guest.run) -> str | None:
    """Run tasks of one kind in a guest. Returns the fault that ended it, or None."""
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        share = os.path.join(tmp, "share")
        os.mkdir(share)
        for name in (MODULE + ".ko", "workload"):
            shutil.copy(os.path.join(tools, name), share)
        for t in tasks:
            with open(os.path.join(share, t.name + ".places"), "wb") as f:
                t.words.tofile(f)
        path = os.path.join(tmp, "script")
        with open(path, "w") as f:
            f.write(settings(tasks) + open(os.path.join(SOURCE, "guest.sh")).read())
        # With nokaslr, addresses are the same if a chunk is run again.
        preempt = "full" if tasks[0].kind in FULL_PREEMPTION else "voluntary"
        job = guest.Job(script=path, share=share, append=f"nokaslr preempt={preempt} {append}",
                        timeout=SILENCE, host_root=tasks[0].kind == "f")
        listener = Listener(job, tasks, on_chunk, LACKS.get(k.arch.name, ()))
        res = boot(k, job, listener.sink)
    fault = res.fault or (f"the script ends with status {res.code}" if res.code else None)
    if listener.chunk:
        listener.chunk.fault = fault or "the guest ended"
        on_chunk(listener.chunk)
    if fault and not quiet:
        show_fault(k, listener.chunk, fault, res)
    return fault


# Progress

def clock(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def short(n: int) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= limit:
            return f"{n / limit:.3g}{unit}"
    return str(n)


def describe(f: dict) -> str:
    """One line with the figures of a chunk, or of several."""
    share = f["jumps"] / max(1, f["tried"] - f["ftrace"])
    refused = ", ".join(f"{n} {e}" for e, n in sorted(f["refused"].items()))
    return (f"{short(f['probed'])} probed, {short(f['hit'])} hit {short(f['hits'])} times, "
            f"{short(f['missed'])} missed, {share:.0%} jumps; refused: {refused or 'none'}")


def add_up(all_figures: Any) -> dict:
    total: dict = {"refused": {}}
    for f in all_figures:
        for key in ("probed", "hit", "hits", "missed", "ftrace", "jumps", "tried"):
            total[key] = total.get(key, 0) + f[key]
        for e, n in f["refused"].items():
            total["refused"][e] = total["refused"].get(e, 0) + n
    return total


class Progress:
    """The results so far for a kernel, kept in a file."""

    def __init__(self, k: Kernel, text: Text) -> None:
        self.path = os.path.join(RESULTS, k.name + ".json")
        self.done, self.failed = {}, {}
        if os.path.exists(self.path):
            with open(self.path) as f:
                kept = json.load(f)
            if kept["of"] == text.id:
                self.done, self.failed = kept["done"], kept["failed"]
            elif kept["done"]:
                old = f"{self.path}.{kept['of']}"
                os.rename(self.path, old)
                say(f"{k.name} was rebuilt, so the campaign starts over; old results: {os.path.relpath(old, TOP)}")
        self.of = text.id

    def take(self, chunk: Any) -> list[str]:
        """Keep the results of a chunk. Returns what is wrong with it."""
        self.failed.pop(chunk.name, None)
        self.done.pop(chunk.name, None)
        bad = chunk.complaints()
        if bad:
            self.failed[chunk.name] = bad
        else:
            self.done[chunk.name] = chunk.figures()
        with open(self.path + ".tmp", "w") as f:
            json.dump({"of": self.of, "done": self.done, "failed": self.failed}, f)
        os.rename(self.path + ".tmp", self.path)
        return bad


def tell(k: Kernel, chunk: Any, bad: list[str], where: str) -> None:
    times = " ".join(r.times for r in chunk.rounds)
    out(f"{chunk.name}: {describe(chunk.figures())}; {times} s{where}")
    for b in bad:
        out(f"  FAILED {b}")
    if bad:
        out(f"  to narrow it down: {repeat(k, chunk.name)}")


def command(k: Kernel) -> str:
    """The command for k."""
    arch = "" if k.arch.name == DEFAULT else f" --arch {k.arch.name}"
    profile = "" if k.profile == k.arch.tested else f" --profile {k.profile}"
    return f"tools/testing/vm/vm campaign{arch}{profile}"


def repeat(k: Kernel, name: str) -> str:
    return f"{command(k)}{' --executed' if name[0] == 'x' else ''} --chunk {name}"


class Queue:
    """Chunks that are left. Several threads, with a guest each, take some of them at a time."""

    def __init__(self, names: Any) -> None:
        self.left = list(names)
        self.lock = threading.Lock()

    def take(self) -> list[str]:
        """Some chunks of one kind."""
        with self.lock:
            some = [n for n in self.left if n[0] == self.left[0][0]]
            some = some[:PER_BOOT if some and some[0][0] not in "tm" else len(some)]
            self.left = [n for n in self.left if n not in some]
            return some

    def put_back(self, names: Any) -> None:
        with self.lock:
            self.left[:0] = names


def do_chunks(k: Kernel, text: Text, names: Any, on_chunk: Callable, until: float | None = None, guests: int = 1,
              **how: Any) -> None:
    """Run these chunks, in as many guests as it takes, some at a time. Raises a Failure if a guest does none.

    on_chunk() is called by one thread at a time.
    """
    tools, queue, one_by_one = build(k), Queue(names), threading.Lock()

    def work() -> None:
        while (some := queue.take()) and not (until and time.time() > until):
            seen = []

            def take(chunk: Any) -> None:
                with one_by_one:
                    seen.append(chunk.name)
                    on_chunk(chunk)

            fault = run_guest(k, tools, [text.task(n) for n in some], take, **how)
            queue.put_back(n for n in some if n not in seen)
            if not seen:
                raise Failure(f"a guest did no chunk ({fault})")

    with concurrent.futures.ThreadPoolExecutor(guests) as pool:
        for job in [pool.submit(work) for _ in range(guests)]:
            job.result()


def full(k: Kernel, minutes: int) -> int:
    """Do all chunks that are left. Returns the exit status."""
    text = Text(k)
    progress = Progress(k, text)
    names = text.in_order()
    left = [n for n in names if n not in progress.done and n not in progress.failed]
    start, first = time.time(), len(names) - len(left)
    out(f"{len(text.words)} instructions of {k.name}, {len(names)} chunks, {first} done")

    def on_chunk(chunk: Any) -> None:
        bad = progress.take(chunk)
        done = len(progress.done) + len(progress.failed)
        rate = (time.time() - start) / max(1, done - first)
        tell(k, chunk, bad, f" [{done} of {len(names)}, about {clock(rate * (len(names) - done))} left]")

    do_chunks(k, text, left, on_chunk, start + minutes * 60 if minutes else None, len(os.sched_getaffinity(0)))
    summary(text, progress)
    rest = len(names) - len(progress.done) - len(progress.failed)
    if progress.failed:
        out(f"{len(progress.failed)} chunks FAILED; to narrow one down: "
            f"{repeat(k, next(iter(progress.failed)))}")
    elif rest:
        out(f"{rest} chunks are left; the same command continues")
    else:
        out("All instructions have been probed; nothing is left to do")
    return 1 if progress.failed else 0


def summary(text: Text, progress: Progress) -> None:
    """Print the sum of all chunks so far."""
    for kind, title in (("t", "tried"), ("m", "modules"), ("s", "spread"), ("r", "neighbours"), ("f", "with the ftrace selftests")):
        figures = [f for n, f in progress.done.items() if n[0] == kind]
        if figures:
            out(f"{title}: {len(figures)} of {text.wanted(kind)} chunks: {describe(add_up(figures))}")


def pick(text: Text, seed: str) -> list[str]:
    """Choose chunks by a seed."""
    rng, picked = random.Random(seed), []
    for kind, count in SAMPLE.items():
        names = [n for n in (text.hot_names() if kind == "hot" else text.names(kind)) if n not in picked]
        picked += rng.sample(names, min(count, len(names)))
    return picked


def sample(k: Kernel, seed: str, on_chunk: Callable, **how: Any) -> dict:
    """Run a few chunks: {name: what is wrong with it}.

    "report" has what differs from the report. how: see run_guest().
    """
    text = Text(k)
    names, found, figures = pick(text, seed), {}, {}

    def take(chunk: Any) -> None:
        found[chunk.name] = chunk.complaints()
        figures[chunk.name] = chunk.figures()
        on_chunk(chunk, found[chunk.name])

    do_chunks(k, text, names, take, **how)
    found["report"] = campaign_report.differences(campaign_report.read(k.name), figures)
    return {n: found.get(n, ["it was not run"]) for n in [*names, "report"]}


def run_sample(k: Kernel, seed: str) -> int:
    seed = seed or new_seed()
    out(f"seed {seed}: {' '.join(pick(Text(k), seed))}")
    found = sample(k, seed, lambda c, bad: tell(k, c, bad, ""))
    for bad in found["report"]:
        out(f"FAILED: differs from the report: {bad}")
    failed = [n for n, bad in found.items() if bad]
    out(f"{len(failed)} of {len(found)} chunks FAILED" if failed else f"all {len(found)} chunks passed")
    return 1 if failed else 0


def new_seed() -> str:
    return str(random.randrange(1, 10000))


# One chunk, narrowed down if it fails

def fails(k: Kernel, tools: str, task: Task) -> list[str]:
    """Probe only these instructions. Returns what is wrong."""
    found: list = []
    fault = run_guest(k, tools, [task], found.append, quiet=True)
    if not found:
        raise Failure(f"a guest ended before the first probe ({fault}); its console: build/{k.name}.console")
    return found[0].complaints()


def narrow(k: Kernel, tools: str, task: Task) -> Words:
    """The smallest part of these instructions, by halving, that fails by itself."""
    words = task.words
    while len(words) > 1:
        half = len(words) // 2
        for part in (words[:half], words[half:]):
            bad = fails(k, tools, task._replace(words=part))
            say(f"{len(part)} of {len(words)} instructions: {bad[0] if bad else 'passed'}")
            if bad:
                words = part
                break
        else:
            out(f"these {len(words)} instructions fail, but neither half of them does")
            break
    return words


def show_places(k: Kernel, words: Words, module: str = "") -> None:
    """Print the functions and the disassembly of instructions."""
    path, base = dict(module_files(k)).get(module, ""), 0
    if not path:
        path = os.path.join(k.out, "vmlinux")
        _, base = functions(path)
    for w in words[:SHOWN]:
        at = base + (w & (1 << LENGTH_SHIFT) - 1)
        res = subprocess.run([k.arch.tool("objdump"), "-d", "-w", "-j", ".text", f"--start-address={at:#x}",
                              f"--stop-address={at + (w >> LENGTH_SHIFT):#x}", path],
                             capture_output=True, text=True)
        lines = [l for l in res.stdout.splitlines() if re.match(" *[0-9a-f]+(:\t| <)", l)]
        out("  " + " ".join(re.sub("^[0-9a-f]+:\t", "", l.strip()) for l in lines))


def one(k: Kernel, task: Task) -> int:
    """Run a chunk. If it fails, find out which of its instructions fail."""
    name, tools = task.name, build(k)
    found: list = []
    run_guest(k, tools, [task], found.append)
    if not found:
        raise Failure(f"the guest ended before {name}; its console: build/{k.name}.console")
    bad = found[0].complaints()
    tell(k, found[0], bad, "")
    if not bad:
        out(f"{name} passed")
        return 0
    # A part of the chunk has fewer hits, so ignore their number.
    rounds = [r.name for r in found[0].rounds if not r.complete or r.complaints(0)]
    if not rounds:
        out("too few hits, which cannot be narrowed down")
        return 1
    out(f"narrowing down, only with the rounds {' '.join(rounds)}; this takes a while")
    words = narrow(k, tools, task._replace(name=task.kind + "-part", rounds=rounds, least_hit=0))
    out("It fails if these instructions are probed:")
    show_places(k, words, task.module)
    return 1


def run(k: Kernel, seed: str, chunk: Any, some: bool, minutes: int, report: bool = False) -> int:
    if report:
        text = Text(k)
        return campaign_report.write(k, text, Progress(k, text))
    if chunk:
        return one(k, Text(k).task(chunk))
    if some or seed:
        return run_sample(k, seed)
    return full(k, minutes)
