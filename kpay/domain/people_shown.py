"""Customers and subscribers, as their commands show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kpay.domain.document import Block, Column, Document, Table
from kpay.domain.money import Money
from kpay.domain.period import instant_text, local_day


@dataclass(frozen=True, slots=True)
class ShownCustomer:
    """A customer with the sum of what they paid, a sum for each currency."""

    email: str | None
    name: str
    country: str | None
    tags: tuple[str, ...]
    since: datetime
    orders: int
    last_ordered_at: datetime | None
    spent: tuple[Money, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the keys of one customer."""
        return {
            "email": self.email,
            "name": self.name,
            "country": self.country,
            "tags": list(self.tags),
            "since": instant_text(self.since),
            "orders": self.orders,
            "last_ordered_at": _instant(self.last_ordered_at),
            "spent": {money.currency: {"total_minor": money.minor} for money in self.spent},
        }

    @property
    def spent_text(self) -> str | None:
        """The sums, for people."""
        return " + ".join(str(money) for money in self.spent) or None


@dataclass(frozen=True, slots=True)
class CustomerList:
    """The answer of `kpay customer list`: the latest buyers first; `total` counts all of them."""

    customers: Sequence[ShownCustomer]
    total: int
    timezone: str

    def to_document(self) -> Document:
        """Show one line for each customer."""
        payload = {"total": self.total, "customers": [one.to_json() for one in self.customers]}
        if not self.customers:
            steps = ("kpay sync", "kpay import orders FILE")
            return Document(
                "kpay.customer.list/1", "No customers yet.", payload=payload, next_steps=steps
            )
        columns = (
            Column("email"),
            Column("name"),
            Column("country"),
            Column("orders", "count"),
            Column("paid", "money"),
            Column("last order", "day"),
        )
        rows = tuple(
            (
                one.email,
                one.name,
                one.country,
                one.orders,
                one.spent_text,
                _day(one.last_ordered_at, self.timezone),
            )
            for one in self.customers
        )
        hidden = self.total - len(self.customers)
        note = f"... and {hidden:,} more (kpay customer list --all)" if hidden else ""
        title = f"{self.total:,} customer{'' if self.total == 1 else 's'}"
        return Document("kpay.customer.list/1", title, (Table(columns, rows, note=note),), payload)


@dataclass(frozen=True, slots=True)
class BoughtOrder:
    """An order in a customer's card."""

    number: str
    ordered_at: datetime
    total: Money
    refunded_minor: int
    bought: str


@dataclass(frozen=True, slots=True)
class Right:
    """A piece that a customer may read, or could until it ended."""

    title: str
    granted_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class HeldSubscription:
    """A customer's subscription."""

    number: str
    status: str
    price: Money
    interval: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """The answer of `kpay customer show`; `mailing` says how they stand on the mailing list."""

    customer: ShownCustomer
    orders: Sequence[BoughtOrder]
    rights: Sequence[Right]
    subscriptions: Sequence[HeldSubscription]
    mailing: str
    timezone: str

    def to_document(self) -> Document:
        """Show everything about one customer."""
        one = self.customer
        facts = {
            "name": one.name,
            "country": one.country,
            "tags": ", ".join(one.tags),
            "customer since": local_day(one.since, self.timezone).isoformat(),
            "orders": f"{one.orders:,}",
            "paid": one.spent_text,
            "mailing list": self.mailing,
        }
        blocks: list[Block] = [
            Table(
                (Column("email"), Column(one.email or "none")),
                tuple((name, text) for name, text in facts.items() if text),
            )
        ]
        blocks += [
            table for table in (self._subscriptions(), self._rights(), self._orders()) if table.rows
        ]
        return Document(
            "kpay.customer.show/1", one.email or one.name, tuple(blocks), self._payload()
        )

    def _orders(self) -> Table:
        return Table(
            (Column("order"), Column("day", "day"), Column("paid", "money"), Column("bought")),
            tuple(
                (order.number, _day(order.ordered_at, self.timezone), order.total, order.bought)
                for order in self.orders
            ),
            title="Orders",
        )

    def _rights(self) -> Table:
        return Table(
            (Column("may read"), Column("since", "day"), Column("ended", "day")),
            tuple(
                (
                    right.title,
                    _day(right.granted_at, self.timezone),
                    _day(right.ended_at, self.timezone),
                )
                for right in self.rights
            ),
            title="Owns",
        )

    def _subscriptions(self) -> Table:
        return Table(
            (Column("subscription"), Column("status"), Column("price"), Column("since", "day")),
            tuple(
                (
                    one.number,
                    one.status,
                    f"{one.price} / {one.interval}",
                    _day(one.started_at, self.timezone),
                )
                for one in self.subscriptions
            ),
            title="Subscriptions",
        )

    def _payload(self) -> dict[str, Any]:
        return {
            **self.customer.to_json(),
            "mailing_list": self.mailing,
            "order_list": [
                {
                    "order": order.number,
                    "ordered_at": instant_text(order.ordered_at),
                    "total_minor": order.total.minor,
                    "refunded_minor": order.refunded_minor,
                    "currency": order.total.currency,
                    "bought": order.bought,
                }
                for order in self.orders
            ],
            "rights": [
                {
                    "title": right.title,
                    "granted_at": instant_text(right.granted_at),
                    "ended_at": _instant(right.ended_at),
                }
                for right in self.rights
            ],
            "subscriptions": [
                {
                    "subscription": one.number,
                    "status": one.status,
                    "amount_minor": one.price.minor,
                    "currency": one.price.currency,
                    "interval": one.interval,
                    "started_at": instant_text(one.started_at),
                    "ended_at": _instant(one.ended_at),
                }
                for one in self.subscriptions
            ],
        }


def _instant(moment: datetime | None) -> str | None:
    return instant_text(moment) if moment else None


def _day(moment: datetime | None, timezone: str) -> date | None:
    return local_day(moment, timezone) if moment else None
