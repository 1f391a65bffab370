# SPDX-License-Identifier: GPL-2.0
"""Configure and compile: build/<arch>[-<profile>] and build/stock-<arch>.

The base's scripts/kconfig/merge_config.sh is not used, because it only warns if a symbol has another value than
the fragments ask for; here that is an error. tuxmake is not in Debian 12, and would only replace the call of make.
"""
from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from typing import Any, IO

import tree
from arch import ARCHES, DEFAULT
from common import BUILD, HERE, TOP, Failure, lock, reap, say

CONFIG_DIR = os.path.join(HERE, "config")
JOBS = os.cpu_count() or 1
COMPILED = ("tracer", "noftrace")   # profiles of kernels that are not linked; see SEE_OUR_CORE in check.py
PROGRESS = 15       # seconds between two lines of progress

# {profile: fragments that come before its own}
BUILDS_ON = {
    "debug": ["small"],
    "kcsan": ["small"],
    "rt": ["expert"],
    "hardened": ["small", "expert"],
    "cfi": ["small"],
}
CLANG = {"cfi": "-19"}      # LLVM= of profiles that gcc cannot compile
PACKAGES = {"hardened": "plugins", "cfi": "clang"}      # {profile: a further set of packages that building needs}

spent = []          # CPU seconds of each make


class Kernel:
    """A kernel to build and boot: its source, objects and configuration."""

    def __init__(self, arch: str = DEFAULT, profile: str | None = None, stock: bool = False) -> None:
        if arch not in ARCHES:
            raise Failure(f"no architecture {arch}; there is: {' '.join(ARCHES)}")
        self.arch = ARCHES[arch]
        self.profile = profile = profile or self.arch.tested
        self.stock = stock
        suffix = "" if profile == "release" else f"-{profile}"
        self.name = ("stock-" if stock else "") + arch + suffix
        self.src = tree.BASE if stock else tree.TREE
        self.out = os.path.join(BUILD, self.name)
        self.fragments = self.find_fragments()
        # LLVM= of make, for clang instead of gcc.
        self.llvm = next((CLANG[p] for p in profile.split("-") if p in CLANG), self.arch.llvm)

    @property
    def packages(self) -> list[str]:
        """Sets of packages that building needs; see the script packages."""
        sets = [self.arch.packages] + [PACKAGES.get(p) for p in self.profile.split("-")]
        return [s for s in sets if s]

    def find_fragments(self) -> list:
        """The files of config/ that make up this kernel's configuration."""
        boots = self.arch.boots and self.profile not in COMPILED
        names = ["common" if boots and not self.arch.compiled else "compiled", self.arch.name]
        names += [f"{self.arch.name}-boots"] if boots and self.arch.compiled else []
        names += ["ours"] if boots and not self.stock else []
        lacks = f"stock-{self.arch.name}"
        if self.stock and os.path.exists(os.path.join(CONFIG_DIR, lacks + ".config")):
            names.append(lacks)
        # A profile may consist of several: debug is small and debug; debug-rt also has rt.
        profiles = self.profile.split("-")
        names += dict.fromkeys(n for p in profiles for n in BUILDS_ON.get(p, []))
        for p in profiles:
            # Options of one architecture in this profile.
            own = f"{self.arch.name}-{p}"
            names += [p] + ([own] if os.path.exists(os.path.join(CONFIG_DIR, own + ".config")) else [])
        paths = [os.path.join(CONFIG_DIR, n + ".config") for n in names]
        for path in paths:
            if not os.path.exists(path):
                raise Failure(f"no profile {self.profile}; there is no {os.path.relpath(path, TOP)}")
        return paths

    @property
    def image(self) -> str:
        return os.path.join(self.out, self.arch.image)

    @property
    def log(self) -> str:
        return os.path.join(BUILD, f"{self.name}.log")

    def make(self, *args: str) -> list:
        """The make command for this kernel."""
        ccache = os.path.join(HERE, "cc") + " " if shutil.which("ccache") else ""
        cc = f"{ccache}clang{self.llvm}" if self.llvm else f"{ccache}{self.arch.cross}gcc"
        # A link inside O= leads to the source, so that ccache sees the same
        # paths for each kernel. Objects that do not depend on files of ours
        # are compiled once for all kernels.
        src = os.path.join(self.out, "src")
        if not os.path.islink(src):
            os.makedirs(self.out, exist_ok=True)
            os.symlink(os.path.relpath(self.src, self.out), src)
        flags = "-fmacro-prefix-map=src/="
        # Some architectures of the base have a #warning for each feature that they lack.
        flags += " -Wno-cpp" if self.profile in COMPILED else ""
        return ["make", "-C", src, f"abs_srctree={src}", f"O={self.out}",
                f"ARCH={self.arch.make}", f"-j{JOBS}", f"KCFLAGS={flags}",
                f"CC={cc}", f"HOSTCC={ccache}gcc", f"CROSS_COMPILE={self.arch.cross}",
                *([f"LLVM={self.llvm}", "HOSTCXX=g++"] if self.llvm else []),
                f"gen-randstruct-seed={os.path.join(HERE, 'randstruct-seed')}",
                f"LOCALVERSION=-{'stock' if self.stock else 'probes'}", *args]

    def env(self) -> dict:
        """Environment of make: the same input gives the same output, here and in a clone."""
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        env.update(KBUILD_BUILD_TIMESTAMP="Thu Jan  1 00:00:00 UTC 1970", KBUILD_BUILD_USER="vm",
                   KBUILD_BUILD_HOST="vm", KBUILD_BUILD_VERSION="1", LC_ALL="C",
                   CCACHE_BASEDIR=TOP, CCACHE_NOHASHDIR="1", CCACHE_MAXSIZE="10G",
                   # Saves preprocessing on cache misses, a fifth of the time of a build.
                   CCACHE_DEPEND="1",
                   CCACHE_SLOPPINESS="time_macros,include_file_mtime,include_file_ctime",
                   PAHOLE=env.get("PAHOLE", "pahole"))
        return env


