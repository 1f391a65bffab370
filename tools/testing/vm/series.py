# SPDX-License-Identifier: GPL-2.0
"""make series: write our tree as patches against the base into build/series."""
from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from email.utils import format_datetime
from datetime import datetime
from typing import Any, Iterable

import tree
from common import BUILD, TOP, Failure, say

DEST = os.path.join(BUILD, "series")
COVER = os.path.join(TOP, "series/cover")
LARGE = 60 * 1024           # bytes; messages of larger patches have to give a reason
REASON = "This patch is large"
REWRITE = "-B/30%"          # show a file as removed and added if less than that remains


@dataclass
class Patch:
    """A patch in series/order: its files, wiring and message."""
    subject: str
    files: list = field(default_factory=list)
    wiring: list = field(default_factory=list)
    interim: list = field(default_factory=list)
    final: list = field(default_factory=list)
    body: list = field(default_factory=list)

    def message(self) -> str:
        return self.subject + "\n\n" + "\n".join(self.body).strip() + "\n"


def parse(lines: Iterable[str]) -> list:
    """Parse the lines of series/order."""
    patches = []
    for line in lines:
        line = line.rstrip("\n")
        key, _, rest = line.partition(": ")
        if key == "patch":
            patches.append(Patch(rest))
        elif not patches:
            continue
        elif key == "files":
            patches[-1].files += rest.split()
        elif key == "wiring":
            patches[-1].wiring += rest.split()
        elif key == "interim":
            patches[-1].interim += rest.split()
        elif key == "final":
            patches[-1].final += rest.split()
        else:
            patches[-1].body.append(line)
    return patches


def read_order() -> list:
    with open(os.path.join(TOP, "series/order")) as f:
        return parse(f)


def owner(patches: list[Patch], name: str) -> Patch:
    """The patch that a file belongs to."""
    best, length = None, 0
    for p in patches:
        for f in p.files:
            fits = name == f or (f.endswith("/") and name.startswith(f))
            if fits and len(f) > length:
                best, length = p, len(f)
    if not best:
        raise Failure(f"series/order says nothing about {name}; add it to a patch there")
    return best


def copy(src_top: str, name: str, dst_top: str) -> None:
    dst = os.path.join(dst_top, name)
    os.makedirs(os.path.dirname(dst), exist_ok=True)
    shutil.copy(os.path.join(src_top, name), dst)


def state_of(top: str, name: str) -> tuple | None:
    """(content, mode) of a file; None if there is none."""
    path = os.path.join(top, name)
    return (tree.read(path), os.stat(path).st_mode & 0o777) if os.path.isfile(path) else None


def steps(patches: list[Patch]) -> list:
    """Files after each patch: [(patch, {name: (content, mode), or None if it is removed})]"""
    ours, removed = set(tree.our_files()), set(tree.removed())
    unnamed = [w for w in tree.wiring_names() if not any(w in p.wiring for p in patches)]
    if unnamed:
        raise Failure(f"series/order does not name the wiring {unnamed[0]}; add it to a patch")
    owners = {n: owner(patches, n) for n in ours | removed}
    out = []
    with tempfile.TemporaryDirectory(prefix="series-") as work:
        for p in patches:
            made = {n: state_of(TOP, n) if n in ours else None for n, o in owners.items() if o is p}
            for w in p.wiring:
                made.update(wire(w, work))
            for i in p.interim:
                made.update(for_now(i))
            made.update({n: state_of(TOP, n) for n in p.final})
            out.append((p, made))
    return out


def for_now(name: str) -> dict:
    """Apply a patch of series/interim/ to files of ours. Returns their content up to the patch that has the final one."""
    path = os.path.join(TOP, "series/interim", name)
    names = tree.touched_by(path)
    with tempfile.TemporaryDirectory(prefix="series-") as work:
        for n in names:
            copy(TOP, n, work)
        apply(path, work, f"series/interim/{name} does not apply to our files; rework it")
        return {n: state_of(work, n) for n in names}


def apply(path: str, work: str, otherwise: str) -> None:
    """Apply a patch in work."""
    res = subprocess.run(["patch", "-p1", "-s", "-N", "--no-backup-if-mismatch", "-r", "-", "-i", path],
                         cwd=work, capture_output=True, text=True)
    if res.returncode:
        raise Failure(otherwise)


def wire(name: str, work: str) -> dict:
    """Apply a patch of series/wiring/ to files of the base in work. Returns their new content."""
    path = os.path.join(TOP, "series/wiring", name)
    names = tree.touched_by(path)
    for n in names:
        if not os.path.exists(os.path.join(work, n)):
            copy(tree.BASE, n, work)
    apply(path, work, f"series/wiring/{name} does not apply in this order; correct series/order")
    return {n: (tree.read(os.path.join(work, n)), os.stat(os.path.join(tree.BASE, n)).st_mode & 0o777)
            for n in names}


def setting(key: str, default: str) -> str:
    res = subprocess.run(["git", "-C", TOP, "config", key], capture_output=True, text=True)
    return res.stdout.strip() or default


def committer() -> tuple:
    return setting("user.name", "kprobes"), setting("user.email", "kprobes@localhost")


def last_change() -> str:
    """Date of the last commit, so that the same tree gives the same patches."""
    res = subprocess.run(["git", "-C", TOP, "log", "-1", "--format=%cI"], capture_output=True, text=True)
    return res.stdout.strip() or "1970-01-01T00:00:00Z"


def git(repo: str, *args: str) -> str:
    name, email = committer()
    cmd = ["git", "-C", repo, "-c", f"user.name={name}", "-c", f"user.email={email}", "-c", "commit.gpgsign=false"]
    when = last_change()
    res = subprocess.run(cmd + list(args), capture_output=True, text=True,
                         env=dict(os.environ, GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when))
    if res.returncode:
        raise Failure(f"git {args[0]} fails: {res.stderr.strip()}")
    return res.stdout


