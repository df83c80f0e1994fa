"""What the columns of the models are called by people, and how their values are read.

Columns of one theme say the same thing in several ways: a reason is given once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, expm1, isfinite
from typing import Literal

Kind = Literal["days", "ago", "count", "share", "multiple", "number", "log", "log_odds"]
WINDOWS_DAYS = (30, 60, 90, 180, 365)
HALF_LIVES_DAYS = (14, 45, 120)


@dataclass(frozen=True, slots=True)
class Words:
    """The theme a column belongs to, how its values are read, and its name as a heading."""

    theme: str
    kind: Kind
    title: str


def table(theme: str, rows: Iterable[tuple[str, Kind, str]]) -> dict[str, Words]:
    """Return the words of the columns of one theme."""
    return {name: Words(theme, kind, title) for name, kind, title in rows}


def shown(kind: Kind, value: float | None) -> str:
    """Return a value as it is read; None is a value that is undefined."""
    if value is None or not isfinite(value):
        return "never" if kind == "ago" else "not known"
    if kind in ("share", "log_odds"):
        return _percent(plainly(kind, value))
    if kind in ("days", "ago", "count"):
        return _plain(value, 1 if value % 1 else 0)
    return _plain(plainly(kind, value), 2)


def plainly(kind: Kind, value: float) -> float:
    """Return a value on a scale that people read: no logarithms."""
    if kind == "log_odds":
        return 1 / (1 + exp(-value))
    return expm1(value) if kind == "log" else value


def counted(value: float, unit: str) -> str:
    """Return a count with its unit: "1 day", "3 days"."""
    text = _plain(value, 1 if value % 1 else 0)
    return f"{text} {unit}" if text == "1" else f"{text} {unit}s"


def _percent(value: float) -> str:
    is_plain = 0.0995 <= value <= 0.9005 or value in (0, 1)
    return f"{value:.0%}" if is_plain else f"{value:.1%}"


def _plain(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return "0" if float(text.replace(",", "")) == 0 else text.removesuffix(".0")


SILENCE = table(
    "rhythm",
    [
        ("recency_days", "ago", "Days since the last purchase"),
        ("log_recency", "log", "Days since the last purchase, as a logarithm"),
        ("overdue", "multiple", "Days since the last purchase, in usual gaps"),
        ("silence_to_longest", "multiple", "Days since the last purchase, in longest gaps"),
        ("due_in_days", "days", "Days until the next purchase would be usual"),
    ],
)
RHYTHM = table(
    "rhythm",
    [
        ("mean_gap_days", "days", "Usual days between purchases"),
        ("gap_spread_days", "days", "How much the days between purchases vary"),
        ("last_gap_days", "days", "Days between the last two purchases"),
        ("gap_trend", "multiple", "Last gap between purchases, in usual gaps"),
        ("gap_irregularity", "multiple", "How much the gaps vary, in usual gaps"),
        ("shortest_gap_days", "days", "Shortest days between purchases"),
        ("median_gap_days", "days", "Median days between purchases"),
        ("longest_gap_days", "days", "Longest days between purchases"),
    ],
)
FREQUENCY = table(
    "rhythm",
    [
        ("days_bought", "count", "Days with a purchase"),
        ("log_repeats", "log", "Repeat purchases, as a logarithm"),
        ("lines", "count", "Items bought"),
        ("contents", "count", "Different pieces bought"),
        ("lines_a_day", "number", "Items in a purchase"),
        ("contents_share", "share", "Share of items that were new to them"),
        ("pace", "number", "Purchases a day since the first one"),
    ],
)
LATELY = table(
    "rhythm",
    [
        *((f"days_bought_{days}", "count", f"Purchases in the last {days} days") for days in WINDOWS_DAYS),
        *((f"log_fading_{days}", "log", f"Purchases of late: each counts half after {days} days") for days in HALF_LIVES_DAYS),
        ("new_contents_90", "count", "Pieces bought for the first time in the last 90 days"),
        ("recent_share", "share", "Share of purchases that fell in the last 90 days"),
    ],
)  # fmt: skip
MONEY = table(
    "money",
    [
        ("mean_value", "multiple", "Mean purchase, in usual purchases"),
        ("log_mean_value", "log", "Mean purchase, as a logarithm"),
        ("value", "multiple", "Everything spent, in usual purchases"),
        ("largest_value", "multiple", "Largest purchase, in usual purchases"),
        ("last_value", "multiple", "Last purchase, in usual purchases"),
        ("value_trend", "multiple", "Last purchase, in their own mean purchases"),
    ],
)
SPENT_LATELY = table(
    "money",
    [
        *((f"value_{days}", "multiple", f"Spent in the last {days} days, in usual purchases") for days in WINDOWS_DAYS),
        ("recent_value_share", "share", "Share of the money that was spent in the last 90 days"),
    ],
)  # fmt: skip
TENURE = table(
    "tenure",
    [
        ("tenure_days", "days", "Days since the first purchase"),
        ("log_tenure", "log", "Days since the first purchase, as a logarithm"),
    ],
)
PATTERN = table(
    "rhythm",
    [
        ("bg_logit", "log_odds", "Chance of a purchase by buying rhythm alone"),
        ("bg_alive", "share", "Chance that they still buy, by buying rhythm"),
        ("bg_weekly_rate", "number", "Purchases a week while they still buy"),
    ],
)
PRIOR = table(
    "prior",
    [
        ("prior_logit", "log_odds", "Chance before other things are looked at"),
    ],
)
PURCHASES = {
    **SILENCE,
    **RHYTHM,
    **FREQUENCY,
    **LATELY,
    **MONEY,
    **SPENT_LATELY,
    **TENURE,
    **PATTERN,
    **PRIOR,
}
"""The words of everything that purchases alone tell."""
