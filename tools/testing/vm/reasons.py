# SPDX-License-Identifier: GPL-2.0
"""Why instructions are refused or were not hit, found by the part of the text that they are in."""
from __future__ import annotations

import bisect
import collections
import os
import re
import subprocess
import textwrap
from typing import Any, TYPE_CHECKING

if TYPE_CHECKING:
    from kbuild import Kernel

# Parts of text between the symbols __NAME_text_start and __NAME_text_end. The first match counts.
TEXTS = {
    "entry": "entry of exceptions and system calls",
    "irqentry": "entry of exceptions and system calls",
    "kprobes": "on the hit path of probes: __kprobes",
    "cpuidle": "idle: noinstr",
    "noinstr": "noinstr: runs where a trap cannot be taken",
    "idmap": "runs where the kernel is not mapped as usual",
    "hyp": "of the hypervisor",
    "hyp_idmap": "of the hypervisor",
    "static_call": "trampoline of a static call",
    "thunk": "thunk",
}
# Tables of relative addresses: (first symbol, last symbol, bytes of an entry, what it lists).
TABLES = (
    ("__start___jump_table", "__stop___jump_table", 16, "static branch, which others patch"),
    ("__start_static_call_sites", "__stop_static_call_sites", 8, "static call, which others patch"),
)
MARK = "_kbl_addr_"
SHOWN = 40              # functions that are listed for each reason
BY_ERRNO = {
    "EILSEQ": "inside an instruction, as the kernel decodes it",
    "EBUSY": "another user of ftrace redirects the function",
    "EINVAL": "the architecture lets nobody probe it",
    "EOPNOTSUPP": "can be neither emulated nor run elsewhere",
}


def table(k: Kernel, start: int, stop: int, size: int) -> set:
    """The addresses in a table of the kernel."""
    res = subprocess.run([k.arch.tool("objdump"), "-s", f"--start-address={start:#x}", f"--stop-address={stop:#x}",
                          os.path.join(k.out, "vmlinux")], capture_output=True, text=True, check=True)
    lines = re.findall(r"^ [0-9a-f]+((?: [0-9a-f]{2,8}){1,4})  ", res.stdout, re.M)
    data = bytes.fromhex("".join(lines).replace(" ", ""))
    return {start + at + int.from_bytes(data[at:at + 4], "little", signed=True) for at in range(0, len(data), size)}


class Symbols:
    """The functions of a kernel, and those in which probes are not allowed."""

    def __init__(self, k: Kernel) -> None:
        vmlinux = os.path.join(k.out, "vmlinux")
        res = subprocess.run(["nm", vmlinux], capture_output=True, text=True, check=True)
        found = [line.split() for line in res.stdout.splitlines() if len(line.split()) == 3]
        at = {name: int(addr, 16) for addr, _, name in found}
        self.base = at["_stext"]
        self.marked = {name[len(MARK):] for name in at if name.startswith(MARK)}
        self.texts = [(at[f"__{t}_text_start"], at[f"__{t}_text_end"], why) for t, why in TEXTS.items()
                      if f"__{t}_text_start" in at]
        self.patched = [(table(k, at[first], at[last], size), why) for first, last, size, why in TABLES
                        if first in at and at[first] < at[last]]
        # Of several names take the first in the alphabet that is not a bound of a section.
        self.functions = sorted((int(addr, 16), name) for addr, kind, name in found
                                if kind in "tTwW" and not name.startswith(("$", "__pfx_", "__cfi_"))
                                and not name.endswith(("_start", "_end", "_begin")))
        self.starts = [start for start, _ in self.functions]

    def name(self, offset: int) -> str:
        """The function that contains an offset."""
        at = bisect.bisect_right(self.starts, self.base + offset)
        start = self.starts[at - 1] if at else 0
        return self.functions[bisect.bisect_left(self.starts, start)][1] if at else "?"

    def names(self, offset: int) -> list:
        """All names of the function."""
        at = bisect.bisect_right(self.starts, self.base + offset) - 1
        first = bisect.bisect_left(self.starts, self.starts[at])
        return [name for _, name in self.functions[first:at + 1]]

    def why_refused(self, offset: int, errno: Any) -> str:
        addr = self.base + offset
        for start, end, why in self.texts:
            if start <= addr < end:
                return why
        # Parts of a function have its name and a suffix.
        if any(name.split(".")[0] in self.marked or name in self.marked for name in self.names(offset)):
            return "on the hit path of probes: NOKPROBE_SYMBOL()"
        for places, why in self.patched:
            if addr in places:
                return why
        return BY_ERRNO.get(errno, errno)


    def why_not_hit(self, offset: int, all_unhit: Any, all_words: Any) -> str:
        """Was no instruction of the function hit, or only this path? The others are sets of offsets."""
        at = bisect.bisect_right(self.starts, self.base + offset)
        start = self.starts[at - 1] - self.base
        end = self.starts[at] - self.base if at < len(self.starts) else offset + 1
        if any(o in all_words and o not in all_unhit for o in range(start, end)):
            return "on a way through its function that was not taken again"
        return "its function was not called again"


def by_function(symbols: Symbols, offsets: Any) -> list:
    """[(function, number of offsets in it)], by number."""
    counts = collections.Counter(symbols.name(o) for o in offsets)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def grouped(symbols: Symbols, title: str, reasons: Any) -> list:
    """Lines about {offset: why}: the number for each reason, and the functions."""
    lines = [f"{title}: {len(reasons)}"]
    for why, count in collections.Counter(reasons.values()).most_common():
        lines.append(f"  {count} {why}")
        found = by_function(symbols, [o for o, w in reasons.items() if w == why])
        names = [f"{name}{f' ({n})' if n > 1 else ''}" for name, n in found[:SHOWN]]
        names += [f"{len(found) - SHOWN} more functions"] if len(found) > SHOWN else []
        lines += textwrap.wrap(", ".join(names), 96, initial_indent="    ", subsequent_indent="    ",
                               break_long_words=False, break_on_hyphens=False)
    return lines
