# SPDX-License-Identifier: GPL-2.0
"""build/base, the unmodified source, and build/tree, the source that is compiled.

build/tree = build/base - series/removed + our files + series/wiring. Files
are compared by content. An unchanged file keeps its time stamp, so that make
rebuilds only objects that a change affects.
"""
from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import subprocess
import time

from common import BUILD, TOP, Failure, lock, say

BASE = os.path.join(BUILD, "base")
TREE = os.path.join(BUILD, "tree")
STATE = os.path.join(BUILD, ".tree.json")
TARBALL = "/usr/src/linux-source-6.12.tar.xz"

# Directories of the repository that go into the kernel's tree.
OUR_DIRS = ["kernel", "include", "arch", "lib", "samples", "Documentation",
            "tools/testing/selftests"]


def read(path: str) -> bytes:
    with open(path, "rb") as f:
        return f.read()


def tarball_id() -> str:
    """Identifies the version of the source package."""
    if not os.path.exists(TARBALL):
        raise Failure(f"{TARBALL} is missing; apt-get install --reinstall linux-source-6.12")
    st = os.stat(TARBALL)
    return f"{st.st_size} {int(st.st_mtime)}"


def unpack_base() -> None:
    """Unpack Debian's source package into build/base, once per version."""
    stamp = os.path.join(BUILD, ".base")
    want = tarball_id()
    if os.path.isdir(BASE) and os.path.exists(stamp) and read(stamp).decode() == want:
        return
    say("unpacking linux-source-6.12 into build/base")
    tmp = BASE + ".tmp"
    for old in (tmp, BASE, TREE):
        shutil.rmtree(old, ignore_errors=True)
    if os.path.exists(STATE):
        os.unlink(STATE)
    os.makedirs(tmp)
    if subprocess.run(["tar", "-xJf", TARBALL, "-C", tmp, "--strip-components=1"]).returncode:
        raise Failure(f"{TARBALL} does not unpack; is the disk full? (4 GB are needed)")
    os.rename(tmp, BASE)
    with open(stamp, "w") as f:
        f.write(want)


def removed() -> list:
    """The base's files that series/removed lists, as a sorted list."""
    out: set[str] = set()
    for line in read(os.path.join(TOP, "series/removed")).decode().splitlines():
        name = line.split("#")[0].strip()
        if not name:
            continue
        path = os.path.join(BASE, name)
        if name.endswith("/") and os.path.isdir(path):
            for d, _, files in os.walk(path):
                out.update(os.path.relpath(os.path.join(d, f), BASE) for f in files)
        elif os.path.isfile(path):
            out.add(name)
        else:
            raise Failure(f"series/removed: the base has no {name}; correct the list")
    return sorted(out)


def git_files(*which: str) -> list | None:
    """The files in OUR_DIRS that git ls-files names; None if this is no checkout."""
    # Listing files is safe, also if another user owns the checkout.
    res = subprocess.run(["git", "-c", "safe.directory=*", "-C", TOP, "ls-files", "-z", *which, "--", *OUR_DIRS],
                         capture_output=True)
    if res.returncode and os.path.exists(os.path.join(TOP, ".git")):
        # Do not treat it as an unpacked archive, in which all files are ours.
        raise Failure(f"git ls-files fails: {os.fsdecode(res.stderr).strip().splitlines()[:1]}")
    return None if res.returncode else [n for n in os.fsdecode(res.stdout).split("\0") if n]


def our_files() -> list:
    """Our files for the kernel's tree. In a checkout only those that git tracks."""
    names = git_files("--cached")
    if names is None:
        # An unpacked archive of the repository: take all files.
        names = [os.path.relpath(os.path.join(d, f), TOP)
                 for top in OUR_DIRS for d, _, fs in os.walk(os.path.join(TOP, top)) for f in fs]
    return sorted({n for n in names if os.path.isfile(os.path.join(TOP, n))})


def tell_strays() -> None:
    """Print which files are left out, because somebody may have forgotten git add."""
    strays = git_files("--others", "--exclude-standard")
    if strays:
        say(f"not in git, hence not in build/tree: {' '.join(strays)}; git add what belongs there")


def wiring_names() -> list:
    """Names of patches in series/wiring/, in the order of series/order. Others come last."""
    with open(os.path.join(TOP, "series/order")) as f:
        order = [n for line in f if line.startswith("wiring: ") for n in line.split()[1:]]
    there = sorted(os.path.basename(p) for p in glob.glob(os.path.join(TOP, "series/wiring/*.patch")))
    missing = [n for n in order if n not in there]
    if missing:
        raise Failure(f"series/order names {missing[0]}, which is not in series/wiring; correct the name")
    return order + [n for n in there if n not in order]


def touched_by(patch: str) -> list:
    """Names of the base's files that a patch changes."""
    with open(patch) as f:
        return [l.split()[1].split("/", 1)[1] for l in f if l.startswith("+++ b/")]


def miscounted(lines: list[str]) -> int | None:
    """The first line of a patch that is not in the range of its hunk; None if there is none.

    patch(1) silently ignores lines after a hunk."""
    old = new = 0
    hunks = False
    for number, line in enumerate(lines, 1):
        kind = line[:1]
        if old or new:
            old -= kind in " -\n"
            new -= kind in " +\n"
            if min(old, new) < 0 or kind not in " -+\n":
                return number
        elif line.startswith("@@ "):
            old, new = (int((word.split(",") + ["1"])[1]) for word in line.split()[1:3])
            hunks = True
        elif hunks and kind in " -+" and not line.startswith(("--- ", "+++ ")):
            return number
    return len(lines) if old or new else None


