# SPDX-License-Identifier: GPL-2.0
"""Static checks of our files with the tools of the base kernel. lint_tools.py has those of Debian."""
from __future__ import annotations

import concurrent.futures
import fnmatch
import glob
import os
import re
import subprocess
import sys
from typing import Sequence

import kbuild
import lint_tools
import series
import tree
from common import TOP, Failure


def c_files() -> list:
    return [n for n in tree.our_files() if n.endswith((".c", ".h"))]


# Complaints of checkpatch that are accepted: (file, complaint, why).
ACCEPTED = [
    ("include/asm-generic/kprobes.h", "macros should not use a trailing semicolon",
     "users of NOKPROBE_SYMBOL() in the base leave theirs out"),
    ("include/asm-generic/kprobes.h", "Macro argument reuse", "a name that is pasted and taken the address of"),
    ("include/linux/kprobes.h", "do not add new typedefs", "names of the interface as it is"),
    ("arch/arm64/include/asm/kprobes.h", "do not add new typedefs", "a name that the core wants"),
    ("kernel/kprobes/internal.h", "Macro argument reuse", "loops over a variable of the caller"),
    ("", "is not used in function-like macro", "stubs for a configuration that lacks the function"),
    ("kernel/trace/trace_kprobe.c", "__setup appears un-documented", "the base's documentation has it"),
    ("samples/fprobe/fprobe_example.c", "Do not use trace_printk", "its parameter use_trace asks for it"),
    ("kernel/trace/rethook.c", "Do not crash the kernel", "a lost return address leaves nowhere to go"),
    ("include/linux/kprobe_hit.h", "Do not crash the kernel", "a hit that cannot be left leaves nowhere to go"),
    ("kernel/trace/probes/args_records_kunit.c", "'%px'", "commands say where what they fetch is"),
    ("kernel/trace/probes/args_values_kunit.c", "'%px'", "commands say where what they fetch is"),
    ("kernel/trace/probes/args_words_kunit.c", "'%px'", "commands say where what they fetch is"),
    ("kernel/trace/probes/args_words_kunit.c", "Prefer using", "the word $stack, not the function's name"),
    ("kernel/trace/probes/args_errors_kunit.c", "space prohibited before open square bracket", "an initializer"),
    ("kernel/trace/probes/args_errors_kunit.c", "externs should be avoided", "functions that events find by name"),
    ("kernel/trace/probes/args_values_kunit.c", "externs should be avoided", "functions that events find by name"),
    ("kernel/trace/probes/args_hits_kunit.c", "externs should be avoided", "functions that events find by name"),
    ("kernel/trace/probes/args_errors.h", "Macros with complex values", "a list to be expanded in several ways"),
    ("kernel/trace/probes/args_errors.h", "Macro argument reuse 'E'", "a list to be expanded in several ways"),
    ("kernel/trace/probes/args_errors.h", "is not used in function-like macro", "a list to be expanded in several ways"),
    ("kernel/trace/probes/args_words.c", "space prohibited before open square bracket", "an initializer"),
    ("kernel/trace/probes/args_words.c", "static const char * array", "tracing_log_err() takes no other"),
    ("kernel/trace/probes/event.h", "Macro argument reuse 'item'", "the base's users name a member by it"),
    ("kernel/trace/probes/event.h", "Macros with flow control", "the base's users rely on that"),
    ("kernel/trace/probes/args_meta.c", "simple_strtoul is obsolete", "something may follow the number"),
    ("kernel/trace/probes/args_type.c", "simple_strtoul is obsolete", "something may follow the number"),
    ("kernel/trace/probes/args_type.c", "is non-standard C", "it is in format files"),
    ("tools/testing/selftests/kprobes/bpf_probes.c", "Macros with complex values", "lists of instructions"),
    ("tools/testing/vm/campaign/workload/", "Use of volatile",
     "flags of signal handlers, and accesses that are there to fault"),
    # Complaints about patches only, for which checkpatch reads the tree, too.
    ("scripts/kallsyms.c", "Prefer using the BIT macro", "a program of the host has none"),
    ("scripts/kallsyms.c", "Block comments use a trailing */", "a comment of the base, one word of which changes"),
    ("kernel/trace/bpf_trace.c", "use of RCU tasks trace is incorrect outside BPF", "it is BPF, and was there before"),
    ("kernel/trace/bpf_trace.c", "Please use a blank line after function", "the base has its macros there"),
    ("arch/x86/kernel/alternative.c", "Do not crash the kernel", "lines of the base, in functions of their own now"),
    ("kernel/trace/trace.c", "please, no spaces at the start of a line", "lines of the base's README around it"),
    ("kernel/kprobes/tests/kprobe_test_odd", "> instead of <asm/", "modules of x86 code"),
    ("tools/testing/selftests/kprobes/", "line length of", "what is written to a file of tracefs is one line"),
    ("tools/testing/selftests/kprobes/fprobe_", "Possible repeated word: 'in'", "a list of words of which one is: in"),
    ("tools/testing/selftests/kprobes/bad_commands.list", "trailing whitespace", "a command that ends in it"),
    ("tools/testing/selftests/kprobes/rights.list", "Possible repeated word: 'addresses'", "columns of a table"),
    ("arch/", "> instead of <asm/", "an architecture's own code asks for its own header"),
]


