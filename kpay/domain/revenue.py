"""Takings: what was sold, what was given back, what the bank pulled back and kept, per currency.

    gross      the price of every paid order on the day it was ordered, tax inside, before discounts
    discounts  what coupons took off
    tax        the tax inside the orders, less the tax inside what was refunded
    refunds    given back on the day it was given back, tax inside; what failed later comes back on
               the day it failed
    disputes   pulled back by the bank, less what a won dispute brought back
    fees       kept by the provider, dispute fees and billed fees too; they never come back
    net        gross - discounts - tax - refunds - disputes - fees: what is the creator's
    sales      gross - discounts - the tax inside the orders: one-time and of subscriptions
    payouts    sent to the creator's bank, less what came back

Orders and refunds stand in the currency of the sale; fees and disputes in the currency the bank
settles, as balance transactions have it. Two currencies are never added. Where everything came
through one provider in one currency, net + tax is the sum of its balance transactions' net.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
REFUND_FAILED_KIND = "refund_failure"
KEYS = ("gross", "discounts", "tax", "refunds", "disputes", "fees", "net")
MORE_KEYS = ("sales", "one_time_sales", "subscription_sales", "payouts")


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
    subscription_sales_minor: int = 0
    refunds_tax_minor: int = 0
    payouts_minor: int = 0
    failed_payments: int = 0

    @property
    def sales_minor(self) -> int:
        """What orders brought after discounts, without tax."""
        return self.gross_minor - self.discounts_minor - self.tax_minor - self.refunds_tax_minor

    @property
    def one_time_sales_minor(self) -> int:
        """The sales that are of no subscription."""
        return self.sales_minor - self.subscription_sales_minor

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
        """Return the keys of cli.md's `currencies`, and what was added since."""
        sums, more = (
            {f"{key}_minor": int(getattr(self, f"{key}_minor")) for key in keys}
            for keys in (KEYS, MORE_KEYS)
        )
        counts = {"orders": self.orders, "customers": self.customers}
        return {**sums, **counts, **more, "failed_payments": self.failed_payments}


@dataclass(frozen=True, slots=True)
class SalesSum:
    """Paid orders of one span and currency; `customers` counts each person once.

    `subscription_sales_minor` is what subscriptions brought, after discounts and without tax.
    """

    span: int
    currency: str
    gross_minor: int
    discounts_minor: int
    tax_minor: int
    orders: int
    customers: int
    subscription_sales_minor: int = 0


@dataclass(frozen=True, slots=True)
class FailedPayments:
    """Attempts to pay that failed, of one span and currency."""

    span: int
    currency: str
    count: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Refunds (with the tax inside them) or disputed money of one span and currency.

    A refund that failed comes back: its sums are negative in the span in which it failed.
    """

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
    failed: tuple[FailedPayments, ...] = ()


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
            subscription_sales_minor=sale.subscription_sales_minor,
        )
    for back in movements.refunds:
        add(
            back.span,
            back.currency,
            refunds_minor=back.amount_minor,
            tax_minor=-back.tax_minor,
            refunds_tax_minor=back.tax_minor,
        )
    for back in movements.unbooked_disputes:
        add(back.span, back.currency, disputes_minor=back.amount_minor)
    for booked in movements.balance:
        add(booked.span, booked.currency, **booked_costs(booked))
    for failed in movements.failed:
        add(failed.span, failed.currency, failed_payments=failed.count)
    return [_told(span) for span in found]


def added_up(
    spans: Iterable[Mapping[str, Takings]], customers: Mapping[str, int]
) -> dict[str, Takings]:
    """Return the takings of several spans together; who bought in two of them is one customer."""
    names = [item.name for item in fields(Takings)]
    found: dict[str, Takings] = {}
    for span in spans:
        for code, mine in span.items():
            before = found.get(code, Takings())
            sums = {name: getattr(before, name) + getattr(mine, name) for name in names}
            found[code] = Takings(**sums)
    people = {code: customers.get(code, 0) for code in found}
    return _told({code: replace(found[code], customers=people[code]) for code in found})


def booked_costs(booked: BalanceSum) -> dict[str, int]:
    """Return the fees, payouts and disputed money inside balance transactions of one kind."""
    if booked.kind in PAYOUT_KINDS:
        return {"fees_minor": booked.fee_minor, "payouts_minor": -booked.amount_minor}
    if booked.kind in FEE_KINDS:
        return {"fees_minor": booked.fee_minor - booked.amount_minor}
    disputed = -booked.amount_minor if booked.of_dispute else 0
    return {"fees_minor": booked.fee_minor, "disputes_minor": disputed}


def _told(span: dict[str, Takings]) -> dict[str, Takings]:
    return {code: span[code] for code in sorted(span) if not span[code].is_empty}
