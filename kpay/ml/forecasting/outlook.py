"""The forecast of one series: a weighted mean of small members, ranges, and its own backtest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.arrays import Floats, Ints
from kpay.ml.forecasting import paths, rolling
from kpay.ml.forecasting.rolling import OWN, YEARLY_SEASON_STEPS, Fold, Recipe

FEWEST_SEASONS: Final = 4
FEWEST_YEARLY_SEASONS: Final = 3
FEWEST_STEPS: Final = 12
FEWEST_FOLDS_TO_LOSE: Final = 4
LOST_SHARE: Final = 0.75
LARGEST_VALUE: Final = float(2**53 - 1)


@dataclass(frozen=True, slots=True)
class Backtest:
    """How the same recipe did at past origins; None where nothing could be measured.

    `mase` is the mean absolute error in units of the past's mean seasonal difference, and
    `baseline_mase` the seasonal naive's; coverage is the share of single steps inside the range.
    """

    folds: int
    mase: float | None
    baseline_mase: float | None
    coverage80: float | None
    coverage95: float | None
    total_error: float | None = None  # median absolute error of a fold's total, as a share of it
    baseline_total_error: float | None = None


NO_BACKTEST: Final = Backtest(0, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The expected value of each step, and 1,000 joint paths (draws, steps) around it."""

    model: str
    why: str
    mean: Floats
    draws: Floats
    weights: dict[str, float]
    backtest: Backtest


def outlook(
    values: Floats, steps: int, season: int, *, seed: int = 0, recipe: Recipe = OWN
) -> Outlook:
    """Forecast `steps` values after `values` (oldest first, not negative, finite).

    `season` is the number of steps after which a pattern repeats: 7 for days, 12 for months, 1 for
    none. Months of less than three years are taken without their season; too short a history gives its
    mean with a wide range.
    """
    past = np.asarray(values, dtype=float)
    season = _usable_season(past, season)
    if _is_short(past, season):
        return _of_the_mean(past, steps, season, seed)
    forecasts, known = rolling.forecasts_and_folds(past, steps, season, recipe)
    is_lost = _has_a_rival(past, season) and loses(known, season, recipe)
    weights = _weights(known, season, recipe, naive=is_lost)
    tested = backtest(known, season, seed, recipe, naive=is_lost)
    mean = np.clip(weights @ forecasts, 0.0, LARGEST_VALUE)
    unsure = paths.uncertainty(past, known, weights, mean, season)
    return Outlook(
        model="seasonal_naive" if is_lost else "combination",
        why=_reason(is_lost, tested),
        mean=mean,
        draws=paths.draw(mean, unsure, seed),
        weights=_named(weights, recipe),
        backtest=tested,
    )


def point(values: Floats, steps: int, season: int, *, recipe: Recipe = OWN) -> Floats:
    """Return the mean of `outlook` alone, without draws: a fifth of its time."""
    past = np.asarray(values, dtype=float)
    season = _usable_season(past, season)
    if _is_short(past, season):
        return _level(past, steps)
    forecasts, known = rolling.forecasts_and_folds(past, steps, season, recipe)
    is_lost = _has_a_rival(past, season) and loses(known, season, recipe)
    weights = _weights(known, season, recipe, naive=is_lost)
    return np.clip(weights @ forecasts, 0.0, LARGEST_VALUE)


def _usable_season(past: Floats, season: int) -> int:
    is_unseen = season >= YEARLY_SEASON_STEPS and len(past) < FEWEST_YEARLY_SEASONS * season
    return 1 if is_unseen else season


def _least(season: int) -> int:
    return max(FEWEST_STEPS, FEWEST_SEASONS * season if season < YEARLY_SEASON_STEPS else 0)


def _is_short(past: Floats, season: int) -> bool:
    return len(past) < _least(season)


def loses(known: list[Fold], season: int, recipe: Recipe = OWN) -> bool:
    """Whether the combination lost its own backtest to the seasonal naive.

    It has when its mean absolute and its mean squared error are larger, and so was its absolute error in
    three windows of four, of four at least. To leave it after a larger mean alone costs more than it
    saves, as few windows are noisy; and where most days sell nothing, 0 has the least absolute error.
    """
    folds = [fold for fold in known if fold.scale > 0]
    if len(folds) < FEWEST_FOLDS_TO_LOSE:
        return False
    ours = np.array([_errors(_combined(fold, known, season, recipe), fold) for fold in folds])
    naive = np.array([_errors(_said(recipe.naive_weights(), fold), fold) for fold in folds])
    is_larger = ours.mean(axis=0) > naive.mean(axis=0)
    return bool(is_larger.all() and (ours[:, 0] > naive[:, 0]).mean() >= LOST_SHARE)


def _has_a_rival(past: Floats, season: int) -> bool:
    """Whether the last season brought anything: one without would be sure of nothing for ever."""
    return bool(past[-season:].any())


def _combined(fold: Fold, known: list[Fold], season: int, recipe: Recipe) -> Floats:
    return _said(rolling.member_weights(_before(fold, known), season, recipe), fold)


