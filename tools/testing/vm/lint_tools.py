#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Static checks of our files with Debian's tools.

smatch and ruff are not in Debian 12. Python is checked by pylint, which finds all that pyflakes
does, and by mypy.
"""
from __future__ import annotations

import concurrent.futures
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from typing import Iterator

import tree
from common import BUILD, HERE, TOP, Failure

KEPT = os.path.join(BUILD, "lint")      # caches of the tools

# {word that codespell takes for a mistake: why it is none}
WORDS = {
    "afe": "a pattern of hardened.py, [Ss]afe",
    "filp": "the kernel's name for a pointer to a struct file",
    "iput": "a function of the kernel",
    "nd": "a parameter of path_openat()",
    "ot": "a part of the pattern [ot]*",
    "retur": "a part of %return that is refused",
    "symbo": "a part of a type that is refused",
    "trun": "\\trun in a regular expression",
}

# {semantic patch of the base that is not used: why}
PATCHES_OFF = {
    "deref_null.cocci": "Debian's spatch runs out of stack on it, or does not end",
}

# {end of a file's name: start of its SPDX line}
LICENCE = {
    ".c": "// ", ".h": "/* ", ".S": "/* ", ".rst": ".. ", ".sh": "# ", ".py": "# ", ".awk": "# ",
    "Makefile": "# ", "Kconfig": "# ", "functions": "# ",
}
LICENCES = ("GPL-2.0", "GPL-2.0-only", "GPL-2.0-or-later")

# Files of code and text with more lines than this are to be split. Lists of data are not.
MOST_LINES = 800


def tracked() -> list:
    """All files of the repository, also those that do not go into the kernel."""
    if not os.path.exists(os.path.join(TOP, ".git")):
        # An unpacked archive of the repository: take what is there.
        names = [os.path.relpath(os.path.join(d, f), TOP) for d, _, fs in os.walk(TOP) for f in fs]
        return sorted(n for n in names if not n.startswith(("build/", ".git/")))
    out = subprocess.run(["git", "-c", "safe.directory=*", "-C", TOP, "ls-files", "-z"], capture_output=True, check=True).stdout
    return [n for n in os.fsdecode(out).split("\0") if n and os.path.isfile(os.path.join(TOP, n))]


def head(name: str) -> list:
    """The first three lines of a file."""
    with open(os.path.join(TOP, name), encoding="utf-8", errors="replace") as f:
        return [f.readline().rstrip("\n") for _ in range(3)]


def complaints(cmd: list[str], cwd: str = TOP, env: dict | None = None) -> list:
    """Lines that a tool prints about our files; what it prints on stderr if it fails without any."""
    res = subprocess.run(cmd, cwd=cwd, env=env, capture_output=True, text=True)
    lines = [l for l in res.stdout.splitlines() if l.strip()]
    if res.returncode and not lines:
        return res.stderr.splitlines() or [f"{cmd[0]} ends with {res.returncode}"]
    return lines


def spelling(names: list[str]) -> list:
    """Spelling mistakes that codespell finds."""
    return complaints(["codespell", "-L", ",".join(WORDS), *(n for n in names if not n.endswith(".svg"))])


def scripts(names: list[str]) -> list:
    """Shell scripts, also those that others source."""
    return [n for n in names if n.endswith(".sh") or
            re.search(r"^#!.*\bsh$|^#!.*bash|^# shellcheck shell=", "\n".join(head(n)), re.M)]


def shell(names: list[str]) -> list:
    """Complaints of shellcheck. .shellcheckrc lists checks that are off."""
    # Several processes share the scripts: for each script, shellcheck reads sourced files again.
    jobs, found = os.cpu_count() or 1, scripts(names)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        parts = pool.map(lambda i: complaints(["shellcheck", "-f", "gcc", *found[i::jobs]]), range(jobs))
    return [l for p in parts for l in p]


def licence(name: str, lines: list[str]) -> str | None:
    """A complaint about the SPDX line of a file, or None."""
    start = next((s for end, s in LICENCE.items() if name.endswith(end)), None)
    if start is None and lines[0].startswith("#!"):
        start = "# "
    if start is None:
        return None     # data without comments
    at = 1 if lines[0].startswith("#!") else 0
    m = re.fullmatch(re.escape(start) + r"SPDX-License-Identifier: (\S+)( \*/)?", lines[at])
    if not m or bool(m.group(2)) != (start == "/* "):
        return f"{name}:{at + 1}: not the SPDX line that the kernel wants there"
    return None if m.group(1) in LICENCES else f"{name}:{at + 1}: {m.group(1)} is not what this project is under"


def licences(names: list[str]) -> list:
    """Files without the right SPDX line. The base's spdxcheck.py needs a checkout of a whole kernel."""
    return [why for n in names if (why := licence(n, head(n)))]


def lengths(names: list[str]) -> list:
    """Files with too many lines."""
    found = [(n, tree.read(os.path.join(TOP, n)).count(b"\n")) for n in names
             if n.endswith(tuple(LICENCE)) or head(n)[0].startswith("#!")]
    return [f"{n}: {length} lines; split it" for n, length in found if length > MOST_LINES]


