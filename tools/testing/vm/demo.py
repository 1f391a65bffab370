# SPDX-License-Identifier: GPL-2.0
"""make run: set a probe, run a workload, print the trace."""
from __future__ import annotations

import os
import shlex
import tempfile
from typing import Callable, TYPE_CHECKING

import guest
from common import HERE

if TYPE_CHECKING:
    from arch import Arch
    from guest import Job, Result
    from kbuild import Kernel

CMD = "cat /etc/passwd; ls /sys/kernel/debug/kprobes"


def script(path: str, arch: Arch) -> None:
    """Write the guest's script, which begins with the user's settings."""
    probe = os.environ.get("PROBE") or arch.demo
    cmd = os.environ.get("CMD") or CMD
    with open(os.path.join(HERE, "guest/demo.sh")) as src, open(path, "w") as dst:
        dst.write(f"#!/bin/sh\nPROBE={shlex.quote(probe)}\nCMD={shlex.quote(cmd)}\n")
        dst.write(src.read())


def run(k: Kernel, job: Job, sink: Callable) -> Result:
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        job.script = os.path.join(tmp, "demo.sh")
        script(job.script, k.arch)
        return guest.run(k, job, sink)
