"""Joint paths of the future, from which every printed range comes.

The spread of the horizon's TOTAL is what people act on, and summing daily noise covers only half of
what it promises; so the total's spread is estimated from the totals missed at rolling origins, pulled
towards a prior and given tails, and each path is scaled to it. A path is a level that wanders, the
further ahead the more, times the noise of single steps. Days, weeks and months are sums of the same
paths, so they agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.arrays import Floats
from kpay.ml.forecasting.rolling import FOLDS_A_HORIZON, YEARLY_SEASON_STEPS, Fold
from kpay.ml.forecasting.seasons import season_indices

DRAWS: Final = 1_000
PRIOR_SPREAD: Final = 0.12  # of the log of a total, when nothing is known of this business
SHORT_PAST: Final = 3.0  # for each horizon over the past, on top of 1: its level is hardly known
NOISE_ALIKE: Final = 2.0  # neighbouring days miss together, so their noise adds up faster
YEARLY_PRIOR_SPREAD: Final = 0.03  # of a total of months: less, as their noise is small
YEARLY_NOISE_ALIKE: Final = 1.5  # for each year ahead, on top of 1: growth is what is missed
PRIOR_FOLDS: Final = 2.0
WIDEST_SPREAD: Final = 0.8
SPREAD_WITHOUT_HISTORY: Final = 0.9
FLOOR_SHARE: Final = 0.05  # added to both totals before the log, so that a zero total is finite
TAIL_SCALE: Final = 0.74  # with 4 degrees: 1.13 spreads at 80 %, 2.05 at 95 %
LASTING_SHARE: Final = 0.3  # of the level's variance, there from the first step; the rest builds up
FEWEST_RATIOS: Final = 14
LARGEST_RATIO: Final = 50.0
LARGEST_NOISE: Final = 5.0
RATIO_FOLDS: Final = 4
FEWEST_STEPS_TO_PUT_RIGHT: Final = 6  # a shorter fold's total is its noise
RECENT_SEASONS: Final = 8


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How far a forecast may be off: the total's log spread, and ratios of actual to expected step."""

    spread: float
    ratios: Floats


def uncertainty(
    past: Floats, known: list[Fold], weights: Floats, point: Floats, season: int
) -> Uncertainty:
    """Learn the uncertainty of `point` from `past` and the folds that were over when it was made."""
    ratios = _ratios(_enough(known), weights)
    if len(ratios) < FEWEST_RATIOS:
        ratios = _ratios_of_past(past, season)
    if not known or point.sum() <= 0:
        return Uncertainty(SPREAD_WITHOUT_HISTORY, ratios)
    noise = min(float(ratios.std()), LARGEST_NOISE) * np.sqrt((point**2).sum()) / point.sum()
    usual, alike = PRIOR_SPREAD, NOISE_ALIKE
    if season >= YEARLY_SEASON_STEPS:
        usual, alike = YEARLY_PRIOR_SPREAD, 1 + YEARLY_NOISE_ALIKE * len(point) / season
    else:
        usual *= np.sqrt(1 + SHORT_PAST * len(point) / len(past))
    prior = usual**2 + (alike * noise) ** 2
    as_long = min(1.0, len(known[0].actual) / len(point))  # a shorter fold says less,
    # and its squared miss would have grown with its length: the two cancel out
    missed = sum(_log_miss(fold, weights) ** 2 for fold in known) / FOLDS_A_HORIZON
    independent = len(known) / FOLDS_A_HORIZON * as_long
    variance = (PRIOR_FOLDS * prior + missed) / (PRIOR_FOLDS + independent)
    return Uncertainty(min(float(np.sqrt(variance)), WIDEST_SPREAD), ratios)


def _log_miss(fold: Fold, weights: Floats) -> float:
    expected = float((weights @ fold.forecasts).sum())
    floor = FLOOR_SHARE * max(expected, float(fold.actual.sum())) + 1e-9
    return float(np.log((fold.actual.sum() + floor) / (expected + floor)))


