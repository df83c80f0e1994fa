"""The shelf as recommending sees it: the pieces, who has them, and what people did with them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, func, select

from kpay.domain.enums import ContentStatus, OrderStatus
from kpay.models.billing import Subscription
from kpay.models.catalog import Content, ContentVersion
from kpay.models.people import Customer
from kpay.models.sales import LineItem, Order
from kpay.models.signals import Event
from kpay.store.dialect import table_of

CONTENT, VERSIONS = table_of(Content), table_of(ContentVersion)
ORDERS, LINES = table_of(Order), table_of(LineItem)
CUSTOMERS, EVENTS, BILLED = table_of(Customer), table_of(Event), table_of(Subscription)

SHOWN: Final = (ContentStatus.PUBLISHED.value, ContentStatus.ARCHIVED.value)
RUNNING: Final = ("active", "trialing", "past_due")
TAKEN: Final = ("slug", "title", "kind", "summary", "tags", "status", "pricing", "includes")
PRICED: Final = ("amount_minor", "currency", "published_at")

Row = dict[str, Any]


def pieces(connection: Connection, until: datetime) -> list[Row]:
    """Return content with what recommending needs, archived too; drafts are not shown to anybody.

    Without any content, the products that were sold before a moment stand in for it: they have no
    text, and their title is the code where they have no name.
    """
    present = and_(VERSIONS.c.content_id == CONTENT.c.id, VERSIONS.c.version == CONTENT.c.version)
    query = (
        select(
            *(CONTENT.c[name] for name in (*TAKEN, *PRICED)),
            VERSIONS.c.body,
            VERSIONS.c.front_matter,
        )
        .outerjoin(VERSIONS, present)
        .where(CONTENT.c.status.in_(SHOWN))
        .order_by(CONTENT.c.slug)
    )
    found = [
        {
            **{name: row[name] for name in (*TAKEN, *PRICED)},
            "text": "\n".join((row["title"], row["summary"], *row["tags"], row["body"] or "")),
            "after": list((row["front_matter"] or {}).get("after", ())),
        }
        for row in connection.execute(query).mappings()
    ]
    return found or _products_sold(connection, until)


def _products_sold(connection: Connection, until: datetime) -> list[Row]:
    query = (
        select(LINES.c.product, func.max(LINES.c.name).label("name"))
        .join(ORDERS, ORDERS.c.id == LINES.c.order_id)
        .where(_paid(until), LINES.c.product != "")
        .group_by(LINES.c.product)
        .order_by(LINES.c.product)
    )
    alike = {
        "kind": "",
        "summary": "",
        "tags": [],
        "status": ContentStatus.PUBLISHED.value,
        "pricing": "fixed",
        "includes": [],
        "after": [],
        "text": "",
        "amount_minor": 0,
        "currency": None,
        "published_at": None,
    }
    return [
        {"slug": row.product, "title": row.name or row.product, **alike}
        for row in connection.execute(query)
    ]


def paying_currencies(connection: Connection, until: datetime) -> dict[int, set[str]]:
    """Return the currencies in which each customer has paid."""
    query = (
        select(ORDERS.c.customer_id, ORDERS.c.currency)
        .where(_paid(until), ORDERS.c.customer_id.is_not(None), ORDERS.c.total_minor > 0)
        .distinct()
    )
    found: dict[int, set[str]] = defaultdict(set)
    for customer, currency in connection.execute(query):
        found[customer].add(currency)
    return found


def memberships(connection: Connection) -> list[tuple[int, str]]:
    """Return who is in which running subscription."""
    query = (
        select(BILLED.c.customer_id, CONTENT.c.slug)
        .join(CONTENT, CONTENT.c.id == BILLED.c.content_id)
        .where(BILLED.c.customer_id.is_not(None), BILLED.c.status.in_(RUNNING))
        .distinct()
        .order_by(BILLED.c.customer_id, CONTENT.c.slug)
    )
    return [(customer, slug) for customer, slug in connection.execute(query)]


def happenings(
    connection: Connection, kinds: frozenset[str], until: datetime
) -> list[tuple[int, str, str, str]]:
    """Return customer, content, kind and value of some kinds of events before a moment."""
    query = (
        select(CUSTOMERS.c.id, EVENTS.c.content, EVENTS.c.kind, EVENTS.c.value)
        .join(EVENTS, EVENTS.c.email == CUSTOMERS.c.email)
        .where(EVENTS.c.kind.in_(kinds), EVENTS.c.content != "", EVENTS.c.happened_at < until)
        .order_by(CUSTOMERS.c.id, EVENTS.c.happened_at, EVENTS.c.id)
    )
    return [tuple(row) for row in connection.execute(query)]


def buyers(connection: Connection) -> list[tuple[int, str]]:
    """Return who bought which piece, once each."""
    query = (
        select(ORDERS.c.customer_id, CONTENT.c.slug)
        .join(LINES, LINES.c.order_id == ORDERS.c.id)
        .join(CONTENT, CONTENT.c.id == LINES.c.content_id)
        .where(
            ORDERS.c.status == OrderStatus.PAID.value,
            ORDERS.c.customer_id.is_not(None),
        )
        .distinct()
        .order_by(ORDERS.c.customer_id, CONTENT.c.slug)
    )
    return [(customer, slug) for customer, slug in connection.execute(query)]


def _paid(until: datetime) -> Any:
    return and_(ORDERS.c.status == OrderStatus.PAID.value, ORDERS.c.ordered_at < until)
