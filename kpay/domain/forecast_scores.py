"""How earlier forecasts did: what they said, what came, and how often their ranges held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from kpay.domain.experiment import USUAL_LEVEL, critical_value, wilson
from kpay.domain.period import instant_text

CALIBRATED: Final = (50, 80, 95)


@dataclass(frozen=True, slots=True)
class Score:
    """One stored forecast against what came on those of its days that are over.

    `bounds` are the ranges of the sum over these days, by level in percent; `as_before_minor` is what
    as many days before it brought, the simplest forecast there is.
    """

    run: str
    as_of: date
    made_at: datetime
    horizon_days: int
    days_over: int
    currency: str
    expected_minor: int
    bounds: dict[int, tuple[int, int]]
    came_minor: int
    as_before_minor: int
    is_made_before: bool

    @property
    def error_minor(self) -> int:
        """What came less what was expected."""
        return self.came_minor - self.expected_minor

    def error_share(self, said_minor: int) -> float | None:
        """Return by which share of what came a forecast was off; None where nothing came."""
        return abs(self.came_minor - said_minor) / self.came_minor if self.came_minor > 0 else None

    def is_inside(self, level: int) -> bool | None:
        """Say whether what came lay in a range; None where the forecast had none of that level."""
        if level not in self.bounds:
            return None
        low, high = self.bounds[level]
        return low <= self.came_minor <= high

    def to_json(self) -> dict[str, Any]:
        """Return the keys of one forecast."""
        return {
            "run": self.run,
            "as_of": self.as_of.isoformat(),
            "made_at": instant_text(self.made_at),
            "made_before": self.is_made_before,
            "horizon_days": self.horizon_days,
            "days_over": self.days_over,
            "currency": self.currency,
            "expected_minor": self.expected_minor,
            "came_minor": self.came_minor,
            "error_minor": self.error_minor,
            "error_share": self.error_share(self.expected_minor),
            "as_before_minor": self.as_before_minor,
            "as_before_error_share": self.error_share(self.as_before_minor),
            **{f"inside{level}": self.is_inside(level) for level in CALIBRATED},
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often a range held, and between which shares that lies by chance (Wilson, 95 %).

    Forecasts whose days overlap share their luck: they count as so many as have days of their own.
    """

    level: int
    inside: int
    of: int
    low: float | None
    high: float | None

    @property
    def share(self) -> float | None:
        """The share that held; None without a forecast."""
        return self.inside / self.of if self.of else None


def coverage(scores: Sequence[Score], level: int) -> Coverage:
    """Count how often the ranges of a level held."""
    held = [score.is_inside(level) for score in scores]
    known = [answer for answer in held if answer is not None]
    if not known:
        return Coverage(level, 0, 0, None, None)
    share = sum(known) / len(known)
    count = min(float(len(known)), _independent(scores))
    low, high = wilson(share * count, count, critical_value(USUAL_LEVEL))
    return Coverage(level, sum(known), len(known), low, high)


def _independent(scores: Sequence[Score]) -> float:
    """Return how many forecasts without common days the scores are worth, at least one."""
    days = {
        score.as_of.toordinal() + ahead
        for score in scores
        for ahead in range(1, score.days_over + 1)
    }
    usual = sum(score.days_over for score in scores) / len(scores)
    return max(1.0, len(days) / usual)
