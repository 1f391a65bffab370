# SPDX-License-Identifier: GPL-2.0
"""Frequency of the cycle counter of a guest."""
from __future__ import annotations

import ctypes
import functools
import mmap
import platform
import time

NANOSECONDS = 1000000           # frequency of QEMU's counter if the host has none
RDTSC = b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3"  # rdtsc; shl $32,%rdx; or %rdx,%rax; ret
MEASURED = 0.2                  # seconds


@functools.lru_cache
def host_khz() -> int:
    """Frequency of the host's counter, which guests without --icount read."""
    if platform.machine() != "x86_64":
        return NANOSECONDS
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(RDTSC)
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    start, then = rdtsc(), time.monotonic_ns()
    time.sleep(MEASURED)
    ticks, passed = rdtsc() - start, time.monotonic_ns() - then
    return ticks * NANOSECONDS // passed


def khz(icount: bool) -> int:
    """Frequency in kHz. With --icount, an instruction takes a nanosecond."""
    return NANOSECONDS if icount else host_khz()
