"""Waterfalls, fans and calibrations drawn with characters; see charts.py for lines and bars."""

from __future__ import annotations

from kpay.domain.document import Band, Calibration, Fan, Waterfall
from kpay.presentation.cells import (
    NOTHING,
    amount_text,
    fan_text,
    for_people,
    thinned,
    widest_band,
)
from kpay.presentation.charts import (
    HEIGHT,
    LEAST_WIDTH,
    MOST_COLUMNS,
    UNBOUND,
    WIDTH,
    bar,
    columns_of,
    rising,
)
from kpay.presentation.levels import Stretch, stretches

LEVEL, UP, DOWN = "█", "▓", "░"
SURE, LIKELY, POSSIBLE = "▓", "▒", "░"
MARK, CUT = "│", "▲"
USUAL, FAR = 0.95, 1.5


def waterfall_lines(block: Waterfall, width: int = UNBOUND) -> list[str]:
    """Return a row for each step: its bar floats from where the one before ended."""
    if not block.steps:
        return [NOTHING]
    parts = stretches(block)
    said = [amount_text(block, step) for step in block.steps]
    margin = max(columns_of(step.label) for step in block.steps)
    numbers = max(map(len, said))
    most = max(LEAST_WIDTH, min(WIDTH, width - margin - numbers - 4))
    low = min(part.low for part in parts)
    reach = (max(part.high for part in parts) - low) or 1.0
    lines = []
    for step, part, text in zip(block.steps, parts, said, strict=True):
        padding = " " * (margin - columns_of(step.label))
        drawn = _floating(part, low, most / reach, step.is_level)
        lines.append(f"{step.label}{padding}  {drawn:<{most}}  {text:>{numbers}}")
    return lines


def _floating(part: Stretch, low: float, scale: float, is_level: bool) -> str:
    start, end = round((part.low - low) * scale), round((part.high - low) * scale)
    if part.low == part.high:
        return ""
    sign = LEVEL if is_level else UP if part.is_rise else DOWN
    return " " * min(start, end - 1 if end else 0) + sign * max(1, end - start)


def fan_lines(block: Fan, width: int = UNBOUND) -> list[str]:
    """Return the past in solid columns and the future in shades, over their first and last labels.

    A few days of the past that stand far above all that is expected are cut, and told.
    """
    widest = widest_band(block)
    top = _top(block, widest)
    unit = f" {block.unit}" if block.unit else ""
    scale = [f"{fan_text(block, top)}{unit}", *[""] * (HEIGHT - 2), f"0{unit}"]
    margin = max(map(len, scale))
    past, ahead = _columns(block, max(LEAST_WIDTH, min(MOST_COLUMNS, width - margin - 2)))
    came = [value / top for value in thinned(block.past, past)]
    edges = [
        tuple(value / top for value in thinned(edge, ahead))
        for edge in ((widest.low, block.mean, widest.high) if widest else (block.mean,) * 3)
    ]
    lines = []
    for row, text in enumerate(scale):
        floor = HEIGHT - 1 - row
        solid = "".join(_solid(share, floor) for share in came)
        coming = "".join(
            _shade((floor + 0.5) / HEIGHT, *parts) for parts in zip(*edges, strict=True)
        )
        lines.append(f"{text:>{margin}} {solid}{MARK if past else ''}{coming}".rstrip())
    lines.append(" " * (margin + 1) + _ends(block, past, ahead))
    largest = max(block.past, default=0.0)
    cut = f"  {CUT} to {fan_text(block, largest)}{unit}" if any(map(_is_cut, came)) else ""
    return [*lines, *(f"{line}{cut}" for line in _legend(widest))]


def _top(block: Fan, widest: Band | None) -> float:
    """Return the top of the drawing: the largest number, of the past what is no outlier."""
    ahead = max((*block.mean, *(widest.high if widest else ()), 0.0))
    past = sorted(block.past)
    usual = past[int(USUAL * (len(past) - 1))] if past else 0.0
    largest = max((*past[-1:], 0.0))
    is_far = largest > FAR * max(ahead, usual) and ahead > 0
    return (max(ahead, usual) if is_far else max(ahead, largest)) or 1.0


def _is_cut(share: float) -> bool:
    return share > 1 + 1 / (2 * HEIGHT)


def _solid(share: float, floor: int) -> str:
    return CUT if floor == HEIGHT - 1 and _is_cut(share) else rising(share * HEIGHT, floor)


def _columns(block: Fan, most: int) -> tuple[int, int]:
    """Share the columns between past and future, each as many as its days where they fit.

    Neither is left without a column, however much longer the other is.
    """
    total = len(block.past) + len(block.mean)
    if total + 1 <= most:
        return len(block.past), len(block.mean)
    ahead = max(1, round((most - 1) * len(block.mean) / total)) if block.mean else 0
    ahead = min(ahead, most - 2) if block.past else ahead
    return min(len(block.past), most - 1 - ahead), ahead


def _shade(height: float, low: float, mean: float, high: float) -> str:
    if height <= low:
        return SURE
    return LIKELY if height <= mean else POSSIBLE if height <= high else " "


def _ends(block: Fan, past: int, ahead: int) -> str:
    """Return the first and the last label, and between them the first one ahead where it fits."""
    labels = (*block.past_labels, *block.labels)
    if not labels:
        return ""
    first, last = labels[0], labels[-1]
    columns = past + bool(past) + ahead
    gap = max(1, columns - columns_of(first) - columns_of(last))
    turn = block.labels[0] if past and block.labels else ""
    before = past + 1 - columns_of(first)
    after = gap - before - columns_of(turn)
    if turn and before > 0 and after > 0:
        return f"{first}{' ' * before}{turn}{' ' * after}{last}"
    return f"{first}{' ' * gap}{last}"


def _legend(widest: Band | None) -> list[str]:
    if widest is None:
        return []
    name = f"{widest.level} % range"
    return [f"█ past  {SURE} below the {name}  {LIKELY} to the mean  {POSSIBLE} to its top"]


def calibration_lines(block: Calibration) -> list[str]:
    """Return a row for each stated share: how often it came true, with a mark where it should be."""
    if not block.stated:
        return [NOTHING]
    stated = [for_people(share, "share") for share in block.stated]
    margin = max(map(len, stated))
    rows = zip(stated, block.stated, block.came, block.counts, strict=True)
    ranges = _ranges(block)
    return [
        f"{text:>{margin}}  {_against(came, share):<{WIDTH + 1}}  "
        f"{for_people(came, 'share'):>6} of {count:,}{said}"
        for (text, share, came, count), said in zip(rows, ranges, strict=True)
    ]


def _ranges(block: Calibration) -> list[str]:
    if not (block.low and block.high):
        return [""] * len(block.stated)
    return [
        f"  ({for_people(low, 'share')} to {for_people(high, 'share')})"
        for low, high in zip(block.low, block.high, strict=True)
    ]


def _against(came: float | None, stated: float) -> str:
    drawn = f"{bar(came or 0.0, WIDTH):<{WIDTH + 1}}"
    at = round(min(1.0, max(0.0, stated)) * WIDTH)
    return drawn[:at] + MARK + drawn[at + 1 :]