def wiring() -> dict:
    """The base's files with our changes: {path: bytes}."""
    work = os.path.join(BUILD, ".wiring")
    shutil.rmtree(work, ignore_errors=True)
    touched = set()
    for patch in (os.path.join(TOP, "series/wiring", n) for n in wiring_names()):
        short = os.path.relpath(patch, TOP)
        with open(patch) as f:
            number = miscounted(f.read().splitlines(keepends=True))
        if number:
            raise Failure(f"{short}: line {number} is not where its hunk says; correct the numbers behind @@")
        names = touched_by(patch)
        for name in names:
            src, dst = os.path.join(BASE, name), os.path.join(work, name)
            if not os.path.isfile(src):
                raise Failure(f"{short}: the base has no {name}; rework the hunk")
            if name not in touched:
                os.makedirs(os.path.dirname(dst), exist_ok=True)
                shutil.copyfile(src, dst)
                touched.add(name)
        res = subprocess.run(["patch", "-p1", "-s", "-N", "--no-backup-if-mismatch", "-r", "-",
                              "-i", patch], cwd=work, capture_output=True, text=True)
        if res.returncode:
            raise Failure(f"{short} does not apply to {' '.join(names)} of this base; "
                          f"rework the hunk ({res.stdout.strip().splitlines()[0:1]})")
    return {n: read(os.path.join(work, n)) for n in touched}


def put(path: str, content: bytes, mode: int) -> bool:
    """Write build/tree/path, unless it has this content already. True if it was written."""
    dst = os.path.join(TREE, path)
    if os.path.isfile(dst) and read(dst) == content:
        return False
    os.makedirs(os.path.dirname(dst), exist_ok=True)
    tmp = dst + ".vm-tmp"
    with open(tmp, "wb") as f:
        f.write(content)
    os.chmod(tmp, mode)
    os.rename(tmp, dst)
    return True


def drop(path: str) -> bool:
    """Remove build/tree/path. True if it was there."""
    dst = os.path.join(TREE, path)
    if not os.path.lexists(dst):
        return False
    os.unlink(dst)
    while True:
        dst = os.path.dirname(dst)
        if dst == TREE or os.listdir(dst):
            return True
        os.rmdir(dst)


def load_state() -> dict:
    if os.path.exists(STATE):
        return json.loads(read(STATE))
    return {"managed": [], "changed": {}}


def sync() -> dict:
    """Bring build/tree up to date. Returns its state."""
    os.makedirs(BUILD, exist_ok=True)
    with lock("tree"):
        unpack_base()
        if not os.path.isdir(TREE):
            say("copying build/base to build/tree")
            tmp = TREE + ".tmp"
            shutil.rmtree(tmp, ignore_errors=True)
            if os.path.exists(STATE):
                os.unlink(STATE)
            if subprocess.run(["cp", "-a", "--reflink=auto", BASE, tmp]).returncode:
                raise Failure("cannot copy build/base; is the disk full? (4 GB are needed)")
            os.rename(tmp, TREE)

        tell_strays()
        state = load_state()
        gone = removed()
        want = {n: (read(os.path.join(TOP, n)), os.stat(os.path.join(TOP, n)).st_mode & 0o777)
                for n in our_files()}
        for name, content in wiring().items():
            if name in want or name in gone:
                raise Failure(f"series/wiring has a hunk on {name}, which is ours; drop the hunk")
            want[name] = (content, 0o644)
        absent = [n for n in gone if n not in want]
        # Files that are no longer ours or removed are those of the base again.
        for name in state["managed"]:
            if name in want or name in absent:
                continue
            src = os.path.join(BASE, name)
            if os.path.isfile(src):
                want[name] = (read(src), os.stat(src).st_mode & 0o777)
            else:
                absent.append(name)

        now = time.time()
        changed = [n for n in absent if drop(n)]
        changed += [n for n, (content, mode) in want.items() if put(n, content, mode)]
        state["managed"] = sorted(set(want) | set(absent))
        state["changed"].update({n: now for n in changed})
        with open(STATE + ".tmp", "w") as f:
            json.dump(state, f)
        os.rename(STATE + ".tmp", STATE)
        return state


def refresh(state: dict, since: float) -> None:
    """Let make see every file that changed after a build began at `since`.

    A file that was replaced while it was compiled is older than the object,
    so give it a new time stamp.
    """
    for name, when in state["changed"].items():
        path = os.path.join(TREE, name)
        if when >= since and os.path.isfile(path):
            os.utime(path)


def wiring_id() -> str:
    """A hash of series/wiring, which may change Kconfig files and Makefiles."""
    h = hashlib.sha256()
    for patch in sorted(glob.glob(os.path.join(TOP, "series/wiring/*.patch"))):
        h.update(read(patch))
    return h.hexdigest()


def foreign() -> list:
    """Files in build/tree that series/removed lists, and that are not replaced by ours."""
    ours = set(our_files())
    bad = []
    for name in removed():
        path = os.path.join(TREE, name)
        if not os.path.exists(path):
            continue
        if name not in ours or read(path) != read(os.path.join(TOP, name)):
            bad.append(name)
    return bad
