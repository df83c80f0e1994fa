"""Rolling origins: what every member would have said at past days, beside what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.forecasting.members import MEMBERS
from kpay.ml.frames import Floats

MOST_FOLDS: Final = 8
FOLDS_A_HORIZON: Final = 2  # origins are half a horizon apart
LEAST_PAST_SEASONS: Final = 4
LEAST_PAST_STEPS: Final = 12
PRIOR_WEIGHTS: Final = {
    "lite": 0.35,
    "seasonal_mean": 0.25,
    "recent_mean": 0.15,
    "long_mean": 0.2,
    "seasonal_naive": 0.05,
}
YEARLY_PRIOR_WEIGHTS: Final = {  # months trend: an old mean says little
    "lite": 0.68,
    "seasonal_mean": 0.01,
    "recent_mean": 0.01,
    "long_mean": 0.01,
    "seasonal_naive": 0.29,
}
YEARLY_SEASON_STEPS: Final = 12
SHARPNESS: Final = 4.0  # a member with twice the error gets a sixteenth of the weight
PRIOR_FOLDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Fold:
    """Forecasts (members, steps) made when `origin` values were known, and the values that came."""

    origin: int
    past: Floats
    forecasts: Floats
    actual: Floats
    scale: float  # mean absolute seasonal difference of the past, for MASE

    @property
    def end(self) -> int:
        """The first step that is not part of the fold."""
        return self.origin + len(self.actual)


def every_member(past: Floats, steps: int, season: int) -> Floats:
    """Return the forecasts of all members, (members, steps)."""
    return np.array([member(past, steps, season) for member in MEMBERS.values()])


def folds(values: Floats, steps: int, season: int) -> list[Fold]:
    """Return up to eight folds, newest first; a short history gets shorter ones, or none."""
    least_past = max(LEAST_PAST_STEPS, LEAST_PAST_SEASONS * season)
    length = min(steps, max(season, (len(values) - least_past) // 2))
    stride = max(1, length // FOLDS_A_HORIZON)
    origins = range(len(values) - length, least_past - 1, -stride)
    return [_fold(values, origin, length, season) for origin in origins[:MOST_FOLDS]]


def _fold(values: Floats, origin: int, length: int, season: int) -> Fold:
    past = values[:origin]
    return Fold(
        origin,
        past,
        every_member(past, length, season),
        values[origin : origin + length],
        float(np.abs(past[season:] - past[:-season]).mean()),
    )


def member_weights(known: list[Fold], season: int) -> Floats:
    """Return the weight of each member: a prior, sharpened by its absolute errors so far."""
    usual = YEARLY_PRIOR_WEIGHTS if season >= YEARLY_SEASON_STEPS else PRIOR_WEIGHTS
    prior = np.array([usual[name] for name in MEMBERS])
    if not known:
        return prior
    errors = np.mean([np.abs(fold.forecasts - fold.actual).mean(axis=1) for fold in known], axis=0)
    middle = float(np.median(errors))
    if middle <= 0:
        return prior
    trust = len(known) / (len(known) + PRIOR_FOLDS)
    weight = prior * np.maximum(errors / middle, 1e-3) ** (-SHARPNESS * trust)
    return np.asarray(weight / weight.sum())
