"""What a funnel is counted from: traffic, messages sent and clicked, and orders by where they came from.

Days are the creator's calendar days, moments half-open ranges. Renewals have no funnel: nobody came for
them, so only first and single purchases that cost something are orders here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    RowMapping,
    Select,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    select,
    type_coerce,
    union,
)

from kpay.domain.enums import MailKind, OrderKind, OrderStatus
from kpay.models import Customer, Delivery, Event, Order, Traffic
from kpay.store.dialect import table_of
from kpay.store.evidence import KINDS_OF_EVENT

ORDERS, TRAFFIC = table_of(Order), table_of(Traffic)
DELIVERY, EVENT, CUSTOMERS = table_of(Delivery), table_of(Event), table_of(Customer)
LOOKED_FOR: Final = (OrderKind.ONE_TIME.value, OrderKind.SUBSCRIPTION_START.value)
SOLD_BY_MAIL: Final = (MailKind.CAMPAIGN.value, MailKind.SEQUENCE.value, MailKind.PURCHASE.value)
LOOKS: Final = tuple(sorted(name for name, means in KINDS_OF_EVENT.items() if means == "visit"))
TOKEN_LENGTH: Final = 18


@dataclass(frozen=True, slots=True)
class OrdersFrom:
    """Paid orders with one origin's token ("" without any) and one set of tags."""

    currency: str
    token: str
    tags: Mapping[str, Any]
    orders: int
    paid_minor: int
    squares: float


def traffic(
    connection: Connection, first: date, last: date
) -> Sequence[tuple[date, str, int, int]]:
    """Return (day, source, visits, clicks) of the days from `first` to `last`, both inside."""
    columns = TRAFFIC.c
    query = (
        select(columns.day, columns.source, func.sum(columns.visits), func.sum(columns.clicks))
        .where(columns.day >= first, columns.day <= last)
        .group_by(columns.day, columns.source)
        .order_by(columns.day, columns.source)
    )
    return [
        (day, source, visits, clicks) for day, source, visits, clicks in connection.execute(query)
    ]


def traffic_days(connection: Connection, last: date) -> Sequence[date]:
    """Return the days that have traffic, not later than `last`, oldest first."""
    query = select(TRAFFIC.c.day).where(TRAFFIC.c.day <= last).distinct().order_by(TRAFFIC.c.day)
    return list(connection.scalars(query))


def visitors(connection: Connection, start: datetime, end: datetime) -> int:
    """Count the known readers who looked at a page in a span."""
    query = select(func.count(distinct(EVENT.c.email))).where(*_looked(start, end))
    return int(connection.execute(query).scalar_one())


def orders_from(
    connection: Connection, start: datetime, end: datetime, *, of_visitors: bool = False
) -> Sequence[OrdersFrom]:
    """Return the orders of a span by currency, token and tags: all, or those of `visitors`."""
    total = type_coerce(ORDERS.c.total_minor, Float)
    token = _token()
    query = (
        select(
            ORDERS.c.currency,
            token,
            ORDERS.c.tracking,
            func.count(),
            func.sum(ORDERS.c.total_minor),
            func.sum(1.0 * total * total),
        )
        .where(*_looked_for(start, end))
        .group_by(ORDERS.c.currency, token, ORDERS.c.tracking)
        .order_by(ORDERS.c.currency, token, ORDERS.c.tracking)
    )
    if of_visitors:
        came = select(EVENT.c.email).where(*_looked(start, end))
        buyer = func.coalesce(CUSTOMERS.c.email, ORDERS.c.email)
        known = ORDERS.outerjoin(CUSTOMERS, CUSTOMERS.c.id == ORDERS.c.customer_id)
        query = query.select_from(known).where(buyer.in_(came))
    return [OrdersFrom(*row) for row in connection.execute(query)]


def order_rows(connection: Connection, start: datetime, end: datetime) -> Sequence[RowMapping]:
    """Return the same orders one by one, oldest first: when, who, what, token and tags."""
    query: Select[Any] = (
        select(
            ORDERS.c.id,
            ORDERS.c.ordered_at,
            ORDERS.c.external_id,
            ORDERS.c.currency,
            ORDERS.c.total_minor,
            ORDERS.c.tracking,
            ORDERS.c.customer_id,
            _token(),
            CUSTOMERS.c.name,
            func.coalesce(CUSTOMERS.c.email, ORDERS.c.email).label("email"),
        )
        .outerjoin(CUSTOMERS, CUSTOMERS.c.id == ORDERS.c.customer_id)
        .where(*_looked_for(start, end))
        .order_by(ORDERS.c.ordered_at, ORDERS.c.id)
    )
    return connection.execute(query).mappings().all()


def messages(connection: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """Count the messages that left in a span, by their kind: those from which something can be bought."""
    query = (
        select(DELIVERY.c.kind, func.count())
        .where(
            DELIVERY.c.kind.in_(SOLD_BY_MAIL),
            DELIVERY.c.sent_at >= start,
            DELIVERY.c.sent_at < end,
        )
        .group_by(DELIVERY.c.kind)
    )
    return {kind: int(count) for kind, count in connection.execute(query)}


def clicked_messages(connection: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """Count the messages that were clicked in a span, by kind.

    A click counts for the newest message that its reader had by then; who bought by a message's link
    has clicked it.
    """
    newest = (
        select(DELIVERY.c.id)
        .where(
            DELIVERY.c.email == EVENT.c.email,
            DELIVERY.c.kind.in_(SOLD_BY_MAIL),
            DELIVERY.c.sent_at <= EVENT.c.happened_at,
        )
        .order_by(DELIVERY.c.sent_at.desc(), DELIVERY.c.id.desc())
        .limit(1)
        .correlate(EVENT)
        .scalar_subquery()
    )
    clicks = select(newest).where(
        EVENT.c.kind == "click", EVENT.c.happened_at >= start, EVENT.c.happened_at < end
    )
    query = (
        select(DELIVERY.c.kind, func.count())
        .where(
            DELIVERY.c.kind.in_(SOLD_BY_MAIL),
            DELIVERY.c.id.in_(union(clicks, _bought_from(start, end))),
        )
        .group_by(DELIVERY.c.kind)
    )
    return {kind: int(count) for kind, count in connection.execute(query)}


def is_any_click_known(connection: Connection, until: datetime) -> bool:
    """Say whether clicks of readers were ever read in."""
    query = select(literal(1)).where(EVENT.c.kind == "click", EVENT.c.happened_at < until).limit(1)
    return connection.execute(query).first() is not None


def _bought_from(start: datetime, end: datetime) -> Select[Any]:
    """Select the numbers of the messages that references of orders name."""
    number = func.substr(ORDERS.c.reference, TOKEN_LENGTH + 2)
    return select(cast(number, Integer)).where(
        func.substr(ORDERS.c.reference, 1, 2) == "kp", number != "", *_looked_for(start, end)
    )


def _looked(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    at = EVENT.c.happened_at
    return EVENT.c.kind.in_(LOOKS), at >= start, at < end


def _looked_for(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    columns = ORDERS.c
    return (
        columns.status == OrderStatus.PAID.value,
        columns.kind.in_(LOOKED_FOR),
        columns.total_minor > 0,
        and_(columns.ordered_at >= start, columns.ordered_at < end),
    )


def _token() -> ColumnElement[str]:
    """Return the token at the head of a reference that a buy link of ours carried, else ""."""
    reference: Any = ORDERS.c.reference
    ours = func.substr(reference, 1, TOKEN_LENGTH)
    return case((func.substr(reference, 1, 2) == "kp", ours), else_="").label("token")
