"""Refunds: a share of every sale comes back, by the sale's age in days."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from kpay.ml.arrays import Floats, Ints

AGES: Final = np.array([0, 1, 3, 7, 14, 30, 60, 90, 180, 365])  # first day of each bracket
OLDEST_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Refunds:
    """One entry a refund: the days of the sale and of the refund, and the amount, all >= 0."""

    sold: Ints
    given_back: Ints
    amount: Floats

    def known_at(self, day: int) -> Refunds:
        """Return the refunds given before a day began."""
        seen = self.given_back < day
        return Refunds(self.sold[seen], self.given_back[seen], self.amount[seen])


@dataclass(frozen=True, slots=True)
class Rate:
    """Which share of a sale comes back on each day of its age, from how many refunds of which size."""

    by_age: Floats
    refunds: int
    usual_amount: float


def rate(sales: Floats, refunds: Refunds) -> Rate:
    """Return the rate by age: what came back at an age over what was old enough to."""
    days = len(sales)
    ages = np.clip(refunds.given_back - refunds.sold, 0, OLDEST_DAYS - 1)
    came = np.bincount(ages, refunds.amount, minlength=OLDEST_DAYS)
    old_enough = np.zeros(OLDEST_DAYS)
    running = np.cumsum(sales)
    reach = min(days, OLDEST_DAYS)
    old_enough[:reach] = running[::-1][:reach]
    by_age = np.zeros(OLDEST_DAYS)
    for begins, ends in pairwise(AGES.tolist()):
        exposed = old_enough[begins:ends].sum()
        if exposed > 0:
            by_age[begins:ends] = min(came[begins:ends].sum() / exposed, 1.0)
    count = len(refunds.amount)
    return Rate(by_age, count, float(refunds.amount.mean()) if count else 0.0)


def given_back(
    sales: Floats,
    sold_ahead: Floats,
    found: Rate,
    *,
    generator: np.random.Generator | None = None,
) -> Floats:
    """Return what is given back on each day ahead (not negative), for each path of sales to come.

    `sold_ahead` is (draws, days). Refunds come as whole sales do: their number is Poisson, its rate as
    unsure as the refunds seen are few.
    """
    draws, horizon = sold_ahead.shape
    if not found.refunds:
        return np.zeros((draws, horizon))
    reach = np.arange(horizon)
    expected = np.zeros((draws, horizon))
    past = sales[-OLDEST_DAYS:]
    age_of_oldest = len(past) + reach  # age, on each day ahead, of the oldest sale looked at
    for at, day in enumerate(age_of_oldest.tolist()):
        ages = day - np.arange(len(past))
        inside = ages < OLDEST_DAYS
        expected[:, at] += past[inside] @ found.by_age[ages[inside]]
    for age in range(min(horizon, OLDEST_DAYS)):
        if found.by_age[age] > 0:
            expected[:, age:] += sold_ahead[:, : horizon - age] * found.by_age[age]
    if generator is None:
        return expected
    unsure = generator.gamma(found.refunds, 1 / found.refunds, (draws, 1))
    number = generator.poisson(expected * unsure / found.usual_amount)
    return np.asarray(number * found.usual_amount)
