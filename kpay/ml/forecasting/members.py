"""Point forecasters of one series: small, quick, and never below zero.

All of them speak from many origins at once: an origin is a number of values known, and a forecast made
there sees nothing later. So the past forecasts that weigh the members cost little more than the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from kpay.ml.arrays import Floats
from kpay.ml.forecasting import last_year, seasons, smoothing

MEMBERS: Final = (
    "theta",
    "level",
    "damped_trend",
    "root_damped_trend",
    "season_mean",
    "long_mean",
    "last_years",
    "seasonal_naive",
    "seasonal_drift",
)
SEASONS_AVERAGED: Final = 8
LONGEST_PAST: Final = 400  # steps; older ones say nothing of today's level


def every_member(values: Floats, origins: Sequence[int], steps: int, season: int) -> Floats:
    """Return forecasts (origins, members, steps) of the steps after each origin.

    Origins come newest first. A season whose turns are too few to see counts as none.
    """
    indices = [seasons.season_indices(values[:origin], season) for origin in origins]
    index_ahead = np.array(
        [seasons.ahead(index, at, steps) for index, at in zip(indices, origins, strict=True)]
    )
    rows = [
        seasons.season_free(values[:at], index)[-LONGEST_PAST:]
        for index, at in zip(indices, origins, strict=True)
    ]
    theta, level = smoothing.theta_and_level(rows, steps)
    damped = smoothing.damped_trend(rows, steps)
    root = smoothing.damped_trend([np.sqrt(row) for row in rows], steps)
    pasts = [values[:origin] for origin in origins]
    long_mean = np.array([past[-LONGEST_PAST:].mean() for past in pasts])[:, None]
    found = (
        theta * index_ahead,
        level * index_ahead,
        damped * index_ahead,
        np.clip(root, 0.0, None) ** 2 * index_ahead,
        np.array([season_mean(past, steps, season) for past in pasts]),
        long_mean * index_ahead,
        _years(pasts, level, season) * index_ahead,
        np.array([seasonal_naive(past, steps, season) for past in pasts]),
        np.array([seasonal_drift(past, steps, season) for past in pasts]),
    )
    return np.asarray(np.clip(np.stack(found, axis=1), 0.0, None))


def _years(pasts: Sequence[Floats], otherwise: Floats, season: int) -> Floats:
    """Return the course of past years; the smoothed level where a past is too short to know one."""
    steps = otherwise.shape[1]
    return np.array(
        [
            last_year.course(past, steps, season)
            if last_year.is_known(len(past), season)
            else level
            for past, level in zip(pasts, otherwise, strict=True)
        ]
    )


def seasonal_naive(past: Floats, steps: int, season: int) -> Floats:
    """Repeat the last season."""
    return np.asarray(np.resize(past[-season:], steps))


def seasonal_drift(past: Floats, steps: int, season: int) -> Floats:
    """Repeat the last season, moved by the past's mean change from season to season."""
    turns = len(past) // season
    if turns < seasons.FEWEST_TURNS:
        return seasonal_naive(past, steps, season)
    change = (past[-season:].mean() - past[:season].mean()) * season / (len(past) - season)
    turn = 1 + np.arange(steps) // season
    return np.asarray(seasonal_naive(past, steps, season) + change * turn)


def season_mean(past: Floats, steps: int, season: int) -> Floats:
    """Repeat the mean of the last eight seasons, step by step."""
    count = min(SEASONS_AVERAGED, len(past) // season)
    recent = past[-count * season :].reshape(count, season)
    return np.asarray(np.resize(recent.mean(axis=0), steps))
