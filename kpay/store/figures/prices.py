"""Prices of pieces over time, and how much was sold before and after they changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, func, select

from kpay.domain.enums import OrderKind, OrderStatus
from kpay.models import Content, LineItem, Order, Price, Product
from kpay.store.dialect import table_of

ORDERS, LINES = table_of(Order), table_of(LineItem)
PRICES, PRODUCTS, CONTENT = table_of(Price), table_of(Product), table_of(Content)


@dataclass(frozen=True, slots=True)
class Priced:
    """What a piece cost, bought once, from a moment on."""

    content_id: int
    currency: str
    amount_minor: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Sold:
    """Units of a piece, and of all others, in two stretches of time."""

    before: int
    after: int
    others_before: int
    others_after: int


def one_time_prices(connection: Connection, until: datetime) -> Sequence[Priced]:
    """Return the prices of pieces that are bought once, by piece and currency, oldest first."""
    of_content = func.coalesce(PRODUCTS.c.content_id, CONTENT.c.id)
    product = (
        (PRODUCTS.c.external_id == PRICES.c.product_external_id)
        & (PRODUCTS.c.account == PRICES.c.account)
        & (PRODUCTS.c.livemode == PRICES.c.livemode)
    )
    query = (
        select(of_content, PRICES.c.currency, PRICES.c.amount_minor, PRICES.c.created_at)
        .select_from(PRICES)
        .outerjoin(PRODUCTS, product)
        .outerjoin(CONTENT, CONTENT.c.slug == PRICES.c.content)
        .where(
            PRICES.c.interval.is_(None),
            PRICES.c.amount_minor > 0,
            PRICES.c.created_at < until,
            of_content.is_not(None),
        )
        .order_by(of_content, PRICES.c.currency, PRICES.c.created_at, PRICES.c.id)
    )
    return [Priced(*row) for row in connection.execute(query)]


def sold_around(
    connection: Connection, content_id: int, start: datetime, change: datetime, end: datetime
) -> Sold:
    """Count the lines of paid orders in [start, change) and [change, end), of a piece and of others."""
    is_it = LINES.c.content_id == content_id
    is_other = LINES.c.content_id.is_not(None) & (LINES.c.content_id != content_id)
    is_before = ORDERS.c.ordered_at < change

    def count(which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((which, LINES.c.quantity), else_=0)), 0)

    query = (
        select(
            count(is_it & is_before),
            count(is_it & ~is_before),
            count(is_other & is_before),
            count(is_other & ~is_before),
        )
        .select_from(ORDERS.join(LINES, LINES.c.order_id == ORDERS.c.id))
        .where(
            ORDERS.c.status == OrderStatus.PAID.value,
            ORDERS.c.kind == OrderKind.ONE_TIME.value,
            ORDERS.c.total_minor > 0,
            ORDERS.c.ordered_at >= start,
            ORDERS.c.ordered_at < end,
        )
    )
    return Sold(*(int(each) for each in connection.execute(query).one()))
