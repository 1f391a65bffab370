# SPDX-License-Identifier: GPL-2.0
"""Write broken commands for probe events to a kernel with KASAN, UBSAN and lockdep: `make fuzz`.

commands/fuzz.c generates the commands from a seed, writes them, and reports whether an event or a
probe is left behind, or the kernel complains. After some thousands of them kmemleak looks for lost
memory. Some examples open perf events, create BPF links, or load BPF programs and attach them instead.
Then guests boot with odd events of kprobe_event= and boot configurations; see odd_boots.py. At the end a
KUnit suite hits events under load, and compares each recorded value with the expected one.

build/fuzz/state.json says how far the last run has come; the same command continues there.
"""
from __future__ import annotations

import json
import os
import random
import re
import subprocess
import tempfile
import time
from typing import Callable, TYPE_CHECKING

import commands
import guest
import kbuild
import ktap
import odd_boots
from arch import DEFAULT
from common import BUILD, TOP, say

if TYPE_CHECKING:
    from guest import Job, Result
    from kbuild import Kernel

RESULTS = os.path.join(BUILD, "fuzz")
STATE = os.path.join(RESULTS, "state.json")
PROFILE = "debug-btf"
COUNT = 10000
HITS = 100000
BOOTS = 20
SAMPLE_BOOTS = 3        # boots in make check
SAMPLE = 2000           # examples in make check
SAMPLE_SEED = 450478    # theirs: a check of the same tree should find the same
PER_BOOT = 10000
AGAIN = 25              # a guest with so few examples prints them one by one; PER_FLUSH in fuzz.c
GIVE_UP = 10            # failures after which to stop
REPORTED = 20           # seconds between two lines of progress
SILENCE = 900           # seconds without output after which a guest hangs
APPEND = "loglevel=5 rcupdate.rcu_expedited=1 kmemleak=on"

# The first scan may report memory whose pointer is in a register or on its way, so scan twice.
SCRIPT = """#!/bin/sh
leaks=/sys/kernel/debug/kmemleak
/mnt/commands fuzz {seed} {first} {end} || exit
[ -w $leaks ] || exit 0
echo scan > $leaks
sleep 6
echo scan > $leaks
cat $leaks > /tmp/lost
if [ -s /tmp/lost ]; then echo "lost $(grep -c '^unreferenced' /tmp/lost)"; cat /tmp/lost > /dev/kmsg; fi
exit 0
"""


SUITE = "trace_probe_hits"
HITS_APPEND = "kunit.enable=1 kunit.filter_glob={suite} args_hits_kunit.hits={hits} args_hits_kunit.seed={seed}"
HITS_SCRIPT = "#!/bin/sh\ncat /sys/kernel/debug/kunit/{suite}/results\n"


def out(text: str = "") -> None:
    print(text, flush=True)


def new_seed() -> int:
    return random.randrange(1, 10 ** 6)


NOTHING = "no result"


class State:
    """How far a run has come; kept in a file."""

    def __init__(self, seed: int, first: int, end: int, hits: int, boots: int = 0) -> None:
        self.seed, self.next, self.first, self.end, self.hits = seed, first, first, end, hits
        self.boots = boots            # how many are left
        self.boot = first             # number of the next one
        self.failed: list = []        # [(number, why)]
        self.bad_boots: list = []     # the same of boots
        self.counts: dict = {}        # {word of fuzz.c: how many}

    @classmethod
    def load(cls) -> State | None:
        """The state of the last run; None if there was none."""
        if not os.path.exists(STATE):
            return None
        with open(STATE) as f:
            kept = json.load(f)
        state = cls(kept["seed"], kept["first"], kept["end"], kept["hits"])
        state.__dict__.update(kept)
        return state

    @classmethod
    def of(cls, seed: int | None, first: int | None, count: int | None, hits: int | None,
           boots: int | None = None) -> State:
        """The state to start with: that of the last run, if it is not done and fits the arguments."""
        last = cls.load()
        if last and not last.done and seed in (None, last.seed) and first in (None, last.first) and \
                count in (None, last.end - last.first):
            say(f"going on with seed {last.seed} at {last.next}")
            return last
        first = first or 0
        return cls(new_seed() if seed is None else seed, first,
                   first + (COUNT if count is None else count), HITS if hits is None else hits,
                   BOOTS if boots is None else boots)

    @property
    def done(self) -> bool:
        return self.next >= self.end and not self.hits and not self.boots

    def save(self) -> None:
        os.makedirs(RESULTS, exist_ok=True)
        with open(STATE + ".tmp", "w") as f:
            json.dump(self.__dict__, f)
        os.rename(STATE + ".tmp", STATE)


class Sample(State):
    """The state for make check, which is not kept."""

    def save(self) -> None:
        pass


