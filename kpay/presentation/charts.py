"""Charts drawn with characters, so that they survive any terminal and any pipe.

Bars lie, one row a value; a line of many values stands, one or two columns a value.
"""

from __future__ import annotations

from kpay.domain.document import Chart
from kpay.presentation.cells import NOTHING, thinned

WIDTH = 40
EIGHTHS = " ▏▎▍▌▋▊▉█"
RISING = " ▁▂▃▄▅▆▇█"
SHADE = "░"
HEIGHT = 8
MOST_ROWS = 16
MOST_COLUMNS = 64


def chart_lines(chart: Chart) -> list[str]:
    """Return a chart as lines of text; a band is a range in words, or shade above the columns."""
    if not chart.values:
        return [NOTHING]
    is_long = chart.style == "line" and len(chart.values) > MOST_ROWS
    return _standing(chart) if is_long else _lying(chart)


def _lying(chart: Chart) -> list[str]:
    longest = max(map(_cells, chart.labels))
    top = max((*chart.values, *chart.high, 0.0)) or 1.0
    lines = []
    for index, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        padding = " " * (longest - _cells(label))
        text = f"{label}{padding}  {_bar(value / top):<{WIDTH}} {value:,.0f} {chart.unit}".rstrip()
        if chart.low and chart.high:
            text += f"  ({chart.low[index]:,.0f} to {chart.high[index]:,.0f})"
        lines.append(text)
    return lines


def _standing(chart: Chart) -> list[str]:
    """Draw columns over a common floor; below it the first and the last label."""
    values, high = thinned(chart.values, MOST_COLUMNS), thinned(chart.high, MOST_COLUMNS)
    top = max((*values, *high, 0.0)) or 1.0
    wide = 2 if len(values) * 2 <= MOST_COLUMNS else 1
    unit = f" {chart.unit}" if chart.unit else ""
    scale = [f"{top:,.0f}{unit}", *[""] * (HEIGHT - 2), f"0{unit}"]
    margin = max(map(len, scale))
    lines = []
    for row, text in enumerate(scale):
        floor = HEIGHT - 1 - row
        cells = [_rising(value / top, floor) for value in values]
        if high:
            shades = (_rising(value / top, floor) != " " for value in high)
            cells = [
                SHADE if cell == " " and shade else cell
                for cell, shade in zip(cells, shades, strict=True)
            ]
        drawing = "".join(cell * wide for cell in cells)
        lines.append(f"{text:>{margin}} {drawing}".rstrip())
    gap = len(values) * wide - _cells(chart.labels[0]) - _cells(chart.labels[-1])
    lines.append(f"{'':>{margin}} {chart.labels[0]}{' ' * max(1, gap)}{chart.labels[-1]}")
    return lines


def _rising(share: float, floor: int) -> str:
    """Return the part of a column that stands in one row, `floor` rows above the ground."""
    eighths = round(max(0.0, min(1.0, share)) * HEIGHT * 8) - floor * 8
    return RISING[max(0, min(8, eighths))]


def _bar(share: float) -> str:
    eighths = round(max(0.0, min(1.0, share)) * WIDTH * 8)
    return EIGHTHS[8] * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def _cells(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - two columns for a Chinese character

    return cell_len(text)