def wanted(fragments: Any) -> dict:
    """{symbol: value} of configuration fragments; the last one wins."""
    want = {}
    for path in fragments:
        for line in open(path):
            line = line.strip()
            m = re.match(r"(CONFIG_\w+)=(.*)", line) or re.match(r"# (CONFIG_\w+) is not set()", line)
            if m:
                want[m.group(1)] = m.group(2) or "n"
    return want


def configure(k: Kernel) -> None:
    """Write .config from the fragments, unless it is up to date."""
    h = hashlib.sha256(tree.tarball_id().encode())
    for path in k.fragments + [os.path.join(HERE, "kbuild.py")]:
        h.update(tree.read(path))
    if not k.stock:
        h.update(tree.wiring_id().encode())
    stamp = os.path.join(k.out, ".vm-config")
    if os.path.exists(os.path.join(k.out, ".config")) and os.path.exists(stamp) \
            and tree.read(stamp).decode() == h.hexdigest():
        return
    say(f"configuring {k.name}")
    bad = write_config(k)
    if bad:
        raise Failure(f"{k.name}: {'; '.join(bad)}; correct {os.path.relpath(CONFIG_DIR, TOP)}/ "
                      "(a dependency is missing, or the symbol cannot be chosen)")
    with open(stamp, "w") as f:
        f.write(h.hexdigest())


def write_config(k: Kernel) -> list:
    """Write .config from the fragments. Returns wrong symbols: ["SYMBOL is ... instead of ..."]"""
    os.makedirs(k.out, exist_ok=True)
    merged = os.path.join(k.out, ".vm-fragments")
    want = wanted(k.fragments)
    with open(merged, "w") as f:
        for sym, val in want.items():
            f.write(f"# {sym} is not set\n" if val == "n" else f"{sym}={val}\n")
    env = dict(k.env(), KCONFIG_ALLCONFIG=merged)
    res = subprocess.run(k.make("allnoconfig"), env=env, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True)
    if res.returncode:
        sys.stderr.write(res.stdout + res.stderr)
        raise Failure(f"the configuration of {k.name} fails; see the lines above")
    have = wanted([os.path.join(k.out, ".config")])
    return [f"{s} is {have.get(s, 'n')} instead of {v}" for s, v in want.items() if have.get(s, "n") != v]


