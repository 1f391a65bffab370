# SPDX-License-Identifier: GPL-2.0
"""Build kernels of this project and boot them in QEMU; see `vm --help`."""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
from typing import Any, TYPE_CHECKING

import bench
import bisect_series
import campaign
import check
import commands
import demo
import executed
import fuzz
import guest
import kbuild
import lint
import series
import tree
from arch import ARCHES, DEFAULT
from common import HERE, Failure, say
from results import Expected, Report

if TYPE_CHECKING:
    from guest import Job
    from kbuild import Kernel


def kernel_of(args: argparse.Namespace) -> Kernel:
    return kbuild.Kernel(args.arch, args.profile, args.stock)


def cmd_sync(_: argparse.Namespace) -> int:
    tree.sync()
    return 0


def cmd_build(args: argparse.Namespace) -> int:
    k = kernel_of(args)
    if args.obj:
        return 0 if kbuild.build_objects(k, args.obj, args.w1, args.sparse) else 1
    kbuild.build(k, keep_going=args.keep_going)
    say(f"{k.image} is up to date")
    return 0


def job_of(args: argparse.Namespace, **more: Any) -> Job:
    return guest.Job(smp=args.smp, icount=args.icount, host_root=args.host_root, share=args.share,
                     append=args.append, timeout=args.timeout, cpu=args.cpu, **more)


def ready(args: argparse.Namespace) -> Kernel:
    """The kernel that args name, built first unless --no-build is given."""
    k = kernel_of(args)
    if args.host_root:
        if subprocess.run([os.path.join(HERE, "packages"), "clients"]).returncode:
            raise Failure("the programs for --host-root are missing; see the line above")
    kbuild.ready(k, not args.no_build)
    return k


