"""What the bank sees: movements of the balance, in the currencies that the provider settles in.

    taken     what buyers' payments brought, before fees, in the currency of settlement
    refunds   given back, less what came back because a refund failed
    disputes  pulled back by buyers' banks, less what was won again
    fees      kept by the provider, on whatever movement they stand
    other     corrections, reserves, loans: what is no sale, and no way to the bank either
    net       taken - refunds - disputes - fees + other: what the balance earned
    paid out  sent to the creator's bank, less what came back

Net less paid out, over all time, is what stands on the balance: the sums that `kpay sync --verify`
compares with the provider's. A sale in another currency stands in `Conversion` with both amounts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from kpay.domain.revenue import FEE_KINDS, PAYOUT_KINDS, BalanceSum

TAKEN_KINDS: Final = frozenset({"charge", "payment"})
GIVEN_BACK_KINDS: Final = frozenset(
    {"refund", "payment_refund", "refund_failure", "payment_failure_refund", "payment_reversal"}
)
SIDES: Final = ("taken", "refunds", "disputes", "fees", "other", "net", "paid_out")


@dataclass(frozen=True, slots=True)
class BankSide:
    """The sums of one currency of settlement, in minor units."""

    taken_minor: int = 0
    refunds_minor: int = 0
    disputes_minor: int = 0
    fees_minor: int = 0
    other_minor: int = 0
    paid_out_minor: int = 0

    @property
    def net_minor(self) -> int:
        """What the balance earned."""
        back = self.refunds_minor + self.disputes_minor + self.fees_minor
        return self.taken_minor - back + self.other_minor

    def to_json(self) -> dict[str, int]:
        """Return the sums by name."""
        return {f"{name}_minor": getattr(self, f"{name}_minor") for name in SIDES}


@dataclass(frozen=True, slots=True)
class Conversion:
    """Orders that were paid in one currency and settled in another, with both amounts."""

    sold: str
    settled: str
    orders: int
    sold_minor: int
    settled_minor: int

    def to_json(self) -> dict[str, str | int]:
        """Return one of the key `conversions`."""
        return {
            "from": self.sold,
            "to": self.settled,
            "orders": self.orders,
            "sold_minor": self.sold_minor,
            "settled_minor": self.settled_minor,
        }


def bank_sides(balance: Iterable[BalanceSum]) -> dict[str, BankSide]:
    """Return the sums of every currency of settlement."""
    found: dict[str, BankSide] = {}
    for booked in balance:
        side = found.get(booked.currency, BankSide())
        name, minor = _place(booked)
        fees_minor = side.fees_minor + booked.fee_minor
        side = replace(side, fees_minor=fees_minor)
        found[booked.currency] = replace(side, **{name: getattr(side, name) + minor})
    return {code: found[code] for code in sorted(found)}


def _place(booked: BalanceSum) -> tuple[str, int]:
    """Return to which sum a movement's amount belongs, and with which sign."""
    if booked.of_dispute:
        return "disputes_minor", -booked.amount_minor
    if booked.kind in TAKEN_KINDS:
        return "taken_minor", booked.amount_minor
    if booked.kind in GIVEN_BACK_KINDS:
        return "refunds_minor", -booked.amount_minor
    if booked.kind in FEE_KINDS:
        return "fees_minor", -booked.amount_minor
    if booked.kind in PAYOUT_KINDS:
        return "paid_out_minor", -booked.amount_minor
    return "other_minor", booked.amount_minor
