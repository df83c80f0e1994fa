"""Revenue as a product: R = N x p x q x C, reach x click rate x purchase rate x order value.

Factors are exact fractions, so that a product is exact to the cent. Rates have Wilson's interval
(Wilson 1927), an order value one of its logarithm, and a product joins them on the logarithmic scale
by square-and-add (MOVER: Zou and Donner 2008). A change is split by logarithmic shares: each
factor's part is L(R0, R1) x ln(f1 / f0) with the logarithmic mean L, and the parts sum to the change
(Montgomery 1937; in index theory Vartia 1976).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import exp, log, sqrt
from typing import Final

from kpay.domain.experiment import PSEUDO_ORDERS, USUAL_LEVEL, Interval, critical_value, wilson

Exact = int | Fraction | Decimal
REACH: Final = "reach"
CLICK: Final = "click_share"
PURCHASE: Final = "purchase_share"
CONVERSION: Final = "conversion_share"
ORDER: Final = "order_value"
FOUR: Final = (REACH, CLICK, PURCHASE, ORDER)
THREE: Final = (REACH, CONVERSION, ORDER)
"""The factors where clicks are not known: orders a contact stand for p x q."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Reach, click rate, purchase rate and order value (minor units), exactly."""

    reach: Fraction
    click_share: Fraction
    purchase_share: Fraction
    order_minor: Fraction

    @classmethod
    def of(
        cls, reach: Exact, click_share: Exact, purchase_share: Exact, order_minor: Exact
    ) -> Factors:
        """Take whole numbers, decimals or fractions; no float, which would not be exact."""
        exact = (Fraction(one) for one in (reach, click_share, purchase_share, order_minor))
        return cls(*exact)

    @property
    def revenue_minor(self) -> Fraction:
        """N x p x q x C."""
        return self.reach * self.click_share * self.purchase_share * self.order_minor

    def raised(self, **by: Exact) -> Factors:
        """Return the factors with some of them raised by a share (a tenth is Fraction(1, 10))."""
        moved = {name: getattr(self, name) * (1 + Fraction(share)) for name, share in by.items()}
        return replace(self, **moved)


@dataclass(frozen=True)
class Steps:
    """What was counted on the way from reach to revenue; None where nothing is known.

    `paid_minor` is the sum of the orders, `squares` that of their squares. `refused` says of a factor
    why it is not given although its steps were counted.
    """

    reach: int | None = None
    clicks: int | None = None
    orders: int | None = None
    paid_minor: int | None = None
    squares: float = 0.0
    refused: Mapping[str, str] = field(default_factory=dict)

    def factor(self, name: str) -> Fraction | None:
        """Return one factor, or None where it is not defined, not known or refused."""
        if name in self.refused:
            return None
        if name == REACH:
            return None if self.reach is None else Fraction(self.reach)
        part, whole = self._parts(name)
        if part is None or not whole:
            return None
        return Fraction(part, whole)

    def interval(self, name: str, level: float = USUAL_LEVEL) -> Interval | None:
        """Return a rate or the order value with its range; a count has none."""
        value = self.factor(name)
        if value is None or name == REACH:
            return None
        z = critical_value(level)
        if name == ORDER:
            return self._order_interval(float(value), z)
        part, whole = self._parts(name)
        return Interval(float(value), *wilson(part or 0, whole or 1, z))

    def known_factors(self) -> tuple[str, ...]:
        """Return the names of the factors whose product is the revenue; none where one is missing."""
        for names in (FOUR, THREE):
            if all(self.factor(name) for name in names):
                return names
        return ()

    def revenue(self, level: float = USUAL_LEVEL) -> Interval | None:
        """Return the product of the factors with its range, in minor units; None where one is missing."""
        names = self.known_factors()
        if not names or self.paid_minor is None:
            return None
        found = [one for name in names if (one := self.interval(name, level)) is not None]
        down = sqrt(sum(log(one.estimate / one.low) ** 2 for one in found))
        up = sqrt(sum(log(one.high / one.estimate) ** 2 for one in found))
        return Interval(self.paid_minor, self.paid_minor * exp(-down), self.paid_minor * exp(up))

    def can_rise(self, name: str, share: Fraction) -> bool:
        """Say whether a factor can be raised by a share: no rate is above one."""
        value = self.factor(name)
        return value is not None and (name in (REACH, ORDER) or value * (1 + share) <= 1)

    def _parts(self, name: str) -> tuple[int | None, int | None]:
        return {
            CLICK: (self.clicks, self.reach),
            PURCHASE: (self.orders, self.clicks),
            CONVERSION: (self.orders, self.reach),
            ORDER: (self.paid_minor, self.orders),
        }[name]

    def _order_interval(self, mean: float, z: float) -> Interval:
        """Return the mean order's range; pseudo-orders keep a single order from looking certain."""
        orders = self.orders or 1
        variance = max(0.0, self.squares / orders - mean * mean)
        spread = sqrt((orders * variance + PSEUDO_ORDERS * mean**2) / (orders + PSEUDO_ORDERS))
        width = z * spread / (mean * sqrt(orders)) if mean else 0.0
        return Interval(mean, mean * exp(-width), mean * exp(width))


def together(some: Sequence[Steps]) -> Steps:
    """Add steps up; what one of them does not know, or refuses, is not known of all."""
    return Steps(
        _sum([one.reach for one in some]),
        _sum([one.clicks for one in some]),
        _sum([one.orders for one in some]),
        _sum([one.paid_minor for one in some]),
        sum(one.squares for one in some),
        {name: why for one in reversed(some) for name, why in one.refused.items()},
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if counts and len(known) == len(counts) else None


def worth_of(steps: Steps, names: Sequence[str], share: Fraction) -> Interval | None:
    """Return what raising some factors by a share adds to revenue, in minor units, with its range."""
    revenue = steps.revenue()
    if revenue is None or not all(steps.can_rise(name, share) for name in names):
        return None
    return revenue.times(float((1 + share) ** len(names) - 1))


def change_parts(before: Steps, now: Steps) -> dict[str, int] | None:
    """Split the change of revenue among the factors, in minor units that sum to it exactly.

    None where a factor is not known, or is zero, on either side.
    """
    if not (before.known_factors() and now.known_factors()):
        return None
    both = FOUR if before.known_factors() == now.known_factors() == FOUR else THREE
    pairs = {name: (before.factor(name), now.factor(name)) for name in both}
    if not all(first and second for first, second in pairs.values()):
        return None
    earlier, later = before.paid_minor or 0, now.paid_minor or 0
    mean = _logarithmic_mean(earlier, later)
    parts = {
        name: mean * _log_ratio(second or Fraction(1), first or Fraction(1))
        for name, (first, second) in pairs.items()
    }
    return _whole(parts, later - earlier)


def _logarithmic_mean(first: int, second: int) -> float:
    return float(first) if first == second else (second - first) / log(second / first)


def _log_ratio(above: Fraction, below: Fraction) -> float:
    ratio = above / below
    return log(ratio.numerator) - log(ratio.denominator)


def _whole(parts: Mapping[str, float], total: int) -> dict[str, int]:
    """Round parts so that they sum to a total: the largest remainders get what is missing."""
    rounded = {name: round(part) for name, part in parts.items()}
    missing = total - sum(rounded.values())
    order = sorted(parts, key=lambda name: (rounded[name] - parts[name], name))
    step = 1 if missing > 0 else -1
    for place in range(abs(missing)):
        name = order[place % len(order)] if missing > 0 else order[-1 - place % len(order)]
        rounded[name] += step
    return rounded
