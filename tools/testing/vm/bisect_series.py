# SPDX-License-Identifier: GPL-2.0
"""make bisect: apply the series patch by patch, and compile after each.

build/bisect/tree is the base with so many patches of the series, and build/bisect/<kernel> are
objects of it: of a configuration with our options on, of one without probes, and of one with
kprobes and nothing else. The base is compiled as a whole, if it is not done yet; after a patch, what
it touches and what includes that by itself (--thorough: by way of others, too). Then it is looked
whether somebody uses a symbol that nobody defines, or two define the same.

What has passed is kept in build/bisect/state.json by the content of the tree, so an interrupted run
goes on, and a patch that is changed has only itself and what follows compiled again.
"""
from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from typing import Any, Iterator

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
# What is compiled of the base: all that is in vmlinux, and of kernels without our options these.
ALL = ("arch/{source}/", "init/", "kernel/", "mm/", "fs/", "ipc/", "security/", "crypto/", "io_uring/", "block/",
       "lib/", "drivers/", "net/", "virt/", "certs/")
SEEN = ("kernel/", "lib/", "arch/{source}/kernel/", "arch/{source}/mm/")
# Directories in which all is ours, once they have a Makefile.
OWN = ("kernel/kprobes/", "kernel/trace/probes/", "arch/x86/kernel/kprobes/", "arch/arm64/kernel/probes/")
SAMPLES = ("samples/kprobes/", "samples/fprobe/")


def without_code(made: dict, before: Any) -> str:
    """Why what a patch makes of files cannot change what is compiled; "" if it can."""
    code = {n: what for n, what in made.items() if not n.startswith(NO_CODE)}
    if not code:
        return "no code"
    # No Makefile names a file before it is there, and nobody includes one.
    if all(what is not None and n not in before and "/asm" not in n for n, what in code.items()):
        return "only files that nobody builds yet"
    return ""


def key_of(made: dict, fragments: Any) -> str:
    """What a result of compiling holds for: these files in place of the base's, and this configuration."""
    h = hashlib.sha256()
    for path in fragments:
        h.update(tree.read(path))
    for name in sorted(made):
        h.update(f"{name} {file_id(made[name])}\n".encode())
    return h.hexdigest()


def file_id(what: Any) -> str | None:
    """What tells two contents of a file apart."""
    return what and f"{hashlib.sha256(what[0]).hexdigest()} {what[1]:o}"


def load(path: str, default: Any) -> Any:
    return json.loads(tree.read(path)) if os.path.exists(path) else default


def save(path: str, what: Any) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".tmp", "w") as f:
        json.dump(what, f)
    os.rename(path + ".tmp", path)


class Kernel(kbuild.Kernel):
    """A configuration of build/bisect/tree."""

    def __init__(self, arch: str, profile: str | None = None) -> None:
        super().__init__(arch, profile)
        self.off = profile in OFF
        self.name = f"bisect/{self.name}"
        self.src = TREE
        self.out = os.path.join(BUILD, self.name)

    def dirs(self) -> list:
        return [d.format(source=self.arch.source) for d in (SEEN if self.off else ALL)]

    def targets(self) -> list:
        return self.dirs() + ([] if self.off else list(SAMPLES))

    def archives(self) -> list:
        return [os.path.join(d, "built-in.a") for d in self.dirs()] + ["lib/lib.a", f"arch/{self.arch.source}/lib/lib.a"]

    def has(self, path: str) -> bool:
        return os.path.exists(os.path.join(self.out, path))

    def narrowed(self, made: dict, changed: Any, thorough: bool) -> list:
        """What has to do with the files that have changed: directories of ours, and objects."""
        dirs = {d for d in OWN if os.path.exists(os.path.join(TREE, d, "Makefile")) and
                d.startswith(tuple(self.dirs())) and any(n.startswith(d) or n == makefile_above(d) for n in changed)}
        objects = set(self.seeing(changed, thorough))
        for n in made:
            stem, ext = os.path.splitext(n)
            # Those that a Makefile has from now on.
            if ext in (".c", ".S") and makefile_of(n) in changed and names_object(makefile_of(n), stem):
                objects.add(stem + ".o")
        # What the series replaces stays for a patch or two when no Makefile has it any more.
        objects = {o for o in objects if not o.startswith(tuple(dirs)) and o.startswith(tuple(self.dirs())) and
                   (makefile_of(o) not in made or names_object(makefile_of(o), o[:-2]))}
        return sorted(dirs) + sorted(objects)

    def seeing(self, changed: Any, thorough: bool) -> Iterator:
        """Objects that were compiled from any of these files, as make has noted."""
        if not changed:
            return
        pattern = re.compile(r"(?:^|[\s/(])src/(?:" + "|".join(map(re.escape, sorted(changed))) + r")[\s)]", re.M)
        names = [re.sub(r"^(arch/\w+/)?include/", "", n) if "include/" in n else os.path.basename(n)
                 for n in changed if n.endswith(".h")]
        direct = re.compile(r'#\s*include\s*[<"](?:[^">]*/)?(?:' + "|".join(map(re.escape, names)) + r')[">]')
        for d in self.dirs():
            for top, _, files in os.walk(os.path.join(self.out, d)):
                for f in files:
                    if not (f.startswith(".") and f.endswith(".o.cmd")):
                        continue
                    with open(os.path.join(top, f), errors="replace") as text:
                        if not pattern.search(text.read()):
                            continue
                    obj = os.path.relpath(os.path.join(top, f[1:-4]), self.out)
                    sources = [obj[:-2] + ext for ext in (".c", ".S")]
                    if thorough or set(sources) & set(changed) or any(
                            direct.search(tree.read(os.path.join(TREE, n)).decode(errors="replace"))
                            for n in sources if names and os.path.exists(os.path.join(TREE, n))):
                        if any(os.path.exists(os.path.join(TREE, n)) for n in sources):
                            yield obj


