"""Questions that the summary asks: who is new, what sells, what was bought last, who is on the list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, case, distinct, func, or_, select

from kpay.domain.enums import OrderStatus, SubscriberStatus
from kpay.domain.reports.measured import RecentOrder, Seller
from kpay.models.catalog import Content
from kpay.models.people import Subscriber
from kpay.models.sales import LineItem, Order
from kpay.store.dialect import chunks, table_of

ORDERS = table_of(Order)
LINES = table_of(LineItem)
CONTENT = table_of(Content)
LIST = table_of(Subscriber)
COUNTS_A_STATEMENT = 500


class FirstOrder(NamedTuple):
    """With which order somebody became a buyer."""

    at: datetime
    customer: int
    order: str


class Reader(NamedTuple):
    """Somebody on the mailing list, and since when."""

    since: datetime
    number: int
    name: str
    email: str


def new_customers(connection: Connection, spans: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """Count, for each span [start, end), the people whose first paid order lies in it."""
    columns = ORDERS.c
    moment = func.min(columns.ordered_at)
    earliest, latest = min(start for start, _ in spans), max(end for _, end in spans)
    first = (
        select(moment.label("at"))
        .where(columns.status == OrderStatus.PAID.value, columns.customer_id.is_not(None))
        .group_by(columns.customer_id)
        .having(moment >= earliest, moment < latest)
        .subquery()
    )
    inside = [
        func.sum(case(((first.c.at >= start) & (first.c.at < end), 1), else_=0))
        for start, end in spans
    ]
    return _one_row(connection, select(), inside)


def first_orders(connection: Connection, start: datetime, end: datetime) -> list[FirstOrder]:
    """Return the first paid order of everybody whose first one lies in [start, end), oldest first."""
    columns = ORDERS.c
    turn = func.row_number().over(
        partition_by=columns.customer_id, order_by=(columns.ordered_at, columns.id)
    )
    turns = (
        select(columns.external_id, columns.ordered_at, columns.customer_id, turn.label("turn"))
        .where(columns.status == OrderStatus.PAID.value, columns.customer_id.is_not(None))
        .subquery()
    )
    query = (
        select(turns.c.ordered_at, turns.c.customer_id, turns.c.external_id)
        .where(turns.c.turn == 1, turns.c.ordered_at >= start, turns.c.ordered_at < end)
        .order_by(turns.c.ordered_at, turns.c.external_id)
    )
    return [FirstOrder(*row) for row in connection.execute(query)]


def listed_at(connection: Connection, moment: datetime) -> list[Reader]:
    """Return everybody on the list at a moment, who is on it longest first."""
    columns = LIST.c
    joined = func.coalesce(columns.consented_at, columns.created_at)
    query = (
        select(joined, columns.id, columns.name, columns.email)
        .where(_ever_listed(), _is_listed(moment))
        .order_by(joined, columns.email)
    )
    return [Reader(*row) for row in connection.execute(query)]


def best_sellers(
    connection: Connection, start: datetime, end: datetime, *, currency: str, limit: int
) -> tuple[Seller, ...]:
    """Return what brought in most between two moments, by content or, without one, by name."""
    name = func.coalesce(CONTENT.c.title, func.nullif(LINES.c.name, ""), LINES.c.product)
    slug = func.coalesce(CONTENT.c.slug, LINES.c.product)
    gross = func.sum(LINES.c.amount_minor).label("gross")
    query = (
        select(slug, name, func.count(distinct(ORDERS.c.id)), gross)
        .select_from(ORDERS.join(LINES, LINES.c.order_id == ORDERS.c.id))
        .outerjoin(CONTENT, CONTENT.c.id == LINES.c.content_id)
        .where(
            ORDERS.c.status == OrderStatus.PAID.value,
            ORDERS.c.currency == currency,
            ORDERS.c.ordered_at >= start,
            ORDERS.c.ordered_at < end,
        )
        .group_by(slug, name)
        .order_by(gross.desc(), name)
        .limit(limit)
    )
    return tuple(
        Seller(slug or "", name or "", orders, gross, currency)
        for slug, name, orders, gross in connection.execute(query)
    )


def recent_orders(
    connection: Connection, until: datetime, *, limit: int
) -> tuple[RecentOrder, ...]:
    """Return the newest paid orders before a moment, newest first, with what was bought."""
    newest = (
        select(ORDERS)
        .where(ORDERS.c.status == OrderStatus.PAID.value, ORDERS.c.ordered_at < until)
        .order_by(ORDERS.c.ordered_at.desc(), ORDERS.c.id.desc())
        .limit(limit)
        .subquery()
    )
    name = func.coalesce(CONTENT.c.title, func.nullif(LINES.c.name, ""), LINES.c.product, "")
    query = (
        select(
            newest.c.external_id,
            newest.c.ordered_at,
            func.min(name),
            func.count(LINES.c.id),
            newest.c.total_minor,
            newest.c.currency,
        )
        .outerjoin(LINES, LINES.c.order_id == newest.c.id)
        .outerjoin(CONTENT, CONTENT.c.id == LINES.c.content_id)
        .group_by(newest.c.id)
        .order_by(newest.c.ordered_at.desc(), newest.c.id.desc())
    )
    return tuple(RecentOrder(*row) for row in connection.execute(query))


def people_on_list(connection: Connection, moments: Sequence[datetime]) -> list[int]:
    """Count those who had said yes to mail, and not no again, at each of the moments."""
    counts = [func.sum(case((_is_listed(moment), 1), else_=0)) for moment in moments]
    return _one_row(connection, select().where(_ever_listed()), counts)


def _is_listed(moment: datetime) -> ColumnElement[bool]:
    columns = LIST.c
    joined = func.coalesce(columns.consented_at, columns.created_at)
    is_still = or_(columns.unsubscribed_at.is_(None), columns.unsubscribed_at >= moment)
    return and_(joined < moment, is_still)


def _ever_listed() -> ColumnElement[bool]:
    return or_(
        LIST.c.status == SubscriberStatus.SUBSCRIBED.value, LIST.c.unsubscribed_at.is_not(None)
    )


def _one_row(
    connection: Connection, query: Select[Any], counts: Sequence[ColumnElement[int]]
) -> list[int]:
    """Ask for many counts at once: a statement of SQLite has at most 2000 columns."""
    return [
        count or 0
        for some in chunks(counts, COUNTS_A_STATEMENT)
        for count in connection.execute(query.add_columns(*some)).one()
    ]
