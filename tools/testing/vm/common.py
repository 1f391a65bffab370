# SPDX-License-Identifier: GPL-2.0
"""Functions that all parts of the harness use."""
from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from typing import Any, Iterator

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, "../../.."))
BUILD = os.path.join(TOP, "build")


class Failure(Exception):
    """An error whose text says in one line what to do about it."""


def say(text: str) -> None:
    """Print a line of progress on stderr; stdout is for output of guests."""
    print(f"vm: {text}", file=sys.stderr, flush=True)


def reap(proc: Any, flags: int = 0) -> float | None:
    """Wait for a process. Returns the CPU seconds of it and its children; None if it still runs."""
    pid, status, usage = os.wait4(proc.pid, flags)
    if not pid:
        return None
    proc.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def lock(name: str) -> Iterator:
    """Hold build/.lock-NAME, so that commands that run at the same time take turns."""
    os.makedirs(BUILD, exist_ok=True)
    with open(os.path.join(BUILD, f".lock-{name}"), "w") as f:
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another command that uses {name}")
            fcntl.flock(f, fcntl.LOCK_EX)
        yield
