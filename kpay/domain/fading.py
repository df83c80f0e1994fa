"""How the sales of a piece go on after it came out: how soon half of them were made, and what is left.

The half-life is the median day of the orders of a first stretch, at most 180 days, counted from the day it
came out. Steady sales would have it in the middle of the stretch. Its range is that of a median
whatever the shape of the sales: order statistics with binomial ranks (David and Nagaraja 2003, 7.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, floor, sqrt
from typing import Final

from kpay.domain.experiment import critical_value, wilson

STRETCH_DAYS: Final = 180
YOUNGEST_DAYS: Final = 28
FEWEST_ORDERS: Final = 10
PACE_DAYS: Final = 90
LEVEL: Final = 0.95


class Pace(StrEnum):
    """Whether a piece still sells."""

    NEVER = "never sold"
    NEW = "new"
    SELLING = "still selling"
    SLOWING = "slowing"
    FADED = "faded"
    SILENT = "nothing lately"
    GONE = "off sale"


@dataclass(frozen=True, slots=True)
class Fading:
    """What became of a piece's sales; figures that too few orders or days leave open are None.

    `stretch_days` is the stretch whose half the half-life is of.
    """

    pace: Pace
    age_days: int
    first_orders: int
    recent_orders: int | None
    stretch_days: int | None = None
    half_life_days: int | None = None
    half_life_low: int | None = None
    half_life_high: int | None = None


def fading(days: Sequence[int], age_days: int, *, is_on_sale: bool) -> Fading:
    """Measure orders by the days after the piece came out on which they were placed, ascending.

    `age_days` is how many days it has been out; nothing was sold on or after that day.
    """
    stretch = min(age_days, STRETCH_DAYS)
    early = [day for day in days if day < stretch]
    first = sum(day < PACE_DAYS for day in days)
    recent = sum(day >= age_days - PACE_DAYS for day in days) if age_days >= PACE_DAYS else None
    pace = _pace(len(days), age_days, first, recent, is_on_sale=is_on_sale)
    if stretch < YOUNGEST_DAYS or len(early) < FEWEST_ORDERS:
        return Fading(pace, age_days, first, recent)
    low, high = _median_ranks(len(early))
    half = early[(len(early) - 1) // 2]
    return Fading(pace, age_days, first, recent, stretch, half, early[low], early[high])


def _pace(orders: int, age_days: int, first: int, recent: int | None, *, is_on_sale: bool) -> Pace:
    if not orders:
        return Pace.NEVER
    if not is_on_sale:
        return Pace.GONE
    if recent is None:
        return Pace.NEW
    if not recent:
        return Pace.SILENT
    if age_days < 2 * PACE_DAYS:
        return Pace.SELLING
    return _against_first(first, recent)


def _against_first(first: int, recent: int) -> Pace:
    """Compare two equal stretches: of their orders, which share is recent (a binomial given the sum)."""
    high = wilson(recent, first + recent, critical_value(LEVEL))[1]
    if high < 1 / 3:  # less than half the pace of the first stretch
        return Pace.FADED
    return Pace.SLOWING if high < 1 / 2 else Pace.SELLING


def _median_ranks(count: int) -> tuple[int, int]:
    half = critical_value(LEVEL) * sqrt(count) / 2
    return max(0, floor(count / 2 - half) - 1), min(count - 1, ceil(count / 2 + half))
