"""Customers with what they bought and may read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from kpay.domain.enums import OrderStatus
from kpay.models.billing import Subscription
from kpay.models.catalog import Content
from kpay.models.people import Customer, CustomerIdentity
from kpay.models.sales import Entitlement, Order
from kpay.store.dialect import table_of

CUSTOMER = table_of(Customer)
IDENTITY = table_of(CustomerIdentity)
ORDER = table_of(Order)
ENTITLEMENT = table_of(Entitlement)
CONTENT = table_of(Content)
SUBSCRIPTION = table_of(Subscription)

Row = dict[str, Any]


def with_purchases(connection: Connection, *, limit: int | None = None) -> list[Row]:
    """Return customers by their latest order, newest first: id, email, name, country, orders, last."""
    query = (
        select(
            CUSTOMER.c.id,
            CUSTOMER.c.email,
            CUSTOMER.c.name,
            CUSTOMER.c.country,
            CUSTOMER.c.tags,
            CUSTOMER.c.created_at,
            func.count(ORDER.c.id).label("orders"),
            func.max(ORDER.c.ordered_at).label("last_ordered_at"),
        )
        .outerjoin(ORDER, _paid_by_customer())
        .group_by(CUSTOMER.c.id)
        .order_by(func.max(ORDER.c.ordered_at).desc(), CUSTOMER.c.id)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def counted(connection: Connection) -> int:
    """Return how many customers there are."""
    return int(connection.execute(select(func.count()).select_from(CUSTOMER)).scalar_one())


def spent(connection: Connection) -> dict[int, list[tuple[str, int]]]:
    """Return what each customer paid in all, as (currency, minor units)."""
    query = (
        select(ORDER.c.customer_id, ORDER.c.currency, func.sum(ORDER.c.total_minor).label("minor"))
        .where(ORDER.c.status == OrderStatus.PAID.value, ORDER.c.customer_id.is_not(None))
        .group_by(ORDER.c.customer_id, ORDER.c.currency)
        .order_by(ORDER.c.customer_id, ORDER.c.currency)
    )
    found: dict[int, list[tuple[str, int]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.customer_id, []).append((row.currency, row.minor))
    return found


def by_email(connection: Connection, email: str) -> Row | None:
    """Return the customer with a normalised address."""
    query = select(CUSTOMER).where(CUSTOMER.c.email == email)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def called(connection: Connection, name: str) -> Row | None:
    """Return the customer whom a provider, or an imported file, knows by a name."""
    known = select(IDENTITY.c.customer_id).where(IDENTITY.c.external_id == name)
    query = select(CUSTOMER).where(CUSTOMER.c.id.in_(known)).order_by(CUSTOMER.c.id).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def emails_like(connection: Connection, email: str) -> list[str]:
    """Return a few addresses that begin like one that is not there."""
    query = (
        select(CUSTOMER.c.email)
        .where(CUSTOMER.c.email.startswith(email[:4], autoescape=True))
        .order_by(CUSTOMER.c.email)
        .limit(50)
    )
    return list(connection.scalars(query))


def rights_of(connection: Connection, customer_id: int) -> list[tuple[str, datetime, Any]]:
    """Return what a customer may or could read: title, since when, until when."""
    query = (
        select(CONTENT.c.title, ENTITLEMENT.c.granted_at, ENTITLEMENT.c.ended_at)
        .join(CONTENT, CONTENT.c.id == ENTITLEMENT.c.content_id)
        .where(ENTITLEMENT.c.customer_id == customer_id)
        .order_by(ENTITLEMENT.c.granted_at, CONTENT.c.title)
    )
    return [tuple(row) for row in connection.execute(query)]


def subscriptions_of(connection: Connection, customer_id: int) -> list[Row]:
    """Return a customer's subscriptions, oldest first."""
    query = (
        select(SUBSCRIPTION)
        .where(SUBSCRIPTION.c.customer_id == customer_id)
        .order_by(SUBSCRIPTION.c.started_at)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def _paid_by_customer() -> Any:
    return (ORDER.c.customer_id == CUSTOMER.c.id) & (ORDER.c.status == OrderStatus.PAID.value)
