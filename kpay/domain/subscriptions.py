"""Monthly recurring revenue and its movements, by the month, to the cent.

A customer has one MRR: the sum of what their subscriptions pay. Each change is a movement:
new (never paid before), reactivation (paid before, and was at zero), expansion and contraction
(a change while above zero), churn (to zero), fx (the rate alone changed, at the month's start).
start + new + expansion + reactivation - contraction - churn + fx = end, every month. Who pays at the
beginning and at the end of a day has moved between plans at most: that day is one change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal

Kind = Literal[
    "new", "expansion", "contraction", "churn_voluntary", "churn_involuntary", "reactivation", "fx"
]


@dataclass(frozen=True, slots=True)
class Month:
    """One month [start, end) and what a minor unit of each currency is worth in base ones.

    The newest month of a series ends where things stop being known; `is_partial` says that it had not
    ended then.
    """

    first_day: date
    start: datetime
    end: datetime
    rates: Mapping[str, Fraction]
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class MonthOfMrr:
    """The movements of one month, in minor units of the base currency, and the people behind them.

    `opening_loss_minor` and `opening_gain_minor` are what customers of the opening balance lost and
    added over the month, each counted once and no loss above what the customer brought, so that
    shares of the opening balance stay between 0 and 1. `lost` are those of them at zero at the end.
    """

    first_day: date
    is_partial: bool = False
    start_minor: int = 0
    new_minor: int = 0
    expansion_minor: int = 0
    contraction_minor: int = 0
    churn_voluntary_minor: int = 0
    churn_involuntary_minor: int = 0
    reactivation_minor: int = 0
    fx_minor: int = 0
    end_minor: int = 0
    subscribers_start: int = 0
    subscribers_new: int = 0
    subscribers_reactivated: int = 0
    subscribers_churned: int = 0
    subscribers_churned_involuntary: int = 0
    subscribers_end: int = 0
    opening_loss_minor: int = 0
    opening_gain_minor: int = 0
    lost: int = 0

    @property
    def subscribers_churned_opening(self) -> int:
        """Of the customers with which the month began, those who were gone at its end."""
        return self.lost

    @property
    def churn_minor(self) -> int:
        """What ended, for either reason."""
        return self.churn_voluntary_minor + self.churn_involuntary_minor

    @property
    def gains_minor(self) -> int:
        """Everything that added."""
        return self.new_minor + self.expansion_minor + self.reactivation_minor

    @property
    def losses_minor(self) -> int:
        """Everything that took away."""
        return self.contraction_minor + self.churn_minor


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of a customer's MRR, from one value to another; `at` is None for a rate's change."""

    month: date
    kind: Kind
    customer: str
    before_minor: int
    after_minor: int
    at: datetime | None
    subscriptions: tuple[str, ...]

    @property
    def amount_minor(self) -> int:
        """How far it went; with its sign where the rate alone changed."""
        change = self.after_minor - self.before_minor
        return change if self.kind == "fx" else abs(change)
