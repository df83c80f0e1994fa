"""What happens in the world, as the provider and the books will see it; times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass

from kpay.sandbox.catalogue import Offer
from kpay.sandbox.people import Buyer


@dataclass(frozen=True, slots=True)
class Amounts:
    """What one checkout comes to, in minor units; the tax is inside the total."""

    subtotal_minor: int
    discount_minor: int = 0
    tax_minor: int = 0

    @property
    def total_minor(self) -> int:
        """Return what is charged."""
        return self.subtotal_minor - self.discount_minor


@dataclass(frozen=True, slots=True)
class Sale:
    """A one-off checkout; `failures` are declined attempts before the last one."""

    at: int
    order: str
    buyer: Buyer
    slug: str
    offer: Offer
    amounts: Amounts
    failures: int
    is_paid: bool


@dataclass(frozen=True, slots=True)
class MembershipStarted:
    """The first checkout of a membership; with a trial nothing is charged yet."""

    at: int
    membership: str
    order: str
    buyer: Buyer
    slug: str
    offer: Offer
    amounts: Amounts
    trial_end: int | None
    period_end: int


@dataclass(frozen=True, slots=True)
class MembershipBilled:
    """The charge for the next period, paid or declined; `offer` is new after a change of plan."""

    at: int
    membership: str
    order: str
    person: int
    offer: Offer
    period_end: int
    is_paid: bool


@dataclass(frozen=True, slots=True)
class MembershipRecovered:
    """A declined renewal that went through on a later attempt."""

    at: int
    membership: str
    order: str
    person: int
    offer: Offer


@dataclass(frozen=True, slots=True)
class NoticeGiven:
    """A member asks to leave at the end of the period."""

    at: int
    membership: str


@dataclass(frozen=True, slots=True)
class MembershipEnded:
    """A membership is over: by wish, or because the charge kept failing."""

    at: int
    membership: str
    payment_failed: bool


@dataclass(frozen=True, slots=True)
class Refunded:
    """Money given back for an order; at most what is left of it."""

    at: int
    order: str
    amount_minor: int
    reason: str


@dataclass(frozen=True, slots=True)
class Disputed:
    """The bank took the money of an order back, for now."""

    at: int
    order: str
    reason: str


@dataclass(frozen=True, slots=True)
class DisputeClosed:
    """The bank decided a dispute."""

    at: int
    order: str
    is_won: bool


@dataclass(frozen=True, slots=True)
class CustomerErased:
    """The provider's customer object of a person was deleted on request."""

    at: int
    person: int


Happening = (
    Sale
    | MembershipStarted
    | MembershipBilled
    | MembershipRecovered
    | NoticeGiven
    | MembershipEnded
    | Refunded
    | Disputed
    | DisputeClosed
    | CustomerErased
)


@dataclass(frozen=True, slots=True)
class Taking:
    """A succeeded charge: when, from whom (-1 a stranger), how much."""

    at: int
    person: int
    amount_minor: int
    currency: str


def taking(happening: Happening) -> Taking | None:
    """Return the succeeded charge in what happened, or None when nobody paid."""
    match happening:
        case Sale(is_paid=True) | MembershipStarted(trial_end=None):
            amount_minor, person = happening.amounts.total_minor, happening.buyer.person
        case MembershipBilled(is_paid=True) | MembershipRecovered():
            amount_minor, person = happening.offer.amount_minor, happening.person
        case _:
            return None
    if amount_minor == 0:
        return None
    return Taking(happening.at, person, amount_minor, happening.offer.currency)


@dataclass(frozen=True, slots=True)
class Trace:
    """What a tracker or a mail server notes about a person; `kind` as in kpay's events file."""

    at: int
    person: int
    kind: str
    content: str = ""
