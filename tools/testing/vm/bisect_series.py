# SPDX-License-Identifier: GPL-2.0
"""make bisect: apply the series patch by patch, and compile after each.

build/bisect/tree is the base with the first patches of the series applied. build/bisect/<kernel>
has its objects for three configurations: with our options, without probes, and with kprobes only.
The base is compiled as a whole, once. After each patch, make compiles the files that the patch
changes, and those that include them; if many include a header, only those that do it directly
(--thorough: all). A symbol that is used and not defined, or defined twice, is an error.

Results are kept in build/bisect/state.json by the content of the tree. An interrupted run goes on,
and after a change of a patch only that patch and later ones are compiled again.
"""
from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
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
OFF = ("noprobes", "bare")      # profiles that leave most of our code out
# Changes of these cannot break a build.
NO_CODE = ("Documentation/", "tools/", "MAINTAINERS")
# Directories that are compiled: all of vmlinux with our options, and fewer without them.
ALL = ("arch/{source}/", "init/", "kernel/", "mm/", "fs/", "ipc/", "security/", "crypto/", "io_uring/", "block/",
       "lib/", "drivers/", "net/", "virt/", "certs/")
SEEN = ("kernel/", "lib/", "arch/{source}/kernel/", "arch/{source}/mm/", "arch/{source}/lib/")
# If so many objects include a header, only those that do it directly are compiled.
MANY = 500
# Objects that are linked with other names of symbols: early code, that of the EFI stub and of KVM.
RENAMED = (".pi.o", ".stub.o", ".nvhe.o")
# Directories that have only files of ours, once they have a Makefile.
OWN = ("kernel/kprobes/", "kernel/trace/probes/", "arch/x86/kernel/kprobes/", "arch/arm64/kernel/probes/")
SAMPLES = ("samples/kprobes/", "samples/fprobe/")


def without_code(made: dict, before: Any) -> str:
    """Why a patch cannot change any object; "" if it can."""
    code = {n: what for n, what in made.items() if not n.startswith(NO_CODE)}
    if not code:
        return "no code"
    # No Makefile names a new file before a later patch, and no file includes it.
    if all(what is not None and n not in before and "/asm" not in n for n, what in code.items()):
        return "only files that nobody builds yet"
    return ""


def key_of(made: dict, fragments: Any) -> str:
    """Hash of all that a result depends on: files that differ from the base, and the configuration."""
    h = hashlib.sha256()
    for path in fragments:
        h.update(tree.read(path))
    for name in sorted(made):
        h.update(f"{name} {file_id(made[name])}\n".encode())
    return h.hexdigest()


def file_id(what: Any) -> str | None:
    """Hash of the content and mode of a file; None for a file that is gone."""
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
        """Targets of make that changed files belong to: our directories, and objects."""
        dirs = {d for d in OWN if os.path.exists(os.path.join(TREE, d, "Makefile")) and
                d.startswith(tuple(self.dirs())) and any(n.startswith(d) or n == makefile_above(d) for n in changed)}
        objects = set(self.seeing(changed, thorough))
        for n in made:
            stem, ext = os.path.splitext(n)
            # Objects that are new in a Makefile.
            if ext in (".c", ".S") and makefile_of(n) in changed and self.builds(stem):
                objects.add(stem + ".o")
        # A file that the series replaces stays for a few patches after its line in a Makefile has gone.
        objects = {o for o in objects if not o.startswith(tuple(dirs)) and o.startswith(tuple(self.dirs())) and
                   (makefile_of(o) not in made or names_object(makefile_of(o), o[:-2])) and
                   (not {o[:-2] + ".c", o[:-2] + ".S"} & set(made) or self.builds(o[:-2]))}
        return sorted(dirs) + sorted(objects)

    def builds(self, stem: str) -> bool:
        """Does the Makefile build an object in this configuration?"""
        path = os.path.join(TREE, makefile_of(stem))
        return os.path.exists(path) and built_by(
            tree.read(path).decode(), os.path.basename(stem), kbuild.wanted([os.path.join(self.out, ".config")]))

    def seeing(self, changed: Any, thorough: bool) -> Iterator:
        """Objects that changed files can break, by their .cmd files.

        A header that many objects include through others is looked for in their sources only.
        """
        if not changed:
            return
        pattern = re.compile(r"(?:^|[\s/(])src/(" + "|".join(map(re.escape, sorted(changed))) + r")(?=[\s)])", re.M)
        seen = dict(self.dependencies(pattern))
        count = collections.Counter(n for names in seen.values() for n in names)
        for obj, names in seen.items():
            sources = [n for n in (obj[:-2] + ext for ext in (".c", ".S")) if os.path.exists(os.path.join(TREE, n))]
            if sources and (thorough or any(n in sources or count[n] <= MANY for n in names) or
                            any(includes(n, names) for n in sources)):
                yield next((n for n in (obj[:-2] + kind for kind in RENAMED) if self.has(n)), obj)

    def dependencies(self, pattern: re.Pattern) -> Iterator:
        """(object, the names in its .cmd file that match), without objects for which none does."""
        for d in self.dirs():
            for top, _, files in os.walk(os.path.join(self.out, d)):
                for f in files:
                    if not (f.startswith(".") and f.endswith(".o.cmd")):
                        continue
                    with open(os.path.join(top, f), errors="replace") as text:
                        names = set(pattern.findall(text.read()))
                    if names:
                        yield os.path.relpath(os.path.join(top, f[1:-4]), self.out), names


