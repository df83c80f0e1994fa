"""Orders as `kpay order list` shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpay.domain.document import Cell, Column, Document, Table
from kpay.domain.money import Money
from kpay.domain.period import instant_text


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order with what was given back of it."""

    id: int
    external_id: str
    source: str
    ordered_at: datetime
    email: str | None
    name: str
    country: str | None
    status: str
    kind: str
    currency: str
    gross_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int
    refunded_minor: int
    held_minor: int = 0
    bought: str = ""

    @property
    def state(self) -> str:
        """How the order's money stands; the bank's dispute goes before the creator's refund."""
        if self.held_minor:
            return "disputed"
        if 0 < self.total_minor <= self.refunded_minor:
            return "refunded"
        return "partly_refunded" if self.refunded_minor else self.status

    def money(self, minor: int) -> Money:
        """Return an amount of this order."""
        return Money(minor, self.currency)

    def to_json(self) -> dict[str, Any]:
        """Return the keys of one order; amounts are minor units of its currency."""
        return {
            "order": self.external_id,
            "id": self.id,
            "source": self.source,
            "ordered_at": instant_text(self.ordered_at),
            "email": self.email,
            "name": self.name or None,
            "country": self.country,
            "status": self.status,
            "kind": self.kind,
            "currency": self.currency,
            "gross_minor": self.gross_minor,
            "discount_minor": self.discount_minor,
            "tax_minor": self.tax_minor,
            "total_minor": self.total_minor,
            "refunded_minor": self.refunded_minor,
            "held_minor": self.held_minor,
            "state": self.state,
        }


@dataclass(frozen=True, slots=True)
class OrderList:
    """The answer of `kpay order list`: the newest orders first, and how many there are in all."""

    orders: Sequence[OrderFacts]
    count: int

    def to_document(self) -> Document:
        """Show one line for each order."""
        if not self.orders:
            return Document(
                "kpay.order.list/1",
                "No orders in this time",
                payload=self._payload(),
                next_steps=("kpay sync", "kpay order list"),
            )
        columns = (
            Column("ordered", "instant"),
            Column("bought"),
            Column("total", "money"),
            Column("given back", "money"),
            Column("state"),
            Column("kind"),
            Column("buyer"),
            Column("order"),
        )
        hidden = self.count - len(self.orders)
        table = Table(
            columns,
            tuple(_row(order) for order in self.orders),
            note=f"and {hidden:,} older ones (--limit shows more)" if hidden else "",
        )
        return Document(
            "kpay.order.list/1",
            f"{self.count:,} order{'' if self.count == 1 else 's'}",
            (table,),
            self._payload(),
            next_steps=(f"kpay order show {self.orders[0].external_id}",),
        )

    def _payload(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "orders": [order.to_json() | {"bought": order.bought} for order in self.orders],
        }


def _row(order: OrderFacts) -> tuple[Cell, ...]:
    back = order.refunded_minor + order.held_minor
    return (
        order.ordered_at,
        order.bought,
        order.money(order.total_minor),
        order.money(back) if back else None,
        order.state.replace("_", " "),
        order.kind.replace("_", " "),
        order.email or order.name or None,
        order.external_id,
    )
