"""What the streams of revenue are made from: sales by hour, refunds with their sales, subscriptions.

Instants come as the text that the store keeps: the caller sorts them into days at once. Nothing after
`until` is told, so that a forecast of an earlier day stays what it was.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Table,
    Text,
    and_,
    case,
    func,
    or_,
    select,
    type_coerce,
)  # fmt: skip

from kpay.domain.enums import COUNTED_REFUNDS, ContentStatus, OrderKind, OrderStatus
from kpay.models.billing import Invoice, Subscription, SubscriptionPhase
from kpay.models.books import SubscriptionEvent
from kpay.models.catalog import Content, Coupon
from kpay.models.payments import Charge
from kpay.models.sales import Order, Refund
from kpay.store.dialect import plain_rows, table_of

ORDERS = table_of(Order)
REFUNDS = table_of(Refund)
CHARGES = table_of(Charge)
SUBSCRIPTIONS = table_of(Subscription)
PHASES = table_of(SubscriptionPhase)
INVOICES = table_of(Invoice)
EVENTS = table_of(SubscriptionEvent)
COUPONS = table_of(Coupon)
CONTENT = table_of(Content)
HOUR: Final = len("2026-01-01T00")
MINUTE: Final = len("2026-01-01T00:00")
NEVER_BEGAN: Final = ("incomplete", "incomplete_expired")
BILLED: Final = ("open", "paid", "uncollectible", "void")
MID_PERIOD: Final = "subscription_update"

Rows = list[tuple[Any, ...]]


class Subscribed(NamedTuple):
    """A subscription as far as a moment knows it; instants are text, None for none."""

    started_at: str
    trial_end_at: str | None
    canceled_at: str | None
    ended_at: str | None
    cancel_reason: str | None
    status: str
    currency: str
    amount_minor: int
    interval: str
    interval_count: int
    ending_discount_minor: int
    phase_starts_at: str | None
    discounted_since: str | None
    discount_until: str | None
    billed_at: str | None
    bill_minor: int | None
    bill_is_open: int


def sales(connection: Connection, until: datetime, precision: int) -> Rows:
    """Return (moment, currency, whether of a subscription, takings), summed by hour or minute."""
    columns = ORDERS.c
    moment = func.substr(type_coerce(columns.ordered_at, Text), 1, precision)
    subscribed = case((columns.kind == OrderKind.ONE_TIME.value, 0), else_=1)
    query = (
        select(moment, columns.currency, subscribed, func.sum(columns.total_minor))
        .where(columns.status == OrderStatus.PAID.value, columns.ordered_at < until)
        .group_by(moment, columns.currency, subscribed)
        .order_by(moment, columns.currency, subscribed)
    )
    return plain_rows(connection, query)


def refunds(connection: Connection, until: datetime) -> Rows:
    """Return (moment, moment of the sale or of the refund itself, currency, amount) of each refund.

    A refund of a charge that is no sale (an authorization that was let go) gave nothing back.
    """
    columns = REFUNDS.c
    given = type_coerce(columns.refunded_at, Text)
    charged = and_(
        CHARGES.c.account == columns.account,
        CHARGES.c.livemode == columns.livemode,
        CHARGES.c.external_id == columns.charge_id,
    )
    sold = func.coalesce(type_coerce(ORDERS.c.ordered_at, Text), given)
    query = (
        select(given, sold, columns.currency, columns.amount_minor)
        .outerjoin(ORDERS, ORDERS.c.id == columns.order_id)
        .outerjoin(CHARGES, charged)
        .where(
            columns.status.in_(COUNTED_REFUNDS),
            columns.refunded_at < until,
            CHARGES.c.is_sale.is_not(False),
        )
        .order_by(columns.refunded_at, columns.id)
    )
    return plain_rows(connection, query)


def subscriptions(connection: Connection, until: datetime) -> list[Subscribed]:
    """Return the subscriptions that had begun, with their newest price and bill, oldest first."""
    columns = SUBSCRIPTIONS.c
    phase, bill = _newest_phase(until), _newest_bill(until)
    since, ends = _discounted_since(until), _discount_ends(until)
    query = (
        select(
            *(
                type_coerce(moment, Text)
                for moment in (
                    columns.started_at, columns.trial_end_at, columns.canceled_at, columns.ended_at
                )
            ),
            columns.cancel_reason,
            columns.status,
            columns.currency,
            func.coalesce(phase.c.amount_minor, columns.amount_minor * columns.quantity),
            func.coalesce(phase.c.interval, columns.interval),
            func.coalesce(phase.c.interval_count, columns.interval_count),
            func.coalesce(phase.c.ending_discount_minor, 0),
            type_coerce(phase.c.starts_at, Text),
            since.c.since,
            ends.c.ends,
            type_coerce(bill.c.created_at, Text),
            bill.c.total_minor,
            case((bill.c.is_open, 1), else_=0),
        )
        .outerjoin(phase, _same(phase, SUBSCRIPTIONS))
        .outerjoin(bill, _same(bill, SUBSCRIPTIONS))
        .outerjoin(since, _same(since, SUBSCRIPTIONS))
        .outerjoin(ends, and_(ends.c.subscription == columns.external_id, columns.account == ""))
        .where(columns.started_at < until, columns.status.not_in(NEVER_BEGAN))
        .order_by(columns.started_at, columns.id)
    )  # fmt: skip
    return [Subscribed(*row) for row in plain_rows(connection, query)]


def longest_coupon_months(connection: Connection) -> int:
    """Return how many months the longest coupon that ends by itself runs; 0 without any."""
    query = select(func.coalesce(func.max(COUPONS.c.duration_months), 0))
    return int(connection.execute(query).scalar_one())


def scheduled(connection: Connection, known_at: datetime) -> list[tuple[str, datetime]]:
    """Return slug and publication of paid content that waits for a moment after the one given.

    What has come out since is not told: whether it was scheduled then, or a draft, nobody wrote down.
    """
    columns = CONTENT.c
    query = (
        select(columns.slug, columns.published_at)
        .where(
            columns.created_at < known_at,
            columns.published_at >= known_at,
            columns.pricing != "free",
            columns.status == ContentStatus.SCHEDULED.value,
        )
        .order_by(columns.published_at, columns.slug)
    )
    return [(slug, published_at) for slug, published_at in connection.execute(query)]


def _same(one: Subquery, other: Table) -> ColumnElement[bool]:
    return and_(
        one.c.account == other.c.account,
        one.c.livemode == other.c.livemode,
        one.c.subscription_external_id == other.c.external_id,
    )


def _key(table: Table) -> tuple[ColumnElement[Any], ...]:
    return (table.c.account, table.c.livemode, table.c.subscription_external_id)


def _newest(table: Table, moment: ColumnElement[Any], query: Select[Any]) -> Subquery:
    """Keep the newest row of each subscription."""
    place = func.row_number().over(
        partition_by=_key(table), order_by=(moment.desc(), table.c.id.desc())
    )
    ranked = query.add_columns(place.label("place")).subquery()
    return select(ranked).where(ranked.c.place == 1).subquery()


def _newest_phase(until: datetime) -> Subquery:
    columns = PHASES.c
    wanted = (
        columns.starts_at, columns.amount_minor, columns.interval, columns.interval_count,
        columns.ending_discount_minor,
    )  # fmt: skip
    query = select(*_key(PHASES), *wanted).where(columns.starts_at < until)
    return _newest(PHASES, columns.starts_at, query)


def _newest_bill(until: datetime) -> Subquery:
    """Select the newest bill for a whole period; one for a change in its middle says no due day."""
    columns = INVOICES.c
    is_open = or_(
        columns.status != "paid",
        func.coalesce(columns.paid_at, columns.created_at) >= until,
    )
    query = select(
        *_key(INVOICES), columns.created_at, columns.total_minor, is_open.label("is_open")
    ).where(
        columns.subscription_external_id.is_not(None),
        columns.created_at < until,
        columns.total_minor > 0,
        columns.status.in_(BILLED),
        func.coalesce(columns.billing_reason, "") != MID_PERIOD,
    )
    return _newest(INVOICES, columns.created_at, query)


def _discounted_since(until: datetime) -> Subquery:
    """Select since when a subscription has a discount that ends by itself."""
    columns = PHASES.c
    since = type_coerce(func.min(columns.starts_at), Text).label("since")
    query = (
        select(*_key(PHASES), since)
        .where(columns.starts_at < until, columns.ending_discount_minor > 0)
        .group_by(*_key(PHASES))
    )
    return query.subquery()


def _discount_ends(until: datetime) -> Subquery:
    """Select when an imported discount ends, as far as the file had said."""
    columns = EVENTS.c
    ends = type_coerce(func.max(columns.discount_until), Text).label("ends")
    query = (
        select(columns.subscription, ends)
        .where(columns.happened_at < until, columns.discount_until.is_not(None))
        .group_by(columns.subscription)
    )
    return query.subquery()
