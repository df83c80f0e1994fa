"""What is known of people, each kind of fact read in the order of addresses, so that all can be merged.

Every query comes in the order of addresses and is read a few rows at a time: a hundred thousand people
take little more memory than one. Instants and lists stay text until somebody's are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Text, func, or_, select, type_coerce

from kpay.domain.enums import DeliveryState, MailKind, OrderStatus
from kpay.models import (
    Content,
    Customer,
    CustomerGroup,
    Delivery,
    Entitlement,
    LineItem,
    ModelRun,
    Order,
    Score,
    Subscriber,
    Subscription,
)
from kpay.store.dialect import among, table_of
from kpay.store.figures.rates import rate_book

SUBSCRIBER, CUSTOMER, ORDER = table_of(Subscriber), table_of(Customer), table_of(Order)
ENTITLEMENT, CONTENT, LINE = table_of(Entitlement), table_of(Content), table_of(LineItem)
SUBSCRIPTION = table_of(Subscription)
SCORE, RUN, DELIVERY = table_of(Score), table_of(ModelRun), table_of(Delivery)
ROWS_AT_ONCE = 500
PURCHASE = "purchase"
FURTHEST_EAST = timedelta(hours=14)
MARKETING = (MailKind.CAMPAIGN.value, MailKind.SEQUENCE.value)
GROUP = table_of(CustomerGroup)
ADDRESS = CUSTOMER.c.email


class Stream:
    """Rows in the order of their first column, an address; each is taken when its turn comes.

    With `addresses` only theirs are read.
    """

    def __init__(
        self,
        connection: Connection,
        query: Select[Any] | None,
        addresses: Collection[str] | None = None,
    ) -> None:
        self._rows: Iterator[Any] = iter(())
        if query is not None and addresses is not None:
            query = query.where(among(query.selected_columns[0], addresses))
        if query is not None:
            options = connection.execution_options(yield_per=ROWS_AT_ONCE)
            self._rows = iter(options.execute(query))
        self._next = next(self._rows, None)

    @property
    def address(self) -> str | None:
        """The address of the row that comes next."""
        return None if self._next is None else str(self._next[0])

    def take(self, address: str) -> Any | None:
        """Return the row of an address, if there is one; addresses are asked for in their order."""
        row = self._next
        while row is not None and row[0] < address:
            row = next(self._rows, None)
        if row is None or row[0] != address:
            self._next = row
            return None
        self._next = next(self._rows, None)
        return row

    def take_all(self, address: str) -> Iterator[Any]:
        """Yield every row of an address."""
        while (row := self.take(address)) is not None:
            yield row


def subscribers() -> Select[Any]:
    """Select address, name, status, tags, source of consent, time zone and when they joined."""
    columns = SUBSCRIBER.c
    return select(
        columns.email,
        columns.name,
        columns.status,
        type_coerce(columns.tags, Text).label("tags"),
        columns.consent_source,
        columns.timezone,
        type_coerce(func.coalesce(columns.consented_at, columns.created_at), Text).label("joined"),
    ).order_by(columns.email)


def customers() -> Select[Any]:
    """Select address, id, name, tags and country."""
    columns = CUSTOMER.c
    return (
        select(ADDRESS, columns.id, columns.name, type_coerce(columns.tags, Text), columns.country)
        .where(ADDRESS.is_not(None))
        .order_by(ADDRESS)
    )


def paid_orders() -> Select[Any]:
    """Select address, currency, how many paid orders, their sum and the last of them."""
    return (
        select(
            ADDRESS,
            ORDER.c.currency,
            func.count(),
            func.sum(ORDER.c.total_minor),
            type_coerce(func.max(ORDER.c.ordered_at), Text),
        )
        .join(ORDER, ORDER.c.customer_id == CUSTOMER.c.id)
        .where(ADDRESS.is_not(None), ORDER.c.status == OrderStatus.PAID.value)
        .group_by(ADDRESS, ORDER.c.currency)
        .order_by(ADDRESS, ORDER.c.currency)
    )


def owned(now: datetime) -> Select[Any]:
    """Select address and the slugs that may be read now; a right that ends later still holds."""
    lasting = or_(ENTITLEMENT.c.ended_at.is_(None), ENTITLEMENT.c.ended_at > now)
    return _listed(
        select(ADDRESS, func.json_group_array(CONTENT.c.slug.distinct()))
        .join(ENTITLEMENT, ENTITLEMENT.c.customer_id == CUSTOMER.c.id)
        .join(CONTENT, CONTENT.c.id == ENTITLEMENT.c.content_id)
        .where(lasting)
    )


def bought() -> Select[Any]:
    """Select address and the slugs that were ever paid for, else the names that products had."""
    slug = func.coalesce(CONTENT.c.slug, LINE.c.product)
    return _listed(
        select(ADDRESS, func.json_group_array(slug.distinct()))
        .join(ORDER, ORDER.c.customer_id == CUSTOMER.c.id)
        .join(LINE, LINE.c.order_id == ORDER.c.id)
        .outerjoin(CONTENT, CONTENT.c.id == LINE.c.content_id)
        .where(ORDER.c.status == OrderStatus.PAID.value)
    )


def ending() -> Select[Any]:
    """Select address and the memberships that will not be renewed, while they still run."""
    return _listed(
        select(ADDRESS, func.json_group_array(CONTENT.c.slug.distinct()))
        .join(SUBSCRIPTION, SUBSCRIPTION.c.customer_id == CUSTOMER.c.id)
        .join(CONTENT, CONTENT.c.id == SUBSCRIPTION.c.content_id)
        .where(SUBSCRIPTION.c.is_ending, SUBSCRIPTION.c.ended_at.is_(None))
    )


def _listed(query: Select[Any]) -> Select[Any]:
    return query.where(ADDRESS.is_not(None)).group_by(ADDRESS).order_by(ADDRESS)


def mails() -> Select[Any]:
    """Select address, how many campaign and sequence mails were sent there, and the last of them."""
    return (
        select(DELIVERY.c.email, func.count(), type_coerce(func.max(DELIVERY.c.sent_at), Text))
        .where(DELIVERY.c.state == DeliveryState.SENT.value, DELIVERY.c.kind.in_(MARKETING))
        .group_by(DELIVERY.c.email)
        .order_by(DELIVERY.c.email)
    )


def scores(connection: Connection, now: datetime) -> Select[Any] | None:
    """Select address, propensity, expected value, currency and decile of the newest scores, if any.

    Of a purchase, and of a day's scores the champion's.
    """
    newest = _newest_scores(connection, now)
    if newest is None:
        return None
    columns = SCORE.c
    return (
        select(
            ADDRESS,
            columns.propensity,
            columns.expected_value_minor,
            columns.currency,
            columns.decile,
        )
        .join(SCORE, columns.customer_id == CUSTOMER.c.id)
        .where(ADDRESS.is_not(None), columns.run == newest.run, columns.as_of == newest.as_of)
        .order_by(ADDRESS)
    )


def scored_horizon_days(connection: Connection, now: datetime) -> int | None:
    """Return how far ahead the newest scores look; None without any."""
    newest = _newest_scores(connection, now)
    return None if newest is None else int(newest.horizon_days)


def _newest_scores(connection: Connection, now: datetime) -> Any | None:
    """Return run, day and horizon of the scores to use.

    The day that scores are of is the creator's, which may be ahead of UTC.
    """
    last_day = (now + FURTHEST_EAST).date()
    scored = (
        select(func.max(SCORE.c.as_of))
        .where(SCORE.c.run == RUN.c.run, SCORE.c.as_of <= last_day)
        .scalar_subquery()
    )
    return connection.execute(
        select(RUN.c.run, RUN.c.horizon_days, scored.label("as_of"))
        .where(scored.is_not(None), RUN.c.target == PURCHASE)
        .order_by(
            scored.desc(),
            RUN.c.is_champion.desc(),
            RUN.c.promoted_at.desc(),
            RUN.c.as_of.desc(),
            RUN.c.id.desc(),
        )
        .limit(1)
    ).first()


def groups() -> Select[Any]:
    """Select address, and the groups that each customer was in when they were last told apart."""
    columns = GROUP.c
    return (
        select(ADDRESS, columns.rfm, columns.behaviour)
        .join(GROUP, columns.customer_id == CUSTOMER.c.id)
        .where(ADDRESS.is_not(None))
        .order_by(ADDRESS)
    )


class Exchange:
    """Turns amounts into one currency, at the newest rate that is known."""

    def __init__(self, connection: Connection, currency: str, now: datetime) -> None:
        self._connection, self._currency, self._now = connection, currency, now
        self._rates: dict[str, Fraction] | None = None

    def into_base(self, minor: int, currency: str) -> int | None:
        """Return an amount in the one currency; None where no rate is known."""
        if currency == self._currency:
            return minor
        if self._rates is None:
            book = rate_book(self._connection, self._currency, self._now, "UTC")
            self._rates = book.at(self._now)
        rate = self._rates.get(currency)
        return None if rate is None else round(minor * rate)


@lru_cache(maxsize=10_000)
def set_of(text: str) -> frozenset[str]:
    """Return the words of a JSON list; equal lists are one set, since most people share theirs."""
    return frozenset(json.loads(text))


def days_since(moment: str | None, now: datetime) -> int | None:
    """Return the whole days since a moment as the store writes it; None for none."""
    if moment is None:
        return None
    return max(0, (now - datetime.fromisoformat(moment)).days)
