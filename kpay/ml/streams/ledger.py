"""What is known of a business, day by day: the rows that a forecast of its streams is made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from kpay.ml.arrays import Floats
from kpay.ml.streams.launches import Occasion
from kpay.ml.streams.members import Members, without_arrears
from kpay.ml.streams.returns import Refunds


@dataclass(frozen=True, slots=True)
class Ledger:
    """Days from `first_day` on, oldest first, in minor units of one currency.

    `single` are sales that are not of a subscription; `subscribed` are first payments and renewals.
    Occasions are launches and campaigns up to the last day.
    """

    first_day: date
    single: Floats
    subscribed: Floats
    refunds: Refunds
    members: Members
    occasions: tuple[Occasion, ...]

    @property
    def days(self) -> int:
        """How many days are known."""
        return len(self.single)

    @property
    def sales(self) -> Floats:
        """All that was taken, day by day, before refunds."""
        return self.single + self.subscribed

    @property
    def net(self) -> Floats:
        """What was taken less what was given back, day by day."""
        returned = np.bincount(self.refunds.given_back, self.refunds.amount, minlength=self.days)
        return np.asarray(self.sales - returned[: self.days])

    def known_at(self, day: int) -> Ledger:
        """Return what was known when a day began."""
        return Ledger(
            self.first_day,
            self.single[:day],
            self.subscribed[:day],
            self.refunds.known_at(day),
            without_arrears(self.members.known_at(day)),
            tuple(one for one in self.occasions if one.day < day),
        )
