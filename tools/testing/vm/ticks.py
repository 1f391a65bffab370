# SPDX-License-Identifier: GPL-2.0
"""How fast the cycle counter runs that QEMU shows to its guest."""
from __future__ import annotations

import ctypes
import functools
import mmap
import platform
import time

NANOSECONDS = 1000000           # what QEMU counts where the host has no such counter
RDTSC = b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3"  # rdtsc; shl $32,%rdx; or %rdx,%rax; ret
MEASURED = 0.2                  # seconds


@functools.lru_cache
def host_khz() -> int:
    """Of the host's counter, which is the guest's without --icount."""
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
    """In thousands a second; with --icount an instruction takes a nanosecond."""
    return NANOSECONDS if icount else host_khz()