def includes(source: str, names: Any) -> bool:
    """Does a source file include one of these headers itself?"""
    short = [re.sub(r"^(arch/\w+/)?include/", "", n) if "include/" in n else os.path.basename(n)
             for n in names if n.endswith(".h")]
    direct = re.compile(r'#\s*include\s*[<"](?:[^">]*/)?(?:' + "|".join(map(re.escape, short)) + r')[">]')
    return bool(short) and direct.search(tree.read(os.path.join(TREE, source)).decode(errors="replace")) is not None


def makefile_of(name: str) -> str:
    return os.path.join(os.path.dirname(name), "Makefile")


def makefile_above(directory: str) -> str:
    return makefile_of(directory.rstrip("/"))


def names_object(makefile: str, stem: str, top: str = TREE) -> bool:
    """Does a Makefile name an object?"""
    path = os.path.join(top, makefile)
    return os.path.exists(path) and \
        re.search(rf"[\s=]{re.escape(os.path.basename(stem))}\.o\b", tree.read(path).decode()) is not None


def built_by(makefile: str, name: str, config: dict) -> bool:
    """Does the text of a Makefile build NAME.o? Conditions on other variables than symbols count as true."""
    inside = [True]         # of each ifdef or the like around a line: is it true?
    for line in makefile.replace("\\\n", " ").splitlines():
        m = re.match(r"\s*(?:(ifeq|ifneq)\s*\(\$\(CONFIG_(\w+)\),\s*(\w*)\)|(ifdef|ifndef)\s+CONFIG_(\w+))\s*(?:#|$)", line)
        if m:
            value = config.get(f"CONFIG_{m[2] or m[5]}", "").removeprefix("n")
            inside.append((value == m[3]) == (m[1] == "ifeq") if m[1] else bool(value) == (m[4] == "ifdef"))
        elif re.match(r"\s*if(eq|neq|def|ndef)\b", line):
            inside.append(True)
        elif re.match(r"\s*else\b", line):
            inside[-1] = not inside[-1]
        elif re.match(r"\s*endif\b", line):
            inside.pop()
        m = re.match(r"\s*([\w-]+)-(?:[ym]|\$\(CONFIG_(\w+)\)|objs)\s*[+:]?=(.*)", line)
        if m and all(inside) and f"{name}.o" in m[3].split() and \
                (not m[2] or config.get(f"CONFIG_{m[2]}", "n") != "n") and \
                (m[1] in ("obj", "lib") or built_by(makefile, m[1], config)):
            return True
    return False


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
    """Remove the object of a source that is gone. make would take it for one that is up to date."""
    stem, ext = os.path.splitext(name)
    for k in os.listdir(WORK):
        path = os.path.join(WORK, k, stem + ".o")
        if ext in (".c", ".S") and os.path.exists(path):
            os.unlink(path)


def configure(k: Kernel) -> bool:
    """Write the configuration if a fragment or a Kconfig file has changed.

    Returns whether it differs from the one that was compiled last.
    """
    h = hashlib.sha256()
    for path in k.fragments:
        h.update(tree.read(path))
    for name in sorted(load(AT, [])):
        if os.path.basename(name).startswith("Kconfig") and os.path.exists(os.path.join(TREE, name)):
            h.update(tree.read(os.path.join(TREE, name)))
    stamp, config = os.path.join(k.out, ".bisect-config"), os.path.join(k.out, ".config")
    if os.path.exists(stamp) and tree.read(stamp).decode() == h.hexdigest():
        return False
    # After a failure there is no stamp.
    before = tree.read(config) if os.path.exists(stamp) else b""
    kbuild.write_config(k)
    with open(stamp, "w") as f:
        f.write(h.hexdigest())
    return tree.read(config) != before


