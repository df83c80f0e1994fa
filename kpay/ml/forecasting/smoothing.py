"""Exponential smoothing of many rows at once: every pair of row and parameters is one cell of an array.

Parameters are not searched for but weighted: each setting of a grid counts with its Akaike weight, which
is steadier on short rows than the single best one and needs no optimiser.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from kpay.ml.arrays import Floats

LEVEL_RATES: Final = np.array((0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9))
DAMPED_GRID: Final = np.array(
    [(a, 0.0, 0.0) for a in (0.03, 0.08, 0.15, 0.25, 0.4, 0.6, 0.85)]
    + [
        (a, a * b, damping)
        for a in (0.03, 0.08, 0.15, 0.25, 0.4, 0.6, 0.85)
        for b in (0.02, 0.1, 0.25)
        for damping in (0.8, 0.9, 0.97)
    ]
)
TREND_PARAMETERS: Final = 2  # a damped trend has two more than a level
STARTING_STEPS: Final = 14
SMALLEST_ERROR: Final = 1e-12  # of the largest: a row that one setting meets exactly


def theta_and_level(rows: Sequence[Floats], steps: int) -> tuple[Floats, Floats]:
    """Return the theta forecasts and the smoothed levels of rows, both (rows, steps).

    Theta: Assimakopoulos and Nikolopoulos (2000), as exponential smoothing with half the row's slope
    for drift (Hyndman and Billah, 2003). Rows come longest first.
    """
    values, lengths = _side_by_side(rows)
    level = _start(rows, len(LEVEL_RATES))
    error = np.zeros_like(level)
    for at, known in _active(values, lengths):
        miss = values[at, :known, None] - level[:known]
        error[:known] += miss**2
        level[:known] += LEVEL_RATES * miss
    weight = _akaike_weights(error, lengths, np.zeros(len(LEVEL_RATES)))
    smoothed = (weight * level).sum(axis=1)[:, None]
    lag = (weight * (1 - (1 - LEVEL_RATES) ** lengths[:, None]) / LEVEL_RATES).sum(axis=1)[:, None]
    drift = np.array([_slope(row) for row in rows])[:, None] / 2
    return smoothed + drift * (np.arange(steps) + lag), np.repeat(smoothed, steps, axis=1)


def damped_trend(rows: Sequence[Floats], steps: int) -> Floats:
    """Return forecasts with a trend that fades (Gardner and McKenzie, 1985), (rows, steps)."""
    rate, trend_rate, damping = DAMPED_GRID.T
    values, lengths = _side_by_side(rows)
    level = _start(rows, len(rate))
    trend, error = np.zeros_like(level), np.zeros_like(level)
    for at, known in _active(values, lengths):
        expected = level[:known] + damping * trend[:known]
        miss = values[at, :known, None] - expected
        error[:known] += miss**2
        level[:known] = expected + rate * miss
        trend[:known] = damping * trend[:known] + trend_rate * miss
    weight = _akaike_weights(error, lengths, TREND_PARAMETERS * (trend_rate > 0))
    growth = np.cumsum(damping[:, None] ** np.arange(1, steps + 1), axis=1)
    return np.asarray((weight * level).sum(axis=1)[:, None] + (weight * trend) @ growth)


def _side_by_side(rows: Sequence[Floats]) -> tuple[Floats, Floats]:
    lengths = np.array([len(row) for row in rows])
    values = np.zeros((int(lengths.max()), len(rows)))
    for at, row in enumerate(rows):
        values[: len(row), at] = row
    return values, lengths


def _active(values: Floats, lengths: Floats) -> list[tuple[int, int]]:
    """Return each step with the number of rows that still have a value there."""
    left = (lengths[None, :] > np.arange(len(values))[:, None]).sum(axis=1)
    return list(enumerate(left.tolist()))


def _start(rows: Sequence[Floats], settings: int) -> Floats:
    first = np.array([row[:STARTING_STEPS].mean() for row in rows])
    return np.repeat(first[:, None], settings, axis=1)


def _akaike_weights(error: Floats, lengths: Floats, parameters: Floats) -> Floats:
    """Return exp(-AIC/2) of each setting by its squared one-step errors, a row adding up to 1."""
    floor = SMALLEST_ERROR * error.max(axis=1, keepdims=True) + 1e-300
    criterion = lengths[:, None] * np.log(np.maximum(error, floor)) + 2 * parameters
    weight = np.exp(-0.5 * (criterion - criterion.min(axis=1, keepdims=True)))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _slope(row: Floats) -> float:
    centred = np.arange(len(row)) - (len(row) - 1) / 2
    return float(centred @ row / max(float(centred @ centred), 1.0))
