"""Takings: what was sold, what was given back, what the bank pulled back and kept, per currency.

    gross      the price of every paid order on the day it was ordered, tax inside, before discounts
    discounts  what coupons took off
    tax        the tax inside the orders, less the tax inside what was refunded
    refunds    given back on the day it was given back, tax inside; counted while succeeded or pending
    disputes   pulled back by the bank, less what a won dispute brought back
    fees       kept by the provider, dispute fees and billed fees too; they never come back
    net        gross - discounts - tax - refunds - disputes - fees: what is the creator's

Orders and refunds stand in the currency of the sale; fees and disputes in the currency the bank
settles, as balance transactions have it. Two currencies are never added. Where everything came
through one provider in one currency, net + tax is the sum of its balance transactions' net.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

PAYOUT_KINDS = frozenset(
    {
        "payout",
        "payout_cancel",
        "payout_failure",
        "payout_minimum_balance_hold",
        "payout_minimum_balance_release",
        "transfer",
        "transfer_cancel",
        "transfer_failure",
        "topup",
        "topup_reversal",
    }
)
FEE_KINDS = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee", "application_fee"})
NO_DISPUTE_MONEY = frozenset(
    {"won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed"}
)
KEYS = ("gross", "discounts", "tax", "refunds", "disputes", "fees", "net")


@dataclass(frozen=True, slots=True)
class Takings:
    """The sums of one currency over one span of time, in minor units."""

    gross_minor: int = 0
    discounts_minor: int = 0
    tax_minor: int = 0
    refunds_minor: int = 0
    disputes_minor: int = 0
    fees_minor: int = 0
    orders: int = 0
    customers: int = 0

    @property
    def net_minor(self) -> int:
        """What is left for the creator."""
        return (
            self.gross_minor
            - self.discounts_minor
            - self.tax_minor
            - self.refunds_minor
            - self.disputes_minor
            - self.fees_minor
        )

    @property
    def is_empty(self) -> bool:
        """Nothing happened."""
        return not any(getattr(self, item.name) for item in fields(self))

    def to_json(self) -> dict[str, int]:
        """Return the keys of cli.md's `currencies`."""
        sums = {f"{key}_minor": getattr(self, f"{key}_minor") for key in KEYS}
        return {**sums, "orders": self.orders, "customers": self.customers}


@dataclass(frozen=True, slots=True)
class SalesSum:
    """Paid orders of one span and currency; `customers` counts each person once."""

    span: int
    currency: str
    gross_minor: int
    discounts_minor: int
    tax_minor: int
    orders: int
    customers: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Refunds (with the tax inside them) or disputed money of one span and currency."""

    span: int
    currency: str
    amount_minor: int
    tax_minor: int = 0


@dataclass(frozen=True, slots=True)
class BalanceSum:
    """Balance transactions of one span, currency and kind; `of_dispute`: a dispute caused them."""

    span: int
    currency: str
    kind: str
    of_dispute: bool
    amount_minor: int
    fee_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Movements:
    """Everything that moved money in a row of spans."""

    sales: tuple[SalesSum, ...] = ()
    refunds: tuple[GivenBack, ...] = ()
    unbooked_disputes: tuple[GivenBack, ...] = ()
    balance: tuple[BalanceSum, ...] = ()


def takings(movements: Movements, spans: int) -> list[dict[str, Takings]]:
    """Return, for each span, the takings of every currency in which something moved.

    `unbooked_disputes` are disputes that no balance transaction knows of (read without permission
    for the balance); all other disputed money comes from the balance, where a won one is reversed.
    """
    found: list[dict[str, Takings]] = [{} for _ in range(spans)]

    def add(span: int, currency: str, **amounts: int) -> None:
        before = found[span].get(currency, Takings())
        sums = {name: getattr(before, name) + amount for name, amount in amounts.items()}
        found[span][currency] = replace(before, **sums)

    for sale in movements.sales:
        add(
            sale.span,
            sale.currency,
            gross_minor=sale.gross_minor,
            discounts_minor=sale.discounts_minor,
            tax_minor=sale.tax_minor,
            orders=sale.orders,
            customers=sale.customers,
        )
    for back in movements.refunds:
        add(back.span, back.currency, refunds_minor=back.amount_minor, tax_minor=-back.tax_minor)
    for back in movements.unbooked_disputes:
        add(back.span, back.currency, disputes_minor=back.amount_minor)
    for booked in movements.balance:
        add(booked.span, booked.currency, **booked_costs(booked))
    return [_told(span) for span in found]


def booked_costs(booked: BalanceSum) -> dict[str, int]:
    """Return the fees and disputed money inside balance transactions of one kind."""
    if booked.kind in PAYOUT_KINDS:
        return {"fees_minor": booked.fee_minor}
    if booked.kind in FEE_KINDS:
        return {"fees_minor": booked.fee_minor - booked.amount_minor}
    disputed = -booked.amount_minor if booked.of_dispute else 0
    return {"fees_minor": booked.fee_minor, "disputes_minor": disputed}


def _told(span: dict[str, Takings]) -> dict[str, Takings]:
    return {code: span[code] for code in sorted(span) if not span[code].is_empty}
