# SPDX-License-Identifier: GPL-2.0
"""Ratios as horizontal bars, in SVG."""
from __future__ import annotations

import html
from dataclasses import dataclass

LEFT, BAR, RIGHT = 300, 320, 190    # widths: titles, a bar of FULL, figures
FULL = 1.25                         # the longest bar that is shown
LINE, HEAD = 17, 26                 # heights: a bar, the title of a part
GOOD, BEHIND = "#2e7d32", "#c62828"


@dataclass(frozen=True)
class Bar:
    title: str
    ratio: float
    reach: float
    figure: str                     # text next to the bar
    part: str                       # width of the picture


def text(x: float, y: float, what: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" {more}>{html.escape(what)}</text>'


def upright(ratio: float, top: float, bottom: float, more: str) -> str:
    x = LEFT + ratio / FULL * BAR
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" {more}/>'


def one_bar(bar: Bar, y: float) -> list:
    """SVG of one bar."""
    width = max(1, min(bar.ratio, FULL) / FULL * BAR)
    colour = GOOD if bar.ratio <= bar.reach else BEHIND
    return [
        text(LEFT - 8, y + 12, bar.title, 'text-anchor="end"'),
        f'<rect x="{LEFT}" y="{y + 2}" width="{width:.1f}" height="{LINE - 5}" fill="{colour}"/>',
        upright(bar.reach, y + 1, y + LINE - 2, 'stroke="#000" stroke-width="2"'),
        text(LEFT + BAR + 8, y + 12, bar.figure),
    ]


def svg(bars: list[Bar], parts: dict) -> str:
    """SVG of all bars; parts is {part: its title}, in the order in which they are shown."""
    body, y = [], 34
    for part, title in parts.items():
        some = [b for b in bars if b.part == part]
        if not some:
            continue
        body.append(text(8, y + 16, title, 'font-weight="bold"'))
        y += HEAD
        body.append(upright(1, y - 2, y + LINE * len(some), 'stroke="#888" stroke-dasharray="3,2"'))
        for bar in some:
            body += one_bar(bar, y)
            y += LINE
    width, height = LEFT + BAR + RIGHT, y + 10
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        text(8, 20, "Ours against stock 6.12 (dashed: equal; black tick: what we want to reach; red: not reached): ratio (ours / stock)",
             'font-size="12"'),
    ]
    return "\n".join(head + body + ["</svg>", ""])