def accepted(complaint: str) -> bool:
    """Is a complaint of checkpatch accepted?"""
    name, line, text = complaint.split(":", 2)
    if "Please use a blank line after function" in text:
        # NOKPROBE_SYMBOL() may follow its function directly.
        top = TOP if os.path.exists(os.path.join(TOP, name)) else tree.TREE
        with open(os.path.join(top, name)) as f:
            if f.read().splitlines()[int(line) - 1].startswith("NOKPROBE_SYMBOL("):
                return True
    return any(name.startswith(f) and c in text for f, c, _ in ACCEPTED)


def checkpatch(files: list[str]) -> list:
    """Complaints of checkpatch --strict about files."""
    res = subprocess.run(["perl", os.path.join(tree.BASE, "scripts/checkpatch.pl"), "--no-tree",
                          "--strict", "--terse", "--no-summary", "--ignore", "FILE_PATH_CHANGES",
                          "-f"] + files, cwd=TOP, capture_output=True, text=True)
    found = [l for l in res.stdout.splitlines() if re.search(r":\d+: (ERROR|WARNING|CHECK)", l)]
    return [l for l in found if not accepted(l)]


def checkpatch_series() -> list:
    """Complaints of checkpatch --strict about the patches of make series, with their messages."""
    try:
        series.write()
    except Failure as e:
        return [str(e)]
    mails = sorted(glob.glob(os.path.join(series.DEST, "0*.patch")))[1:]

    def one(mail: str) -> list:
        res = subprocess.run(["perl", "scripts/checkpatch.pl", "--strict", "--terse", "--showfile", "--no-summary",
                              "--ignore", "FILE_PATH_CHANGES", mail], cwd=tree.TREE, capture_output=True, text=True)
        # Complaints about a message have no file name.
        return [os.path.basename(mail) + l if l.startswith(":") else l for l in res.stdout.splitlines()
                if re.search(r":\d+: (ERROR|WARNING|CHECK)", l)]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [l for lines in pool.map(one, mails) for l in lines]
    return [l for l in found if not accepted(l)]


def sections(text: str) -> dict:
    """{title: patterns of files} of the kernel's MAINTAINERS."""
    out = {}
    for block in re.split(r"\n\n+", text):
        title, *lines = block.split("\n")
        files = [l[2:].strip() for l in lines if l.startswith("F:")]
        if files and not re.match(r"[A-Z]:\t", title):
            out[title] = files
    return out


def belongs(name: str, pattern: str) -> bool:
    """Does a pattern of MAINTAINERS match a file? Directories end in a slash, and * does not match one."""
    if pattern.endswith("/"):
        depth = pattern.count("/")
        return fnmatch.fnmatchcase("/".join(name.split("/")[:depth]) + "/", pattern) and name.count("/") >= depth
    return name.count("/") == pattern.count("/") and all(
        fnmatch.fnmatchcase(n, p) for n, p in zip(name.split("/"), pattern.split("/")))