def follow(proc: subprocess.Popen, log: IO[str], what: str) -> list:
    """Write make's output to the log, and print progress from time to time."""
    state: dict = {"n": 0, "last": "", "done": False}
    start = time.time()

    def report() -> None:
        due = start + PROGRESS
        while not state["done"]:
            time.sleep(0.5)
            if time.time() >= due:
                due += PROGRESS
                say(f"{what}: {int(time.time() - start)} s, {state['n']} steps, at {state['last']}")

    t = threading.Thread(target=report, daemon=True)
    t.start()
    step = re.compile(r"^  [A-Z][\w+]*(?: \[[\w]+\])? +(\S+)")
    lines = []
    for line in proc.stdout or ():
        log.write(line)
        m = step.match(line)
        if m:
            state["n"] += 1
            state["last"] = m.group(1)
        else:
            lines.append(line)
    state["done"] = True
    return lines


def errors(lines: list[str]) -> list:
    """Lines of make's output that report errors."""
    pat = re.compile(r"error:|Error |ERROR|undefined reference|No rule|multiple definition|warning:")
    keep = [i for i, l in enumerate(lines) if pat.search(l) and not re.match(r"make(\[\d+\])?: \*\*\*.*Error", l)]
    shown = sorted({j for i in keep for j in range(max(0, i - 1), min(len(lines), i + 4))})
    return [lines[j] for j in shown][:80] or lines[-20:]


def run_make(k: Kernel, what: str, *targets: str) -> list:
    """Run make with progress. Raises a Failure if it fails."""
    with open(k.log, "a") as log:
        log.write(f"### make {' '.join(targets)}\n")
        # make ends with this process, however that ends.
        proc = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *k.make(*targets)], env=k.env(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, errors="replace")
        try:
            lines = follow(proc, log, what)
        except BaseException:
            proc.terminate()
            raise
        spent.append(reap(proc))
        if proc.returncode:
            sys.stderr.writelines(errors(lines))
            raise Failure(f"{what} failed; correct what the lines above say "
                          f"(all of it: {os.path.relpath(k.log, TOP)})")
    return lines


def prepare(k: Kernel) -> None:
    """Update source and configuration. The caller holds k's lock."""
    stamp = os.path.join(k.out, ".vm-began")
    if k.stock:
        with lock("tree"):
            tree.unpack_base()
    else:
        state = tree.sync()
        if os.path.exists(stamp):
            tree.refresh(state, float(tree.read(stamp)))
    configure(k)
    began = time.time()
    with open(stamp, "w") as f:
        f.write(repr(began))


def only_ours(k: Kernel) -> None:
    """Fail if k may contain a file that the series removes."""
    bad = tree.foreign()
    if bad:
        raise Failure(f"build/tree has {bad[0]} of the base, which series/removed lists; "
                      "remove build/tree and build again")
    ours = set(tree.our_files())
    for name in tree.removed():
        stem, ext = os.path.splitext(name)
        if ext not in (".c", ".S") or name in ours or stem + ".c" in ours or stem + ".S" in ours:
            continue
        if os.path.exists(os.path.join(k.out, stem + ".o")):
            raise Failure(f"{k.name} has a {stem}.o, which the base's {name} gives; "
                          f"remove build/{k.name} and build again")


def build(k: Kernel, modules: bool = True, keep_going: bool = False) -> None:
    """Build vmlinux, the image and the modules of k."""
    for name in k.packages:
        if subprocess.run([os.path.join(HERE, "packages"), name]).returncode:
            raise Failure(f"{k.name} cannot be built; see the line above")
    with lock(k.name):
        prepare(k)
        start = time.time()
        targets = [os.path.basename(k.arch.image), "vmlinux"]
        modules = modules and wanted([os.path.join(k.out, ".config")]).get("CONFIG_MODULES") == "y"
        if modules:
            targets.append("modules")
        if keep_going:
            targets.append("-k")
        drop_stale(k)
        lines = run_make(k, f"building {k.name}", *targets)
        # objtool also warns, of tests with odd instructions.
        sys.stderr.writelines(l for l in lines if re.search(r":\d+: warning:", l))
        if not k.stock:
            only_ours(k)
        if modules:
            install_modules(k)
        took = time.time() - start
        if took > PROGRESS:
            say(f"built {k.name} in {int(took)} s")


