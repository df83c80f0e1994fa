"""The forecast of one series: a weighted mean of small members, ranges, and its own backtest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.forecasting import paths, rolling
from kpay.ml.forecasting.members import MEMBERS
from kpay.ml.forecasting.rolling import YEARLY_SEASON_STEPS, Fold
from kpay.ml.frames import Floats, Ints

FEWEST_SEASONS: Final = 4
FEWEST_STEPS: Final = 12
BACKTEST_FOLDS: Final = 6
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


def outlook(values: Floats, steps: int, season: int, *, seed: int = 0) -> Outlook:
    """Forecast `steps` values after `values` (oldest first, not negative, finite).

    `season` is the number of steps after which a pattern repeats: 7 for days, 12 for months, 1 for
    none. Months of less than four years are taken without their season; too short a history gives its
    mean with a wide range.
    """
    past = np.asarray(values, dtype=float)
    if season >= YEARLY_SEASON_STEPS and len(past) < FEWEST_SEASONS * season:
        season = 1
    if len(past) < max(FEWEST_STEPS, FEWEST_SEASONS * season):
        return _of_the_mean(past, steps, season, seed)
    known = rolling.folds(past, steps, season)
    tested = backtest(known, season, seed)
    naive_tested = backtest(known, season, seed, naive=True)
    is_worse = _is_worse(tested, naive_tested)
    weights = naive_weights() if is_worse else rolling.member_weights(known, season)
    point = np.clip(weights @ rolling.every_member(past, steps, season), 0.0, LARGEST_VALUE)
    unsure = paths.uncertainty(past, known, weights, point, season)
    return Outlook(
        model="seasonal_naive" if is_worse else "combination",
        why=_reason(is_worse, tested),
        mean=point,
        draws=paths.draw(point, unsure, seed),
        weights=_named(weights),
        backtest=naive_tested if is_worse else tested,
    )


def _is_worse(tested: Backtest, naive: Backtest) -> bool:
    return tested.mase is not None and naive.mase is not None and tested.mase > naive.mase


def _reason(is_worse: bool, tested: Backtest) -> str:
    if tested.mase is None:
        return "nothing in the past to test on; the usual weights of the members"
    if is_worse:
        return f"the combination did worse than the seasonal naive in {tested.folds} past windows"
    return f"members weighted by their errors in {tested.folds} past windows"


def _of_the_mean(past: Floats, steps: int, season: int, seed: int) -> Outlook:
    level = float(past.mean()) if len(past) else 0.0
    point = np.full(steps, min(level, LARGEST_VALUE))
    unsure = paths.uncertainty(past, [], np.empty(0), point, season)
    need = max(FEWEST_STEPS, FEWEST_SEASONS * season)
    why = f"{len(past)} values are too few for a pattern ({need} are needed): their mean, a wide range"
    return Outlook("mean", why, point, paths.draw(point, unsure, seed), {}, NO_BACKTEST)


def naive_weights() -> Floats:
    """Return the weights that leave only the seasonal naive."""
    return np.array([float(name == "seasonal_naive") for name in MEMBERS])


def _named(weights: Floats) -> dict[str, float]:
    return {name: round(float(w), 4) for name, w in zip(MEMBERS, weights, strict=True)}


def backtest(known: list[Fold], season: int, seed: int = 0, *, naive: bool = False) -> Backtest:
    """Repeat the whole recipe at past origins, each with what was over by then."""
    tested = known[:BACKTEST_FOLDS]
    rows = [_test_fold(fold, known, season, seed, naive=naive) for fold in tested if fold.scale > 0]
    if not rows:
        return NO_BACKTEST
    mase, baseline, inside80, inside95, miss = np.array(rows).T
    return Backtest(
        folds=len(rows),
        mase=float(mase.mean()),
        baseline_mase=float(baseline.mean()),
        coverage80=float(inside80.mean()),
        coverage95=float(inside95.mean()),
        total_error=None if np.isnan(miss).all() else float(np.nanmedian(miss)),
    )


def _test_fold(
    fold: Fold, known: list[Fold], season: int, seed: int, *, naive: bool
) -> tuple[float, ...]:
    before = [earlier for earlier in known if earlier.end <= fold.origin]
    weights = naive_weights() if naive else rolling.member_weights(before, season)
    point = weights @ fold.forecasts
    draws = paths.draw(point, paths.uncertainty(fold.past, before, weights, point, season), seed)
    low95, low80, high80, high95 = np.quantile(draws, [0.025, 0.1, 0.9, 0.975], axis=0)
    actual, total = fold.actual, float(fold.actual.sum())
    return (
        float(np.abs(actual - point).mean()) / fold.scale,
        float(np.abs(actual - naive_weights() @ fold.forecasts).mean()) / fold.scale,
        float(((actual >= low80) & (actual <= high80)).mean()),
        float(((actual >= low95) & (actual <= high95)).mean()),
        abs(float(point.sum()) - total) / total if total > 0 else np.nan,
    )


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
        low, high = np.quantile(sums, [0.5 - level / 200, 0.5 + level / 200])
        bounds[level] = (min(mean, int(np.floor(low))), max(mean, int(np.ceil(high))))
    return Range(mean, bounds)
