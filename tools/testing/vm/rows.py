# SPDX-License-Identifier: GPL-2.0
"""Rows of `vm bench`, and the ratios that we want to reach."""
from __future__ import annotations

import dataclasses
from typing import Any

WALL_PROCESSORS = 2         # CPUs of guests in which time is measured


@dataclasses.dataclass(frozen=True)
class Row:
    """A figure that is measured."""
    title: str
    reach: float                # the ratio to stock that we want to reach
    by: str = "hits"            # how it is measured; see PARTS, and MEASURES in bench.py
    run: str = ""               # name for the guest, if another one
    without: str = "none"       # the row of the same call without probes
    scale: float = 1            # factor from what the guest counts to what is shown
    followed: bool = False      # follow one call with a debugger; off if setting up takes minutes
    slow: bool = False          # takes long to set up, so it is measured once
    against: str = ""           # the row of stock to compare with, if stock cannot run this one
    more: bool = False          # larger is better; reach is a figure of ours then


def hit(title: str, reach: float) -> Row:
    return Row(title, reach, followed=True)


def inside(title: str, reach: float, **more: Any) -> Row:
    return Row(title, reach, without="none-inside", **more)


def event(title: str, reach: float) -> Row:
    return Row(title, reach, by="trace", without="none-open", followed=True)


def fevent(title: str, reach: float) -> Row:
    return Row(title, reach, by="trace", without="none-open")


def attach(title: str, reach: float, run: str) -> Row:
    return Row(title, reach, by="attach", run=run)


def many(title: str, reach: float, run: str) -> Row:
    return Row(title, reach, by="many", run=run)


def program(title: str) -> Row:
    return Row(title, 1.0, by="bpf")


def linked(title: str, reach: float, run: str) -> Row:
    return Row(title, reach, by="links", run=run)


def path(title: str) -> Row:
    return Row(title, 1.0, by="path")


def size(title: str, run: str = "") -> Row:
    return Row(title, 1.0, by="bytes", run=run)


def wall(title: str, reach: float) -> Row:
    # Nanoseconds are shown as microseconds.
    return Row(title, reach, by="wall", run="wall", scale=1e-3)


# Ratios for an architecture whose stock differs much from x86-64.
REACH = {
    "arm64": {"kprobe-jump": 0.2, "kprobe-inside": 0.6, "kprobe-post": 1.0, "kprobe-among-512": 0.6,
              "kprobe-among-4000": 0.6, "kprobe-among-50000": 0.6, "kretprobe": 0.3, "register-batch": 0.01,
              "register-single": 0.15, "register-batch-inside": 1.0, "register-single-inside": 1.0,
              "register-batch-module": 1.0, "register-single-module": 1.0, "group-create": 0.5,
              "file-enable": 1.0, "share-jump": 99},
}

