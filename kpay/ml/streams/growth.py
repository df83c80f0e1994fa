"""The trend of single sales, and how far the outlook of one series leans towards it.

A combination of members holds the level of a series that wanders. A business with a growing list and
catalogue does not wander: a line through the last months, damped, said what came better in simulated
shops, and no worse on public sales of shops. How far to lean is told by the misses of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kpay.ml.arrays import Floats
from kpay.ml.forecasting.outlook import Outlook

MEMORY_DAYS: Final = 120.0  # a day so long ago counts 1/e of yesterday
MONTH_DAYS: Final = 30.0
SLOPE_DOUBT: Final = 1.0  # months squared: pulls the slope towards none where few months are known
DAMPED_DAYS: Final = 45.0  # after about so many days a trend has run out
DAMPING: Final = 0.7
PRIOR_ORIGINS: Final = 2.0
USUAL_LEAN: Final = 0.7
FEWEST_DAYS: Final = 56
LEAST_MISS: Final = 1e-4
LARGEST_MISS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Said:
    """What both said of the sum of single sales after a past day, and what came."""

    outlook: float
    trend: float
    came: float


def trend(values: Floats, steps: int) -> Floats:
    """Return the level of each day ahead: weighted least squares with a doubted, damped slope."""
    known = len(values)
    if known < FEWEST_DAYS:
        return np.full(steps, values.mean() if known else 0.0)
    ago = np.arange(known) - known + 1.0
    weight = np.exp(ago / MEMORY_DAYS)
    line = np.column_stack([np.ones(known), ago / MONTH_DAYS])
    normal = line.T @ (weight[:, None] * line)
    normal[1, 1] += SLOPE_DOUBT * weight.sum()
    level, slope = np.linalg.solve(normal, line.T @ (weight * values))
    ahead = DAMPING * DAMPED_DAYS * (1 - np.exp(-np.arange(1, steps + 1) / DAMPED_DAYS))
    return np.asarray(np.clip(level + slope * ahead / MONTH_DAYS, 0.0, None))


def lean(said: Sequence[Said]) -> float:
    """Return the weight of the trend, 0 to 1: a usual one, moved by whose totals missed less."""
    misses = np.array([[_miss(one.outlook, one.came), _miss(one.trend, one.came)] for one in said])
    if not len(misses):
        return USUAL_LEAN
    squares = misses**2
    both = (PRIOR_ORIGINS * squares.mean() + squares.sum(axis=0)) / (PRIOR_ORIGINS + len(squares))
    exactness = np.array([1 - USUAL_LEAN, USUAL_LEAN]) / np.maximum(both, LEAST_MISS)
    return float(exactness[1] / exactness.sum())


def _miss(said: float, came: float) -> float:
    floor = 0.05 * max(said, came) + 1e-9
    return float(np.clip(np.log((came + floor) / (said + floor)), -LARGEST_MISS, LARGEST_MISS))


def leaning(mean: Floats, towards: Floats, weight: float) -> Floats:
    """Return a forecast whose sum lies between two; each day keeps its share of the level around it."""
    if mean.sum() <= 0:
        return np.asarray(weight * towards)
    return np.asarray((1 - weight) * mean + weight * mean / mean.mean() * towards)


def leant(found: Outlook, towards: Floats, weight: float) -> Outlook:
    """Return an outlook and its paths moved towards a trend."""
    moved = leaning(found.mean, towards, weight)
    factor = np.divide(moved, found.mean, out=np.ones_like(moved), where=found.mean > 0)
    return replace(found, mean=moved, draws=found.draws * factor)