def to_stdout(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def cmd_run(args: argparse.Namespace) -> int:
    if not os.path.isfile(args.script):
        raise Failure(f"there is no script {args.script}")
    k = ready(args)
    res = guest.run(k, job_of(args, script=args.script, console=args.console), to_stdout)
    if res.fault:
        guest.explain(k, res)
    return res.code or 0


def cmd_demo(args: argparse.Namespace) -> int:
    k = ready(args)
    res = demo.run(k, job_of(args), to_stdout)
    if res.fault:
        guest.explain(k, res)
    return res.code or 0


def cmd_shell(args: argparse.Namespace) -> int:
    return guest.shell(ready(args), job_of(args, interactive=True))


def cmd_check(args: argparse.Namespace) -> int:
    return check.run(args.steps, args.only, args.arch)


def cmd_stock(args: argparse.Namespace) -> int:
    return check.run_stock(args.steps, args.only, args.refresh, args.arch)


def cmd_bench(args: argparse.Namespace) -> int:
    if args.refresh:
        return bench.refresh(args.arch)
    sides = [args.only] if args.only else ["stock", "ours"]
    return bench.run(args.arch, sides, args.rows or list(bench.ROWS), args.follow, not args.no_build)


def cmd_campaign(args: argparse.Namespace) -> int:
    k = kernel_of(args)
    kbuild.ready(k, not args.no_build)
    if args.executed:
        return executed.run(k, args.chunk, args.minutes)
    return campaign.run(k, args.seed, args.chunk, args.sample, args.minutes, args.report)


def cmd_commands(args: argparse.Namespace) -> int:
    kernels = [kbuild.Kernel(stock=stock) for stock in ((False, True) if args.compare else (args.stock,))]
    for k in kernels:
        kbuild.ready(k, not args.no_build)
    todo = commands.wanted(args.what, args.hits) or commands.all_of(args.count, args.hits)
    return commands.run(kernels, args.seed, todo, args.raw)


def cmd_fuzz(args: argparse.Namespace) -> int:
    k = kbuild.Kernel(args.arch, args.profile or fuzz.PROFILE)
    kbuild.ready(k, not args.no_build)
    return fuzz.run(k, args.seed, getattr(args, "from"), args.count, args.hits, args.boots)


def cmd_lint(_: argparse.Namespace) -> int:
    kernels = [kbuild.Kernel(a.name) for a in ARCHES.values() if a.code]
    for k in kernels:
        kbuild.build(k)
    report = Report(Expected.load())
    for name, state, reason in lint.run(kernels):
        report.add(f"lint: {name}", state, reason)
    return check.tell(report)


def cmd_series(_: argparse.Namespace) -> int:
    series.write()
    return 0


def cmd_bisect(args: argparse.Namespace) -> int:
    return bisect_series.run(args.arch, args.profile, args.first, args.last, args.boot, args.keep_going, args.thorough)


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="vm", description="Build the kernel with our probes and boot it in QEMU.")
    sub = p.add_subparsers(dest="command", required=True)

    which = argparse.ArgumentParser(add_help=False)
    which.add_argument("--arch", default=DEFAULT, help=f"architecture (default {DEFAULT})")
    which.add_argument("--profile", help="release, small or debug (default: that of make check)")
    which.add_argument("--stock", action="store_true", help="the untouched base instead of ours")

    s = sub.add_parser("sync", help="bring build/base and build/tree up to date")
    s.set_defaults(func=cmd_sync)

    s = sub.add_parser("build", parents=[which], help="build a kernel, or single objects")
    s.add_argument("--obj", nargs="+", metavar="FILE.o",
                   help="compile only these, e.g. kernel/kprobes/site.o, or a directory, kernel/kprobes/")
    s.add_argument("-k", "--keep-going", action="store_true", help="go on after errors")
    s.add_argument("--w1", action="store_true", help="with --obj: more warnings of the compiler (W=1)")
    s.add_argument("--sparse", action="store_true", help="with --obj: also run sparse")
    s.set_defaults(func=cmd_build)

    boot = argparse.ArgumentParser(add_help=False)
    boot.add_argument("--smp", type=int, default=2, help="processors of the guest (default 2)")
    boot.add_argument("--icount", action="store_true",
                      help="one CPU whose time counts instructions, so that figures repeat exactly")
    boot.add_argument("--host-root", action="store_true",
                      help="use the host's root with perf, bpftrace, trace-cmd; changes stay in the guest")
    boot.add_argument("--share", metavar="DIR", help="a directory of the host, at /mnt in the guest")
    boot.add_argument("--append", default="", metavar="ARGS", help="more arguments for the kernel")
    boot.add_argument("--cpu", default="", metavar="MODEL",
                      help="-cpu of QEMU, e.g. cortex-a57 (default: one with all features)")
    boot.add_argument("--timeout", type=int, default=600, metavar="S",
                      help="time limit of the guest (default 600)")
    boot.add_argument("--no-build", action="store_true", help="boot the kernel as it was built last")

    s = sub.add_parser("run", parents=[which, boot], help="run a script in a guest",
                       description="Build the kernel if needed, boot it, run SCRIPT as root, exit with its "
                       "status: 124 if the guest hangs, 125 if its kernel panics or complains.")
    s.add_argument("--console", action="store_true", help="show the console on stderr")
    s.add_argument("script", metavar="SCRIPT")
    s.set_defaults(func=cmd_run)

    s = sub.add_parser("demo", parents=[which, boot], help="the command of make run")
    s.set_defaults(func=cmd_demo)

    s = sub.add_parser("shell", parents=[which, boot], help="an interactive guest")
    s.set_defaults(func=cmd_shell)

    s = sub.add_parser("check", help="all tests, or only some steps")
    s.add_argument("steps", nargs="*", metavar="STEP", help=" ".join(check.STEPS))
    s.add_argument("--only", action="append", default=[], metavar="NAME",
                   help="only selftests whose names contain this")
    s.add_argument("--arch", help="only steps of this architecture; STEP may lack its prefix")
    s.set_defaults(func=cmd_check)

    s = sub.add_parser("stock", help="run the tests on the untouched base",
                       description="Run the tests on the untouched base, and compare with its results in "
                       "tools/testing/vm/stock/, which `vm check` uses.")
    s.add_argument("steps", nargs="*", metavar="STEP", help=" ".join(check.recorded(DEFAULT)))
    s.add_argument("--only", action="append", default=[], metavar="NAME",
                   help="only selftests whose names contain this")
    s.add_argument("--refresh", action="store_true", help="record the results")
    s.add_argument("--arch", default=DEFAULT, help=f"architecture (default {DEFAULT})")
    s.set_defaults(func=cmd_stock)

    s = sub.add_parser("bench", help="measure what probes cost, ours against stock",
                       description="Boot stock and ours under --icount, print what hits, attaching and "
                       "detaching cost, write it to build/bench/ARCH.json and ARCH.svg, and each instruction "
                       "of a hit to build/bench/KERNEL-ROW.txt.")
    s.add_argument("--arch", default=DEFAULT, help=f"architecture (default {DEFAULT})")
    s.add_argument("--only", choices=["stock", "ours"],
                   help="measure only this one; keep the last figures of the other")
    s.add_argument("--follow", action="store_true", help="also print instructions by function")
    s.add_argument("--no-build", action="store_true", help="measure kernels as they were built last")
    s.add_argument("--refresh", action="store_true",
                   help="write the last results into README.md, without measuring")
    s.add_argument("rows", nargs="*", metavar="ROW", help=" ".join(bench.ROWS))
    s.set_defaults(func=cmd_bench)

    s = sub.add_parser("campaign", parents=[which], help="probe every instruction, under a workload",
                       description="Probe the instructions of the kernel, chunk by chunk, as breakpoints and "
                       "jumps, while a workload runs whose results must not change. Continues where it was "
                       "interrupted, by build/campaign/.")
    s.add_argument("--sample", action="store_true", help="only some chunks, as in make check")
    s.add_argument("--seed", default="", help="seed of the chunks")
    s.add_argument("--chunk", default="", help="only this chunk; if it fails, find the instruction")
    s.add_argument("--executed", action="store_true",
                   help="only the instructions that the workload executes, until each was hit as breakpoint and as jump")
    s.add_argument("--report", action="store_true",
                   help="probe nothing; write a report of the finished chunks into tools/testing/vm/campaign")
    s.add_argument("--minutes", type=int, default=0, help="start no guest after so many minutes")
    s.add_argument("--no-build", action="store_true", help="probe the kernel as it was built last")
    s.set_defaults(func=cmd_campaign)

    s = sub.add_parser("commands", help="show answers to commands for probe events",
                       description="Show the answers of a kernel to commands for kprobe_events, dynamic_events and "
                       "uprobe_events: generated ones by number, commands as text, or all those of make check.")
    s.add_argument("--stock", action="store_true", help="the untouched base instead of ours")
    s.add_argument("--compare", action="store_true", help="ask both, and show only differences")
    s.add_argument("--seed", type=int, default=commands.SEED, help=f"seed of generated commands (default {commands.SEED})")
    s.add_argument("--count", type=int, help="number of commands, if none are given")
    s.add_argument("--hits", action="store_true", help="show records of events, not answers to commands")
    s.add_argument("--raw", action="store_true", help="one line for each, separated by tabs")
    s.add_argument("--no-build", action="store_true", help="ask the kernel as it was built last")
    s.add_argument("what", nargs="*", metavar="N|N-M|COMMAND",
                   help="a number, a range, or a command: \"K ...\" for kprobe_events, \"U ...\" for "
                   "uprobe_events, others for dynamic_events; \" ;; \" separates several")
    s.set_defaults(func=cmd_commands)

    s = sub.add_parser("fuzz", help="broken commands for probe events",
                       description="Write broken commands for probe events, generated from a seed, to a kernel with "
                       "KASAN, UBSAN, lockdep and kmemleak. Continues where it was interrupted, by build/fuzz/.")
    s.add_argument("--arch", default=DEFAULT, help=f"architecture (default {DEFAULT})")
    s.add_argument("--profile", help=f"profile of the kernel (default {fuzz.PROFILE})")
    s.add_argument("--seed", type=int, help="seed of the examples (default: a random one)")
    s.add_argument("--from", type=int, metavar="N", help="number of the first example (default 0)")
    s.add_argument("--count", type=int, metavar="N", help=f"number of examples (default {fuzz.COUNT})")
    s.add_argument("--hits", type=int, metavar="N", help=f"hits whose values are checked (default {fuzz.HITS})")
    s.add_argument("--boots", type=int, metavar="N", help=f"boots with odd events, from --from on (default {fuzz.BOOTS})")
    s.add_argument("--no-build", action="store_true", help="run the kernel as it was built last")
    s.set_defaults(func=cmd_fuzz)

    s = sub.add_parser("lint", help="static checks of our files")
    s.set_defaults(func=cmd_lint)

    s = sub.add_parser("series", help="the patch series, into build/series")
    s.set_defaults(func=cmd_series)

    s = sub.add_parser("bisect", help="compile after each patch of the series",
                       description="Apply the patch series one by one and compile after each: with our options, "
                       "without probes, and with kprobes only. Continues where it was interrupted, by build/bisect/.")
    s.add_argument("--arch", default=DEFAULT, choices=[a.name for a in ARCHES.values() if a.code],
                   help=f"architecture (default {DEFAULT})")
    s.add_argument("--profile", action="append", default=[], help="only this configuration (may be repeated)")
    s.add_argument("--first", type=int, default=0, metavar="N", help="begin at patch N")
    s.add_argument("--last", type=int, default=0, metavar="N", help="end after patch N")
    s.add_argument("--boot", action="store_true", help="also boot each kernel and run lib/test_kprobes.c")
    s.add_argument("-k", "--keep-going", action="store_true", help="go on after a patch that does not compile")
    s.add_argument("--thorough", action="store_true", help="also compile files that include a header through others")
    s.set_defaults(func=cmd_bisect)
    return p


def main() -> int:
    args = parser().parse_args()
    try:
        return args.func(args)
    except Failure as e:
        print(f"vm: {e}", file=sys.stderr)
        return 1
    except PermissionError as e:
        print(f"vm: no permission for {e.filename}; run as root, or as the owner of this checkout", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("vm: interrupted; the same command continues", file=sys.stderr)
        sys.stdout.flush()
        # Do not wait for other threads. Processes that they have started end with this one.
        os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