ROWS = {
    "fprobe-entry": hit("fprobe, entry handler", 0.8),
    "fprobe-many": hit("the same on two thousand functions", 0.8),
    "fprobe-entry-exit": hit("fprobe, entry and exit handler", 0.65),
    "fprobe-entry-args": hit("fprobe that says it reads arguments only", 0.6),
    "fprobe-exit-args": hit("the same with an exit handler", 0.48),
    "kretprobe": hit("kretprobe", 0.42),
    "shared": hit("two fprobes and a kretprobe on one function", 1.0),
    "kprobe-entry": hit("kprobe at a function's entry", 0.8),
    "kprobe-jump": inside("kprobe inside of a function, jump", 0.8, followed=True),
    "kprobe-inside": inside("kprobe inside of a function, breakpoint", 0.5, followed=True),
    "kprobe-post-jump": inside("kprobe with a post handler, jump; stock: breakpoint", 0.35, followed=True,
                               against="kprobe-post"),
    "kprobe-post": inside("kprobe with a post handler, breakpoint", 0.65),
    "kprobe-among-512": inside("the same among 512 other probes", 0.5, followed=True),
    "kprobe-among-4000": inside("the same among 4,000 other probes", 0.9, slow=True),
    "kprobe-among-50000": inside("among 50,000; stock: without others", 0.9, slow=True,
                                 against="kprobe-inside"),
    "event-plain": event("event without arguments", 1.0),
    "event-registers": event("event, two registers", 1.0),
    "event-string": event("event, string", 1.0),
    "event-btf-string": event("event, string by the names of C", 1.0),
    "event-eight": event("event, eight arguments", 1.0),
    "event-filtered": event("event, string, filtered out", 1.0),
    "event-return": event("return event", 0.75),
    "fevent-plain": fevent("event on an fprobe, without arguments", 1.0),
    "fevent-registers": fevent("event on an fprobe, two registers", 1.0),
    "fevent-return": fevent("return event on an fprobe", 0.75),
    "register-batch": attach("register_kprobes(), 512 entries", 0.004, "batch"),
    "unregister-batch": attach("unregister_kprobes()", 0.02, "batch"),
    "register-single": attach("register_kprobe(), 64 entries one by one", 0.009, "single"),
    "unregister-single": attach("unregister_kprobe()", 1.0, "single"),
    "register-batch-inside": attach("register_kprobes(), 512 inside of functions", 0.031, "batch-inside"),
    "unregister-batch-inside": attach("unregister_kprobes()", 0.05, "batch-inside"),
    "register-single-inside": attach("register_kprobe(), 64 of them one by one", 0.034, "single-inside"),
    "unregister-single-inside": attach("unregister_kprobe()", 1.0, "single-inside"),
    "register-batch-module": attach("register_kprobes(), 512 functions of a module", 0.004, "batch-module"),
    "register-single-module": attach("register_kprobe(), 64 of them one by one", 0.0076, "single-module"),
    "group-create": many("create 300 events on kprobes", 0.035, "group"),
    "group-enable": many("enable them as a group", 0.02, "group"),
    "group-disable": many("disable them", 0.02, "group"),
    "group-clear": many("clear them", 0.01, "group"),
    "fgroup-create": many("create 300 events on fprobes", 0.02, "fgroup"),
    "fgroup-enable": many("enable them as a group", 1.0, "fgroup"),
    "fgroup-disable": many("disable them", 1.0, "fgroup"),
    "fgroup-clear": many("clear them", 0.01, "fgroup"),
    "fgroup": many("all of that", 0.02, "fgroup"),
    "tgroup": many("create, enable, disable, clear 100 events on tracepoints", 0.02, "tgroup"),
    "file-enable": many("enable an event by its own file (of 16)", 0.0135, "files"),
    "file-disable": many("disable it", 1.0, "files"),
    "perf-open": many("perf_event_open(), 300 kprobes one by one", 1.0, "perf"),
    "perf-close": many("close them", 1.0, "perf"),
    "perf": many("open and close", 1.0, "perf"),
    "bpf-attach": many("perf kprobe with a BPF program, 50 one by one", 1.0, "bpf"),
    "bpf-detach": many("close them", 0.05, "bpf"),
    "wall-open": wall("perf_event_open(), 300 kprobes one by one", 1.0),
    "wall-close": wall("close them", 1.0),
    "wall": wall("open and close", 0.1),
    "bpf-kprobe": program("kprobe, by perf_event_open()"),
    "bpf-kretprobe": program("kretprobe, by perf_event_open()"),
    "bpf-multi": program("link to functions (kprobe-multi), at the entry"),
    "bpf-multi-return": program("link to functions, at the return"),
    "bpf-fentry": program("fentry, by a trampoline of the base"),
    "bpf-fexit": program("fexit, by a trampoline of the base"),
    "link-attach": linked("attach a link to 300 functions by name", 0.9, "link"),
    "link-detach": linked("detach it", 0.3, "link"),
    "link-all-attach": linked("attach a link to all functions by address", 0.95, "link-all"),
    "link-all-detach": linked("detach it", 0.5, "link-all"),
    "path-syscall": path("a system call, nothing traced"),
    "path-fork": path("vfork() and exit"),
    "path-switch": path("there and back between two tasks"),
    "path-fault": path("a page fault"),
    "path-uprobe": path("uprobe event, in user space"),
    "path-uprobe-string": path("the same with a string of 30 characters"),
    "path-tracepoint": path("a system call with its event on"),
    "path-eprobe": path("the same with an eprobe on that"),
    "path-eprobe-string": path("openat(), an eprobe on its event with the name"),
    "path-perf": path("a system call with a perf event on its event"),
    "path-function": path("function tracer, one function"),
    "path-stack": path("event and stack trace"),
    "path-stack-jump": path("the same while there is a jump elsewhere"),
    "path-function-stack": path("function tracer and stack trace"),
    "path-bpf-stack": path("BPF program that takes the stack"),
    "path-bpf-stack-jump": path("the same while there is a jump elsewhere"),
    "path-event-stack": path("kprobe event and stack trace"),
    "path-enable": path("enable and disable an event of a system call"),
    "path-tracer": path("switch the function tracer on and off"),
    "path-perf-open": path("open and close a perf event on a tracepoint"),
    "bytes-kprobe-entry": size("kprobe at a function's entry"),
    "bytes-kprobe-inside": size("kprobe inside of a function, breakpoint"),
    "bytes-kprobe-jump": size("kprobe inside of a function, jump"),
    "bytes-listener": size("one more kprobe at an address"),
    "bytes-kretprobe": size("kretprobe, its pool included"),
    "bytes-fprobe": size("one more function of an fprobe"),
    "bytes-event": size("kprobe event", "events"),
    "bytes-event-enabled": size("kprobe event, enabled", "events"),
    "share-jump": Row("instructions that a jump can probe", 95, by="share", scale=100, more=True),
}


def reach(arch: str, row: str) -> float | None:
    """The ratio to stock that we want to reach on an architecture."""
    return REACH.get(arch, {}).get(row, ROWS[row].reach)


# Parts of the table in order: {way of measuring: title}
PARTS = {
    "hits": "instructions per hit, in the kernel, empty handler",
    "trace": "instructions per hit of an event on do_filp_open",
    "attach": "instructions per probe of a module, waiting counted like running",
    "many": "instructions per event or perf probe, waiting counted like running",
    "bpf": "instructions per hit of a BPF program that does nothing",
    "links": "instructions per function of a link, waiting counted like running",
    "path": "instructions where there is no probe, or none is meant; both kernels as a whole",
    "wall": f"microseconds per probe, {WALL_PROCESSORS} processors, the fastest of several rounds",
    "bytes": "bytes per probe, its caller's struct not included, one processor",
    "share": "percent of the kernel's instructions; more is better",
}
