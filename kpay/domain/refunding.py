"""Giving money back: how much is left, and whether it may be given. Rules on plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from kpay.domain.checkout import Account
from kpay.domain.enums import OrderStatus
from kpay.domain.money import format_minor

REFUND_KEY: Final = "kpay_refund"
"""The name in a refund's metadata under which kpay finds its own request again."""
IMPORTED: Final = "import"


class RefundReason(StrEnum):
    """Why money is given back, in the provider's words."""

    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    REQUESTED_BY_CUSTOMER = "requested_by_customer"


@dataclass(frozen=True, slots=True)
class RefundAsk:
    """What the provider is asked for; `key` makes the same request the same refund for ever."""

    charge: str
    amount_minor: int
    currency: str
    key: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """What this business allows: how old a sale may be, and whether real money may move."""

    days: int
    allows_live: bool


@dataclass(frozen=True, slots=True)
class RefundableOrder:
    """An order as its refund sees it; `held_minor` and `dispute` are what the buyer's bank holds."""

    id: int
    name: str
    source: str
    account: Account
    status: str
    charge: str | None
    ordered_at: datetime
    currency: str
    total_minor: int
    refunded_minor: int
    held_minor: int = 0
    dispute: str | None = None

    @property
    def left_minor(self) -> int:
        """What was paid, less what was given back or pulled back."""
        return max(0, self.total_minor - self.refunded_minor - self.held_minor)

    def shown(self, minor: int) -> str:
        """Write an amount of this order for people."""
        return format_minor(minor, self.currency)


def why_impossible(order: RefundableOrder) -> str | None:
    """Return why no money of an order can be given back, or None."""
    if order.source == IMPORTED:
        return (
            f"{order.name} was imported: its money is not at this Stripe account, so give it back "
            "where it was paid"
        )
    if order.status != OrderStatus.PAID:
        return f"{order.name} was never paid"
    if not order.total_minor or order.charge is None:
        return f"{order.name} cost nothing"
    if order.dispute is not None:
        return (
            f"the buyer's bank holds the money of {order.name} (dispute {order.dispute}); a refund "
            "would give it back twice"
        )
    if not order.left_minor:
        return f"all of {order.name} has been given back already"
    return None


def why_too_much(order: RefundableOrder, amount_minor: int) -> str | None:
    """Return why an amount cannot be given back, or None."""
    if amount_minor <= order.left_minor:
        return None
    asked, left = order.shown(amount_minor), order.shown(order.left_minor)
    return f"{asked} is more than what is left of {order.name}: {left}"


def why_too_old(order: RefundableOrder, days: int, now: datetime) -> str | None:
    """Return why the business's own policy speaks against a refund, or None."""
    if order.ordered_at + timedelta(days=days) >= now:
        return None
    age = (now - order.ordered_at).days
    return f"{order.name} was sold {age} days ago, and refund_days is {days}"