def makefile_of(name: str) -> str:
    return os.path.join(os.path.dirname(name), "Makefile")


def makefile_above(directory: str) -> str:
    return makefile_of(directory.rstrip("/"))


def names_object(makefile: str, stem: str, top: str = TREE) -> bool:
    """Is an object in a Makefile?"""
    path = os.path.join(top, makefile)
    return os.path.exists(path) and \
        re.search(rf"[\s=]{re.escape(os.path.basename(stem))}\.o\b", tree.read(path).decode()) is not None


def put(made: dict) -> None:
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


def drop_objects(name: str) -> None:
    """make would take the object of a source that has gone for one that is up to date."""
    stem, ext = os.path.splitext(name)
    for k in os.listdir(WORK):
        path = os.path.join(WORK, k, stem + ".o")
        if ext in (".c", ".S") and os.path.exists(path):
            os.unlink(path)


def configure(k: Kernel) -> None:
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


def parse_nm(text: str) -> dict:
    """{object: ([symbols that it defines], [symbols that it uses])} of what nm -A says."""
    out: dict = {}
    for line in text.splitlines():
        where, _, rest = line.rpartition(":")
        m = re.match(r"\s*(?:[0-9a-f]+)?\s*([A-Za-z]) (\S+)$", rest)
        if not m:
            continue
        defined, used = out.setdefault(where.rpartition(":")[2], ([], []))
        if m[1] == "U":
            used.append(m[2])
        elif m[1] in "TDBRVWAGSC":
            # A weak one gives way to another one.
            defined.append(m[2] if m[1] not in "VW" else "~" + m[2])
    return out


def symbols(k: Kernel, paths: Any) -> dict:
    """parse_nm() of archives or objects."""
    paths = [p for p in paths if k.has(p)]
    if not paths:
        return {}
    res = subprocess.run([k.arch.tool("nm"), "-A", *paths], cwd=k.out, capture_output=True, text=True)
    return parse_nm(res.stdout)


def of_module(k: Kernel, obj: str) -> bool:
    """Was an object compiled for a module?"""
    note = os.path.join(k.out, os.path.dirname(obj), f".{os.path.basename(obj)}.cmd")
    return os.path.exists(note) and b" -DMODULE " in tree.read(note)


def refresh(k: Kernel, known: dict, targets: Any) -> None:
    """Bring what is known of symbols up to date for targets that were made."""
    for t in targets:
        if t.endswith("/"):
            for obj in [o for o in known if o.startswith(t)]:
                del known[obj]
            known.update(symbols(k, [t + "built-in.a"]))
        elif not of_module(k, t):
            known.pop(t, None)
            known.update(symbols(k, [t]))
    # What no Makefile has any more.
    managed = set(load(AT, []))
    for obj in [o for o in known if makefile_of(o) in managed and not o.startswith(OWN)]:
        if not k.has(obj) or names_object(makefile_of(obj), obj[:-2], tree.BASE) and \
                not names_object(makefile_of(obj), obj[:-2]):
            del known[obj]


def faults(known: dict) -> tuple:
    """(symbols that are used and not defined, symbols that are defined twice)"""
    strong, weak, used, twice = set(), set(), set(), set()
    for defined, uses in known.values():
        used.update(uses)
        for s in defined:
            if s.startswith("~"):
                weak.add(s[1:])
            elif s in strong:
                twice.add(s)
            else:
                strong.add(s)
    return used - strong - weak, twice


def lacking(k: Kernel, missing: Any, usual: Any) -> set:
    """Which of the missing symbols nobody defines. usual: what is missing in the base."""
    missing = missing - set(usual) - linker_symbols(k)
    if not k.off:
        return missing
    # Not all of this kernel is compiled: what is elsewhere is there if the other one has it there.
    on = {}
    for obj, (defined, _) in load(os.path.join(Kernel(k.arch.name).out, ".bisect-symbols"), {}).items():
        on.update({s.lstrip("~"): obj for s in defined})
    return {s for s in missing if on and (s not in on or on[s].startswith(tuple(k.dirs())))}


