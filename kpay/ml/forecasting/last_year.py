"""What the same time of last years did, for steps that are days or weeks.

Months have the year for their season. For days and weeks a year is too long for indices: the course of
past years, smoothed over four weeks, says by how much the level moved from here on.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.arrays import Floats

YEAR_STEPS: Final = {7: 365, 1: 52}  # by the season's length: days and weeks
MOST_YEARS: Final = 3
PULL_YEARS: Final = 0.5  # a year's course counts against half a year without any


def is_known(known: int, season: int) -> bool:
    """Whether a past of `known` steps reaches back a year and the half year that it is tested on."""
    year = YEAR_STEPS.get(season, 0)
    return bool(year) and known >= 3 * year // 2


def course(past: Floats, steps: int, season: int) -> Floats:
    """Return the level of each step ahead: the last four weeks', moved as in up to three past years."""
    year, known = YEAR_STEPS[season], len(past)
    around, before = year // 26, year // 13
    running = np.concatenate([[0.0], np.cumsum(past)])
    same_days = np.arange(steps) % year
    then, started, pull = np.zeros(steps), 0.0, 0.0
    for back in range(1, MOST_YEARS + 1):
        here = known - back * year
        if here < before:
            break
        first = np.clip(here + same_days - around, 0, known)
        last = np.clip(here + same_days + around + 1, 0, known)
        then += (running[last] - running[first]) / np.maximum(last - first, 1)
        started += (running[here] - running[here - before]) / before
        pull = PULL_YEARS * back * past.mean()
    if started + pull <= 0:
        return np.full(steps, past[-before:].mean())
    return np.asarray(past[-before:].mean() * (then + pull) / (started + pull))
