"""Drawings with two axes as plain values for a page template: everything in one coordinate system.

A drawing keeps its shape at any width, so its words can stand inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import Any

WIDTH, HEIGHT = 360, 236
LEFT, RIGHT, TOP, BOTTOM = 42, 12, 12, 40
STEPS = (1, 2, 2.5, 5, 10)
MOST_TICKS = 5
LARGEST_DOT, SMALLEST_DOT = 6.5, 3.0

Point = Sequence[float]


def percent(value: float) -> str:
    """Return a share as a tick reads it."""
    text = f"{100 * value:.1f}".removesuffix(".0")
    return f"{text}%"


def number(value: float) -> str:
    """Return a number as a tick reads it."""
    return f"{value:,.10g}" if abs(value) < 10_000 else f"{value / 1000:,.10g}k"


@dataclass(frozen=True, slots=True)
class Axis:
    """The ends of an axis, what it shows, and how its ticks read."""

    low: float
    high: float
    label: str
    text: Callable[[float], str] = number

    def share(self, value: float) -> float:
        """Return where on the axis a value stands, from 0 to 1; beyond its ends at the end."""
        if self.high <= self.low:
            return 0.5
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def ticks(self) -> list[float]:
        """Return round values between the ends, both included where they are round."""
        step = round_step(self.high - self.low)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [round(index * step, 12) for index in range(first, last + 1)]


def share_axis(label: str, high: float = 1.0) -> Axis:
    """Return an axis of shares from 0 to a round share above the largest."""
    step = round_step(max(high, 0.01))
    return Axis(0.0, min(1.0, ceil(high / step - 1e-9) * step), label, percent)


def axis_round(values: Sequence[float], label: str) -> Axis:
    """Return an axis from the least to the largest value."""
    return Axis(min(values), max(values), label)


def round_step(reach: float) -> float:
    """Return the least round number that divides a reach into five parts or fewer."""
    if not isfinite(reach) or reach <= 0:
        return 1.0
    unit: float = 10.0 ** floor(log10(reach))
    steps = (step * unit * scale for scale in (0.1, 1.0) for step in STEPS)
    return next(step for step in steps if reach / step <= MOST_TICKS)


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points; its tone is `ours`, `other` or `chance`, its name may stand in a legend."""

    points: Sequence[Point]
    tone: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    """A dot for a group of customers, as large as the group's share of the largest group."""

    x: float
    y: float
    text: str
    share: float = 1.0


def drawing(
    title: str,
    across: Axis,
    up: Axis,
    *,
    lines: Sequence[Line] = (),
    dots: Sequence[Dot] = (),
    dots_name: str = "",
    note: str = "",
) -> dict[str, Any]:
    """Return what the template draws a picture of lines and dots with."""

    def place(x: float, y: float) -> tuple[float, float]:
        return _x(across.share(x)), _y(up.share(y))

    return {
        "title": title,
        "note": note,
        **_frame(across, up),
        "lines": [
            {"points": path([place(x, y) for x, y in line.points]), "tone": line.tone}
            for line in lines
        ],
        "dots": [_dot(dot, place(dot.x, dot.y)) for dot in dots],
        "bars": [],
        "legend": [
            *({"name": line.name, "tone": line.tone} for line in lines if line.name),
            *([{"name": dots_name, "tone": "dot"}] if dots and dots_name else []),
        ],
    }


def bars(
    title: str, up: Axis, heights: Sequence[tuple[float, str, str]], *, label: str, note: str = ""
) -> dict[str, Any]:
    """Return what the template draws a row of bars with: height, text for pointing at it, label."""
    slot = 1 / max(1, len(heights))
    base = _y(0.0)
    made = []
    for index, (value, text, _) in enumerate(heights):
        top = _y(up.share(value))
        made.append(
            {
                "x": round(_x((index + 0.12) * slot), 1),
                "y": top,
                "width": round((WIDTH - LEFT - RIGHT) * slot * 0.76, 1),
                "height": round(base - top, 1),
                "text": text,
            }
        )
    frame = _frame(Axis(0, 1, label), up)
    frame["across"] = [
        {"at": _x((index + 0.5) * slot), "text": name}
        for index, (_, _, name) in enumerate(heights)
        if name
    ]
    return {
        "title": title,
        "note": note,
        **frame,
        "lines": [],
        "dots": [],
        "bars": made,
        "legend": [],
    }


def _frame(across: Axis, up: Axis) -> dict[str, Any]:
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "bottom": HEIGHT - BOTTOM,
        "across_label": across.label,
        "up_label": up.label,
        "across": [
            {"at": _x(across.share(value)), "text": across.text(value)} for value in across.ticks()
        ],
        "up": [{"at": _y(up.share(value)), "text": up.text(value)} for value in up.ticks()],
    }


def _dot(dot: Dot, place: tuple[float, float]) -> dict[str, Any]:
    radius = SMALLEST_DOT + (LARGEST_DOT - SMALLEST_DOT) * max(0.0, dot.share) ** 0.5
    return {"x": place[0], "y": place[1], "r": round(radius, 1), "text": dot.text}


def path(points: Sequence[tuple[float, float]]) -> str:
    """Return points as an SVG polyline reads them."""
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)
