"""What a mail caused: people mailed against people deliberately not mailed, with honest intervals.

Buyers: Wilson's interval for each arm's share (Wilson 1927) and Newcombe's for their difference
(Newcombe 1998, method 10). Money: the share of buyers times each arm's own mean order value, the two
joined by MOVER (Zou and Donner 2008); each mean is drawn towards the overall one as if two orders of
it had been seen, so that an arm with one buyer, or none, neither breaks nor boasts. A difference of
plain means would call one mail in seven a success that did nothing, because a small holdout often
has no buyer at all.

Several sends are pooled by weights: each held-out person stands for the people mailed in the same send
(Horvitz and Thompson 1952), so that the estimate is the sum of what each send earned, whatever share
each held back. Intervals come from the pooled counts as they weigh, not from the sum of the sends'
own intervals: Wilson's are lopsided where an arm has three buyers, and forty of them added up would be
too. Somebody in several sends counts in each, in the group drawn for that send. The draws are
independent, so the errors of two sends are uncorrelated even when the same people, or the same order
inside two windows, stand in both, and adding up their squares is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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

    def times(self, count: float) -> Interval:
        """Return the same for a count of people."""
        return Interval(self.estimate * count, self.low * count, self.high * count)


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
    return pooled_effect([(treated, held_out)], level)


def pooled_effect(sends: Sequence[tuple[Arm, Arm]], level: float = USUAL_LEVEL) -> Effect:
    """Return what several sends did together: pairs of treated and held out, each drawn anew.

    A send without anybody on one side says nothing and is left out. The effect on buyers is a
    difference of shares over all messages, the revenue a total over all sends.
    """
    pairs = [pair for pair in sends if pair[0].people and pair[1].people]
    treated, held_out = _together(one for one, _ in sends), _together(one for _, one in sends)
    if not pairs:
        return Effect(treated, held_out, level, None, None)
    z = critical_value(level)
    mailed = _weighed([(one, 1.0) for one, _ in pairs])
    rested = _weighed([(one, mail.people / one.people) for mail, one in pairs])
    people = sum(one.people for one, _ in pairs)
    spent = [amount for pair in pairs for arm in pair for amount in arm.spent_minor]
    revenue = _incremental_revenue(mailed, rested, spent, z)
    return Effect(
        treated,
        held_out,
        level,
        _share_difference(mailed, rested, z),
        revenue.times(people) if revenue else None,
    )


def _together(arms: Iterable[Arm]) -> Arm:
    known = list(arms)
    spent = tuple(amount for arm in known for amount in arm.spent_minor)
    return Arm(sum(arm.people for arm in known), spent)


@dataclass(frozen=True, slots=True)
class _Sample:
    """One side of all sends as it weighs: `people` and `buyers` are what it is worth when all weigh alike."""

    share: float
    people: float
    buyers: float
    spent_a_buyer: float


def _weighed(arms: Sequence[tuple[Arm, float]]) -> _Sample:
    """Return the weighted share and mean, and how many equally weighing people they are worth.

    By people and by buyers these numbers differ when shares do; the smaller one is taken, as the
    wider interval. One send is worth just its own people.
    """
    people = sum(weight * arm.people for arm, weight in arms)
    buyers = sum(weight * arm.buyers for arm, weight in arms)
    worth = people**2 / sum(weight**2 * arm.people for arm, weight in arms)
    if not buyers:
        return _Sample(0.0, worth, 0.0, 0.0)
    share = buyers / people
    worth_buyers = buyers**2 / sum(weight**2 * arm.buyers for arm, weight in arms)
    spent = sum(weight * arm.total_minor for arm, weight in arms)
    return _Sample(share, min(worth, worth_buyers / share), worth_buyers, spent / buyers)


def critical_value(level: float) -> float:
    """Return the normal quantile of a two-sided level (0.95 gives 1.96)."""
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(successes: float, people: float, z: float) -> tuple[float, float]:
    """Return Wilson's interval for a share; counts need not be whole where they are weighted."""
    share = successes / people
    centre = share + z * z / (2 * people)
    half = z * sqrt(share * (1 - share) / people + z * z / (4 * people * people))
    scale = 1 + z * z / people
    low = (centre - half) / scale if successes else 0.0
    high = (centre + half) / scale if successes < people else 1.0
    return max(0.0, low), min(1.0, high)


def _share_difference(treated: _Sample, held_out: _Sample, z: float) -> Interval:
    """Return Newcombe's interval for treated minus held out."""
    return _joined(
        Interval(treated.share, *wilson(treated.share * treated.people, treated.people, z)),
        Interval(held_out.share, *wilson(held_out.share * held_out.people, held_out.people, z)),
    )


def _incremental_revenue(
    treated: _Sample, held_out: _Sample, spent: Sequence[int], z: float
) -> Interval | None:
    """Return what a message earned; None when nobody bought, so that no value is known."""
    if not spent:
        return None
    usual = sum(spent) / len(spent)
    spread = _spread(spent, usual)
    return _joined(
        _revenue_a_person(treated, usual, spread, z),
        _revenue_a_person(held_out, usual, spread, z),
    )


def _spread(spent: Sequence[int], usual: float) -> float:
    """Return the deviation of one buyer's spending, over both arms.

    The pseudo-orders stand one usual value away, so that a single order does not look certain.
    """
    squares = sum((amount - usual) ** 2 for amount in spent)
    return sqrt((squares + PSEUDO_ORDERS * usual**2) / (len(spent) + PSEUDO_ORDERS))


def _revenue_a_person(arm: _Sample, usual: float, spread: float, z: float) -> Interval:
    """Return share of buyers times mean value, their errors joined by square-and-add."""
    weight = arm.buyers + PSEUDO_ORDERS
    value = (arm.buyers * arm.spent_a_buyer + PSEUDO_ORDERS * usual) / weight
    value_error = z * spread / sqrt(weight)
    low, high = wilson(arm.share * arm.people, arm.people, z)
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
