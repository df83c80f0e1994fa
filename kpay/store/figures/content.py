"""What reports ask of content: what is out, what was sold of it, who looked at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Text, func, select, type_coerce

from kpay.domain.enums import ContentStatus, OrderStatus
from kpay.models.catalog import Content
from kpay.models.people import Customer
from kpay.models.sales import LineItem, Order
from kpay.models.signals import Event, Feedback, Traffic
from kpay.store.dialect import plain_rows, table_of
from kpay.store.evidence import KINDS_OF_EVENT

ORDERS, LINES, CONTENT = table_of(Order), table_of(LineItem), table_of(Content)
EVENTS, TRAFFIC, FEEDBACK = table_of(Event), table_of(Traffic), table_of(Feedback)
CUSTOMERS = table_of(Customer)
PREVIEWS = ("preview", "previewed")
LOOKS = (*(kind for kind, meaning in KINDS_OF_EVENT.items() if meaning == "visit"), *PREVIEWS)

Line = tuple[int, int, str, str, str, str, int, int, int, int, str]
"""Order, customer (0: nobody knows), its id, kind, moment, currency, gross, total, tax; amount, piece."""


@dataclass(frozen=True, slots=True)
class PublishedPiece:
    """A piece that had come out, as it is offered."""

    slug: str
    title: str
    kind: str
    tags: tuple[str, ...]
    price_minor: int
    currency: str | None
    interval: str | None
    published_at: datetime | None
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counted:
    """Looks at a piece between its first and its last counted day."""

    content: str
    visits: int
    clicks: int
    first_day: date
    last_day: date


def published(connection: Connection, until: datetime) -> list[PublishedPiece]:
    """Return the pieces that came out before a moment, archived ones too, the oldest first.

    An archive date after the moment is not known yet.
    """
    columns = CONTENT.c
    shown = (ContentStatus.PUBLISHED.value, ContentStatus.ARCHIVED.value)
    out = func.coalesce(columns.published_at, columns.created_at) < until
    query = (
        select(
            columns.slug,
            columns.title,
            columns.kind,
            columns.tags,
            columns.amount_minor,
            columns.currency,
            columns.interval,
            columns.published_at,
            columns.archived_at,
        )
        .where(columns.status.in_(shown), out)
        .order_by(columns.published_at, columns.slug)
    )
    return [
        PublishedPiece(
            row.slug,
            row.title,
            row.kind,
            tuple(row.tags),
            row.amount_minor,
            row.currency,
            row.interval,
            row.published_at,
            row.archived_at if row.archived_at and row.archived_at < until else None,
        )
        for row in connection.execute(query)
    ]


def sold(connection: Connection, until: datetime) -> list[Line]:
    """Return the lines of all paid orders before a moment, the oldest order first.

    An order without a line is there once, with no piece (""). They are read in the order in which they
    are stored and sorted here: to follow the index of their moments takes thrice as long.
    """
    query = (
        select(
            ORDERS.c.id,
            func.coalesce(ORDERS.c.customer_id, 0),
            ORDERS.c.external_id,
            ORDERS.c.kind,
            type_coerce(ORDERS.c.ordered_at, Text),
            ORDERS.c.currency,
            ORDERS.c.gross_minor,
            ORDERS.c.total_minor,
            ORDERS.c.tax_minor,
            func.coalesce(LINES.c.amount_minor, 0),
            func.coalesce(CONTENT.c.slug, LINES.c.product, ""),
        )
        .select_from(ORDERS.outerjoin(LINES, LINES.c.order_id == ORDERS.c.id))
        .outerjoin(CONTENT, CONTENT.c.id == LINES.c.content_id)
        .where(ORDERS.c.status == OrderStatus.PAID.value, ORDERS.c.ordered_at < until)
        .order_by(ORDERS.c.id, LINES.c.position)
    )
    rows: list[Any] = plain_rows(connection, query)
    return sorted(rows, key=itemgetter(4, 0))


def traffic(connection: Connection, first: date, last: date) -> list[Counted]:
    """Return anonymous visits and clicks by piece on the days from `first` to `last`."""
    columns = TRAFFIC.c
    query = (
        select(
            columns.content,
            func.sum(columns.visits),
            func.sum(columns.clicks),
            func.min(columns.day),
            func.max(columns.day),
        )
        .where(columns.day >= first, columns.day <= last)
        .group_by(columns.content)
        .order_by(columns.content)
    )
    return [Counted(*row) for row in connection.execute(query)]


def visits(connection: Connection, start: datetime, end: datetime) -> list[tuple[str, int]]:
    """Return who saw a page or a preview of which piece in [start, end): a row an address and piece.

    The customer's number stands for the address; 0 for one that never bought anything.
    """
    columns = EVENTS.c
    looked = (
        select(columns.email, columns.content)
        .distinct()
        .where(
            columns.kind.in_(LOOKS),
            columns.content != "",
            columns.happened_at >= start,
            columns.happened_at < end,
        )
        .subquery()
    )
    query = select(looked.c.content, func.coalesce(CUSTOMERS.c.id, 0)).outerjoin(
        CUSTOMERS, CUSTOMERS.c.email == looked.c.email
    )
    return [(content, number) for content, number in connection.execute(query)]


def ratings(connection: Connection, until: datetime) -> Sequence[tuple[str, float]]:
    """Return piece and stars (0 to 10) of every rating left before a moment."""
    columns = FEEDBACK.c
    query = (
        select(columns.content, columns.rating)
        .where(columns.rating.is_not(None), columns.at < until)
        .order_by(columns.at, columns.id)
    )
    return [(content, float(stars)) for content, stars in connection.execute(query)]
