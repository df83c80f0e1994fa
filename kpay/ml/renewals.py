"""Subscription renewals ahead: dates and prices are known, only who stays is not.

Survival is counted in four kinds (month or year, first or later renewal) with a prior, because a
creator has seen few of them; its uncertainty is drawn too (Beta-Binomial).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.paths import DRAWS

# prior counts of (stayed, left) by kind: later renewals are those of people who stayed before
PRIORS: Final = {
    ("month", "first"): (8.0, 2.0),
    ("month", "later"): (9.3, 0.7),
    ("year", "first"): (3.0, 2.0),
    ("year", "later"): (3.0, 1.0),
}
DAYS_IN: Final = {"month": 30.436875, "year": 365.2425}


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Paying subscriptions, one array entry each; days count from the day after the as-of day.

    `started` is the day of the first payment, `ended` the day it stopped (a large number while it
    runs; a stop already announced counts from its day), `every_days` the mean length of a period.
    """

    started: Ints
    ended: Ints
    every_days: Floats
    amount_minor: Ints

    @property
    def is_yearly(self) -> Flags:
        """True where the period is longer than half a year."""
        return self.every_days > DAYS_IN["year"] / 2


@dataclass(frozen=True, slots=True)
class Survival:
    """How many renewals of a kind were paid and how many were not, prior included."""

    stayed: float
    left: float

    @property
    def share(self) -> float:
        """The expected share that stays."""
        return self.stayed / (self.stayed + self.left)


def survival(known: Subscriptions) -> dict[tuple[str, str], Survival]:
    """Count the renewals that were due before day 0, by kind."""
    lifetime = np.minimum(known.ended, 0) - known.started
    due = np.floor(np.maximum(lifetime - 1, 0) / known.every_days)
    has_left = (known.ended <= 0).astype(float)
    counted = {}
    for kind, is_kind in (("month", ~known.is_yearly), ("year", known.is_yearly)):
        paid, gone = due[is_kind], has_left[is_kind]
        first = float((paid >= 1).sum()), float(gone[paid < 1].sum())
        later = float(np.maximum(paid - 1, 0).sum()), float(gone[paid >= 1].sum())
        for age, (stayed, left) in (("first", first), ("later", later)):
            prior_stayed, prior_left = PRIORS[kind, age]
            counted[kind, age] = Survival(prior_stayed + stayed, prior_left + left)
    return counted


def expected(known: Subscriptions, steps: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Return the renewals of each day ahead: means (steps,) and joint paths (draws, steps)."""
    mean, draws = np.zeros(steps), np.zeros((DRAWS, steps))
    shares = survival(known)
    generator = np.random.default_rng(seed)
    for kind, is_kind in (("month", ~known.is_yearly), ("year", known.is_yearly)):
        first, later = shares[kind, "first"], shares[kind, "later"]
        drawn_first = generator.beta(first.stayed, first.left, DRAWS)
        drawn_later = generator.beta(later.stayed, later.left, DRAWS)
        for at in np.flatnonzero(is_kind & (known.ended > 0)):
            due, is_first = _due(known, int(at), steps)
            amount = float(known.amount_minor[at])
            chance = np.cumprod(np.where(is_first, first.share, later.share))
            mean[due] += amount * chance
            luck = generator.random((DRAWS, len(due)))
            stays = luck < np.where(is_first, drawn_first[:, None], drawn_later[:, None])
            draws[:, due] += amount * np.cumprod(stays, axis=1)
    return mean, draws


def _due(known: Subscriptions, at: int, steps: int) -> tuple[Ints, Flags]:
    """Return the days ahead on which one subscription renews, and whether it is its first time."""
    last = min(steps, int(known.ended[at]))
    turns = np.arange(1, int((steps - known.started[at]) / known.every_days[at]) + 2)
    day = np.floor(known.started[at] + turns * known.every_days[at]).astype(np.int64)
    ahead = (day >= 0) & (day < last)
    return day[ahead], turns[ahead] == 1