def linker_symbols(k: Kernel) -> set:
    """Words of what the linker script is made of, which may define a symbol."""
    words = set()
    for name in (f"arch/{k.arch.source}/kernel/vmlinux.lds.S", "include/asm-generic/vmlinux.lds.h"):
        words |= set(re.findall(r"\w+", tree.read(os.path.join(TREE, name)).decode()))
    return words


class Run:
    """One run over the series."""

    def __init__(self, kernels: list, boot: bool, thorough: bool) -> None:
        self.kernels, self.boot, self.thorough = kernels, boot, thorough
        self.state = load(STATE, {})
        self.failed: list = []
        self.compiled, self.kept, self.booted = 0, 0, 0

    def passed(self, k: Kernel, key: str) -> Any:
        return self.state.get(f"{k.name} {key}")

    def one(self, k: Kernel, key: str, made: dict, what: Any) -> str:
        """Compile for k. What is wrong, in one line; "" if nothing."""
        put(made)
        start = time.time()
        at, table = os.path.join(k.out, ".bisect-at"), os.path.join(k.out, ".bisect-symbols")
        have, want = load(at, None), {n: file_id(w) for n, w in made.items()}
        try:
            configure(k)
            if have is None:
                targets = k.targets()
            else:
                changed = {n for n in set(have) | set(want) if have.get(n) != want.get(n)}
                targets = k.narrowed(made, changed, self.thorough)
            lines = kbuild.run_make(k, f"{what} for {k.name}", *targets) if targets else []
        except Failure as e:
            return str(e)
        warnings = [l.strip() for l in lines if "warning:" in l]
        if warnings:
            return warnings[0]
        known = symbols(k, k.archives()) if have is None else load(table, {})
        if have is not None:
            refresh(k, known, targets)
        missing, twice = faults(known)
        if made:
            lacks = lacking(k, missing, self.state.get(f"{k.name} base", []))
            twice -= set(self.state.get(f"{k.name} twice", []))
            if lacks or twice:
                return "; ".join(f"{why} {' '.join(sorted(names)[:8])}" for why, names in
                                 (("nobody defines", lacks), ("defined twice:", twice)) if names)
        else:
            self.state[f"{k.name} base"], self.state[f"{k.name} twice"] = sorted(missing), sorted(twice)
        save(table, known)
        save(at, want)
        self.state[f"{k.name} {key}"] = round(time.time() - start) or 1
        save(STATE, self.state)
        return ""

    def boot_it(self, k: Kernel, key: str, made: dict, what: Any) -> str:
        """Boot k, and have it run lib/test_kprobes.c."""
        if self.state.get(f"boot {k.name} {key}"):
            return ""
        put(made)
        try:
            kbuild.run_make(k, f"{what}: {k.name} to boot", os.path.basename(k.arch.image))
        except Failure as e:
            return str(e)
        out: list = []
        res = guest.run(k, guest.Job(script=os.path.join(HERE, "tests/kunit.sh"), share=None,
                                     append="kunit.enable=1 kunit.filter_glob=kprobes_test*", timeout=300), out.append)
        text = b"".join(out).decode(errors="replace")
        if res.fault or not re.search(r"^\s*(# )?kprobes_test: pass:\d+ fail:0", text, re.M):
            return f"lib/test_kprobes.c does not pass: {res.fault or text.strip().splitlines()[-1:]}"
        self.booted += 1
        self.state[f"boot {k.name} {key}"] = True
        save(STATE, self.state)
        return ""

    def step(self, nr: int, subject: str, made: dict, skip: Any) -> None:
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
                self.kept += 1
                told.append(f"{k.profile} as before")
                continue
            bad = self.one(k, key, made, f"patch {nr}")
            self.compiled += 1
            if not bad and self.boot and not k.off:
                bad = self.boot_it(k, key, made, f"patch {nr}")
            told.append(f"{k.profile}: {bad}" if bad else f"{k.profile} {self.passed(k, key)} s")
            if bad:
                self.failed.append(nr)
        print(f"{nr:4} {'FAIL' if self.failed[-1:] == [nr] else 'ok  '} {subject} ({'; '.join(told)})", flush=True)


def run(arch: str, profiles: list[str], first: int, last: int, boot: bool, keep_going: bool, thorough: bool) -> int:
    """Compile after each patch. The exit status."""
    tree.sync()
    todo = series.steps(series.read_order())
    on = Kernel(arch)
    kernels = [k for k in (on, *(Kernel(arch, p) for p in OFF)) if not profiles or k.profile in profiles]
    r = Run(kernels, boot, thorough)
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
        r.step(nr, p.subject, dict(made), skip)
        if r.failed and not keep_going:
            break
    say(f"bisect: {nr if r.failed else min(last, len(todo))} of {len(todo)} patches, {r.compiled} compiled, "
        f"{r.kept} as before, {r.booted} booted, {len(set(r.failed))} failed"
        + (f": {' '.join(map(str, sorted(set(r.failed))))}" if r.failed else ""))
    return 1 if r.failed else 0
