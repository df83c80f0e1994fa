"""Pictures of a Document as points of a drawing, and what each shows in words.

Drawings stretch to the page's width, so they hold shapes only; their labels are ordinary text.
"""

from __future__ import annotations

import re
from math import ceil, floor
from typing import Any

from kpay.domain.document import Calibration, Chart, Fan, HeatMap, Kind, Table, Waterfall
from kpay.presentation import picture_words
from kpay.presentation.cells import RIGHT_KINDS, amount_text, for_people
from kpay.presentation.flat import flat
from kpay.presentation.levels import stretches
from kpay.presentation.plots import Dot, Line, drawing, round_step, share_axis

WIDTH, HEIGHT = 1000, 300
BAR_SHARE = 0.78
MOST_LABELS, MOST_SHORT_LABELS, SHORT_LABEL = 5, 13, 7
LONG_LABEL = 10
ON_A_PHONE = 3
WIDE_FROM = 8
SHORT_TEXT = 18
SUM = "together"  # what the last row of a table is called where it holds sums
THINNEST = 2.0

Picture = Chart | HeatMap | Waterfall | Fan | Calibration


def picture(block: Picture) -> dict[str, Any]:
    """Return what the template draws a block with; its `kind` names the drawing."""
    if isinstance(block, Chart):
        return chart(block)
    if isinstance(block, Fan):
        return fan(block)
    if isinstance(block, HeatMap):
        return heat_map(block)
    return calibration(block) if isinstance(block, Calibration) else waterfall(block)


def chart(block: Chart) -> dict[str, Any]:
    """Return a line or bars with their axis, and a band round them; bars with long names lie."""
    if block.style == "bars" and any(map(_is_name, block.labels)):
        return ranks(block)
    frame = Frame.over((*block.values, *block.low, *block.high))
    is_line = block.style == "line"
    legend = [("line" if is_line else "bar", block.title)] if block.low else []
    return {
        "kind": "chart",
        "title": block.title,
        "words": picture_words.of_chart(block),
        **frame.values(block.unit),
        "lines": [{"tone": "past", "points": frame.line(block.values)}] if is_line else [],
        "bands": _bands(frame, 0, len(block.values), [(block.low, block.high)]),
        "bars": [] if is_line else _bars(frame, block),
        "turn": None,
        "labels": few_labels(block.labels, is_line),
        "legend": [*legend, *([("band1", "range")] if block.low else [])],
    }


def ranks(block: Chart) -> dict[str, Any]:
    """Return lying bars between their names and their values."""
    low, high = min((*block.values, 0.0)), max((*block.values, 0.0))
    reach = (high - low) or 1.0
    rows = [
        {
            "label": label,
            "text": f"{value:,.0f}",
            "tone": "up" if value >= 0 else "down",
            "left": round(100 * (min(value, 0.0) - low) / reach, 2),
            "width": round(100 * abs(value) / reach, 2),
        }
        for label, value in zip(block.labels, block.values, strict=True)
    ]
    return {"kind": "ranks", "title": block.title, "unit": block.unit, "rows": rows}


def fan(block: Fan) -> dict[str, Any]:
    """Return the past as a line, the future as a line in its bands, the widest below."""
    bands = sorted(block.bands, key=lambda band: -band.level)
    ends = [edge for band in bands for edge in (*band.low, *band.high)]
    frame = Frame.over((*block.past, *block.mean, *ends))
    before, count = len(block.past), len(block.past) + len(block.mean)
    joined = max(0, before - 1)  # the future's line begins where the past's ends
    start = block.past[-1:]
    edges = [((*start, *band.low), (*start, *band.high)) for band in bands]
    levels = [(f"band{index + 1}", f"{band.level} % range") for index, band in enumerate(bands)]
    return {
        "kind": "chart",
        "title": block.title,
        "words": picture_words.of_fan(block),
        **frame.values(block.unit),
        "lines": [
            {"tone": tone, "points": frame.line(values, at, count)}
            for tone, values, at in (
                ("past", block.past, 0),
                ("ahead", (*start, *block.mean), joined),
            )
            if len(values) > 1
        ],
        "bands": _bands(frame, joined, count, edges),
        "bars": [],
        "turn": round(WIDTH * joined / max(1, count - 1), 1) if before else None,
        "labels": few_labels((*block.past_labels, *block.labels), is_line=True),
        "legend": [("past", "past"), ("ahead", "expected (mean)"), *levels],
    }


