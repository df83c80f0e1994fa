"""Cells as text: one way for people, one for programs."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from statistics import fmean

from kpay.domain.document import Band, Cell, Fan, Kind, Step, Waterfall
from kpay.domain.money import Money, format_major, format_minor
from kpay.domain.period import instant_text

NOTHING = "–"
RIGHT_KINDS = frozenset({"count", "money", "share", "number"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\x00")
LEAST_CHANGE = 0.0005  # less is written as 0.0%
STEERING = dict.fromkeys(
    (
        *(code for code in range(0x20) if chr(code) not in "\t\n"),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ),
    "\ufffd",
)
BARS = "▁▂▃▄▅▆▇█"


def for_people(cell: Cell, kind: Kind = "text") -> str:
    """Return a cell as it is read: grouped digits, currency signs, per cent, a dash for nothing."""
    if cell is None:
        return NOTHING
    if isinstance(cell, Money):
        return format_minor(cell.minor, cell.currency)
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return instant_text(cell).replace("T", " ").removesuffix("Z") + " UTC"
    if isinstance(cell, date):
        return cell.isoformat()
    if kind == "share" and isinstance(cell, int | float):
        return f"{cell:.1%}"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.3f}"
    return harmless(cell)


def harmless(text: str) -> str:
    """Return a text without what steers a terminal or turns the reading direction around.

    Buyers choose their names, and sellers elsewhere their products: an escape sequence in one of them
    would be run by the creator's terminal.
    """
    return text.translate(STEERING)


def for_programs(cell: Cell) -> str:
    """Return a cell for CSV: plain digits, empty for nothing; money as a decimal."""
    if cell is None:
        return ""
    if isinstance(cell, Money):
        return format_major(cell.minor, cell.currency)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return instant_text(cell)
    if isinstance(cell, str):
        return without_formula(cell)
    return str(cell)


def without_formula(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula (OWASP ASVS 5.0, 1.2.10)."""
    return f"'{text}" if text.lstrip(" \ufeff")[:1] in FORMULA_STARTS and text.strip() else text


def sparkline(values: tuple[float, ...], width: int | None = None) -> str:
    """Draw a row of bars, one a value or, beyond `width`, one for the mean of a few neighbours."""
    if not values:
        return ""
    if width:
        values = thinned(values, width)
    low, high = min(values), max(values)
    if high == low:
        return BARS[0 if high == 0 else 3] * len(values)
    step = (len(BARS) - 1) / (high - low)
    return "".join(BARS[round((value - low) * step)] for value in values)


def thinned(values: tuple[float, ...], most: int) -> tuple[float, ...]:
    """Return at most so many values: where there are more, means of neighbours."""
    if len(values) <= most:
        return values
    cuts = [round(index * len(values) / most) for index in range(most + 1)]
    return tuple(fmean(values[start:end]) for start, end in pairwise(cuts))


def change_text(change: float | None) -> str:
    """Write a change against an earlier value: "+12.0%", a dash where there is none."""
    if change is None:
        return NOTHING
    return f"{change:+.1%}" if is_felt(change) else "0.0%"


def is_felt(change: float | None) -> bool:
    """Say whether a change is more than nothing as it is written."""
    return change is not None and abs(change) >= LEAST_CHANGE


def amount_text(block: Waterfall, step: Step) -> str:
    """Write a step of a waterfall: changes with their sign, cents where any step has them."""
    is_whole = all(each.value == round(each.value) for each in block.steps)
    number = f"{step.value:,.{0 if is_whole else 2}f}"
    return f"+{number}" if step.value > 0 and not step.is_level else number


def fan_text(block: Fan, value: float) -> str:
    """Write a number of a fan: whole from a hundred on, as a range does not know its cents."""
    largest = max((abs(each) for each in (*block.past, *block.mean)), default=0.0)
    return f"{value:,.{0 if largest >= 100 else 2}f}"


def widest_band(block: Fan) -> Band | None:
    """Return the range with the highest level."""
    return max(block.bands, key=lambda band: band.level, default=None)