def _enough(known: list[Fold]) -> list[Fold]:
    """Return the newest four folds, or as many more as it takes for 14 ratios."""
    length = max(len(known[0].actual), 1) if known else 1
    return known[: max(RATIO_FOLDS, -(-FEWEST_RATIOS // length))]


def _ratios(known: list[Fold], weights: Floats) -> Floats:
    """Return actual over expected of the folds' steps, once each fold's total is put right.

    How far a fold's level was off is the spread's matter.
    """
    actual = [fold.actual for fold in known]
    expected = [_put_right(weights @ fold.forecasts, fold.actual) for fold in known]
    return _scaled(np.concatenate([*actual, []]), np.concatenate([*expected, []]))


def _put_right(expected: Floats, actual: Floats) -> Floats:
    total = expected.sum()
    if total <= 0 or len(actual) < FEWEST_STEPS_TO_PUT_RIGHT:
        return expected
    return np.asarray(expected * (actual.sum() / total))


def _ratios_of_past(past: Floats, season: int) -> Floats:
    """Return the last steps over their seasonal mean: all there is without a fold."""
    recent = past[-RECENT_SEASONS * max(season, FEWEST_RATIOS // 2) :]
    usual = recent.mean() if len(recent) else 0.0
    expected = usual * np.resize(season_indices(recent, season), len(recent))
    ratios = _scaled(recent, expected)
    return ratios if len(ratios) else np.ones(1)


def _scaled(actual: Floats, expected: Floats) -> Floats:
    """Return actual over expected, scaled to a mean of 1; nothing when nothing is expected."""
    usable = expected > 1e-6 * max(float(expected.max(initial=0.0)), 1e-300)
    ratios = np.clip(actual[usable] / expected[usable], 0.0, LARGEST_RATIO)
    return np.asarray(ratios / ratios.mean()) if ratios.sum() > 0 else np.empty(0)


def heavy_quantile(share: Floats) -> Floats:
    """Return quantiles of Student's t with 4 degrees of freedom, in closed form (Shaw, 2006)."""
    root = np.sqrt(4 * share * (1 - share))
    size = 2 * np.sqrt(np.maximum(np.cos(np.arccos(root) / 3) / root - 1, 0.0))
    return np.asarray(np.sign(share - 0.5) * size)


def draw(point: Floats, unsure: Uncertainty, seed: int) -> Floats:
    """Return 1,000 paths (draws, steps) around a point forecast; the same seed, the same paths.

    A path on which nothing falls, as may be where sales are rare, stays empty.
    """
    generator = np.random.default_rng(seed)
    raw = point * _levels(len(point), unsure.spread, generator)
    raw *= generator.choice(unsure.ratios, raw.shape)
    totals = raw.sum(axis=1)
    order = np.argsort(totals, kind="stable")
    share = np.empty(DRAWS)
    share[order] = (np.arange(DRAWS) + 0.5) / DRAWS
    target = point.sum() * np.exp(unsure.spread * TAIL_SCALE * heavy_quantile(share))
    empty = totals <= 1e-12 * max(float(point.sum()), 1e-300)
    raw[empty] = 0.0
    totals = np.where(empty, 1.0, totals)
    return np.asarray(raw * (target / totals)[:, None])


def _levels(steps: int, spread: float, generator: np.random.Generator) -> Floats:
    """Return how the level wanders on each path (draws, steps), as a factor.

    A random walk's mean variance is half of its last one, so the walk counts twice.
    """
    lasting = generator.standard_normal((DRAWS, 1))
    walk = np.cumsum(generator.standard_normal((DRAWS, steps)), axis=1) / np.sqrt(steps)
    wander = np.sqrt(LASTING_SHARE) * lasting + np.sqrt(2 * (1 - LASTING_SHARE)) * walk
    return np.asarray(np.exp(spread * wander))


def bounds(values: Floats, level: float) -> tuple[Floats, Floats]:
    """Return the ends of the range that holds `level` percent of `values` (draws, ...).

    Both tails are alike, unless the range begins at 0: no draw is below, so the lower tail stands idle.
    Half of what is idle goes above the range, not all of it: past windows tell of spikes too seldom.
    Ranges of wider levels hold those of narrower ones.
    """
    tail = (100 - level) / 200
    ordered = np.sort(values, axis=0)
    empty = np.where(ordered[0] < 0, 0.0, (ordered <= 0).mean(axis=0))
    idle = np.clip(empty - tail, 0.0, tail)
    return _quantile(ordered, tail + 0 * idle), _quantile(ordered, 1 - tail - idle / 2)


def _quantile(ordered: Floats, share: Floats) -> Floats:
    """Return a quantile of each column, each at a share of its own, between its neighbours."""
    position = share * (len(ordered) - 1)
    below = np.floor(position).astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    low, high = (np.take_along_axis(ordered, at[None], axis=0)[0] for at in (below, above))
    return np.asarray(low + (high - low) * (position - below))
