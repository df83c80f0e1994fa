"""Series of days, weeks or months: how they are laid out, and which steps belong together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, get_args

from kpay.domain.period import add_months, month_start

Step = Literal["day", "week", "month"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
SEASON_STEPS: Final[dict[Step, int]] = {"day": 7, "week": 1, "month": 12}
DAYS_A_STEP: Final[dict[Step, int]] = {"day": 1, "week": 7, "month": 30}


def steps_in(horizon_days: int, step: Step) -> int:
    """Return how many whole steps a horizon asks for, at least one: 90 days are 13 weeks, 3 months."""
    exact = horizon_days / DAYS_A_STEP[step]
    return max(1, round(exact) if step == "month" else -int(-exact // 1))


def following(day: date, step: Step, count: int) -> date:
    """Return the first day of the `count`-th step after the one that begins with `day`."""
    if step == "month":
        return add_months(day, count)
    return day + timedelta(days=DAYS_A_STEP[step] * count)


@dataclass(frozen=True, slots=True)
class Group:
    """Steps that are printed as one: where the group starts, and the indices of its steps."""

    start: date
    indices: tuple[int, ...]

    def last_day(self, step: Step) -> date:
        """Return the last day of the group, whose steps are of one kind."""
        return following(self.start, step, len(self.indices)) - timedelta(days=1)

    def is_whole(self, freq: Step) -> bool:
        """Say whether days make a whole week from Monday, or a whole calendar month."""
        after = self.last_day("day") + timedelta(days=1)
        if freq == "month":
            return self.start.day == 1 and after == add_months(self.start, 1)
        return len(self.indices) == DAYS_A_STEP[freq]


def grouped(first: date, step: Step, count: int, freq: Step) -> list[Group]:
    """Gather `count` steps from `first` on into days, Monday weeks or calendar months.

    A group that is only partly ahead starts with its first step ahead. Weeks are not cut into months:
    steps that are no days stay as they are.
    """
    starts = [following(first, step, at) for at in range(count)]
    if freq == step or step != "day":
        return [Group(start, (at,)) for at, start in enumerate(starts)]
    found: dict[date, list[int]] = {}
    for at, start in enumerate(starts):
        found.setdefault(_group_start(start, freq), []).append(at)
    return [Group(starts[indices[0]], tuple(indices)) for indices in found.values()]


def _group_start(day: date, freq: Step) -> date:
    return month_start(day) if freq == "month" else day - timedelta(days=day.weekday())
