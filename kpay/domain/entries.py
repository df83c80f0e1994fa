"""Single things that moved money, each with its share of the takings, whom it concerns and its id."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from kpay.domain.person_shown import person_shown
from kpay.domain.revenue import FEE_KINDS, PAYOUT_KINDS, BalanceSum, Takings, booked_costs

NOBODY: Final = "-"
GUEST: Final = "guest"


class Who(NamedTuple):
    """A customer as the store has them; without a number a guest, or nobody's."""

    number: int | None
    name: str | None
    email: str | None


class Sale(NamedTuple):
    """A paid order; `provider` is its charge, or its number in the file it came from.

    `settled_in` is the currency that the balance took it in; None where no movement is known.
    """

    at: datetime
    currency: str
    gross_minor: int
    discount_minor: int
    tax_minor: int
    is_subscription: bool
    country: str | None
    provider: str
    account: str
    order_id: int
    settled_in: str | None
    who: Who

    @property
    def what(self) -> str:
        """What happened, in a word."""
        return "subscription" if self.is_subscription else "sale"

    @property
    def total_minor(self) -> int:
        """What was paid."""
        return self.gross_minor - self.discount_minor

    def takings(self) -> Takings:
        """Return what the order adds to the takings of its currency."""
        sales = self.total_minor - self.tax_minor
        return Takings(
            self.gross_minor,
            self.discount_minor,
            self.tax_minor,
            orders=1,
            subscription_sales_minor=sales if self.is_subscription else 0,
        )


class GivenBackEntry(NamedTuple):
    """A refund on the day it was given, or, with `came_back`, on the day it failed."""

    at: datetime
    currency: str
    amount_minor: int
    tax_minor: int
    came_back: bool
    country: str | None
    provider: str
    account: str
    settled_in: str | None
    who: Who

    @property
    def what(self) -> str:
        """What happened, in a word."""
        return "refund that failed" if self.came_back else "refund"

    @property
    def sign(self) -> int:
        """Whether it takes from the takings (1) or gives back to them (-1)."""
        return -1 if self.came_back else 1

    def takings(self) -> Takings:
        """Return what the refund adds to the takings of its currency."""
        tax_minor = self.sign * self.tax_minor
        return Takings(
            tax_minor=-tax_minor,
            refunds_minor=self.sign * self.amount_minor,
            refunds_tax_minor=tax_minor,
        )


class UnbookedDispute(NamedTuple):
    """A dispute that took money of which no movement of the balance is known."""

    at: datetime
    currency: str
    amount_minor: int
    provider: str
    account: str
    who: Who

    @property
    def what(self) -> str:
        """What happened, in a word."""
        return "dispute"

    def takings(self) -> Takings:
        """Return what the dispute adds to the takings of its currency."""
        return Takings(disputes_minor=self.amount_minor)


class Movement(NamedTuple):
    """A movement of the balance; `source` is what caused it, `sold_in` the currency of that."""

    at: datetime
    currency: str
    kind: str
    of_dispute: bool
    amount_minor: int
    fee_minor: int
    net_minor: int
    provider: str
    source: str | None
    sold_in: str | None
    account: str
    who: Who

    @property
    def what(self) -> str:
        """What happened, in words."""
        if self.of_dispute:
            return "dispute"
        if self.kind in PAYOUT_KINDS or self.kind in FEE_KINDS:
            return self.kind.replace("_", " ")
        return f"fee of {self.kind.replace('_', ' ')}"

    def takings(self) -> Takings:
        """Return what the movement adds to the takings of its currency."""
        one = BalanceSum(
            0,
            self.currency,
            self.kind,
            self.of_dispute,
            self.amount_minor,
            self.fee_minor,
            self.net_minor,
        )
        return Takings(**booked_costs(one))


class FailedPayment(NamedTuple):
    """An attempt to pay that failed."""

    at: datetime
    currency: str
    provider: str
    account: str
    who: Who

    @property
    def what(self) -> str:
        """What happened, in a word."""
        return "failed payment"

    def takings(self) -> Takings:
        """Return what the attempt adds to the takings of its currency."""
        return Takings(failed_payments=1)


Entry = Sale | GivenBackEntry | UnbookedDispute | Movement | FailedPayment


def name_of(one: Entry, *, shows_emails: bool) -> str:
    """Return whom an entry concerns: by name or masked address, a number, a guest, or nobody."""
    who = one.who
    told = person_shown(who.name or "", who.email, shows_emails=shows_emails)
    if told or isinstance(one, Movement):
        return told or NOBODY
    return GUEST if who.number is None else f"customer {who.number}"
