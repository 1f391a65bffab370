# SPDX-License-Identifier: GPL-2.0
"""make bisect: apply the series patch by patch, and compile after each.

build/bisect/tree is the base with so many patches of the series, and build/bisect/<kernel> are
objects of it: of a configuration with our options on, of one without probes, and of one with
kprobes and nothing else. make compiles what a patch touches and what sees that, and for each
configuration it is looked whether the objects lack a symbol. Only the first and the last step have
all of vmlinux looked at; others what their patch touches and what was compiled from that. What has passed is kept in
build/bisect/state.json by the content of the tree, so an interrupted run goes on, and a patch that
is changed has only itself and what follows compiled again.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import time

import guest
import kbuild
import series
import tree
from common import BUILD, HERE, Failure, say

WORK = os.path.join(BUILD, "bisect")
TREE = os.path.join(WORK, "tree")
STATE = os.path.join(WORK, "state.json")
AT = os.path.join(WORK, "managed.json")
OFF = ("noprobes", "bare")      # profiles of kernels without most of ours
# What is not compiled: nothing can break there.
NO_CODE = ("Documentation/", "tools/", "MAINTAINERS")
# Of these an architecture's kernel without our options has compiled all that may see them.
SEEN = ("kernel/", "lib/", "arch/{source}/kernel/", "arch/{source}/mm/")
# And this is all that is in vmlinux.
ALL = ("arch/{source}/", "init/", "kernel/", "mm/", "fs/", "ipc/", "security/", "crypto/", "io_uring/", "block/",
       "lib/", "drivers/", "net/", "virt/", "certs/")
SAMPLES = ("samples/kprobes/", "samples/fprobe/")


def without_code(made, before):
    """Why what a patch makes of files cannot change what is compiled; "" if it can."""
    code = {n: what for n, what in made.items() if not n.startswith(NO_CODE)}
    if not code:
        return "no code"
    # No Makefile names a file before it is there, and nobody includes one.
    if all(what is not None and n not in before and "/asm" not in n for n, what in code.items()):
        return "only files that nobody builds yet"
    return ""


def key_of(made, fragments):
    """What a result of compiling holds for: these files in place of the base's, and this configuration."""
    h = hashlib.sha256()
    for path in fragments:
        h.update(tree.read(path))
    for name in sorted(made):
        h.update(f"{name} {file_id(made[name])}\n".encode())
    return h.hexdigest()


def file_id(what):
    """What tells two contents of a file apart."""
    return what and f"{hashlib.sha256(what[0]).hexdigest()} {what[1]:o}"


def load(path, default):
    return json.loads(tree.read(path)) if os.path.exists(path) else default


def save(path, what):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".tmp", "w") as f:
        json.dump(what, f)
    os.rename(path + ".tmp", path)


def on_path(key):
    """Where the symbols of a kernel with our options are kept."""
    return os.path.join(WORK, "symbols", key)


class Kernel(kbuild.Kernel):
    """A configuration of build/bisect/tree."""

    def __init__(self, arch, profile=None):
        super().__init__(arch, profile)
        self.off = profile in OFF
        self.name = f"bisect/{self.name}"
        self.src = TREE
        self.out = os.path.join(BUILD, self.name)
        self.allowed = None

    def narrowed(self, changed):
        """What of the targets has to do with files that have changed; all of it where that cannot be told."""
        names = [os.path.basename(n) for n in changed]
        if not changed or any(n.startswith("Kconfig") or n.endswith((".lds.S", ".lds.h")) for n in names) or \
                any("/asm-generic/Kbuild" in n or n.startswith("scripts/") for n in changed):
            return self.targets()
        dirs = {d for d in self.dirs() for n in changed if n.startswith(d)
                and (os.path.basename(n) in ("Makefile", "Kbuild") or not self.compiled(n))}
        objects = {o for o in self.seeing(changed) if not o.startswith(tuple(dirs))}
        return sorted(dirs) + sorted(objects) + ([] if self.off else list(SAMPLES))

    def compiled(self, name):
        """Is there an object of a file, or is it none that has one?"""
        stem, ext = os.path.splitext(name)
        return ext not in (".c", ".S") or os.path.exists(os.path.join(self.out, stem + ".o"))

    def seeing(self, changed):
        """Objects that were compiled from any of these files, as make has noted."""
        pattern = re.compile(r"(?:^|[\s/(])src/(?:" + "|".join(map(re.escape, sorted(changed))) + r")[\s)]", re.M)
        for d in self.dirs():
            for top, _, files in os.walk(os.path.join(self.out, d)):
                for f in files:
                    if not (f.startswith(".") and f.endswith(".o.cmd")):
                        continue
                    with open(os.path.join(top, f), errors="replace") as text:
                        if pattern.search(text.read()):
                            yield os.path.relpath(os.path.join(top, f[1:-4]), self.out)

    def dirs(self):
        return [d.format(source=self.arch.source) for d in (SEEN if self.off else ALL)]

    def targets(self):
        return self.dirs() + ([] if self.off else list(SAMPLES))

    def archives(self):
        return [os.path.join(d, "built-in.a") for d in self.dirs()] + ["lib/lib.a", f"arch/{self.arch.source}/lib/lib.a"]