def waterfall(block: Waterfall) -> dict[str, Any]:
    """Return a bar for each step in percent of the way from the lowest to the highest."""
    parts = stretches(block)
    low = min((part.low for part in parts), default=0.0)
    reach = (max((part.high for part in parts), default=0.0) - low) or 1.0
    rows = []
    for step, part in zip(block.steps, parts, strict=True):
        width = round(100 * (part.high - part.low) / reach, 2)
        rows.append(
            {
                "label": step.label,
                "text": amount_text(block, step),
                "tone": "level" if step.is_level else "up" if part.is_rise else "down",
                "left": round(100 * (part.low - low) / reach, 2),
                "width": max(width, 0.4) if width else 0,
                "end": round(100 * (part.end - low) / reach, 2),
            }
        )
    return {"kind": "waterfall", "title": block.title, "unit": block.unit, "rows": rows}


def heat_map(block: HeatMap) -> dict[str, Any]:
    """Return cells with their text, and how dark each is; a cell not come yet is empty."""
    rows = []
    for label, values, cells in zip(block.row_labels, block.values, block.cells, strict=True):
        made = []
        for value, cell in zip(values, cells, strict=True):
            is_there = value is not None or cell is not None
            depth = None if value is None else round(min(1.0, max(0.0, value)), 2)
            made.append({"text": for_people(cell, block.kind) if is_there else "", "depth": depth})
        rows.append({"label": label, "cells": made})
    return {
        "kind": "heat",
        "title": block.title,
        "note": block.note,
        "columns": block.column_labels,
        "rows": rows,
    }


def calibration(block: Calibration) -> dict[str, Any]:
    """Return what came true against what was stated, with the line where both are the same."""
    largest = max(block.counts, default=0) or 1
    rows = list(zip(block.stated, block.came, block.counts, strict=True))
    dots = [
        Dot(stated, came, picture_words.of_promise(stated, came, count), count / largest)
        for stated, came, count in rows
        if came is not None
    ]
    ends = zip(block.stated, block.low, block.high, strict=True) if block.low else ()
    intervals = [
        Line(((stated, low), (stated, high)), "ours")
        for stated, low, high in ends
        if low is not None and high is not None
    ]
    exact = Line(((0.0, 0.0), (1.0, 1.0)), "chance", "as stated")
    axis = share_axis("stated")
    drawn = drawing(
        block.title,
        axis,
        share_axis(""),
        lines=[exact, *intervals],
        dots=dots,
        dots_name="what came true" + (", and what chance leaves it" if intervals else ""),
        note=block.note,
    )
    table = table_values(flat(block))
    words = picture_words.of_calibration(block)
    return {**drawn, "kind": "calibration", "words": words, "table": table}


