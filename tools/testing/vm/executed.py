# SPDX-License-Identifier: GPL-2.0
"""The instructions that the workload executes: each of them probed and hit, as breakpoint and as jump.

Which they are QEMU tells: it is switched to one instruction at a time and to a log of what it
translates, hence of what is executed from then on, each instruction once. What the workload
executes each time it is run, not by chance, is what several such guests agree on. These are
probed, chunk by chunk; those that were not hit are probed again, until none is left, or nothing
more comes of it. `vm campaign --executed`; see campaign.py for the rest.
"""
import array
import os
import re
import shutil
import socket
import tempfile

import campaign
import guest
from campaign import LENGTH_SHIFT, Task, out
from common import Failure, say

RECORDINGS = 3          # guests that have to agree
LIMIT = 1800            # seconds that each may take, at one instruction a time
CHUNK = 25000           # instructions that are probed at once
AGAIN = 4               # more tries for what was not hit
WAYS = ("plain", "jump")


def monitor(path, *commands):
    """Have QEMU do these."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall("".join(c + "\n" for c in commands).encode())
        # Their echo is the sign that they were taken.
        seen = b""
        while seen.count(b"(qemu)") <= len(commands):
            got = s.recv(4096)
            if not got:
                raise Failure("QEMU's monitor is gone")
            seen += got


def logged(path):
    """The addresses in QEMU's log of what it translates."""
    line = re.compile(r"(0x[0-9a-f]+): ")
    with open(path, errors="replace") as f:
        return {int(m.group(1), 16) for m in map(line.match, f) if m}


def record(k, tools, base, end):
    """The addresses between these that one guest executes while the workload runs."""
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        share, script, log, door = (os.path.join(tmp, n) for n in ("share", "script", "log", "monitor"))
        os.mkdir(share)
        shutil.copy(os.path.join(tools, "workload"), share)
        with open(script, "w") as f, open(os.path.join(campaign.SOURCE, "guest.sh")) as g:
            f.write("#!/bin/sh\nQUEUE=\nTESTS=\n" + g.read())
        seen = bytearray()
        # What it says, and what QEMU is told then. How a guest ends is not of the workload.
        signs = [(b"watch\n", ("singlestep on", "log in_asm")), (b"\nstatus ", ("log none", "singlestep off"))]

        def sink(data):
            seen.extend(data)
            while signs and signs[0][0] in seen:
                monitor(door, *signs.pop(0)[1])

        job = guest.Job(script=script, share=share, append="nokaslr", timeout=LIMIT, qemu=(
            "-monitor", f"unix:{door},server=on,wait=off", "-D", log, "-dfilter", f"{base:#x}+{end - base:#x}"))
        res = guest.run(k, job, sink)
        # Whether its results are right is asked when it is probed; that slow, it runs into its limits.
        if res.fault or signs:
            raise Failure(f"the workload does not run to its end: {res.fault or seen.decode(errors='replace')[-300:]}")
        return logged(log)


def some(words, offsets):
    """Those of these words that are about these offsets."""
    return array.array("I", (w for w in words if w & (1 << LENGTH_SHIFT) - 1 in offsets))


def find(k, text, tools):
    """What the workload executes for certain: words as those of text."""
    spans, base = campaign.functions(os.path.join(k.out, "vmlinux"))
    kept = None
    for nr in range(RECORDINGS):
        found = record(k, tools, base, max(e for _, e in spans))
        kept = found if kept is None else kept & found
        say(f"recording {nr + 1} of {RECORDINGS}: {len(found)} instructions, {len(kept)} in all so far")
    return some(text.words, {a - base for a in kept})


def kept_words(k, text, tools):
    """The same, from a file if it is known already."""
    path = os.path.join(campaign.RESULTS, k.name + ".executed")
    stamp = path + ".of"
    if not os.path.exists(stamp) or open(stamp).read() != text.id:
        with open(path, "wb") as f:
            find(k, text, tools).tofile(f)
        with open(stamp, "w") as f:
            f.write(text.id)
    words = array.array("I")
    with open(path, "rb") as f:
        words.frombytes(f.read())
    return words


def chunks(words, ways, name):
    """What guests are to do with these."""
    count = -(-len(words) // CHUNK)
    return [Task(f"x{name}{i}", words[i::count], list(ways), 0) for i in range(count)]


def probe(k, tools, tasks):
    """(what is wrong, {way: offsets that were not hit}, figures) of these."""
    bad, unhit, figures = [], {}, []
    left = list(tasks)
    while left:
        seen = []

        def take(chunk):
            complaints = chunk.complaints()
            campaign.tell(k, chunk, complaints, "")
            seen.append(chunk.name)
            bad.extend(f"{chunk.name}: {c}" for c in complaints)
            figures.append(chunk.figures())
            for r in chunk.rounds:
                unhit.setdefault(r.name, set()).update(r.unhit)

        fault = campaign.run_guest(k, tools, left[:campaign.PER_BOOT], take)
        if not seen:
            raise Failure(f"a guest did no chunk ({fault})")
        left = [t for t in left if t.name not in seen]
    return bad, unhit, figures


def run(k):
    """All of it; the exit status."""
    text, tools = campaign.Text(k), campaign.build(k)
    words = kept_words(k, text, tools)
    out(f"the workload executes {len(words)} of {len(text.words)} instructions each time")
    bad, unhit, figures = probe(k, tools, chunks(words, WAYS, ""))
    total = campaign.add_up(figures)
    for nr in range(AGAIN):
        tasks = [t for way in WAYS for t in chunks(some(words, unhit.get(way, ())), [way], f"{way}-{nr}-")]
        if not tasks:
            break
        more, again, _ = probe(k, tools, tasks)
        bad += more
        unhit = {way: again.get(way, set()) for way in WAYS}
    out(campaign.describe(total))
    for way in WAYS:
        missing = sorted(unhit.get(way, ()))
        share = 100 * (1 - len(missing) / max(1, total["probed"]))
        out(f"{way}: {total['probed'] - len(missing)} of {total['probed']} hit ({share:.2f} %)")
        if missing:
            out("not hit:")
            campaign.show_places(k, some(words, missing))
    return 1 if bad or any(unhit.values()) else 0