def put(made):
    """Make build/bisect/tree be the base with these files in place."""
    if not os.path.isdir(TREE):
        say("copying build/base to build/bisect/tree")
        os.makedirs(WORK, exist_ok=True)
        shutil.rmtree(TREE + ".tmp", ignore_errors=True)
        if subprocess.run(["cp", "-a", "--reflink=auto", tree.BASE, TREE + ".tmp"]).returncode:
            raise Failure("cannot copy build/base; is the disk full? (2 GB are needed)")
        os.rename(TREE + ".tmp", TREE)
        if os.path.exists(AT):
            os.unlink(AT)
    managed = set(load(AT, [])) | set(made)
    save(AT, sorted(managed))
    for name in managed:
        what = made[name] if name in made else series.state_of(tree.BASE, name)
        if series.state_of(TREE, name) != what:
            series.put(TREE, {name: what})
            if what is None:
                drop_objects(name)


def drop_objects(name):
    """make would take the object of a source that has gone for one that is up to date."""
    stem, ext = os.path.splitext(name)
    for k in os.listdir(WORK):
        path = os.path.join(WORK, k, stem + ".o")
        if ext in (".c", ".S") and os.path.exists(path):
            os.unlink(path)


def configure(k):
    """Write the configuration if what it follows from has changed; symbols that are not as they should be."""
    h = hashlib.sha256()
    for path in k.fragments:
        h.update(tree.read(path))
    for name in sorted(load(AT, [])):
        if os.path.basename(name).startswith("Kconfig") and os.path.exists(os.path.join(TREE, name)):
            h.update(tree.read(os.path.join(TREE, name)))
    stamp = os.path.join(k.out, ".bisect-config")
    if os.path.exists(stamp) and tree.read(stamp).decode() == h.hexdigest():
        return
    kbuild.write_config(k)
    with open(stamp, "w") as f:
        f.write(h.hexdigest())


def symbols(k, archive):
    """({symbol: object that defines it}, symbols that are used) of an archive."""
    defined, used = {}, set()
    path = os.path.join(k.out, archive)
    if not os.path.exists(path):
        return defined, used
    res = subprocess.run([k.arch.tool("nm"), "-A", archive], cwd=k.out, capture_output=True, text=True)
    for line in res.stdout.splitlines():
        where, _, rest = line.rpartition(":")
        m = re.match(r"\s*(?:[0-9a-f]+)?\s*([A-Za-z]) (\S+)$", rest)
        if not m:
            continue
        if m[1] == "U":
            used.add(m[2])
        elif m[1] not in "wv":
            defined[m[2]] = where.rpartition(":")[2]
    return defined, used


def lacks(k, on):
    """Symbols that the objects of k use and nobody defines. on: symbols of the kernel with our options."""
    defined, used = {}, set()
    for archive in k.archives():
        d, u = symbols(k, archive)
        defined.update(d)
        used |= u
    missing = used - set(defined)
    if k.off:
        # Not all of this kernel is compiled: what is elsewhere is there if the other one has it there.
        dirs = tuple(k.dirs())
        missing = {s for s in missing if s not in on or on[s].startswith(dirs)}
    return defined, missing


def linker_symbols(k):
    """Words of what the linker script is made of, which may define a symbol."""
    words = set()
    for name in (f"arch/{k.arch.source}/kernel/vmlinux.lds.S", "include/asm-generic/vmlinux.lds.h"):
        words |= set(re.findall(r"\w+", tree.read(os.path.join(TREE, name)).decode()))
    return words


