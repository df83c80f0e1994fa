"""Charts drawn with characters, one row a value, so that they survive any terminal and any pipe."""

from __future__ import annotations

from kpay.domain.document import Chart
from kpay.presentation.cells import NOTHING

WIDTH = 40
EIGHTHS = " ▏▎▍▌▋▊▉█"


def chart_lines(chart: Chart) -> list[str]:
    """Return one line a label: label, bar, value, and the range where the chart has a band."""
    if not chart.values:
        return [NOTHING]
    longest = max(map(_cells, chart.labels))
    top = max((*chart.values, *chart.high, 0.0)) or 1.0
    lines = []
    for index, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        padding = " " * (longest - _cells(label))
        text = f"{label}{padding}  {_bar(value / top):<{WIDTH}} {value:,.0f}{chart.unit}"
        if chart.low and chart.high:
            text += f"  ({chart.low[index]:,.0f} to {chart.high[index]:,.0f})"
        lines.append(text)
    return lines


def _bar(share: float) -> str:
    eighths = round(max(0.0, min(1.0, share)) * WIDTH * 8)
    return EIGHTHS[8] * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def _cells(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - two columns for a Chinese character

    return cell_len(text)