class Listener:
    """Reads the output of fuzz.c line by line."""

    def __init__(self, job: Job, on_example: Callable) -> None:
        self.job = job
        self.on_example = on_example
        self.begun: int | None = None   # the example that runs
        self.lost = 0
        self.rest = b""
        self.start = time.time()

    def sink(self, data: bytes) -> None:
        self.job.timeout = time.time() - self.start + SILENCE
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.take(line.decode(errors="replace"))
        m = re.match(rb"(\d+)$", self.rest)
        self.begun = int(m[1]) if m else None

    def take(self, line: str) -> None:
        m = re.match(r"(\d+) (?:(refused|accepted|hit)(?: (.*))?$)?", line)
        if m:
            self.on_example(int(m[1]), m[2] or NOTHING, (m[3] or "") if m[2] else f"the guest says: {line}")
        elif line.startswith("lost "):
            self.lost = int(line.split()[1])
        else:
            say(f"the guest says: {line}")


def program(k: Kernel, tmp: str) -> str:
    dest = os.path.join(tmp, "commands")
    kbuild.build_program(k, dest, commands.sources())
    return dest


def text_of(seed: int, number: int) -> list:
    """The commands of an example, as fuzz.c prints them."""
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        tool = program(kbuild.Kernel(DEFAULT), tmp)
        res = subprocess.run([tool, "fuzzed", str(seed), str(number)], capture_output=True, check=True)
    return res.stdout.decode(errors="replace").splitlines()


def run_guest(k: Kernel, boot: Callable, seed: int, first: int, end: int, on_example: Callable) -> tuple:
    """Run examples in a guest. Returns its fault or "", and the example that ran when it ended."""
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        program(k, tmp)
        path = os.path.join(tmp, "script")
        with open(path, "w") as f:
            f.write(SCRIPT.format(seed=seed, first=first, end=end))
        job = guest.Job(script=path, share=tmp, timeout=SILENCE, append=APPEND)
        listener = Listener(job, on_example)
        res = boot(k, job, listener.sink)
    fault = res.fault or (f"the program ends with status {res.code}" if res.code else "")
    if listener.lost:
        fault = fault or f"{listener.lost} objects in memory are lost"
    if fault:
        keep(k, seed, first, res)
    return fault, listener.begun


def keep(k: Kernel, seed: int, first: int | str, res: Result) -> None:
    """Keep the console of a guest that failed in a file."""
    os.makedirs(RESULTS, exist_ok=True)
    path = os.path.join(RESULTS, f"{k.name}-{seed}-{first}.console")
    with open(path, "wb") as f:
        f.write(res.console)
    for text in res.splats[:1]:
        say("\n".join(text.splitlines()[:40]))
    say(f"the guest's console: {os.path.relpath(path, TOP)}")


class Run:
    """Examples, in as many guests as it takes."""

    def __init__(self, k: Kernel, state: State, boot: Callable) -> None:
        self.k, self.state, self.boot = k, state, boot
        self.began: float | None = None
        self.reported, self.at_begin = time.time(), state.next

    def on_example(self, number: int, word: str, odd: str) -> None:
        state = self.state
        self.began = self.began or time.time()
        if number > state.next:
            self.fail(state.next, f"{NOTHING} up to {number - 1}")
        state.next = number + 1
        state.counts[word] = state.counts.get(word, 0) + 1
        if odd:
            self.fail(number, odd)
        if time.time() > self.reported + REPORTED:
            self.reported = time.time()
            self.report()

    def report(self) -> None:
        self.state.save()
        done, left = self.state.next - self.at_begin, self.state.end - self.state.next
        minutes = (time.time() - (self.began or time.time())) / max(1, done) * left / 60
        say(f"{self.state.next - self.state.first} of {self.state.end - self.state.first} examples "
            f"({told(self.state.counts)}), about {minutes:.0f} min left")

    def fail(self, number: int, why: str) -> None:
        self.state.failed.append((number, why))
        out(f"FAILED at {number}: {why}")
        for line in text_of(self.state.seed, number):
            out("  " + line[:600])
        out(f"  again with: {again(self.k, self.state.seed, number)}")

    def guest(self, first: int, end: int) -> tuple:
        return run_guest(self.k, self.boot, self.state.seed, first, end, self.on_example)

    def examples(self) -> None:
        state = self.state
        while state.next < state.end and len(state.failed) < GIVE_UP:
            first, many = state.next, len(state.failed)
            fault, _ = self.guest(first, min(first + PER_BOOT, state.end))
            if fault and len(state.failed) == many:
                self.narrow(fault, first)
            self.report()

    def narrow(self, fault: str, first: int) -> None:
        """Find the example by which a guest died or lost memory."""
        state = self.state
        say(f"{fault}, not before {state.next}: looking for the example")
        if "lost" in fault:
            state.failed.append((first, f"{fault} of {first} to {state.next - 1}"))
            out(f"FAILED between {first} and {state.next - 1}: {fault}")
            out(f"  again with: {again(self.k, state.seed, first, state.next - first)}")
            return
        begin = state.next
        again_fault, at = self.guest(begin, min(begin + AGAIN, state.end))
        if again_fault and at is not None:
            self.fail(at, again_fault)
            state.next = at + 1
        else:
            self.fail(begin, f"{fault}; not by itself, but after others from {first} on")
            state.next = max(state.next, begin + 1)