def python(names: list[str]) -> list:
    """Complaints of pylint and mypy about the harness. pylintrc lists checks that are off."""
    mine = [os.path.relpath(os.path.join(TOP, n), HERE) for n in names if n.endswith(".py")]
    env = dict(os.environ, PYTHONPATH=HERE, PYLINTHOME=KEPT)
    bad = complaints(["/usr/bin/python3", "-m", "pylint", f"-j{os.cpu_count() or 1}", "--rcfile=pylintrc", "--score=n",
                      *mine], HERE, env)
    bad += complaints(["mypy", f"--cache-dir={KEPT}/mypy", "--config-file=mypy.ini", "--no-error-summary",
                       *(n for n in mine if os.path.dirname(n) == "")], HERE, env)
    return [l for l in bad if not l.startswith("*****")]


def semantic_patches() -> list:
    """The base's semantic patches with a report mode. Debian's spatch cannot run those in OCaml."""
    out = []
    for path in sorted(glob.glob(os.path.join(tree.BASE, "scripts/coccinelle/**/*.cocci"), recursive=True)):
        text = tree.read(path).decode()
        if "virtual report" in text and "script:ocaml" not in text and os.path.basename(path) not in PATCHES_OFF:
            out.append((path, re.findall(r"^// Options: (.*)", text, re.M)))
    return out


def digest(*contents: bytes) -> str:
    """A hash of the contents of files."""
    h = hashlib.sha256()
    for c in contents:
        h.update(hashlib.sha256(c).digest())
    return h.hexdigest()


def coccinelle(names: list[str]) -> list:
    """Reports of the base's semantic patches. Clean files are not checked again until they change."""
    stamp = os.path.join(KEPT, "coccinelle.json")
    clean = json.loads(tree.read(stamp)) if os.path.exists(stamp) else {}
    patches = semantic_patches()
    rules = digest(*(tree.read(p) for p, _ in patches))
    files = {n: digest(rules.encode(), tree.read(os.path.join(TOP, n))) for n in names
             if n.endswith(".c") and not n.startswith("tools/")}
    todo = [n for n, d in files.items() if clean.get(n) != d]
    if not todo:
        return []
    # Given several files, spatch treats them as one program and loses reports. Given a directory, it does not.
    copies = os.path.join(KEPT, "files")
    shutil.rmtree(copies, ignore_errors=True)
    for n in todo:
        os.makedirs(os.path.dirname(os.path.join(copies, n)), exist_ok=True)
        shutil.copy(os.path.join(TOP, n), os.path.join(copies, n))

    def one(patch: tuple) -> list:
        path, options = patch
        lines = complaints(["spatch", "-D", "report", "--very-quiet", "--cocci-file", path,
                            *" ".join(options[:1]).split(), "--dir", copies])
        # Some print a patch after the report.
        return [f"{l} [{os.path.basename(path)}]".replace(copies + "/", "") for l in lines
                if not re.match(r"[-+@ ]|diff ", l)]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        bad = [l for lines in pool.map(one, patches) for l in lines]
    if not bad:
        with open(stamp, "w", encoding="utf-8") as f:
            json.dump(files, f)
    return bad


def documents(names: list[str]) -> list:
    """Warnings of Sphinx about our pages of Documentation/trace, their kernel-doc, and index.rst."""
    docs = os.path.join(tree.TREE, "Documentation")
    env = dict(os.environ, srctree=tree.TREE, KERNELVERSION="6.12", BUILDDIR=KEPT, PYTHONDONTWRITEBYTECODE="1")
    # -E reads all pages again, because Sphinx does not warn again about pages in its cache.
    res = subprocess.run(["/usr/bin/python3", "-m", "sphinx", "-q", "-E", "-j", "auto", "-b", "dummy", "-c", docs,
                          "-d", os.path.join(KEPT, "doctrees"), os.path.join(docs, "trace"),
                          os.path.join(KEPT, "documents")], cwd=docs, env=env, capture_output=True, text=True)
    ours = {os.path.join(tree.TREE, n) for n in names} | {os.path.join(docs, "trace/index.rst")}
    if res.returncode:
        return res.stderr.splitlines()
    # Pages of the base have warnings, because only this directory of Documentation is built.
    return [l for l in res.stderr.splitlines() if "WARNING" in l and "dot(1) not found" not in l and
            (l.startswith("WARNING") or os.path.normpath(os.path.join(docs, l.split(":")[0])) in ours)]


CHECKS = {
    "codespell": spelling,
    "shellcheck": shell,
    "SPDX lines": licences,
    "no long files": lengths,
    "pylint and mypy": python,
    "Sphinx": documents,
    "coccinelle": coccinelle,
}


def run() -> Iterator:
    """(check, complaints, seconds) for one check after the other."""
    if subprocess.run([os.path.join(HERE, "packages"), "lint"]).returncode:
        raise Failure("the programs that check our files are missing; see the line above")
    os.makedirs(KEPT, exist_ok=True)
    names = tracked()
    for title, check in CHECKS.items():
        start = time.time()
        yield title, check(names), time.time() - start


if __name__ == "__main__":
    # Run single checks: lint_tools.py [CHECK...]
    os.makedirs(KEPT, exist_ok=True)
    for word in sys.argv[1:] or list(CHECKS):
        print("\n".join(CHECKS[word](tracked()) + [f"{word}: done"]))