def unmaintained() -> list:
    """Files of ours that only THE REST matches, and sections that get_maintainer.pl does not find."""
    with open(os.path.join(tree.TREE, "MAINTAINERS")) as f:
        known = sections(f.read())
    known.pop("THE REST", None)
    # A directory may lack its slash.
    known = {t: [p + "/" if os.path.isdir(os.path.join(tree.TREE, p)) and not p.endswith("/") else p for p in ps]
             for t, ps in known.items()}
    found = {n: [t for t, ps in known.items() if any(belongs(n, p) for p in ps)] for n in tree.our_files()}
    bad = [f"{n}: no entry of MAINTAINERS fits" for n, titles in found.items() if not titles]
    res = subprocess.run(["perl", "scripts/get_maintainer.pl", "--no-git", "--nogit-fallback", "--sections",
                          *(w for n in found for w in ("-f", n))], cwd=tree.TREE, capture_output=True, text=True)
    told = set(res.stdout.splitlines())
    return bad + [f"get_maintainer.pl does not name {t}" for t in sorted({t for ts in found.values() for t in ts})
                  if t not in told] + res.stderr.splitlines()


def kernel_doc(files: list[str]) -> list:
    """Complaints of kernel-doc."""
    res = subprocess.run(["perl", os.path.join(tree.BASE, "scripts/kernel-doc"), "-none", "-Wall", "-Werror"]
                         + files, cwd=TOP, capture_output=True, text=True)
    return [l for l in res.stderr.splitlines() if "warning" in l or "error" in l]


def compiled(files: list[str], kernels: list) -> tuple:
    """[(kernel, our objects to compile for it)], and objects that are not part of their kernel.

    Files of an architecture are compiled for that, others for the first kernel.
    """
    objs: list = [(k, []) for k in kernels]
    left: list = []
    for name in files:
        if not name.endswith(".c") or name.startswith(("tools/", "samples/")):
            continue
        obj = name[:-2] + ".o"
        k, mine = next((p for p in objs if name.startswith(f"arch/{p[0].arch.source}/")), objs[0])
        (mine if os.path.exists(os.path.join(k.out, obj)) else left).append(obj)
    return objs, left


def provenance(files: list[str]) -> list | None:
    """Files with text that the base has, too; None if the tool is missing."""
    tool = os.path.join(TOP, "../shared/tools/provenance")
    if not os.path.exists(tool):
        return None
    res = subprocess.run([sys.executable, tool, tree.BASE, TOP] + files, capture_output=True, text=True)
    return [] if res.returncode == 0 else res.stdout.splitlines()


def run(kernels: list) -> list:
    """[(name, state, reason)] of all checks. kernels are built ones, one for each architecture."""
    files = c_files()
    if not files:
        raise Failure("there is no file of ours to check")
    out = []

    def verdict(name: str, lines: Sequence[str]) -> None:
        for l in lines[:40]:
            print("  " + l, flush=True)
        out.append((name, "fail" if lines else "pass", f"{len(lines)} lines above" if lines else ""))

    verdict("checkpatch --strict", checkpatch(files))
    verdict("series and checkpatch --strict on it", checkpatch_series())
    verdict("MAINTAINERS", unmaintained())
    verdict("kernel-doc", kernel_doc(files))
    for name, lines, took in lint_tools.run():
        print(f"  {name} took {took:.0f} s", flush=True)
        verdict(name, lines)
    lines = provenance([])
    if lines is None:
        print("  provenance is not looked at: the tool is not beside this checkout", flush=True)
    else:
        verdict("provenance", lines)
    objs, left = compiled(files, kernels)
    for k, mine in objs:
        name = f"sparse and W=1 for {k.arch.name}"
        try:
            clean = kbuild.build_objects(kbuild.Kernel(k.arch.name, k.profile, k.stock), mine, True, True)
            out.append((name, "pass" if clean else "fail", "" if clean else "see the warnings above"))
        except Failure as e:
            out.append((name, "fail", str(e)))
    for obj in left:
        out.append((f"sparse and W=1 on {obj}", "skip", "not part of this configuration"))
    return out