def run_hits(k: Kernel, boot: Callable, seed: int, hits: int) -> str:
    """Hit so many events by calls with known arguments. Returns what is wrong, or ""."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as f:
        f.write(HITS_SCRIPT.format(suite=SUITE))
        f.flush()
        res = boot(k, guest.Job(script=f.name, timeout=SILENCE,
                                append=HITS_APPEND.format(suite=SUITE, hits=hits, seed=seed)))
    text = res.out.decode(errors="replace")
    results = ktap.parse(text)
    failed = [n for n, (state, _) in results.items() if state != "pass"]
    if res.fault or failed:
        keep(k, seed, "hits", res)
        for line in [l for l in text.splitlines() if "EXPECT" in l or "seed" in l][:10]:
            say(line.strip())
    return res.fault or ("no test ran" if not results else ", ".join(failed))


def run_boots(k: Kernel, boot: Callable, state: State) -> None:
    """Boot as often as is left to do."""
    while state.boots > 0:
        number = state.boot
        wrong, res, odd = odd_boots.run_one(k, boot, state.seed, number)
        if wrong:
            keep(k, state.seed, f"boot-{number}", res)
            state.bad_boots.append((number, "; ".join(wrong[:5])))
            out(f"FAILED: boot {number}: {state.bad_boots[-1][1]}; again with: {again_boot(k, state.seed, number)}")
            for line in odd.text():
                out("  " + line[:600])
        state.boots -= 1
        state.boot += 1
        state.save()


def again_boot(k: Kernel, seed: int, number: int) -> str:
    return f"make fuzz {of_kernel(k)}SEED={seed} FROM={number} COUNT=0 BOOTS=1 HITS=0"


def told(counts: dict) -> str:
    return ", ".join(f"{counts.get(w, 0)} {w}" for w in ("refused", "accepted", "hit"))


def of_kernel(k: Kernel) -> str:
    arch = "" if k.arch.name == DEFAULT else f"ARCH={k.arch.name} "
    return arch + ("" if k.profile == PROFILE else f"PROFILE={k.profile} ")


def again(k: Kernel, seed: int, first: int, count: int = 1) -> str:
    return f"make fuzz {of_kernel(k)}SEED={seed} FROM={first} COUNT={count} BOOTS=0 HITS=0"


def sample(k: Kernel, seed: int, boot: Callable) -> tuple:
    """Run a few examples. Returns [(number, what is wrong)], and a line with counts."""
    state = Sample(seed, 0, SAMPLE, 0)
    Run(k, state, boot).examples()
    return state.failed, told(state.counts)


def run(k: Kernel, seed: int | None = None, first: int | None = None, count: int | None = None,
        hits: int | None = None, boots: int | None = None, boot: Callable = guest.run) -> int:
    """Do all that is left. Returns the exit status."""
    state = State.of(seed, first, count, hits, boots)
    out(f"seed {state.seed}, examples {state.first} to {state.end - 1}, on {k.name}")
    state.save()
    Run(k, state, boot).examples()
    run_boots(k, boot, state)
    hits = state.hits if len(state.failed) < GIVE_UP else 0
    if hits:
        say(f"checking the values of {hits} hits")
        wrong = run_hits(k, boot, state.seed, hits)
        state.hits = 0
        if wrong:
            state.save()
            out(f"FAILED: {hits} hits of seed {state.seed} on {k.name}: {wrong}; again with: "
                f"make fuzz {of_kernel(k)}SEED={state.seed} COUNT=0 BOOTS=0 HITS={hits}")
            return 1
    state.save()
    last = f"{state.next - state.first} examples of seed {state.seed} on {k.name} ({told(state.counts)})"
    if state.failed:
        out(f"{last}: {len(state.failed)} FAILED, the first at {state.failed[0][0]}; again with: "
            f"{again(k, state.seed, state.failed[0][0])}")
        return 1
    if state.bad_boots:
        out(f"{last}: {len(state.bad_boots)} boots FAILED, the first: {state.bad_boots[0][0]}; again with: "
            f"{again_boot(k, state.seed, state.bad_boots[0][0])}")
        return 1
    known = f"; {hits} hits, whose values are right" if hits else ""
    out(f"{last}: no event is left, and the kernel has no complaint{known}")
    return 0
