"""Days on which a campaign or a launch moved sales, told as usual days.

A spike that will not repeat by itself must not lift the forecast of the weeks after it. But what
happens all the time is the usual: then nothing is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from kpay.ml.arrays import Flags, Floats

SEASONS_BEFORE: Final = 8
FEWEST_BEFORE: Final = 3
LOOKED_AT_STEPS: Final = 180
LARGEST_RARE_SHARE: Final = 0.25


def touched(steps: int, starts: Sequence[int], length: int) -> Flags:
    """Return which of `steps` steps lie within `length` steps of a start; none if that is usual.

    It is usual when it holds for more than a quarter of the last 180 steps.
    """
    mask = np.zeros(steps, dtype=bool)
    for start in starts:
        mask[max(start, 0) : max(start + length, 0)] = True
    is_usual = mask[-LOOKED_AT_STEPS:].mean() > LARGEST_RARE_SHARE if steps else False
    return np.zeros(steps, dtype=bool) if is_usual else mask


def as_usual(values: Floats, mask: Flags, season: int) -> Floats:
    """Return the values with touched steps set to the mean of the same steps of seasons before.

    Only untouched seasons count, at most eight and at least three; without them a step stays.
    """
    told = np.array(values, dtype=float)
    for at in np.flatnonzero(mask):
        before = np.arange(at - season, -1, -season)
        before = before[~mask[before]][:SEASONS_BEFORE]
        if len(before) >= FEWEST_BEFORE:
            told[at] = values[before].mean()
    return told
