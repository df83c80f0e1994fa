"""Looking at customers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection

from kpay.domain.address import normal_email
from kpay.domain.enums import SubscriberStatus
from kpay.domain.money import Money
from kpay.domain.people_shown import (
    BoughtOrder,
    CustomerCard,
    CustomerList,
    HeldSubscription,
    Right,
    ShownCustomer,
)
from kpay.domain.period import Period
from kpay.errors import NotFound
from kpay.store import orders, people, subscribers
from kpay.store.engine import Store

EVER = Period(datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC), "UTC")
ORDERS_SHOWN = 1000
NO_ADDRESS = "no address"

Row = Mapping[str, Any]


def list_customers(store: Store, *, limit: int | None, timezone: str) -> CustomerList:
    """Return customers, the latest buyers first; `limit` None returns all of them."""
    with store.reading() as connection:
        rows = people.with_purchases(connection, limit=limit)
        spent = people.spent(connection)
        total = people.counted(connection)
    return CustomerList([_shown(row, spent.get(row["id"], [])) for row in rows], total, timezone)


def show_customer(store: Store, email: str, timezone: str) -> CustomerCard:
    """Return everything known about a customer; raise NotFound with the address probably meant.

    Whoever has no address is found by what the provider, or an imported file, calls them.
    """
    wanted = normal_email(email)
    with store.reading() as connection:
        row = people.by_email(connection, wanted) or people.called(connection, email.strip())
        if row is None:
            raise _not_found(connection, wanted)
        address = row["email"]
        nameless = None if address else row["id"]
        bought = orders.listed(
            connection, EVER, email=address, customer_id=nameless, limit=ORDERS_SHOWN
        )
        last = bought[0].ordered_at if bought else None
        known = {**row, "orders": len(bought), "last_ordered_at": last}
        return CustomerCard(
            customer=_shown(known, people.spent(connection).get(row["id"], [])),
            orders=[_order(order) for order in bought],
            rights=[Right(*right) for right in people.rights_of(connection, row["id"])],
            subscriptions=[_held(held) for held in people.subscriptions_of(connection, row["id"])],
            mailing=_mailing(connection, address) if address else NO_ADDRESS,
            timezone=timezone,
        )


def _not_found(connection: Connection, email: str) -> NotFound:
    close = get_close_matches(email, people.emails_like(connection, email), n=1)
    hint = f"kpay customer show {close[0]}" if close else "kpay customer list"
    return NotFound("customer", email, hint)


def _shown(row: Row, spent: list[tuple[str, int]]) -> ShownCustomer:
    return ShownCustomer(
        email=row["email"],
        name=row["name"],
        country=row["country"],
        tags=tuple(row["tags"]),
        since=row["created_at"],
        orders=row["orders"],
        last_ordered_at=row["last_ordered_at"],
        spent=tuple(Money(minor, currency) for currency, minor in spent),
    )


def _order(order: Any) -> BoughtOrder:
    return BoughtOrder(
        order.external_id,
        order.ordered_at,
        Money(order.total_minor, order.currency),
        order.refunded_minor,
        order.bought or "",
    )


def _held(row: Row) -> HeldSubscription:
    return HeldSubscription(
        row["external_id"],
        row["status"],
        Money(row["amount_minor"], row["currency"]),
        row["interval"],
        row["started_at"],
        row["ended_at"],
    )


def _mailing(connection: Connection, email: str) -> str:
    reason = subscribers.reason_not_to_mail(connection, email)
    if reason is not None:
        return f"not mailed ({reason})"
    subscriber = subscribers.find(connection, email)
    return SubscriberStatus(subscriber["status"]).value if subscriber else "not on it"
