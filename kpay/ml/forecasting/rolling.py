"""Rolling origins: what every member would have said at past steps, beside what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from kpay.ml.arrays import Floats
from kpay.ml.forecasting.members import MEMBERS, every_member
from kpay.ml.forecasting.seasons import FEWEST_TURNS

FOLDS_A_HORIZON: Final = 2  # origins are half a horizon apart
LEAST_PAST_STEPS: Final = 12
YEARLY_SEASON_STEPS: Final = 12
PRIOR_WEIGHTS: Final = {  # days and weeks: launches come and go, an old mean says much
    "theta": 1.0,
    "level": 0.7,
    "damped_trend": 0.5,
    "season_mean": 1.0,
    "long_mean": 1.5,
    "last_years": 1.0,
    "seasonal_naive": 0.1,
}
YEARLY_PRIOR_WEIGHTS: Final = {  # months grow: an old mean says little, last year much
    "theta": 1.0,
    "damped_trend": 0.7,
    "root_damped_trend": 1.0,
    "seasonal_naive": 0.5,
    "seasonal_drift": 0.5,
}
Members: TypeAlias = Callable[[Floats, Sequence[int], int, int], Floats]
SHARPNESS: Final = 4.0  # a member with twice the error gets a sixteenth of the weight
PRIOR_FOLDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which members speak, what each counts before anything is known, and how many folds are asked.

    `forecasts(values, origins, steps, season)` returns (origins, members, steps); one of the members is
    "seasonal_naive".
    """

    names: tuple[str, ...]
    forecasts: Members
    prior: Callable[[int], Floats]
    most_folds: int

    def naive_weights(self) -> Floats:
        """Return the weights that leave only the seasonal naive."""
        return np.array([float(name == "seasonal_naive") for name in self.names])


def prior_weights(season: int) -> Floats:
    """Return what each of our own members counts before its errors are known."""
    usual = YEARLY_PRIOR_WEIGHTS if season >= YEARLY_SEASON_STEPS else PRIOR_WEIGHTS
    prior = np.array([usual.get(name, 0.0) for name in MEMBERS])
    if season == 1:
        prior[MEMBERS.index("season_mean")] = 0.0  # the mean of eight steps: no pattern to find
    return np.asarray(prior / prior.sum())


OWN: Final = Recipe(MEMBERS, every_member, prior_weights, 12)


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


def forecasts_and_folds(
    values: Floats, steps: int, season: int, recipe: Recipe = OWN
) -> tuple[Floats, list[Fold]]:
    """Return the members' forecasts (members, steps), and the folds, newest first.

    A short history gets shorter folds, or none.
    """
    least_past = max(LEAST_PAST_STEPS, FEWEST_TURNS * season)
    length = min(steps, max(season, (len(values) - least_past) // 2))
    stride = max(1, length // FOLDS_A_HORIZON)
    origins = list(range(len(values) - length, least_past - 1, -stride))[: recipe.most_folds]
    found = recipe.forecasts(values, [len(values), *origins], steps, season)
    folds = [
        _fold(values, origin, said[:, :length], season)
        for origin, said in zip(origins, found[1:], strict=True)
    ]
    return found[0], folds


def _fold(values: Floats, origin: int, forecasts: Floats, season: int) -> Fold:
    past = values[:origin]
    came = values[origin : origin + forecasts.shape[1]]
    return Fold(origin, past, forecasts, came, float(np.abs(past[season:] - past[:-season]).mean()))


def member_weights(known: list[Fold], season: int, recipe: Recipe = OWN) -> Floats:
    """Return the weight of each member: a prior, sharpened by its absolute errors so far."""
    prior = recipe.prior(season)
    if not known:
        return prior
    errors = np.mean([np.abs(fold.forecasts - fold.actual).mean(axis=1) for fold in known], axis=0)
    middle = float(np.median(errors[prior > 0]))
    if middle <= 0:
        return prior
    trust = len(known) / (len(known) + PRIOR_FOLDS)
    weight = prior * np.maximum(errors / middle, 1e-3) ** (-SHARPNESS * trust)
    return np.asarray(weight / weight.sum())
