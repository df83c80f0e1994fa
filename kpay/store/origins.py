"""Orders by where their buy link stood, and the messages that links name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, or_, select

from kpay.domain.enums import OrderStatus
from kpay.models import Campaign, Content, Customer, Delivery, Order
from kpay.store.dialect import table_of

AFTER_DASH = "."  # the sign that sorts just behind the dash before a message's number
_orders, _customers = table_of(Order), table_of(Customer)
_campaigns, _content, _deliveries = table_of(Campaign), table_of(Content), table_of(Delivery)


def campaign_names(connection: Connection) -> Sequence[str]:
    """Return the names of all campaigns that were ever planned."""
    return list(connection.scalars(select(_campaigns.c.name).order_by(_campaigns.c.name)))


def slugs(connection: Connection) -> Sequence[str]:
    """Return the slugs of all content, archived pieces too."""
    return list(connection.scalars(select(_content.c.slug).order_by(_content.c.slug)))


def recipient(connection: Connection, message: int) -> str | None:
    """Return to whom a message went, or None when it is not known any more."""
    query = select(_deliveries.c.email).where(_deliveries.c.id == message)
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found


def orders_from(
    connection: Connection, token: str, start: datetime, end: datetime
) -> Sequence[RowMapping]:
    """Return the paid orders of [start, end) whose reference has a token: buyer, currency, total."""
    reference: Any = _orders.c.reference
    query = (
        select(
            func.coalesce(_customers.c.email, _orders.c.email).label("email"),
            _orders.c.currency,
            _orders.c.total_minor,
        )
        .outerjoin(_customers, _customers.c.id == _orders.c.customer_id)
        .where(
            or_(
                reference == token,
                (reference > f"{token}-") & (reference < f"{token}{AFTER_DASH}"),
            ),
            _orders.c.status == OrderStatus.PAID.value,
            _orders.c.ordered_at >= start,
            _orders.c.ordered_at < end,
        )
        .order_by(_orders.c.ordered_at, _orders.c.id)
    )
    return connection.execute(query).mappings().all()
