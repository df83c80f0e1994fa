"""A Document as plain values for the page template: cells as text, charts as points of a drawing.

Drawings stretch to the page's width, so they hold shapes only; their labels are ordinary text.
"""

from __future__ import annotations

from math import floor, log10
from typing import Any

from kpay.domain.document import Block, Chart, Document, Figure, Figures, Table, Text
from kpay.presentation.cells import RIGHT_KINDS, change_text, for_people, is_felt

WIDTH, HEIGHT = 1000, 300
SPARK_WIDTH, SPARK_HEIGHT = 100, 24
BAR_SHARE = 0.78
MOST_LABELS = 6
STEPS = (1, 2, 2.5, 5, 10)


def page_values(document: Document) -> dict[str, Any]:
    """Return what `report/document.html` is filled with; every cell reads as on a terminal."""
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "schema": document.schema,
        "blocks": [_block(block) for block in document.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"kind": "text", "title": "", "text": block.text, "tone": block.tone}
    if isinstance(block, Figures):
        figures = [_figure(figure) for figure in block.figures]
        return {"kind": "figures", "title": block.title, "figures": figures}
    return _table(block) if isinstance(block, Table) else _chart(block)


def _figure(figure: Figure) -> dict[str, Any]:
    pairs = (
        (figure.change, figure.compared_with),
        (figure.second_change, figure.second_compared_with),
    )
    return {
        "label": figure.label,
        "value": for_people(figure.value, figure.kind),
        "changes": [
            {"text": change_text(change), "tone": change_tone(change), "with": compared_with}
            for change, compared_with in pairs
            if compared_with
        ],
        "spark": _points(_heights(figure.line, SPARK_HEIGHT - 2), SPARK_WIDTH, SPARK_HEIGHT - 1),
    }


def change_tone(change: float | None) -> str:
    """Name the colour of a change."""
    if change is None or not is_felt(change):
        return "none"
    return "up" if change > 0 else "down"


def _table(table: Table) -> dict[str, Any]:
    kinds = [column.kind for column in table.columns]
    columns = [
        {"heading": column.heading, "side": "right" if column.kind in RIGHT_KINDS else "left"}
        for column in table.columns
    ]
    rows = [
        [for_people(cell, kind) for cell, kind in zip(row, kinds, strict=True)]
        for row in table.rows
    ]
    return {
        "kind": "table",
        "title": table.title,
        "note": table.note,
        "columns": columns,
        "rows": rows,
    }


def _chart(chart: Chart) -> dict[str, Any]:
    bottom, top = nice_range((*chart.values, *chart.low, *chart.high))
    scale = HEIGHT / (top - bottom)
    up = [round((value - bottom) * scale, 1) for value in chart.values]
    low, high = (
        [round((value - bottom) * scale, 1) for value in edge] for edge in (chart.low, chart.high)
    )
    zero = round((0 - bottom) * scale, 1)
    is_line = chart.style == "line"
    return {
        "kind": "chart",
        "title": chart.title,
        "width": WIDTH,
        "height": HEIGHT,
        "zero": round(HEIGHT - zero, 1),
        "line": _points(up, WIDTH, HEIGHT) if is_line else "",
        "band": _band(low, high) if low and high else "",
        "bars": [] if is_line else _bars(up, zero, chart),
        "scale": [f"{value:,.10g}{chart.unit}" for value in (top, (top + bottom) / 2, bottom)],
        "labels": _few(chart.labels, is_line),
    }


def nice_range(values: tuple[float, ...]) -> tuple[float, float]:
    """Return round numbers below and above all values and zero, for the ends of an axis."""
    low, high = min((*values, 0.0)), max((*values, 0.0))
    reach = max(high, -low) or 1.0
    unit = 10 ** floor(log10(reach))
    step = next(step * unit for step in STEPS if step * unit >= reach)
    if low == 0:
        return 0.0, step
    return (-step, 0.0) if high == 0 else (-step, step)


def _heights(values: tuple[float, ...], reach: float) -> list[float]:
    if len(values) < 2:
        return []
    low, high = min(values), max(values)
    share = reach / (high - low) if high > low else 0.0
    return [(value - low) * share + 1 for value in values]


def _points(up: list[float], width: int, height: int) -> str:
    step = width / max(1, len(up) - 1)
    return " ".join(f"{index * step:.1f},{height - y:.1f}" for index, y in enumerate(up))


def _band(low: list[float], high: list[float]) -> str:
    step = WIDTH / max(1, len(low) - 1)
    forth = [f"{index * step:.1f},{HEIGHT - y:.1f}" for index, y in enumerate(high)]
    back = [f"{index * step:.1f},{HEIGHT - y:.1f}" for index, y in enumerate(low)]
    return " ".join([*forth, *reversed(back)])


def _bars(up: list[float], zero: float, chart: Chart) -> list[dict[str, Any]]:
    slot = WIDTH / max(1, len(up))
    return [
        {
            "x": round(index * slot + slot * (1 - BAR_SHARE) / 2, 1),
            "y": round(HEIGHT - max(y, zero), 1),
            "width": round(slot * BAR_SHARE, 1),
            "height": round(max(abs(y - zero), 0.5), 1),
            "text": f"{label}: {value:,.2f}{chart.unit}",
        }
        for index, (y, label, value) in enumerate(zip(up, chart.labels, chart.values, strict=True))
    ]


def _few(labels: tuple[str, ...], is_line: bool) -> list[dict[str, Any]]:
    """Return at most six labels, the first and the last among them, and where each stands (%)."""
    last = len(labels) - 1
    count = min(len(labels), MOST_LABELS)
    places = [round(index * last / max(1, count - 1)) for index in range(count)]
    return [
        {
            "text": labels[place],
            "at": round(
                100 * (place / max(1, last) if is_line else (place + 0.5) / len(labels)), 2
            ),
        }
        for place in places
    ]