def ready(k: Kernel, up_to_date: bool) -> None:
    """A kernel to boot, built first unless told otherwise."""
    if not k.arch.boots:
        raise Failure(f"kernels of {k.arch.name} are only compiled; try: make arch-builds")
    if up_to_date:
        build(k)
    elif not os.path.exists(k.image):
        raise Failure(f"{k.name} is not built; leave out --no-build")


def drop_stale(k: Kernel) -> None:
    """Remove objects of base files that series/removed lists."""
    if k.stock:
        return
    ours = set(tree.our_files())
    for name in tree.removed():
        stem, _ = os.path.splitext(name)
        obj = os.path.join(k.out, stem + ".o")
        if stem + ".c" not in ours and stem + ".S" not in ours and os.path.exists(obj):
            os.unlink(obj)


def install_modules(k: Kernel) -> None:
    """Install modules for modprobe into build/<name>/mods/lib/modules/."""
    order = os.path.join(k.out, "modules.order")
    dest = os.path.join(k.out, "mods")
    stamp = os.path.join(dest, ".stamp")
    newest = max([os.path.getmtime(order)] +
                 [os.path.getmtime(os.path.join(k.out, l.strip()[:-2] + ".ko"))
                  for l in open(order) if l.strip()])
    if os.path.exists(stamp) and os.path.getmtime(stamp) >= newest:
        return
    new = dest + ".new"
    shutil.rmtree(new, ignore_errors=True)
    run_make(k, f"installing modules of {k.name}", f"INSTALL_MOD_PATH={new}", "modules_install")
    # Running guests may have the directory mounted, so do not remove it.
    if subprocess.run(["rsync", "-a", "--delete", new + "/", dest + "/"]).returncode:
        raise Failure("cannot lay out the modules; is the disk full?")
    shutil.rmtree(new)
    with open(stamp, "w"):
        pass


def of_the_base(line: str) -> bool:
    """Is a message about a file of the base? make runs sparse on other objects that it builds, too."""
    m = re.search(r"/src/([^:]+):\d+", line)
    return bool(m and m.group(1) not in tree.our_files())


def build_objects(k: Kernel, objs: list[str], w1: bool = False, sparse: bool = False) -> bool:
    """Compile single objects (or directories) of ours, apart from full builds."""
    k.name += "-obj"
    k.out += "-obj"
    with lock(k.name):
        prepare(k)
        args = (["W=1"] if w1 else []) + (["C=2", "CHECK=sparse"] if sparse else [])
        what = f"compiling {' '.join(objs[:3])}{' ...' if len(objs) > 3 else ''} of {k.name}"
        lines = run_make(k, what, *args, *objs)
    warn = [l for l in lines if ("warning:" in l or "error:" in l) and not (sparse and of_the_base(l))]
    if warn:
        sys.stdout.writelines(l for l in lines if not re.match(r"make(\[\d+\])?:", l))
    return not warn


def build_module(k: Kernel, what: str, source: str, names: Any, dest: str) -> None:
    """Build a module outside of the tree for k in dest, from these files."""
    for name in names:
        src, dst = os.path.join(source, name), os.path.join(dest, name)
        if not os.path.exists(dst) or open(src).read() != open(dst).read():
            shutil.copy(src, dst)
    with lock(k.name):
        # BTF would have to match the vmlinux that boots, and make does not ensure that.
        run_make(k, f"building {what} for {k.name}", f"M={dest}", "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules")


def build_program(k: Kernel, dest: str, parts: list[str], *flags: str) -> None:
    """Build a user program for k's guests."""
    res = subprocess.run([k.arch.cross + "gcc", "-O2", "-Wall", "-static", *flags, "-o", dest, *parts],
                         capture_output=True, text=True)
    if res.returncode:
        raise Failure(f"{os.path.basename(dest)} does not compile: {res.stderr.strip()}")
