"""Pictures of a Document as points of a drawing, and what each shows in words.

Drawings stretch to the page's width, so they hold shapes only; their labels are ordinary text.
"""

from __future__ import annotations

from typing import Any

from kpay.domain.document import Calibration, Chart, Fan, HeatMap, Waterfall
from kpay.presentation import picture_words
from kpay.presentation.cells import amount_text, for_people
from kpay.presentation.flat import flat
from kpay.presentation.frames import WIDTH, Frame, few_labels
from kpay.presentation.levels import stretches
from kpay.presentation.page_tables import table_values
from kpay.presentation.plots import Dot, Line, drawing, share_axis

BAR_SHARE = 0.78
WIDEST_BAR = 110.0
SHORTEST_NAME = 3
THINNEST = 2.0
PARTS = ("(part)", " so far")  # how the label ends of what is not over or not whole

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
    """Return a line or bars with their axis, and a range round each; bars with names lie."""
    if block.style == "bars" and any(map(_is_name, block.labels)):
        return ranks(block)
    frame = Frame.over((*block.values, *block.low, *block.high))
    is_line = block.style == "line"
    drawn = {
        "kind": "chart",
        "title": block.title,
        "words": picture_words.of_chart(block),
        **frame.values(block.unit),
        "lines": _lines(frame, block) if is_line else [],
        "bands": _bands(frame, 0, len(block.values), [(block.low, block.high)]) if is_line else [],
        "bars": [] if is_line else _bars(frame, block),
        "ranges": [] if is_line else _ranges(frame, block),
        "turn": None,
        "labels": few_labels(block.labels, is_line),
        "legend": [],
    }
    if block.low:
        tones = ("past", "band1") if is_line else ("pale", "range")
        drawn["legend"] = list(zip(tones, (block.title, "range"), strict=True))
    return drawn


def _lines(frame: Frame, block: Chart) -> list[dict[str, str]]:
    """Return the line, dashed to and from a month at an end that is not whole."""
    count = len(block.values)
    first = int(_is_part(block.labels[:1]))
    last = count - 1 - int(_is_part(block.labels[-1:]))
    stretches = [("past", first, last), ("past part", 0, first), ("past part", last, count - 1)]
    return [
        {"tone": tone, "points": frame.line(block.values[start : end + 1], start, count)}
        for tone, start, end in stretches
        if start < end
    ]


def _is_part(labels: tuple[str, ...]) -> bool:
    return any(label.endswith(PARTS) for label in labels)


def ranks(block: Chart) -> dict[str, Any]:
    """Return lying bars between their names and their values, with the range of each."""
    numbers = (*block.values, *block.low, *block.high, 0.0)
    low, reach = min(numbers), (max(numbers) - min(numbers)) or 1.0
    ranges: list[tuple[float, ...]] = [*zip(block.low, block.high, strict=True)]
    ranges = ranges or [()] * len(block.values)
    rows = []
    for label, value, ends in zip(block.labels, block.values, ranges, strict=True):
        told = f" ({ends[0]:,.0f} to {ends[1]:,.0f})" if ends else ""
        rows.append(
            {
                "label": label,
                "text": f"{value:,.0f}{told}",
                "tone": "up" if value >= 0 else "down",
                "left": round(100 * (min(value, 0.0) - low) / reach, 2),
                "width": round(100 * abs(value) / reach, 2),
                "ends": [round(100 * (end - low) / reach, 2) for end in ends],
            }
        )
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
        "ranges": [],
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
    width = min(slot * BAR_SHARE, WIDEST_BAR)
    zero = frame.y(0.0)
    unit = f" {block.unit}" if block.unit else ""
    made = []
    for index, (label, value) in enumerate(zip(block.labels, block.values, strict=True)):
        height = max(abs(frame.y(value) - zero), THINNEST) if value else 0
        made.append(
            {
                "x": round((index + 0.5) * slot - width / 2, 1),
                "y": round(zero - height if value > 0 else zero, 1),
                "width": round(width, 1),
                "height": round(height, 1),
                "text": f"{label}: {value:,.2f}{unit}",
                "is_part": _is_part((label,)),
            }
        )
    return made


def _ranges(frame: Frame, block: Chart) -> list[dict[str, float]]:
    """Return a stroke from low to high through the middle of each bar."""
    slot = WIDTH / max(1, len(block.values))
    return [
        {"x": round((index + 0.5) * slot, 1), "low": frame.y(low), "high": frame.y(high)}
        for index, (low, high) in enumerate(zip(block.low, block.high, strict=True))
    ]


def _is_name(label: str) -> bool:
    """Say whether a label is no day, month or number."""
    return len(label) > SHORTEST_NAME and not label[0].isdigit()