def parse_nm(text: str) -> dict:
    """Parse the output of nm -A: {object: ([symbols that it defines], [symbols that it uses])}"""
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
            # Mark weak symbols: another object may define them, too.
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
    """Update the table of symbols for targets that were made."""
    for t in targets:
        if t.endswith("/"):
            for obj in [o for o in known if o.startswith(t)]:
                del known[obj]
            known.update(symbols(k, [t + "built-in.a"]))
        elif not of_module(k, t):
            known.pop(t, None)
            known.update(symbols(k, [t]))
    # Objects whose line in a Makefile has gone.
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
    """The missing symbols that nothing defines. usual: those that are missing in the base, too."""
    missing = missing - set(usual) - linker_symbols(k)
    if not k.off:
        return missing
    # Directories outside of SEEN are not compiled for this kernel. Take their symbols from the
    # kernel with our options.
    on = {}
    for obj, (defined, _) in load(os.path.join(Kernel(k.arch.name).out, ".bisect-symbols"), {}).items():
        on.update({s.lstrip("~"): obj for s in defined})
    return {s for s in missing if on and (s not in on or on[s].startswith(tuple(k.dirs())))}


def linker_symbols(k: Kernel) -> set:
    """All words of the linker script's sources. Any of them may be a symbol that it defines."""
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
        self.lock = threading.Lock()    # kernels without our options are compiled in threads

    def passed(self, k: Kernel, key: str) -> Any:
        return self.state.get(f"{k.name} {key}")

    def keep(self, name: str, value: Any) -> None:
        """Write a result to STATE."""
        with self.lock:
            self.state[name] = value
            save(STATE, self.state)

    def one(self, k: Kernel, key: str, made: dict, what: Any) -> str:
        """Compile for k. Returns one line that says what is wrong, or ""."""
        with self.lock:
            put(made)
        start = time.time()
        at, table = os.path.join(k.out, ".bisect-at"), os.path.join(k.out, ".bisect-symbols")
        have, want = load(at, None), {n: file_id(w) for n, w in made.items()}
        try:
            if have is not None and not set(have) <= set(want):
                # Objects of files that later patches add must not stay.
                shutil.rmtree(k.out)
                have = None
            # Another configuration changes any number of objects.
            anew = configure(k) or have is None
            if anew:
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
        known = symbols(k, k.archives()) if anew else load(table, {})
        if not anew:
            refresh(k, known, targets)
        missing, twice = faults(known)
        if made:
            lacks = lacking(k, missing, self.state.get(f"{k.name} base", []))
            twice -= set(self.state.get(f"{k.name} twice", []))
            if lacks or twice:
                return "; ".join(f"{why} {' '.join(sorted(names)[:8])}" for why, names in
                                 (("nobody defines", lacks), ("defined twice:", twice)) if names)
        else:
            self.keep(f"{k.name} base", sorted(missing))
            self.keep(f"{k.name} twice", sorted(twice))
        save(table, known)
        save(at, want)
        self.keep(f"{k.name} {key}", round(time.time() - start) or 1)
        return ""

    def boot_it(self, k: Kernel, key: str, made: dict, what: Any) -> str:
        """Boot k and run lib/test_kprobes.c."""
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
        self.keep(f"boot {k.name} {key}", True)
        return ""

    def of_kernel(self, nr: int, made: dict, k: Kernel) -> str:
        """Compile for k after a patch. Returns the result as text."""
        key = key_of(made, k.fragments)
        to_boot = self.boot and not k.off and not self.state.get(f"boot {k.name} {key}")
        if self.passed(k, key) is not None and not to_boot:
            self.kept += 1
            return f"{k.profile} as before"
        bad = self.one(k, key, made, f"patch {nr}")
        self.compiled += 1
        if not bad and to_boot:
            bad = self.boot_it(k, key, made, f"patch {nr}")
        if bad:
            self.failed.append(nr)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(k.out, ".bisect-config"))
        return f"{k.profile}: {bad}" if bad else f"{k.profile} {self.passed(k, key)} s"

    def step(self, nr: int, subject: str, made: dict, skip: Any) -> None:
        """Compile for each kernel after a patch."""
        if skip:
            # Objects are the same as after the previous patch.
            told = [skip]
        else:
            # The kernel with our options comes first, as lacking() reads its symbols.
            told = [self.of_kernel(nr, made, k) for k in self.kernels[:1]]
            with concurrent.futures.ThreadPoolExecutor() as pool:
                told += pool.map(functools.partial(self.of_kernel, nr, made), self.kernels[1:])
        print(f"{nr:4} {'FAIL' if self.failed[-1:] == [nr] else 'ok  '} {subject} ({'; '.join(told)})", flush=True)


def run(arch: str, profiles: list[str], first: int, last: int, boot: bool, keep_going: bool, thorough: bool) -> int:
    """Compile after each patch. Returns the exit status."""
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
