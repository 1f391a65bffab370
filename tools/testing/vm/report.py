# SPDX-License-Identifier: GPL-2.0
"""Show results of `vm bench`: a table, a picture, and a table for README.md."""
from __future__ import annotations

from typing import Any, Iterable

import chart
from common import Failure
from arch import DEFAULT
from rows import PARTS, ROWS, reach

SPREAD = 0.02               # differences up to this are usual if code waits or allocates
SIDES = ("stock", "ours")
EXACT = ("hits", "trace")   # parts of the table whose figures repeat to the digit

# Rows of the tables in README.md, and their titles there.
MARK = "<!-- make bench ARCH={}: {} -->"
SHOWN = (
    ("Instructions per hit, empty handler", (
        "fprobe-entry", "fprobe-entry-exit", "fprobe-entry-args", "fprobe-exit-args", "kretprobe",
        "kprobe-entry", "kprobe-jump", "kprobe-inside",
        "kprobe-among-512", "kprobe-among-50000", "kprobe-post-jump", "kprobe-post")),
    ("Instructions per hit of an event", ("event-plain", "event-eight", "event-return")),
    ("Instructions per probe", ("register-batch", "unregister-batch")),
    ("Instructions per event or perf probe", (
        "group-create", "group-enable", "group-disable", "group-clear", "perf")),
    ("Instructions per hit of a BPF program that does nothing", (
        "bpf-kprobe", "bpf-kretprobe", "bpf-multi", "bpf-multi-return", "bpf-fentry", "bpf-fexit")),
    ("Bytes per probe", ("bytes-kprobe-entry", "bytes-kprobe-inside", "bytes-kprobe-jump")),
    ("Percent, more is better", ("share-jump",)),
)


def out(text: str = "") -> None:
    print(text, flush=True)


def number(x: float) -> str:
    if x is None:
        return "-"
    return f"{x:,.0f}" if x == round(x) or x >= 1000 else f"{x:.1f}"


def both(results: dict, row: str) -> list:
    """Results of stock and of ours for a row; those of stock may be from another row."""
    return [results.get("stock", {}).get(ROWS[row].against or row), results.get("ours", {}).get(row)]


def values(results: dict, row: str) -> list:
    return [x and x.get("value") for x in both(results, row)]


def ratio_of(results: dict, row: str) -> float | None:
    """Ratio of ours to stock; None if a figure is missing or zero."""
    stock, ours = values(results, row)
    return None if stock is None or ours is None or not stock else ours / stock


def wanted(results: dict, row: str) -> float | None:
    """The ratio to stock that we want to reach."""
    return reach(results.get("arch", DEFAULT), row)


def is_behind(results: dict, row: str) -> bool:
    """Does a row miss its ratio, or lack a figure of ours?"""
    stock, ours = values(results, row)
    if ours is None:
        return True
    if ROWS[row].more:
        return ours < wanted(results, row)
    return stock is not None and ours > wanted(results, row) * stock


def differ(row: str, low: int, high: int) -> bool:
    """Do the figures of a row differ by more than they may?"""
    return low != high if ROWS[row].by in EXACT else high > low * (1 + SPREAD)


def remark(row: str, got: dict) -> str:
    """A remark about an unusual figure."""
    if not got:
        return ""
    if "refused" in got:
        return f"no figure: {got['refused']}"
    low, high = min(got["measured"]), max(got["measured"])
    if ROWS[row].by == "wall":
        return f"{number(low)} to {number(high)}"
    if ROWS[row].by == "share":
        return f"of {got['of']:,}"
    if differ(row, low, high):
        return "took " + ", then ".join(map(number, got["measured"]))
    # The debugger follows opens in the kernel; those of a program take a slightly different path.
    if ROWS[row].by == "hits" and got.get("followed", got["value"]) != got["value"]:
        return f"followed {got['followed']}"
    return ""


def short(ratio: float | None) -> str:
    """A ratio with few digits."""
    return "-" if ratio is None else f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.4f}"


def print_row(row: str, results: dict, width: int) -> None:
    pair = both(results, row)
    cost = [number(x) for x in values(results, row)]
    traps = [number(x and x.get("traps")) for x in pair]
    notes = ["behind"] if is_behind(results, row) else []
    notes += [f"{side} {r}" for side, r in zip(SIDES, [remark(row, x) for x in pair]) if r]
    out(f"{ROWS[row].title:<{width}} | {cost[0]:>11} | {cost[1]:>11} | {short(ratio_of(results, row)):>6} | "
        f"{wanted(results, row):>5} | {traps[0]:>5} | {traps[1]:>4}  {'; '.join(notes)}".rstrip())


def print_table(results: dict, chosen: Any) -> None:
    """Print a table of rows, with stock and ours."""
    width = max(len(r.title) for r in ROWS.values())
    for by, unit in PARTS.items():
        rows = [n for n in chosen if ROWS[n].by == by and any(both(results, n))]
        if not rows:
            continue
        out(f"\n{unit}\n{'':<{width}} |       stock |        ours |  ratio | reach | traps | ours")
        for row in rows:
            print_row(row, results, width)


def print_behind(results: dict, chosen: Any) -> None:
    """Print one line with the rows that miss their ratio."""
    behind = [r for r in chosen if is_behind(results, r)]
    have = len(chosen) - len(behind)
    out(f"bench: {have} of {len(chosen)} rows reached"
        + (f"; behind: {' '.join(behind)}" if behind else ", none behind"))


def print_functions(results: dict, rows: Iterable[str]) -> None:
    """Print the instructions in each function."""
    for row in rows:
        for side in SIDES:
            got = results.get(side, {}).get(row)
            if not got or "functions" not in got:
                continue
            out(f"\n{ROWS[row].title}, {side}: {got['followed']} instructions, of which")
            for name, n in got["functions"].items():
                out(f"  {n:5} {name}")


def picture(results: dict) -> str:
    """SVG of the ratios."""
    bars = []
    for row, r in ROWS.items():
        ratio = ratio_of(results, row)
        if ratio is None:
            continue
        pair = [number(x) for x in values(results, row)]
        bars.append(chart.Bar(r.title, ratio, wanted(results, row) or 0.0, f"{short(ratio)}  ({pair[1]} / {pair[0]})", r.by))
    return chart.svg([b for b in bars if b.part != "share"], PARTS)


def markdown(results: dict) -> str:
    """The table for README.md."""
    lines = ["| | 6.12 | ours | ratio |", "| --- | ---: | ---: | ---: |"]
    for title, rows in SHOWN:
        lines.append(f"| **{title}** | | | |")
        for row in rows:
            cost = [number(x) for x in values(results, row)]
            lines.append(f"| {ROWS[row].title} | {cost[0]} | {cost[1]} | {short(ratio_of(results, row))} |")
    return "\n".join(lines)


def fill_in(text: str, results: dict) -> str:
    """The text of README.md with the table of these results."""
    begin, end = (MARK.format(results.get("arch", DEFAULT), which) for which in ("begin", "end"))
    if begin not in text or end not in text:
        raise Failure(f"README.md has no lines {begin} and {end}")
    head, tail = text.split(begin)[0], text.split(end)[1]
    return f"{head}{begin}\n{markdown(results)}\n{end}{tail}"
