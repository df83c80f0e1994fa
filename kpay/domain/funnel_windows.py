"""Whether the steps of a funnel were counted in the same days: else their rate means nothing.

Days without a count happen by chance where little happens. A gap is told apart from chance by how
likely it is at the rate of the other days: below one in a thousand, nothing was counted there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import exp, expm1
from typing import Final

BY_CHANCE: Final = 0.001
STEPS: Final = 200
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


def days_problem(counts: DayCounts, days: Sequence[date]) -> str | None:
    """Say why what was counted on some days cannot be set beside orders of all `days`."""
    counted = [day for day in days if counts.get(day)]
    missing = len(days) - len(counted)
    if not counted or not missing:
        return None
    usual = _usual_rate(sum(counts[day] for day in counted) / len(counted))
    if exp(-usual * missing) >= BY_CHANCE:
        return None
    return (
        f"traffic was counted on {len(counted)} of {len(days)} days ({counted[0]} to {counted[-1]}), "
        "orders on all of them: a rate needs the same days"
    )


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