def _said(weights: Floats, fold: Fold) -> Floats:
    return np.asarray(weights @ fold.forecasts)


def _errors(expected: Floats, fold: Fold) -> tuple[float, float]:
    """Return the mean absolute and the mean squared error of a fold, scaled."""
    missed = np.abs(fold.actual - expected) / fold.scale
    return float(missed.mean()), float((missed**2).mean())


def _weights(known: list[Fold], season: int, recipe: Recipe, *, naive: bool) -> Floats:
    return recipe.naive_weights() if naive else rolling.member_weights(known, season, recipe)


def _before(fold: Fold, known: list[Fold]) -> list[Fold]:
    return [earlier for earlier in known if earlier.end <= fold.origin]


def _reason(is_lost: bool, tested: Backtest) -> str:
    if tested.mase is None:
        return "nothing in the past to test on; the usual weights of the members"
    if is_lost:
        return (
            "the combination did worse than the seasonal naive in at least three of four "
            f"of {tested.folds} past windows"
        )
    return f"members weighted by their errors in {tested.folds} past windows"


def _of_the_mean(past: Floats, steps: int, season: int, seed: int) -> Outlook:
    mean = _level(past, steps)
    unsure = paths.uncertainty(past, [], np.empty(0), mean, season)
    why = (
        f"{len(past)} {'value is' if len(past) == 1 else 'values are'} too few for a pattern "
        f"({_least(season)} are needed): "
        "their mean, a wide range"
    )
    return Outlook("mean", why, mean, paths.draw(mean, unsure, seed), {}, NO_BACKTEST)


def _level(past: Floats, steps: int) -> Floats:
    level = float(past.mean()) if len(past) else 0.0
    return np.full(steps, min(level, LARGEST_VALUE))


def _named(weights: Floats, recipe: Recipe) -> dict[str, float]:
    named = zip(recipe.names, weights, strict=True)
    return {name: round(float(weight), 4) for name, weight in named if weight > 0}


def backtest(
    known: list[Fold], season: int, seed: int = 0, recipe: Recipe = OWN, *, naive: bool = False
) -> Backtest:
    """Repeat the whole recipe at past origins, each with what was over by then."""
    rows = [
        _test_fold(fold, _before(fold, known), season, seed, recipe, naive=naive)
        for fold in known
        if fold.scale > 0
    ]
    if not rows:
        return NO_BACKTEST
    mase, baseline, inside80, inside95, missed, baseline_missed = np.array(rows).T
    return Backtest(
        folds=len(rows),
        mase=float(mase.mean()),
        baseline_mase=float(baseline.mean()),
        coverage80=float(inside80.mean()),
        coverage95=float(inside95.mean()),
        total_error=_median(missed),
        baseline_total_error=_median(baseline_missed),
    )


def _median(shares: Floats) -> float | None:
    return None if np.isnan(shares).all() else float(np.nanmedian(shares))


def _test_fold(
    fold: Fold, before: list[Fold], season: int, seed: int, recipe: Recipe, *, naive: bool
) -> tuple[float, ...]:
    weights = _weights(before, season, recipe, naive=naive)
    point = _said(weights, fold)
    draws = paths.draw(point, paths.uncertainty(fold.past, before, weights, point, season), seed)
    (low80, high80), (low95, high95) = paths.bounds(draws, 80), paths.bounds(draws, 95)
    actual, baseline = fold.actual, _said(recipe.naive_weights(), fold)
    return (
        _errors(point, fold)[0],
        _errors(baseline, fold)[0],
        float(((actual >= low80) & (actual <= high80)).mean()),
        float(((actual >= low95) & (actual <= high95)).mean()),
        _share_missed(point, actual),
        _share_missed(baseline, actual),
    )


def _share_missed(expected: Floats, actual: Floats) -> float:
    total = float(actual.sum())
    return abs(float(expected.sum()) - total) / total if total > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Range:
    """Whole units: the expected sum of some steps and the bounds of each level in percent."""

    mean: int
    bounds: dict[int, tuple[int, int]]


def whole_steps(mean: Floats) -> Ints:
    """Round step means so that every running sum is the rounded running sum, to the unit."""
    running = np.rint(np.clip(np.cumsum(mean), 0.0, LARGEST_VALUE)).astype(np.int64)
    return np.diff(running, prepend=0)


def ranges(
    mean: Floats, draws: Floats, groups: Sequence[Sequence[int]], levels: Sequence[int]
) -> list[Range]:
    """Sum steps by groups of their indices; all sums come from the same means and the same paths."""
    whole = whole_steps(mean)
    return [
        _range(int(whole[list(group)].sum()), draws[:, list(group)], levels) for group in groups
    ]


def _range(mean: int, draws: Floats, levels: Sequence[int]) -> Range:
    sums = np.clip(draws.sum(axis=1), 0.0, LARGEST_VALUE)
    bounds = {}
    for level in levels:
        low, high = paths.bounds(sums, level)
        bounds[level] = (min(mean, int(np.floor(low))), max(mean, int(np.ceil(high))))
    return Range(mean, bounds)
