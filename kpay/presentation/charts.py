"""Charts drawn with characters, so that they survive any terminal and any pipe.

Bars lie, one row a value; a line of many values stands, one or two columns a value.
"""

from __future__ import annotations

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
    top = max((*chart.values, *chart.high, 0.0)) or 1.0
    said = _said(chart)
    room = width - longest - 4 - max(map(columns_of, said))
    most = max(LEAST_WIDTH, min(WIDTH, room))
    lines = []
    for label, value, text in zip(chart.labels, chart.values, said, strict=True):
        padding = " " * (longest - columns_of(label))
        lines.append(f"{label}{padding}  {bar(value / top, most):<{most}} {text}")
    return lines


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
    top = max((*chart.values, *chart.high, 0.0)) or 1.0
    unit = f" {chart.unit}" if chart.unit else ""
    scale = [f"{top:,.0f}{unit}", *[""] * (HEIGHT - 2), f"0{unit}"]
    margin = max(map(len, scale))
    most = max(LEAST_WIDTH, min(MOST_COLUMNS, width - margin - 2))
    values, high = thinned(chart.values, most), thinned(chart.high, most)
    top = max((*values, *high, 0.0)) or 1.0
    scale[0] = f"{top:,.0f}{unit}"
    wide = 2 if len(values) * 2 <= most else 1
    lines = []
    for row, text in enumerate(scale):
        floor = HEIGHT - 1 - row
        cells = [rising(value / top, floor) for value in values]
        if high:
            shades = (rising(value / top, floor) != " " for value in high)
            cells = [
                SHADE if cell == " " and shade else cell
                for cell, shade in zip(cells, shades, strict=True)
            ]
        drawing = "".join(cell * wide for cell in cells)
        lines.append(f"{text:>{margin}} {drawing}".rstrip())
    gap = len(values) * wide - columns_of(chart.labels[0]) - columns_of(chart.labels[-1])
    lines.append(f"{'':>{margin}} {chart.labels[0]}{' ' * max(1, gap)}{chart.labels[-1]}")
    return lines


def rising(share: float, floor: int) -> str:
    """Return the part of a column that stands in one row, `floor` rows above the ground."""
    eighths = round(max(0.0, min(1.0, share)) * HEIGHT * 8) - floor * 8
    return RISING[max(0, min(8, eighths))]


def bar(share: float, most: int) -> str:
    """Return a lying bar, `most` columns long where the share is 1."""
    eighths = round(max(0.0, min(1.0, share)) * most * 8)
    return EIGHTHS[8] * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    from rich.cells import cell_len  # noqa: PLC0415 - two columns for a Chinese character

    return cell_len(text)
