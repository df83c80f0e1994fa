"""The pattern that repeats: which share of the level falls on each step of a season."""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.arrays import Floats

FEWEST_TURNS: Final = 3
LARGEST_INDEX: Final = 12.0
SMALLEST_INDEX: Final = 0.05  # a step that never sells says nothing of the level
SMALLEST_LEVEL: Final = 0.02  # of the past's mean: an index over nothing would be noise


def season_indices(past: Floats, season: int) -> Floats:
    """Return the index of each step of the season, counted from the oldest; their mean is 1.

    Classical decomposition: values over centred moving averages, so that growth within a season is
    not taken for the season. The indices are pulled towards 1 by the share of their variance that chance
    alone explains (James and Stein, 1961; for seasons: Miller and Williams, 2003), so that a series
    without a season gets none. Without three full turns all are 1.
    """
    if season < 2 or len(past) < FEWEST_TURNS * season or past.mean() <= 0:
        return np.ones(max(season, 1))
    centred, first = _centred_mean(past, season)
    level = np.maximum(centred, SMALLEST_LEVEL * past.mean())
    ratio = past[first : first + len(level)] / level
    phase = (first + np.arange(len(level))) % season
    found = np.bincount(phase, level * ratio, season) / np.bincount(phase, level, season)
    if found.mean() <= 0:
        return np.ones(season)
    by_chance = _variance_of_an_index(ratio - found[phase], level, len(level) / season)
    found = found / found.mean()
    real = max(float(((found - 1) ** 2).sum()) / (season - 1) - by_chance, 0.0)
    kept = real / (real + by_chance) if real > 0 else 0.0
    return np.asarray(np.clip(1 + kept * (found - 1), 0.0, LARGEST_INDEX))


def _variance_of_an_index(missed: Floats, level: Floats, turns: float) -> float:
    spread = float((level * missed**2).sum() / level.sum()) * turns / max(turns - 1, 0.5)
    return spread / turns


def _centred_mean(past: Floats, season: int) -> tuple[Floats, int]:
    """Return the moving average over one season, centred, and the step that it begins at."""
    kernel = np.ones(season) / season
    if season % 2 == 0:
        kernel = np.convolve(kernel, [0.5, 0.5])
    return np.convolve(past, kernel, mode="valid"), len(kernel) // 2


def season_free(past: Floats, index: Floats) -> Floats:
    """Return the level behind each value; a step that never sells stands at the past's mean."""
    repeated = np.resize(index, len(past))
    level = past / np.maximum(repeated, SMALLEST_INDEX)
    return np.asarray(np.where(repeated < SMALLEST_INDEX, past.mean(), level))


def ahead(index: Floats, known: int, steps: int) -> Floats:
    """Return the indices of the steps after the first `known` ones."""
    return np.asarray(index[(known + np.arange(steps)) % len(index)])
