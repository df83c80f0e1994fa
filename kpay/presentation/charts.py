"""Charts drawn with characters, so that they survive any terminal and any pipe.

Bars lie, one row a value; a line of many values stands, one or two columns a value. What is below
zero is drawn in shade, on the other side of zero.
"""

from __future__ import annotations

from math import ceil

from kpay.domain.document import Chart
from kpay.presentation.cells import NOTHING, thinned

WIDTH = 40
LEAST_WIDTH = 8
UNBOUND = 100_000
EIGHTHS = " ▏▎▍▌▋▊▉█"
RISING = " ▁▂▃▄▅▆▇█"
SHADE = "░"
HEIGHT = 8
MOST_ROWS = 16
MOST_COLUMNS = 64


def chart_lines(chart: Chart, width: int = UNBOUND) -> list[str]:
    """Return a chart as lines of text; a band is a range in words, or shade above the columns.

    It is drawn smaller where `width` columns of a terminal ask for it.
    """
    if not chart.values:
        return [NOTHING]
    is_long = chart.style == "line" and len(chart.values) > MOST_ROWS
    return _standing(chart, width) if is_long else _lying(chart, width)


def _lying(chart: Chart, width: int) -> list[str]:
    longest = max(map(columns_of, chart.labels))
    said = _said(chart)
    room = width - longest - 4 - max(map(columns_of, said))
    most = max(LEAST_WIDTH, min(WIDTH, room))
    top, bottom = max((*chart.values, *chart.high, 0.0)), min((*chart.values, 0.0))
    reach = (top - bottom) or 1.0
    left = ceil(-bottom / reach * most)
    lines = []
    for label, value, text in zip(chart.labels, chart.values, said, strict=True):
        padding = " " * (longest - columns_of(label))
        drawn = _from_zero(value / reach, left, most)
        lines.append(f"{label}{padding}  {drawn:<{most}} {text}")
    return lines


def _from_zero(share: float, left: int, most: int) -> str:
    """Return a bar to the right of zero, or in shade to the left, where `left` columns are kept."""
    if share >= 0:
        return " " * left + bar(share, most)[: most - left]
    below = min(left, max(1, round(-share * most)))
    return " " * (left - below) + SHADE * below


def _said(chart: Chart) -> list[str]:
    """Return what stands behind each bar: the value, one below the other, and its range."""
    numbers = [f"{value:,.0f}" for value in chart.values]
    longest = max(map(len, numbers))
    said = [f"{number:>{longest}} {chart.unit}".rstrip() for number in numbers]
    if not (chart.low and chart.high):
        return said
    ranges = zip(said, chart.low, chart.high, strict=True)
    return [f"{text}  ({low:,.0f} to {high:,.0f})" for text, low, high in ranges]


def _standing(chart: Chart, width: int) -> list[str]:
    """Draw columns over a common floor; below it the first and the last label."""
    unit = f" {chart.unit}" if chart.unit else ""
    ends = (max((*chart.values, *chart.high, 0.0)), min((*chart.values, 0.0)))
    margin = max(len(f"{end:,.0f}{unit}") for end in ends)
    most = max(LEAST_WIDTH, min(MOST_COLUMNS, width - margin - 2))
    values, high = thinned(chart.values, most), thinned(chart.high, most)
    top, bottom = max((*values, *high, 0.0)), min((*values, 0.0))
    below = ceil(-bottom / ((top - bottom) or 1.0) * HEIGHT)
    row_worth = max(top / max(1, HEIGHT - below), -bottom / max(1, below)) or 1.0
    wide = 2 if len(values) * 2 <= most else 1
    lines = []
    for floor in range(HEIGHT - below - 1, -below - 1, -1):
        text = {HEIGHT - below - 1: top, 0: 0.0, -below: bottom}.get(floor)
        said = "" if text is None else f"{text:,.0f}{unit}"
        cells = [_standing_cell(value / row_worth, floor) for value in values]
        if high:
            pairs = zip(cells, high, strict=True)
            cells = [_shaded(cell, edge / row_worth, floor) for cell, edge in pairs]
        lines.append(f"{said:>{margin}} {''.join(cell * wide for cell in cells)}".rstrip())
    return [*lines, " " * (margin + 1) + _first_and_last(chart.labels, len(values) * wide)]


def _standing_cell(rows: float, floor: int) -> str:
    """Return the part of a column, `rows` rows high, that stands in the row above `floor`."""
    if floor >= 0:
        return rising(rows, floor)
    return SHADE if -rows > -floor - 0.5 or (floor == -1 and rows < -0.1) else " "


def _shaded(cell: str, rows: float, floor: int) -> str:
    return SHADE if cell == " " and floor >= 0 and rising(rows, floor) != " " else cell


def _first_and_last(labels: tuple[str, ...], columns: int) -> str:
    gap = columns - columns_of(labels[0]) - columns_of(labels[-1])
    return f"{labels[0]}{' ' * max(1, gap)}{labels[-1]}"


def rising(rows: float, floor: int) -> str:
    """Return the part of a column, `rows` rows high, that stands `floor` rows above the ground."""
    eighths = round(rows * 8) - floor * 8
    return RISING[max(0, min(8, eighths))]


def bar(share: float, most: int) -> str:
    """Return a lying bar, `most` columns long where the share is 1."""
    eighths = round(max(0.0, min(1.0, share)) * most * 8)
    return EIGHTHS[8] * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    from rich.cells import cell_len  # noqa: PLC0415 - two columns for a Chinese character

    return cell_len(text)
