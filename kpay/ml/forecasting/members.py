"""Point forecasters of one series: small, quick, and never below zero.

Every member takes the past (oldest first), how many steps to go and the season's length in steps,
and returns one value a step. Theta: Assimakopoulos and Nikolopoulos (2000). Damped trend: Gardner
and McKenzie (1985).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from kpay.ml.frames import Floats

Member: TypeAlias = Callable[[Floats, int, int], Floats]

LEVEL_RATES: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9)
TREND_RATES: Final = (0.02, 0.1, 0.2)
DAMPING: Final = (0.9, 0.97)
SEASONS_AVERAGED: Final = 8
LONGEST_TREND_PAST: Final = 400  # steps; older ones say nothing of today's trend
SMALLEST_INDEX: Final = 0.05  # a step that never sells says nothing of the level
LARGEST_INDEX: Final = 12.0
PULL_SEASONS: Final = 1.0


def seasonal_naive(past: Floats, steps: int, season: int) -> Floats:
    """Repeat the last season."""
    return np.asarray(np.resize(past[-season:], steps))


def seasonal_mean(past: Floats, steps: int, season: int) -> Floats:
    """Repeat the mean of the last eight seasons, step by step."""
    count = min(SEASONS_AVERAGED, len(past) // season)
    if count < 2:
        return long_mean(past, steps, season)
    recent = past[-count * season :].reshape(count, season)
    return np.asarray(np.resize(recent.mean(axis=0), steps))


def recent_mean(past: Floats, steps: int, season: int) -> Floats:
    """Stay at the mean of the last four seasons, spread by the season's indices."""
    return _spread(past, np.full(steps, past[-4 * season :].mean()), season)


def long_mean(past: Floats, steps: int, season: int) -> Floats:
    """Stay at the mean of the whole past, spread by the season's indices."""
    return _spread(past, np.full(steps, past.mean()), season)


def lite(past: Floats, steps: int, season: int) -> Floats:
    """Return the mean of exponential smoothing, theta and a damped trend on the season-free series."""
    index = season_indices(past, season)
    repeated = np.resize(index, len(past))
    level = past / np.maximum(repeated, SMALLEST_INDEX)
    level = np.where(repeated < SMALLEST_INDEX, past.mean(), level)[-LONGEST_TREND_PAST:]
    smoothed, rate = _smooth(level)
    ahead = np.arange(1, steps + 1)
    slope = np.polyfit(np.arange(len(level)), level, 1)[0] / 2
    theta = smoothed + slope * (ahead - 1 + (1 - (1 - rate) ** len(level)) / rate)
    flat = (np.full(steps, smoothed) + theta + _damped(level, steps)) / 3
    return np.asarray(np.clip(flat, 0, None) * _phase(index, len(past), steps))


MEMBERS: Final[Mapping[str, Member]] = {
    "lite": lite,
    "seasonal_mean": seasonal_mean,
    "recent_mean": recent_mean,
    "long_mean": long_mean,
    "seasonal_naive": seasonal_naive,
}


def season_indices(past: Floats, season: int) -> Floats:
    """Return the share of the level that falls on each step of the season, counted from the oldest.

    Classical decomposition: means over centred moving averages, so that growth within a season is
    not taken for the season. Each index is pulled towards 1 with the weight of one season; without
    three full turns all are 1.
    """
    if season < 2 or len(past) < 3 * season or past.mean() <= 0:
        return np.ones(max(season, 1))
    centred, first = _centred_mean(past, season)
    phase = (first + np.arange(len(centred))) % season
    seen = np.bincount(phase, past[first : first + len(centred)], minlength=season)
    usual = np.bincount(phase, centred, minlength=season)
    turns = len(centred) / season
    ratio = np.where(usual > 0, seen / np.maximum(usual, 1e-300), 1.0)
    pulled = (ratio * turns + PULL_SEASONS) / (turns + PULL_SEASONS)
    return np.asarray(np.clip(pulled / pulled.mean(), 0.0, LARGEST_INDEX))


def _centred_mean(past: Floats, season: int) -> tuple[Floats, int]:
    """Return the moving average over one season, centred, and the step that it begins at."""
    kernel = np.ones(season) / season
    if season % 2 == 0:
        kernel = np.convolve(kernel, [0.5, 0.5])
    return np.convolve(past, kernel, mode="valid"), len(kernel) // 2


def _phase(index: Floats, known: int, steps: int) -> Floats:
    return np.asarray(index[(known + np.arange(steps)) % len(index)])


def _spread(past: Floats, level: Floats, season: int) -> Floats:
    return np.asarray(level * _phase(season_indices(past, season), len(past), len(level)))


def _smooth(level: Floats) -> tuple[float, float]:
    """Return the smoothed level and the rate whose one-step errors are smallest."""
    rates = np.array(LEVEL_RATES)
    track = np.full(len(rates), level[: min(len(level), 14)].mean())
    error = np.zeros(len(rates))
    for value in level.tolist():
        miss = value - track
        error += miss**2
        track = track + rates * miss
    best = int(np.argmin(error))
    return float(track[best]), float(rates[best])


def _damped(level: Floats, steps: int) -> Floats:
    """Return the damped-trend path whose one-step errors are smallest over a small grid."""
    grid = np.array(
        [(a, a * b, d) for a in LEVEL_RATES[1:7:2] for b in TREND_RATES for d in DAMPING]
    )
    rate, trend_rate, damping = grid[:, 0], grid[:, 1], grid[:, 2]
    base = np.full(len(grid), level[: min(len(level), 14)].mean())
    trend = np.zeros(len(grid))
    error = np.zeros(len(grid))
    for value in level.tolist():
        expected = base + damping * trend
        miss = value - expected
        error += miss**2
        base = expected + rate * miss
        trend = damping * trend + trend_rate * miss
    best = int(np.argmin(error))
    growth = np.cumsum(damping[best] ** np.arange(1, steps + 1))
    return np.asarray(base[best] + growth * trend[best])