class Frame:
    """The axis that a drawing stands on: round ends, round values between, and where zero is."""

    def __init__(self, bottom: float, top: float, step: float) -> None:
        self.bottom, self.top, self.step = bottom, top, step

    @classmethod
    def over(cls, values: tuple[float, ...]) -> Frame:
        """Return the frame that holds all values, and zero."""
        low, high = min((*values, 0.0)), max((*values, 0.0))
        step = round_step(high - low)
        bottom, top = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
        return cls(bottom, top if top > bottom else bottom + step, step)

    def values(self, unit: str) -> dict[str, Any]:
        """Return the keys that every drawing has."""
        count = round((self.top - self.bottom) / self.step)
        ticks = [self.top - index * self.step for index in range(count + 1)]
        return {
            "width": WIDTH,
            "height": HEIGHT,
            "unit": unit,
            "zero": self.y(0.0),
            "scale": [{"text": f"{round(tick, 9):,.10g}", "y": self.y(tick)} for tick in ticks],
        }

    def y(self, value: float) -> float:
        """Return how far below the top of the drawing a value is."""
        return round(HEIGHT * (self.top - value) / (self.top - self.bottom), 1)

    def line(self, values: tuple[float, ...], first: int = 0, count: int = 0) -> str:
        """Return the points of a line; it may begin later in a row of `count`."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points(values, first, count))

    def points(
        self, values: tuple[float, ...], first: int = 0, count: int = 0
    ) -> list[tuple[float, float]]:
        """Return where each value stands."""
        step = WIDTH / max(1, (count or len(values)) - 1)
        return [
            (round((first + index) * step, 1), self.y(value)) for index, value in enumerate(values)
        ]


def _bands(
    frame: Frame,
    first: int,
    count: int,
    edges: list[tuple[tuple[float, ...], tuple[float, ...]]],
) -> list[str]:
    """Return each band as a way forth above it and back below it."""
    made = []
    for low, high in edges:
        forth, back = (frame.points(edge, first, count) for edge in (high, low))
        if forth:
            made.append(" ".join(f"{x:g},{y:g}" for x, y in (*forth, *reversed(back))))
    return made


def _bars(frame: Frame, block: Chart) -> list[dict[str, Any]]:
    slot = WIDTH / max(1, len(block.values))
    zero = frame.y(0.0)
    unit = f" {block.unit}" if block.unit else ""
    made = []
    for index, (label, value) in enumerate(zip(block.labels, block.values, strict=True)):
        y = frame.y(value)
        height = max(abs(y - zero), THINNEST) if value else 0
        made.append(
            {
                "x": round(index * slot + slot * (1 - BAR_SHARE) / 2, 1),
                "y": round(zero - height if value > 0 else zero, 1),
                "width": round(slot * BAR_SHARE, 1),
                "height": round(height, 1),
                "text": f"{label}: {value:,.2f}{unit}",
            }
        )
    return made


def few_labels(labels: tuple[str, ...], is_line: bool) -> list[dict[str, Any]]:
    """Return short labels all, of others five from the first to the last, and where each stands (%).

    The last may be longer ("2026-07 so far"): the one before it makes room. A narrow screen shows
    only the main ones, at most three.
    """
    last = len(labels) - 1
    are_short = len(labels) <= MOST_SHORT_LABELS and all(map(_is_short, labels[:-1]))
    places = list(range(len(labels))) if are_short else _spread(last)
    if are_short and last > 1 and not _is_short(labels[-1]):
        del places[-2]
    apart = max(1, ceil(len(places) / ON_A_PHONE))
    made = []
    for index, place in enumerate(places):
        at = place / max(1, last) if is_line else (place + 0.5) / len(labels)
        side = "" if _is_short(labels[place]) else {0: "start", last: "end"}.get(place, "")
        made.append(
            {
                "text": labels[place],
                "at": {"start": 0, "end": 100}.get(side, round(100 * at, 2)),
                "side": side,
                "is_main": index % apart == 0,
            }
        )
    return made


def _spread(last: int) -> list[int]:
    """Return up to five places from the first to the last."""
    count = min(last + 1, MOST_LABELS)
    return [round(index * last / max(1, count - 1)) for index in range(count)]


def _is_short(label: str) -> bool:
    return len(label) <= SHORT_LABEL


def _is_name(label: str) -> bool:
    """Say whether a label is a long one that is no day or month."""
    return len(label) > LONG_LABEL and not re.match(r"\d{4}-\d\d", label)


def table_values(table: Table) -> dict[str, Any]:
    """Return headings and cells as people read them, each on its side; short words stay whole."""
    kinds = [column.kind for column in table.columns]
    rows = [
        [for_people(cell, kind) for cell, kind in zip(row, kinds, strict=True)]
        for row in table.rows
    ]
    sides = [_side(kind, [row[index] for row in rows]) for index, kind in enumerate(kinds)]
    return {
        "title": table.title,
        "note": table.note,
        "is_wide": len(kinds) > WIDE_FROM,
        "columns": [
            {"heading": column.heading, "side": side}
            for column, side in zip(table.columns, sides, strict=True)
        ],
        "rows": [
            {"cells": row, "is_sum": index == len(rows) - 1 and index > 0 and row[0].lower() == SUM}
            for index, row in enumerate(rows)
        ],
    }


def _side(kind: Kind, texts: list[str]) -> str:
    if kind in RIGHT_KINDS:
        return "right"
    if kind == "instant":
        return "left moment"
    are_short = kind == "day" or all(len(text) <= SHORT_TEXT for text in texts)
    return "left short" if are_short else "left"
