# SPDX-License-Identifier: GPL-2.0
"""The instructions that a call executed, with their functions and text."""
from __future__ import annotations

import bisect
import os
import re
import subprocess
import tempfile
from typing import Callable, TYPE_CHECKING

from common import Failure

if TYPE_CHECKING:
    from arch import Arch

SLOT = 32           # bytes to which a piece of code is padded for objdump
LONGEST = 16        # bytes of the longest instruction
PAGE = 4096


class Symbols:
    """Names of addresses, from a guest's /proc/kallsyms."""

    def __init__(self, path: str, module: str) -> None:
        found: dict = {}
        inside = []
        self.by_name: dict = {}
        for line in open(path):
            where, kind, name, *mod = line.split()
            addr = int(where, 16)
            # Symbols of any type.
            if name in ("_stext", "_etext"):
                self.by_name[name] = addr
            if kind not in "tTwW" or name.startswith("__pfx_") or mod not in ([], [f"[{module}]"]):
                continue
            self.by_name[name] = addr
            found.setdefault(addr, name)
            if mod:
                inside.append(addr)
        self.addrs = sorted(found)
        self.names = [found[a] for a in self.addrs]
        # Code at other addresses was generated at run time.
        self.known = ((self.by_name["_stext"], self.by_name["_etext"]),
                      (min(inside), (max(inside) // PAGE + 1) * PAGE))

    def name(self, addr: int) -> str | None:
        """The function at addr; None for code that was generated at run time."""
        if not any(lo <= addr < hi for lo, hi in self.known):
            return None
        return self.names[bisect.bisect_right(self.addrs, addr) - 1]

    def starts(self, addr: int) -> bool:
        """Is addr the first instruction of a function?"""
        i = bisect.bisect_left(self.addrs, addr)
        return i < len(self.addrs) and self.addrs[i] == addr


def disassemble(code: dict, arch: Arch) -> dict:
    """Disassemble {address: bytes} to {address: text}."""
    addrs = sorted(code)
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        path = os.path.join(tmp, "code")
        with open(path, "wb") as f:
            for a in addrs:
                f.write(code[a].ljust(SLOT, b"\x90"))
        res = subprocess.run([arch.tool("objdump"), "-D", "-b", "binary", *arch.code.objdump, path],
                             capture_output=True, text=True)
    if res.returncode:
        raise Failure(f"objdump: {res.stderr.strip()}")
    out = {}
    for line in res.stdout.splitlines():
        m = re.match(r" *([0-9a-f]+):\t(.*)", line)
        if m and int(m.group(1), 16) % SLOT == 0:
            at = int(m.group(1), 16)
            addr = addrs[at // SLOT]
            out[addr] = move(m.group(2).strip(), addr - at)
    return out


def move(text: str, by: int) -> str:
    """Correct addresses in objdump's text of code that is at another address than objdump assumes."""
    def absolute(m: re.Match) -> str:
        return m.group(1) + f"{(int(m.group(2), 16) + by) & (1 << 64) - 1:#x}"

    text = re.sub(r"(# )0x([0-9a-f]+)", absolute, text)
    return re.sub(r"^((?:[cd]s )*(?:call|j[a-z]+|b[a-z.]*|cbn?z\s+\w+,|tbn?z\s+\w+, #\w+,)\s+)0x([0-9a-f]+)", absolute, text)


class Trace:
    """The instructions of a call, in order."""

    def __init__(self) -> None:
        self.pcs: list = []
        self.code: dict = {}      # {address: bytes}, read when it ran

    def add(self, pc: int, read: Callable) -> None:
        self.pcs.append(pc)
        if pc not in self.code:
            self.code[pc] = read(pc, LONGEST)

    def named(self, symbols: Symbols, arch: Arch) -> list:
        """[(address, function, text)]"""
        text = disassemble(self.code, arch)
        out, called = [], False
        made: dict = {}     # {page: its content}
        for pc in self.pcs:
            name = symbols.name(pc)
            if name is None:
                kind = "(ftrace trampoline)" if called else "(copied instruction)"
                name = made.setdefault(pc // PAGE, kind)
            out.append((pc, name, text.get(pc, "?")))
            called = text.get(pc, "").startswith(arch.code.called)
        return out


def per_function(named: list) -> dict:
    """{function: number of instructions}, in the order of their first instructions."""
    counts: dict = {}
    for _, name, _ in named:
        counts[name] = counts.get(name, 0) + 1
    return counts


def traps(trace: Trace, symbols: Symbols, arch: Arch) -> int:
    """The number of exceptions that were taken."""
    return sum(symbols.starts(pc) and bool(re.fullmatch(arch.code.traps, symbols.name(pc) or ""))
               for pc in trace.pcs)
