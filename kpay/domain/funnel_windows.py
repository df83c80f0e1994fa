"""Whether the steps of a funnel were counted in the same days: else their rate means nothing.

Days without a count happen by chance where little happens. A gap is told apart from chance by how
likely it is at the rate of the other days: below one in a thousand, nothing was counted there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from math import exp, expm1
from typing import Final

BY_CHANCE: Final = 0.001
STEPS: Final = 200
WEEK_DAYS: Final = 7
MONTH_DAYS: Final = 31
FEWEST_WEEKS: Final = 2
DayCounts = Mapping[date, int]


def click_problem(visits: DayCounts, clicks: DayCounts) -> str | None:
    """Say why clicks and visits are not steps of one funnel; None where they may be."""
    seen, clicked = _days(visits), _days(clicks)
    if not seen or not clicked:
        return None
    total = sum(clicks.values())
    if total > sum(visits.values()):
        return "more clicks than visits were counted, so they are not steps of one funnel"
    first, last = clicked[0], clicked[-1]
    within = sum(count for day, count in visits.items() if first <= day <= last)
    outside = sum(visits.values()) - within
    blind = sum(count for day, count in clicks.items() if not visits.get(day))
    if blind or _is_unlikely(outside, min(1.0, total / max(within, 1))):
        return (
            f"visits were counted from {seen[0]} to {seen[-1]}, clicks from {first} to {last}: "
            "a rate needs the same days"
        )
    return None


def is_uncounted(visits: int, usual_share: float) -> bool:
    """Say whether so many visits without one click mean that clicks were not counted."""
    return _is_unlikely(visits, usual_share)


def spacing_days(counted: Sequence[date]) -> int:
    """Return how many days one row of traffic stands for: 7 or 31 where rows are sums of weeks or months.

    `counted` are all days that have traffic, oldest first.
    """
    gaps = [(later - earlier).days for earlier, later in pairwise(counted)]
    if len(gaps) >= FEWEST_WEEKS and set(gaps) == {WEEK_DAYS}:
        return WEEK_DAYS
    is_monthly = gaps and len({day.day for day in counted}) == 1
    return MONTH_DAYS if is_monthly and max(gaps) <= MONTH_DAYS else 1


def days_problem(counts: DayCounts, days: Sequence[date], spacing: int = 1) -> str | None:
    """Say why what was counted on some days cannot be set beside orders of all `days`.

    Where a row stands for several days, only a longer stretch without one is a gap.
    """
    counted = [day for day in days if counts.get(day)]
    missing = len(days) - len(counted)
    if not counted or not missing:
        return None
    if spacing > 1:
        is_gap = _longest_gap(counted, days) >= spacing
    else:
        usual = _usual_rate(sum(counts[day] for day in counted) / len(counted))
        is_gap = exp(-usual * missing) < BY_CHANCE
    if not is_gap:
        return None
    return (
        f"traffic was counted on {len(counted)} of {len(days)} days ({counted[0]} to {counted[-1]}), "
        "orders on all of them: a rate needs the same days"
    )


def _longest_gap(counted: Sequence[date], days: Sequence[date]) -> int:
    """Return the longest stretch of days without a count, at the ends too."""
    inner = [(later - earlier).days - 1 for earlier, later in pairwise(counted)]
    return max([(counted[0] - days[0]).days, (days[-1] - counted[-1]).days, *inner])


def longest_run(counts: DayCounts, days: Sequence[date]) -> tuple[date, date] | None:
    """Return the first and last day of the longest stretch of days that all have a count."""
    best: list[date] = []
    run: list[date] = []
    for day in days:
        run = [*run, day] if counts.get(day) else []
        best = run if len(run) > len(best) else best
    return (best[0], best[-1]) if best else None


def _usual_rate(mean_of_counted: float) -> float:
    """Return a day's rate from the mean of the days that have a count (Poisson without its zeros)."""
    rate = mean_of_counted
    for _ in range(STEPS):
        rate = mean_of_counted * -expm1(-rate)
    return rate


def _days(counts: DayCounts) -> list[date]:
    return sorted(day for day, count in counts.items() if count)


def _is_unlikely(tries: int, share: float) -> bool:
    """Say whether so many tries without a success are unlikely at a rate."""
    return bool((1 - share) ** tries < BY_CHANCE) if tries else False
