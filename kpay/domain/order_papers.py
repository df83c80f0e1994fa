"""What hangs on one order at the provider: movements of the balance, coupons, how it was paid, whence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpay.domain.checkout import RawObject
from kpay.domain.document import Block, Column, Figure, Figures, Table
from kpay.domain.money import Money
from kpay.domain.period import instant_text
from kpay.domain.records_base import id_of, listed, part


@dataclass(frozen=True, slots=True)
class MovementFacts:
    """A movement of the balance that an order, its refund or its dispute caused; net = amount - fee.

    `currency` is that of the settlement; `exchange_rate` is there when the sale was in another.
    """

    at: datetime
    kind: str
    source: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    exchange_rate: str | None
    status: str


@dataclass(frozen=True, slots=True)
class CouponFacts:
    """What took something off; `code` is the word that the buyer typed, if they did."""

    coupon: str
    code: str | None
    takes_off: str


@dataclass(frozen=True, slots=True)
class OriginFacts:
    """Where the buy link stood: on a piece's page, or in the mail of a campaign, sequence or purchase.

    `campaign` is the name of a sequence too. `recipient` is who got that mail, which need not be the
    buyer.
    """

    kind: str
    content: str | None
    campaign: str | None
    recipient: str | None = None

    def __str__(self) -> str:
        to = f" to {self.recipient}" if self.recipient else ""
        return f"{self.kind} {self.campaign or self.content}{to}"


@dataclass(frozen=True, slots=True)
class OrderPapers:
    """Everything beside the order itself."""

    movements: Sequence[MovementFacts] = ()
    payment_method: str | None = None
    coupons: Sequence[CouponFacts] = ()
    origin: OriginFacts | None = None
    tracking: Mapping[str, Any] | None = None

    def settled(self) -> dict[str, tuple[int, int, int]]:
        """Return (amount, fees, net) of each currency of settlement; currencies are never added."""
        sums: dict[str, tuple[int, int, int]] = {}
        for one in sorted(self.movements, key=lambda one: one.currency):
            amount, fee, net = sums.get(one.currency, (0, 0, 0))
            sums[one.currency] = (
                amount + one.amount_minor,
                fee + one.fee_minor,
                net + one.net_minor,
            )
        return sums

    def words(self) -> list[str]:
        """Return what the heading of an order says of it."""
        said = [f"paid by {self.payment_method.replace('_', ' ')}"] if self.payment_method else []
        said += [
            f"coupon {one.code or one.coupon} ({one.takes_off})" if one.takes_off else one.coupon
            for one in self.coupons
        ]
        return said + ([f"from {self.origin}"] if self.origin else [])

    def blocks(self) -> list[Block]:
        """Show what reached the balance, and every movement of it."""
        if not self.movements:
            return []
        figures = [
            Figure(label, Money(minor, currency), "money")
            for currency, (_, fee, net) in self.settled().items()
            for label, minor in (("fees", fee), ("net", net))
        ]
        return [Figures(tuple(figures), "Settled"), self._movement_table()]

    def _movement_table(self) -> Table:
        columns = (
            Column("at", "instant"),
            Column("movement"),
            Column("caused by"),
            Column("amount", "money"),
            Column("fee", "money"),
            Column("net", "money"),
            Column("rate"),
            Column("status"),
        )
        rows = tuple(
            (
                one.at,
                one.kind.replace("_", " "),
                one.source,
                Money(one.amount_minor, one.currency),
                Money(one.fee_minor, one.currency),
                Money(one.net_minor, one.currency),
                one.exchange_rate,
                one.status,
            )
            for one in self.movements
        )
        return Table(columns, rows, title="On the balance")

    def to_json(self) -> dict[str, Any]:
        """Return the keys that an order gets from its papers."""
        return {
            "payment_method": self.payment_method,
            "coupons": [
                {"coupon": one.coupon, "code": one.code, "takes_off": one.takes_off}
                for one in self.coupons
            ],
            "origin": {
                "kind": self.origin.kind,
                "content": self.origin.content,
                "campaign": self.origin.campaign,
                "recipient": self.origin.recipient,
            }
            if self.origin
            else None,
            "tracking": dict(self.tracking or {}),
            "settled": {
                currency: {"amount_minor": amount, "fee_minor": fee, "net_minor": net}
                for currency, (amount, fee, net) in self.settled().items()
            },
            "movements": [
                {
                    "at": instant_text(one.at),
                    "kind": one.kind,
                    "source": one.source,
                    "amount_minor": one.amount_minor,
                    "fee_minor": one.fee_minor,
                    "net_minor": one.net_minor,
                    "currency": one.currency,
                    "exchange_rate": one.exchange_rate,
                    "status": one.status,
                }
                for one in self.movements
            ],
        }


def discounts_of(raws: Iterable[RawObject]) -> list[tuple[str, str | None]]:
    """Return (coupon id, promotion code id) of what was taken off a checkout or an invoice.

    The coupon of a discount moved below `source` with API 2025-09-30; an id alone of a discount does
    not tell its coupon.
    """
    found: dict[tuple[str, str | None], None] = {}
    for raw in raws:
        for discount in [*listed(raw.get("discounts")), raw.get("discount")]:
            if isinstance(discount, dict):
                coupon = id_of(discount.get("coupon")) or id_of(part(discount, "source", "coupon"))
                if coupon:
                    found[coupon, id_of(discount.get("promotion_code"))] = None
    return list(found)