def put(repo: str, made: dict) -> None:
    """Write the files of a patch to repo."""
    for name, what in made.items():
        path = os.path.join(repo, name)
        if what is None:
            if os.path.exists(path):
                os.unlink(path)
            continue
        os.makedirs(os.path.dirname(path) or repo, exist_ok=True)
        with open(path, "wb") as f:
            f.write(what[0])
        os.chmod(path, what[1])


def base_version() -> str:
    """Kernel version of the base, and version of its package."""
    values = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)$",
                             tree.read(os.path.join(tree.BASE, "Makefile")).decode(), re.M))
    res = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "linux-source-6.12"], capture_output=True, text=True)
    kernel = "v" + ".".join(values[n] for n in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))
    return f"{kernel} with Debian's patches (linux-source-6.12 {res.stdout.strip() or 'of Debian 12'})"


def bench_table(readme: str, arch: str) -> str:
    """The rows of make bench in README.md, as plain text."""
    m = re.search(f"<!-- make bench ARCH={arch}: begin -->\n(.*?)<!-- make bench ARCH={arch}: end -->", readme, re.S)
    if not m:
        raise Failure(f"README.md has no table of make bench for {arch}; run vm bench --refresh")
    out = []
    for line in m.group(1).splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) != 4 or cells[0].startswith("-"):
            continue
        if cells[0].startswith("**"):
            out += ["", f"  {cells[0].strip('*')}"]
        else:
            out.append(f"  {cells[0]:<46} {cells[1]:>10} {cells[2]:>8} {cells[3]:>6}" if cells[1] != "---:" else "")
    return "\n".join(l for l in out).strip("\n")


def cover(patches: list[Patch], stat: str) -> str:
    """The text of the cover letter."""
    with open(COVER) as f:
        text = f.read()
    with open(os.path.join(TOP, "README.md")) as f:
        readme = f.read()
    text = "\n".join(l for l in text.splitlines() if not l.startswith("#")).strip()
    subject, _, body = text.partition("\n")
    values = {"bench-x86_64": bench_table(readme, "x86_64"), "bench-arm64": bench_table(readme, "arm64"),
              "patches": "\n".join(f"  {p.subject}" for p in patches), "diffstat": stat.rstrip(),
              "base": base_version()}
    for key, value in values.items():
        body = body.replace(f"@{key}@", value)
    name, email = committer()
    date = format_datetime(datetime.fromisoformat(last_change().replace("Z", "+00:00")))
    return (f"From: {name} <{email}>\nDate: {date}\nSubject: [PATCH 00/{len(patches)}] {subject}\n"
            f"{body}\n\nSigned-off-by: {name} <{email}>\n\nbase: {base_version()}\n")


def large(dest: str, patches: list[Patch]) -> list:
    """Patches larger than LARGE whose messages give no reason."""
    bad = []
    for name, p in zip(sorted(n for n in os.listdir(dest) if not n.startswith("0000-")), patches):
        size = os.path.getsize(os.path.join(dest, name))
        if size > LARGE and not any(REASON in l for l in p.body):
            bad.append(f"{name} has {size // 1024} KB and does not say why ({REASON}: ...)")
    return bad


def begin(repo: str, names: Any) -> None:
    """Create a repository with the base's version of these files."""
    git(repo, "init", "-q")
    for name in names:
        if os.path.isfile(os.path.join(tree.BASE, name)):
            copy(tree.BASE, name, repo)
    git(repo, "add", "-A", "-f")
    git(repo, "commit", "-q", "--allow-empty", "-m", "the base")


def write() -> None:
    """Write the series, and check that it results in build/tree."""
    tree.sync()
    todo = steps(read_order())
    names = {n for _, made in todo for n in made}
    patches = []
    with tempfile.TemporaryDirectory(prefix="series-") as repo:
        begin(repo, names)
        git(repo, "tag", "base")
        for p, made in todo:
            put(repo, made)
            git(repo, "add", "-A", "-f")
            if not git(repo, "status", "--porcelain"):
                raise Failure(f"series/order: the patch \"{p.subject}\" changes nothing; take it out")
            git(repo, "commit", "-q", "-s", "-m", p.message())
            patches.append(p)
        shutil.rmtree(DEST, ignore_errors=True)
        git(repo, "format-patch", "-q", "-o", DEST, "-N", "--subject-prefix=PATCH", "-n", REWRITE,
            "--zero-commit", "base")
        with open(os.path.join(DEST, "0000-cover-letter.patch"), "w") as f:
            f.write(cover(patches, git(repo, "diff", "--stat=72", "--stat-graph-width=20", "--no-renames", "base")))
        compare(repo, names)
    prove_applies(names)
    bad = large(DEST, patches)
    if bad:
        raise Failure("; ".join(bad))
    say(f"{len(patches)} patches and a cover letter in build/series")


def prove_applies(names: Any) -> None:
    """Check that git am applies the patches, and that the result is build/tree."""
    with tempfile.TemporaryDirectory(prefix="series-") as repo:
        begin(repo, names)
        mails = sorted(os.path.join(DEST, n) for n in os.listdir(DEST) if not n.startswith("0000-"))
        git(repo, "am", "-q", *mails)
        compare(repo, names)


def compare(repo: str, names: Any) -> None:
    """Raise a Failure if a file of repo differs from build/tree."""
    for name in names:
        a, b = (os.path.join(top, name) for top in (repo, tree.TREE))
        if os.path.exists(a) != os.path.exists(b) or \
                (os.path.exists(a) and tree.read(a) != tree.read(b)):
            raise Failure(f"the series does not lead to build/tree in {name}; correct series/order")
