# SPDX-License-Identifier: GPL-2.0
"""Boot a kernel in QEMU, run a script in it, and report its output and faults.

virtme-ng is not used: Debian 12 does not have it, and it lacks -icount, user space of other architectures, and
a channel for the script's output apart from the console.
"""
from __future__ import annotations

import fcntl
import functools
import itertools
import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from typing import BinaryIO, Callable, Sequence, TYPE_CHECKING

import ticks
from common import HERE, TOP, Failure, lock, reap, say

if TYPE_CHECKING:
    from arch import Arch
    from kbuild import Kernel

HUNG, BROKEN = 124, 125         # exit statuses if the guest fails, not the script
POWEROFF = 60                   # seconds that a guest may take to end

# Lines of the console that report a fault of the kernel. They fail a guest, whatever the script reports.
SPLAT = re.compile("|".join([
    r"Kernel panic", r"\bBUG: ", r"\bWARNING: ", r"\bOops\b", r"general protection fault",
    r"\bKASAN: ", r"\bUBSAN: ", r"\bKFENCE: ", r"\bODEBUG: ", r"\brefcount_t: ",
    r"INFO: (rcu|task|possible|trying to register|suspicious|inconsistent|lockdep)",
    r"rcu: INFO: .*(stall|self-detected)", r"Unable to handle kernel", r"double fault",
    r"list_(add|del) corruption", r"unchecked MSR access", r"kernel BUG at",
    r"suspicious RCU usage", r"Internal error: ", r"unexpected #", r"soft lockup", r"bad page",
    r"Missing ENDBR", r"kmemleak: .* new suspected", r"scheduling while atomic",
    r"guest: ",
]))
SPLAT_LINES = 60
STAMP = re.compile(r"^\[ *\d+\.\d+\](\[[^]]*\])? ?")


class Job:
    """A script for a guest, and options of the guest."""

    def __init__(self, script: str | None = None, smp: int = 2, icount: bool = False, host_root: bool = False,
                 share: str | None = None,
                 append: str = "", console: bool = False, timeout: float = 600, interactive: bool = False, mem: int = 2048,
                 expect: str | None = None, bootconfig: str | None = None, qemu: Sequence[str] = (), cpu: str = "") -> None:
        self.script = script
        self.smp = 1 if icount else smp
        self.icount = icount
        self.host_root = host_root
        self.share = share
        self.append = append
        self.console = console
        self.timeout = timeout
        self.interactive = interactive
        self.mem = mem
        self.expect = expect        # pattern of splats that are part of the test
        self.bootconfig = bootconfig    # text of a boot configuration (bootconfig)
        self.qemu = qemu            # more options for QEMU
        self.cpu = cpu              # instead of the architecture's default


