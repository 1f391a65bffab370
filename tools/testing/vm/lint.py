# SPDX-License-Identifier: GPL-2.0
"""Static checks of our files, with the base kernel's own tools."""
import os
import re
import subprocess
import sys

import kbuild
import tree
from common import TOP, Failure


def c_files():
    return [n for n in tree.our_files() if n.endswith((".c", ".h"))]


# What checkpatch says that stays as it is: (file, complaint, why).
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
]


def accepted(complaint):
    """Is this one that stays as it is?"""
    name, line, text = re.match(r"([^:]+):(\d+): (.*)", complaint).groups()
    if "Please use a blank line after function" in text:
        # What is said of a function directly follows it.
        with open(os.path.join(TOP, name)) as f:
            return f.read().splitlines()[int(line) - 1].startswith("NOKPROBE_SYMBOL(")
    return any(name.startswith(f) and c in text for f, c, _ in ACCEPTED)


def checkpatch(files):
    """What checkpatch --strict has to say."""
    res = subprocess.run(["perl", os.path.join(tree.BASE, "scripts/checkpatch.pl"), "--no-tree",
                          "--strict", "--terse", "--no-summary", "--ignore", "FILE_PATH_CHANGES",
                          "-f"] + files, cwd=TOP, capture_output=True, text=True)
    found = [l for l in res.stdout.splitlines() if re.search(r":\d+: (ERROR|WARNING|CHECK)", l)]
    return [l for l in found if not accepted(l)]


def kernel_doc(files):
    """What kernel-doc has to say about the comments."""
    res = subprocess.run(["perl", os.path.join(tree.BASE, "scripts/kernel-doc"), "-none", "-Wall"]
                         + files, cwd=TOP, capture_output=True, text=True)
    return [l for l in res.stderr.splitlines() if "warning" in l or "error" in l]


def compiled(files, kernels):
    """[(kernel, our objects that are to be compiled for it)], and those which their kernel leaves out.

    What belongs to an architecture is compiled for that, the rest for the first of the kernels.
    """
    objs, left = [(k, []) for k in kernels], []
    for name in files:
        if not name.endswith(".c") or name.startswith(("tools/", "samples/")):
            continue
        obj = name[:-2] + ".o"
        k, mine = next((p for p in objs if name.startswith(f"arch/{p[0].arch.source}/")), objs[0])
        (mine if os.path.exists(os.path.join(k.out, obj)) else left).append(obj)
    return objs, left


def provenance(files):
    """Files whose text stands in the base, too; None if there is no tool for that."""
    tool = os.path.join(TOP, "../shared/tools/provenance")
    if not os.path.exists(tool):
        return None
    res = subprocess.run([sys.executable, tool, tree.BASE, TOP] + files, capture_output=True, text=True)
    return [] if res.returncode == 0 else res.stdout.splitlines()


def run(kernels):
    """[(name, state, reason)] of all checks; these are the kernels that are built, one an architecture."""
    files = c_files()
    if not files:
        raise Failure("there is no file of ours to check")
    out = []

    def verdict(name, lines):
        for l in lines[:40]:
            print("  " + l, flush=True)
        out.append((name, "fail" if lines else "pass", f"{len(lines)} lines above" if lines else ""))

    verdict("checkpatch --strict", checkpatch(files))
    verdict("kernel-doc", kernel_doc(files))
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
