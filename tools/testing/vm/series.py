# SPDX-License-Identifier: GPL-2.0
"""make series: our tree as patches against the base, into build/series."""
import glob
import os
import shutil
import subprocess
import tempfile

import tree
from common import BUILD, TOP, Failure, say


class Patch:
    def __init__(self, subject):
        self.subject = subject
        self.files, self.wiring, self.body = [], [], []

    def message(self):
        return self.subject + "\n\n" + "\n".join(self.body).strip() + "\n"


def read_order():
    """The patches that series/order describes."""
    patches = []
    for line in open(os.path.join(TOP, "series/order")):
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
        else:
            patches[-1].body.append(line)
    return patches


def owner(patches, name):
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


def copy(src_top, name, dst_top):
    dst = os.path.join(dst_top, name)
    os.makedirs(os.path.dirname(dst), exist_ok=True)
    shutil.copy(os.path.join(src_top, name), dst)


def git(repo, *args):
    def setting(key, default):
        res = subprocess.run(["git", "-C", TOP, "config", key], capture_output=True, text=True)
        return res.stdout.strip() or default

    cmd = ["git", "-C", repo, "-c", f"user.name={setting('user.name', 'kprobes')}",
           "-c", f"user.email={setting('user.email', 'kprobes@localhost')}", "-c", "commit.gpgsign=false"]
    res = subprocess.run(cmd + list(args), capture_output=True, text=True)
    if res.returncode:
        raise Failure(f"git {args[0]} fails: {res.stderr.strip()}")
    return res.stdout


def write():
    """Write the series, and prove that it leads to what is compiled."""
    tree.sync()
    patches = read_order()
    ours, removed = tree.our_files(), tree.removed()
    wired = tree.wiring()
    named = {w for p in patches for w in p.wiring}
    for path in glob.glob(os.path.join(TOP, "series/wiring/*.patch")):
        if os.path.basename(path) not in named:
            raise Failure(f"series/order does not name the wiring {os.path.basename(path)}; add it to a patch")
    owners = {n: owner(patches, n) for n in set(ours) | set(removed)}

    with tempfile.TemporaryDirectory(prefix="series-") as repo:
        git(repo, "init", "-q")
        for name in set(ours) | set(removed) | set(wired):
            if os.path.isfile(os.path.join(tree.BASE, name)):
                copy(tree.BASE, name, repo)
        git(repo, "add", "-A", "-f")
        git(repo, "commit", "-q", "--allow-empty", "-m", "the base")
        git(repo, "tag", "base")
        for p in patches:
            for name in (n for n, o in owners.items() if o is p):
                if name in ours:
                    copy(TOP, name, repo)
                elif os.path.exists(os.path.join(repo, name)):
                    os.unlink(os.path.join(repo, name))
            for w in p.wiring:
                patch = os.path.join(TOP, "series/wiring", w)
                if subprocess.run(["patch", "-p1", "-s", "--no-backup-if-mismatch", "-i", patch],
                                  cwd=repo, stdout=subprocess.DEVNULL).returncode:
                    raise Failure(f"series/wiring/{w} does not apply in this order; correct series/order")
            git(repo, "add", "-A", "-f")
            if git(repo, "status", "--porcelain"):
                git(repo, "commit", "-q", "-m", p.message())
        dest = os.path.join(BUILD, "series")
        shutil.rmtree(dest, ignore_errors=True)
        git(repo, "format-patch", "-q", "-o", dest, "--zero-commit", "base")
        compare(repo, set(ours) | set(removed) | set(wired))
    count = len(os.listdir(dest))
    say(f"{count} patches in build/series")


def compare(repo, names):
    """The files after the last patch have to be those in build/tree."""
    for name in names:
        a, b = (os.path.join(top, name) for top in (repo, tree.TREE))
        if os.path.exists(a) != os.path.exists(b) or \
                (os.path.exists(a) and tree.read(a) != tree.read(b)):
            raise Failure(f"the series does not lead to build/tree in {name}; correct series/order")
