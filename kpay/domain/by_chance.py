"""How large a measure comes out by chance alone, so that a small business is not alarmed by noise."""

from __future__ import annotations

from math import pi, sqrt
from typing import Final

PARTS: Final = 10


def calibration_error(base_rate: float, customers: int) -> float:
    """Return the expected calibration error over ten bins that perfect probabilities would show.

    The mean size of a normal deviation of the share in a bin, sqrt(2 / pi) standard errors.
    """
    if customers <= 0:
        return 0.0
    return sqrt(2 / pi) * sqrt(base_rate * (1 - base_rate) * PARTS / customers)


def stability_index(then: int, now: int) -> float:
    """Return what the PSI of two samples of the same customers exceeds once in forty times.

    Over ten parts it is distributed as (1 / then + 1 / now) times chi-squared with nine degrees of
    freedom (Yurdakul, "Statistical Properties of Population Stability Index", 2018), whose 97.5 % point
    is 19.02.
    """
    return 19.02 * (1 / max(1, then) + 1 / max(1, now))
