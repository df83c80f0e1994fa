"""How demand answers to a price: learned from a shop's own changes of price, with a usual range as prior.

Of each change, the logarithm of units sold after over before, less the same of all other pieces in the
same days, is divided by the logarithm of the prices' ratio. Counts are Poisson; beyond that, demand
moves for other reasons, by about `OTHER_REASONS` in the logarithm. The estimates and the prior are
joined by their precisions. The prior is the range that studies of digital goods mostly lie in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Final

PRIOR_MEAN: Final = -1.25
PRIOR_MIDDLE_80: Final = (-2.0, -0.5)
PRIOR_DEVIATION: Final = 0.75 / 1.2815515655
OTHER_REASONS: Final = 0.3
HALF_A_SALE: Final = 0.5
LEAST_LOG_RATIO: Final = 0.02  # smaller changes of price tell nothing
FEWEST_SALES: Final = 5
MIDDLE_80: Final = 1.2815515655


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A piece's price before and after, and what was sold of it and of all others in equally many days."""

    before_minor: int
    after_minor: int
    sold_before: int
    sold_after: int
    others_before: int
    others_after: int


@dataclass(frozen=True, slots=True)
class Elasticity:
    """The relative change of sales for a relative change of price, and how unsure it is."""

    mean: float
    deviation: float
    learned_from: int

    @property
    def middle_80(self) -> tuple[float, float]:
        """The range that holds it four times of five."""
        return self.mean - MIDDLE_80 * self.deviation, self.mean + MIDDLE_80 * self.deviation


def elasticity(changes: Sequence[PriceChange]) -> Elasticity:
    """Join what the changes say with the prior; without any, the prior alone."""
    precision = PRIOR_DEVIATION**-2
    weighted, count = PRIOR_MEAN * precision, 0
    for change in changes:
        found = _estimate(change)
        if found is not None:
            estimate, deviation = found
            precision += deviation**-2
            weighted += estimate * deviation**-2
            count += 1
    return Elasticity(weighted / precision, sqrt(1 / precision), count)


def _estimate(change: PriceChange) -> tuple[float, float] | None:
    moved = log(change.after_minor / change.before_minor)
    if abs(moved) < LEAST_LOG_RATIO or change.sold_before + change.sold_after < FEWEST_SALES:
        return None
    sales, variance = _log_ratio(change.sold_before, change.sold_after)
    if change.others_before + change.others_after:
        others, others_variance = _log_ratio(change.others_before, change.others_after)
        sales, variance = sales - others, variance + others_variance
    return sales / moved, sqrt(variance + OTHER_REASONS**2) / abs(moved)


def _log_ratio(before: int, after: int) -> tuple[float, float]:
    first, second = before + HALF_A_SALE, after + HALF_A_SALE
    return log(second / first), 1 / first + 1 / second