class Run:
    """One run over the series."""

    def __init__(self, kernels, boot):
        self.kernels, self.boot = kernels, boot
        self.state = load(STATE, {})
        self.on = {}
        self.failed, self.compiled, self.kept, self.booted = [], 0, 0, 0

    def passed(self, k, key):
        return self.state.get(f"{k.name} {key}")

    def one(self, k, key, made, what, whole):
        """Compile for k. What is wrong, in one line; "" if nothing."""
        put(made)
        start = time.time()
        at = os.path.join(k.out, ".bisect-at")
        have, want = load(at, None), {n: file_id(w) for n, w in made.items()}
        changed = set() if have is None else {n for n in set(have) | set(want) if have.get(n) != want.get(n)}
        try:
            configure(k)
            if os.path.exists(at):
                os.unlink(at)
            lines = kbuild.run_make(k, f"{what} for {k.name}", *(k.targets() if whole else k.narrowed(changed)))
        except Failure as e:
            return str(e)
        warnings = [l.strip() for l in lines if "warning:" in l]
        if warnings:
            return warnings[0]
        defined, missing = lacks(k, self.on)
        allowed = set(self.state.setdefault(f"{k.name} base", [])) | linker_symbols(k)
        if not made:
            self.state[f"{k.name} base"] = sorted(missing)
        elif missing - allowed:
            return f"nobody defines {' '.join(sorted(missing - allowed)[:8])}"
        if not k.off:
            self.on = defined
            save(on_path(key), defined)
        save(at, want)
        self.state[f"{k.name} {key}"] = round(time.time() - start) or 1
        save(STATE, self.state)
        return ""

    def boot_it(self, k, key, made, what):
        """Boot k, and have it run lib/test_kprobes.c."""
        if self.state.get(f"boot {k.name} {key}"):
            return ""
        put(made)
        try:
            kbuild.run_make(k, f"{what}: {k.name} to boot", os.path.basename(k.arch.image))
        except Failure as e:
            return str(e)
        out = []
        res = guest.run(k, guest.Job(script=os.path.join(HERE, "tests/kunit.sh"), share=None,
                                     append="kunit.enable=1 kunit.filter_glob=kprobes_test*", timeout=300), out.append)
        text = b"".join(out).decode(errors="replace")
        if res.fault or not re.search(r"^\s*(# )?kprobes_test: pass:\d+ fail:0", text, re.M):
            return f"lib/test_kprobes.c does not pass: {res.fault or text.strip().splitlines()[-1:]}"
        self.booted += 1
        self.state[f"boot {k.name} {key}"] = True
        save(STATE, self.state)
        return ""

    def step(self, nr, subject, made, skip, whole):
        """After a patch: compile for each kernel."""
        told = []
        for k in self.kernels:
            key = key_of(made, k.fragments)
            if skip:
                # As good as the step before.
                self.state.setdefault(f"{k.name} {key}", 0)
                told.append(skip)
                break
            if self.passed(k, key) is not None:
                self.on = self.on if k.off else load(on_path(key), self.on)
                self.kept += 1
                told.append(f"{k.profile} as before")
                continue
            bad = self.one(k, key, made, f"patch {nr}", whole)
            self.compiled += 1
            if not bad and self.boot and not k.off:
                bad = self.boot_it(k, key, made, f"patch {nr}")
            told.append(f"{k.profile}: {bad}" if bad else f"{k.profile} {self.passed(k, key)} s")
            if bad:
                self.failed.append(nr)
        print(f"{nr:4} {'FAIL' if self.failed[-1:] == [nr] else 'ok  '} {subject} ({'; '.join(told)})", flush=True)


def run(arch, profiles, first, last, boot, keep_going):
    """Compile after each patch. The exit status."""
    tree.sync()
    todo = series.steps(series.read_order())
    on = Kernel(arch)
    kernels = [k for k in (on, *(Kernel(arch, p) for p in OFF)) if not profiles or k.profile in profiles]
    r = Run(kernels, boot)
    last = last or len(todo)
    made, before = {}, set()
    names = {n for _, m in todo for n in m}
    before = {n for n in names if os.path.isfile(os.path.join(tree.BASE, n))}
    for nr, (p, changes) in enumerate([(series.Patch("the base"), {})] + todo):
        skip = without_code(changes, before) if nr else ""
        made.update(changes)
        before = {n for n in before | set(changes) if made.get(n, True) is not None}
        if nr > last:
            break
        if nr and nr < first:
            continue
        r.step(nr, p.subject, dict(made), skip, nr in (0, len(todo)))
        if r.failed and not keep_going:
            break
    say(f"bisect: {nr if r.failed else min(last, len(todo))} of {len(todo)} patches, {r.compiled} compiled, "
        f"{r.kept} as before, {r.booted} booted, {len(set(r.failed))} failed"
        + (f": {' '.join(map(str, sorted(set(r.failed))))}" if r.failed else ""))
    return 1 if r.failed else 0