def cpio(directory: str, dest: str) -> None:
    """Pack a directory as a cpio archive for the initramfs."""
    names = subprocess.run(["find", ".", "-print0"], cwd=directory, capture_output=True).stdout
    with open(dest, "wb") as f:
        subprocess.run(["cpio", "-0", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=directory,
                       input=names, stdout=f, check=True)


def initramfs(tmp: str, job: Job, k: Kernel) -> str:
    """Make the initramfs for one run: busybox, our init, the script."""
    root = os.path.join(tmp, "root")
    for d in ("bin", "dev", "job"):
        os.makedirs(os.path.join(root, d))
    shutil.copy(k.arch.busybox, os.path.join(root, "bin/busybox"))
    shutil.copy(os.path.join(HERE, "guest/init"), os.path.join(root, "init"))
    if job.script:
        shutil.copy(job.script, os.path.join(root, "job/script"))
    size = shutil.get_terminal_size()
    conf = {"host_root": int(job.host_root), "share": int(bool(job.share)),
            "modules": int(os.path.isdir(os.path.join(k.out, "mods/lib/modules"))),
            "interactive": int(job.interactive), "console": k.arch.console,
            "top": shlex.quote(TOP), "foreign": int(bool(k.arch.debian)),
            "cols": size.columns, "rows": size.lines, "TERM": os.environ.get("TERM", "dumb")}
    with open(os.path.join(root, "job/conf"), "w") as f:
        f.writelines(f"{key}={val}\n" for key, val in conf.items())
    dest = os.path.join(tmp, "initrd")
    cpio(root, dest)
    if job.bootconfig:
        add_bootconfig(dest, job.bootconfig)
    return dest


def add_bootconfig(initrd: str, text: str) -> None:
    """Append a boot configuration, as Documentation/admin-guide/bootconfig.rst has it."""
    data = text.encode() + b"\0"
    with open(initrd, "ab") as f:
        data += b"\0" * (-(f.tell() + len(data)) % 4)
        f.write(data + struct.pack("<II", len(data), sum(data) & 0xffffffff) + b"#BOOTCONFIG\n")


def plan9(tag: str, path: str, readonly: bool) -> list:
    return ["-virtfs", f"local,path={path},mount_tag={tag},security_model=none,multidevs=remap"
            + (",readonly=on" if readonly else "")]


def command(k: Kernel, job: Job, tmp: str) -> list:
    """The command line of QEMU."""
    append = (f"console={k.arch.console} panic=-1 rcupdate.rcu_cpu_stall_timeout=60 "
              # Panic on a soft lockup instead of waiting for the time limit. The threshold is large because
              # the guest's clock goes on while the host runs other processes.
              f"softlockup_panic=1 watchdog_thresh=60 "
              f"kunit.enable=0 {k.arch.append.format(ticks_khz=ticks.khz(job.icount))} {job.append}")
    if job.interactive:
        append += " quiet"
    cmd = [k.arch.qemu, "-machine", k.arch.machine, "-cpu", job.cpu or k.arch.cpu,
           "-accel", f"tcg,thread={'single' if job.icount else k.arch.threads}", "-m", str(job.mem), "-smp", str(job.smp), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-kernel", k.image,
           "-initrd", initramfs(tmp, job, k), "-append", append]
    if job.icount:
        cmd += ["-icount", "shift=0,sleep=off"]
    if job.interactive:
        cmd += ["-serial", "mon:stdio"]
    else:
        cmd += ["-serial", "chardev:console", "-device", "virtio-serial"]
        for name in ("console", "out", "status"):
            cmd += ["-chardev", f"socket,id={name},path={tmp}/{name}"]
        for name in ("out", "status"):
            cmd += ["-device", f"virtserialport,chardev={name},name={name}"]
    mods = os.path.join(k.out, "mods/lib/modules")
    if os.path.isdir(mods):
        cmd += plan9("mods", mods, True)
    if job.host_root:
        cmd += plan9("root", k.arch.root, True)
        if k.arch.debian:
            cmd += plan9("top", TOP, True)
    if job.share:
        cmd += plan9("share", os.path.realpath(job.share), False)
    return cmd + list(job.qemu)


class Channel(threading.Thread):
    """A byte stream out of the guest. QEMU connects to a socket, and data goes to a sink."""

    def __init__(self, tmp: str, name: str, sink: Callable) -> None:
        super().__init__(daemon=True)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(os.path.join(tmp, name))
        self.server.listen(1)
        self.sink = sink
        self.start()

    def run(self) -> None:
        try:
            conn, _ = self.server.accept()
        except OSError:
            return
        while True:
            data = conn.recv(65536)
            if not data:
                return
            self.sink(data)


def splats(text: str, expect: str | None = None) -> list:
    """The parts of the console output that report a fault of the kernel."""
    lines = [l.rstrip("\r") for l in text.split("\n")]
    found, i = [], 0
    while i < len(lines):
        if SPLAT.search(lines[i]) and not (expect and re.search(expect, lines[i])):
            start = max(0, i - 2)
            end = i + 1
            while end < len(lines) and end - start < SPLAT_LINES and "end trace" not in lines[end]:
                end += 1
            found.append("\n".join(lines[start:end + 1]))
            i = end
        i += 1
    return found


def gist(splat: str, limit: int = 12) -> str:
    """The lines of a splat that tell most: what it says, where, and the functions on the stack."""
    kept, on_stack = [], False
    for line in splat.splitlines():
        text = STAMP.sub("", line).rstrip()
        on_stack = text in ("Call Trace:", "Call trace:") or (on_stack and text.startswith(" "))
        if SPLAT.search(line) or re.match(r"RIP: |pc : ", text) or (on_stack and re.match(r" +[^ ?<]", text)):
            kept.append(text)
    return "\n".join(kept[:limit])


class Result:
    def __init__(self) -> None:
        self.out = b""
        self.console = b""
        self.status = b""
        self.code: int | None = None
        self.fault: str | None = None   # one line, if the guest failed, not the script
        self.splats: list = []
        self.took = 0.0
        self.cpu = 0.0          # CPU seconds of QEMU
        self.kept = ""          # name of the file with the console


def console_file(k: Kernel) -> BinaryIO:
    """Open build/KERNEL.console; if another guest uses it, build/KERNEL.2.console, and so on."""
    for nr in itertools.count(1):
        path = f"{k.out}.{nr}.console" if nr > 1 else k.out + ".console"
        console = open(path, "ab", buffering=0)
        try:
            fcntl.flock(console, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.close()
            continue
        console.truncate(0)
        return console
    raise Failure("no file for the console")


@functools.lru_cache
def fetch_root(arch: Arch) -> bool:
    """Install programs of another architecture into build/root-ARCH."""
    with lock(os.path.basename(arch.root)):
        return not subprocess.run([os.path.join(HERE, "packages"), "root", arch.debian, arch.root,
                                   arch.suite, *arch.programs]).returncode


def need_user_space(arch: Arch) -> None:
    """Check that programs for guests are installed: the host's, or those of another architecture."""
    if arch.debian and not fetch_root(arch):
        raise Failure(f"there is no user space for guests of {arch.name}; see the line above")
    for tool in (arch.qemu, arch.busybox):
        if not shutil.which(tool):
            raise Failure(f"{tool} is missing; run tools/testing/vm/packages build")


def run(k: Kernel, job: Job, sink: Callable | None = None, progress: Callable | None = None) -> Result:
    """Boot k and run the job. sink() gets the script's output while it runs, progress() the console's."""
    need_user_space(k.arch)
    res = Result()

    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        def on_out(data: bytes) -> None:
            res.out += data
            if sink:
                sink(data)

        console = console_file(k)
        res.kept = console.name

        def on_console(data: bytes) -> None:
            res.console += data
            console.write(data)
            if progress:
                progress(data)
            if job.console:
                sys.stderr.buffer.write(data)
                sys.stderr.buffer.flush()

        def on_status(data: bytes) -> None:
            res.status += data

        chans = [Channel(tmp, n, s) for n, s in
                 (("out", on_out), ("status", on_status), ("console", on_console))]
        start = time.time()
        # QEMU ends with this process, however that ends.
        cmd = ["setpriv", "--pdeathsig", "KILL", *command(k, job, tmp)]
        proc = subprocess.Popen(cmd, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            wait_for(proc, res, job, start)
        finally:
            if proc.returncode is None:
                proc.kill()
                res.cpu = reap(proc) or 0.0
            complaint = proc.stderr.read() if proc.stderr else ""
            for c in chans:
                c.join(5)
                c.server.close()
            console.close()
        res.took = time.time() - start
    judge(res, proc, job, complaint)
    return res


def wait_for(proc: subprocess.Popen, res: Result, job: Job, start: float) -> None:
    """Wait until QEMU has ended, or for the time limit."""
    ended = None
    while proc.returncode is None:
        res.cpu = reap(proc, os.WNOHANG) or 0.0
        time.sleep(0.02)
        now = time.time()
        if now - start > job.timeout:
            res.fault = f"the guest hangs (time limit of {job.timeout} s)"
            return
        if ended is None and res.status.endswith(b"\n"):
            ended = now
        if ended and now - ended > POWEROFF:
            res.fault = f"the guest does not power off within {POWEROFF} s"
            return


def judge(res: Result, proc: subprocess.Popen, job: Job, complaint: str) -> None:
    """Fill in res.code and res.fault."""
    m = re.search(rb"exit (\d+)", res.status)
    res.splats = splats(res.console.decode(errors="replace"), job.expect)
    if res.splats and not res.fault:
        panic = b"Kernel panic" in res.console
        res.fault = "the guest's kernel panicked" if panic else "the guest's kernel complains"
    if not m and not res.fault:
        res.fault = f"QEMU ended early ({complaint.strip() or proc.returncode})"
    res.code = int(m.group(1)) if m else None
    if res.fault:
        res.code = HUNG if "hangs" in res.fault else BROKEN


def shell(k: Kernel, job: Job) -> int:
    """An interactive guest on this terminal."""
    need_user_space(k.arch)
    with tempfile.TemporaryDirectory(prefix="vm-") as tmp:
        return subprocess.run(command(k, job, tmp)).returncode


def explain(k: Kernel, res: Result) -> None:
    """Print splats, or the end of the console, and the fault on stderr."""
    for text in res.splats[:3]:
        print(text, file=sys.stderr)
    if not res.splats:
        tail = res.console.decode(errors="replace").splitlines()[-15:]
        print("\n".join(tail), file=sys.stderr)
    say(f"{res.fault}; its console: {os.path.relpath(res.kept, TOP)}")
