"""What a mail caused: people mailed against people deliberately not mailed, with honest intervals.

Buyers: Wilson's interval for each arm's share (Wilson 1927) and Newcombe's for their difference
(Newcombe 1998, method 10). Money: the share of buyers times each arm's own mean order value, the two
joined by MOVER (Zou and Donner 2008); each mean is drawn towards the overall one as if two orders of
it had been seen, so that an arm with one buyer, or none, neither breaks nor boasts. A difference of
plain means would call one mail in seven a success that did nothing, because a small holdout often
has no buyer at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Final

PSEUDO_ORDERS: Final = 2
USUAL_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Arm:
    """One group of a campaign: how many people, and what each buyer among them spent in all."""

    people: int
    spent_minor: tuple[int, ...] = ()

    @property
    def buyers(self) -> int:
        """How many bought."""
        return len(self.spent_minor)

    @property
    def share(self) -> float:
        """The share of buyers; 0 in an empty arm."""
        return self.buyers / self.people if self.people else 0.0

    @property
    def total_minor(self) -> int:
        """What they spent together."""
        return sum(self.spent_minor)


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the range that holds the truth with the level asked for."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What the mail did: `buyers` is a difference of shares, `revenue` a total in minor units.

    None where nothing can be said: an empty arm, or no order at all that would show a value.
    """

    treated: Arm
    held_out: Arm
    level: float
    buyers: Interval | None
    revenue: Interval | None


def effect(treated: Arm, held_out: Arm, level: float = USUAL_LEVEL) -> Effect:
    """Compare two arms that were drawn by lot, as they were drawn (intention to treat)."""
    if not treated.people or not held_out.people:
        return Effect(treated, held_out, level, None, None)
    z = critical_value(level)
    return Effect(
        treated,
        held_out,
        level,
        difference_of_shares(treated, held_out, z),
        _incremental_revenue(treated, held_out, z),
    )


def critical_value(level: float) -> float:
    """Return the normal quantile of a two-sided level (0.95 gives 1.96)."""
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(successes: int, people: int, z: float) -> tuple[float, float]:
    """Return Wilson's interval for a share."""
    share = successes / people
    centre = share + z * z / (2 * people)
    half = z * sqrt(share * (1 - share) / people + z * z / (4 * people * people))
    scale = 1 + z * z / people
    low = (centre - half) / scale if successes else 0.0
    high = (centre + half) / scale if successes < people else 1.0
    return max(0.0, low), min(1.0, high)


def difference_of_shares(treated: Arm, held_out: Arm, z: float) -> Interval:
    """Return Newcombe's interval for treated minus held out."""
    low1, high1 = wilson(treated.buyers, treated.people, z)
    low0, high0 = wilson(held_out.buyers, held_out.people, z)
    return _joined(Interval(treated.share, low1, high1), Interval(held_out.share, low0, high0))


def _incremental_revenue(treated: Arm, held_out: Arm, z: float) -> Interval | None:
    spent = treated.spent_minor + held_out.spent_minor
    if not spent:
        return None
    usual = sum(spent) / len(spent)
    spread = _spread(spent, usual)
    a_person = _joined(
        _revenue_a_person(treated, usual, spread, z),
        _revenue_a_person(held_out, usual, spread, z),
    )
    count = treated.people
    return Interval(a_person.estimate * count, a_person.low * count, a_person.high * count)


def _spread(spent: Sequence[int], usual: float) -> float:
    """Return the deviation of one buyer's spending, over both arms.

    The pseudo-orders stand one usual value away, so that a single order does not look certain.
    """
    squares = sum((amount - usual) ** 2 for amount in spent)
    return sqrt((squares + PSEUDO_ORDERS * usual**2) / (len(spent) + PSEUDO_ORDERS))


def _revenue_a_person(arm: Arm, usual: float, spread: float, z: float) -> Interval:
    """Return share of buyers times mean value, their errors joined by square-and-add."""
    weight = arm.buyers + PSEUDO_ORDERS
    value = (arm.total_minor + PSEUDO_ORDERS * usual) / weight
    value_error = z * spread / sqrt(weight)
    low, high = wilson(arm.buyers, arm.people, z)
    estimate = arm.share * value
    down = sqrt((value * (arm.share - low)) ** 2 + (arm.share * value_error) ** 2)
    up = sqrt((value * (high - arm.share)) ** 2 + (arm.share * value_error) ** 2)
    return Interval(estimate, max(0.0, estimate - down), estimate + up)


def _joined(treated: Interval, held_out: Interval) -> Interval:
    """Return the interval of a difference from those of its parts (MOVER, square and add)."""
    difference = treated.estimate - held_out.estimate
    down = sqrt((treated.estimate - treated.low) ** 2 + (held_out.high - held_out.estimate) ** 2)
    up = sqrt((treated.high - treated.estimate) ** 2 + (held_out.estimate - held_out.low) ** 2)
    return Interval(difference, difference - down, difference + up)
