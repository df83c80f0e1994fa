"""What begins a sequence, as the rows that sync and import leave tell it. Nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, case, func, or_, select

from kpay.domain.enums import COUNTED_REFUNDS, OrderKind, OrderStatus, SubscriberStatus
from kpay.models import (
    CheckoutSession,
    Content,
    Customer,
    Invoice,
    LineItem,
    Order,
    PaymentLink,
    Refund,
    Subscriber,
    Subscription,
)
from kpay.store.dialect import among, table_of

ORDER, LINE, REFUND = table_of(Order), table_of(LineItem), table_of(Refund)
CUSTOMER, SUBSCRIBER, CONTENT = table_of(Customer), table_of(Subscriber), table_of(Content)
SESSION, LINK = table_of(CheckoutSession), table_of(PaymentLink)
SUBSCRIPTION, INVOICE = table_of(Subscription), table_of(Invoice)
PAID = OrderStatus.PAID.value
NEW_SALES = (OrderKind.ONE_TIME.value, OrderKind.SUBSCRIPTION_START.value)
RUNNING = ("active", "trialing", "past_due")
OWING = ("active", "past_due", "unpaid")
UNPAID_BILLS = ("open", "uncollectible")

Rows = Sequence[RowMapping]


def purchases(connection: Connection, since: datetime, slug: str | None) -> Rows:
    """Return the sales from a moment on, renewals and what was wholly given back left out."""
    back = (
        select(func.coalesce(func.sum(REFUND.c.amount_minor), 0))
        .where(REFUND.c.order_id == ORDER.c.id, REFUND.c.status.in_(COUNTED_REFUNDS))
        .scalar_subquery()
    )
    query = (
        select(
            ORDER.c.external_id,
            ORDER.c.ordered_at,
            ORDER.c.customer_id,
            ORDER.c.total_minor,
            ORDER.c.currency,
            func.coalesce(CUSTOMER.c.email, ORDER.c.email).label("email"),
            CUSTOMER.c.name,
            _first_line(CONTENT.c.slug).label("slug"),
            _first_line(func.coalesce(CONTENT.c.title, LINE.c.name)).label("title"),
        )
        .outerjoin(CUSTOMER, CUSTOMER.c.id == ORDER.c.customer_id)
        .where(
            ORDER.c.ordered_at >= since,
            ORDER.c.status == PAID,
            ORDER.c.kind.in_(NEW_SALES),
            or_(ORDER.c.total_minor == 0, ORDER.c.total_minor > back),
            or_(CUSTOMER.c.email.is_not(None), ORDER.c.email.is_not(None)),
        )
        .order_by(ORDER.c.ordered_at, ORDER.c.id)
    )
    if slug is not None:
        query = query.where(_sold(slug))
    return connection.execute(query).mappings().all()


def _first_line(value: Any) -> Any:
    """Return a value of an order's first line."""
    return (
        select(value)
        .select_from(LINE.outerjoin(CONTENT, CONTENT.c.id == LINE.c.content_id))
        .where(LINE.c.order_id == ORDER.c.id)
        .order_by(LINE.c.position)
        .limit(1)
        .scalar_subquery()
    )


def _sold(slug: str) -> ColumnElement[bool]:
    return (
        select(LINE.c.id)
        .join(CONTENT, CONTENT.c.id == LINE.c.content_id)
        .where(LINE.c.order_id == ORDER.c.id, CONTENT.c.slug == slug)
        .exists()
    )


def subscribers(connection: Connection, since: datetime) -> Rows:
    """Return who joined the list from a moment on; who was asked to confirm joins by doing so."""
    joined_at = case(
        (SUBSCRIBER.c.confirm_sent_at.is_not(None), SUBSCRIBER.c.confirmed_at),
        else_=func.coalesce(
            SUBSCRIBER.c.confirmed_at, SUBSCRIBER.c.consented_at, SUBSCRIBER.c.created_at
        ),
    )
    query = (
        select(SUBSCRIBER.c.id, SUBSCRIBER.c.email, SUBSCRIBER.c.name, joined_at.label("joined_at"))
        .where(SUBSCRIBER.c.status == SubscriberStatus.SUBSCRIBED.value, joined_at >= since)
        .order_by(joined_at, SUBSCRIBER.c.id)
    )
    return connection.execute(query).mappings().all()


def unpaid_checkouts(
    connection: Connection, since: datetime, until: datetime, slug: str | None
) -> Rows:
    """Return the checkouts of [since, until) with an address and without a payment, oldest first."""
    link = and_(
        LINK.c.account == SESSION.c.account,
        LINK.c.livemode == SESSION.c.livemode,
        LINK.c.external_id == SESSION.c.payment_link_external_id,
    )
    query = (
        select(
            SESSION.c.account,
            SESSION.c.livemode,
            SESSION.c.external_id,
            SESSION.c.email,
            SESSION.c.amount_total_minor,
            SESSION.c.currency,
            SESSION.c.created_at,
            CONTENT.c.slug,
            CONTENT.c.title,
        )
        .select_from(
            SESSION.outerjoin(LINK, link).outerjoin(CONTENT, CONTENT.c.id == LINK.c.content_id)
        )
        .where(
            SESSION.c.created_at >= since,
            SESSION.c.created_at < until,
            SESSION.c.email.is_not(None),
            SESSION.c.status.in_(("open", "expired")),
            SESSION.c.mode != "setup",
        )
        .order_by(SESSION.c.created_at, SESSION.c.external_id)
    )
    if slug is not None:
        query = query.where(CONTENT.c.slug == slug)
    return connection.execute(query).mappings().all()


def bought_since(connection: Connection, since: datetime) -> Rows:
    """Return (email, ordered_at) of every paid order after a moment, renewals too."""
    query = (
        select(func.coalesce(CUSTOMER.c.email, ORDER.c.email).label("email"), ORDER.c.ordered_at)
        .outerjoin(CUSTOMER, CUSTOMER.c.id == ORDER.c.customer_id)
        .where(ORDER.c.ordered_at > since, ORDER.c.status == PAID)
    )
    return connection.execute(query).mappings().all()


def unpaid_bills(connection: Connection, since: datetime) -> Rows:
    """Return the bills of running subscriptions from a moment on that could not be taken."""
    query = (
        _subscriptions()
        .add_columns(
            INVOICE.c.external_id.label("invoice"),
            INVOICE.c.total_minor.label("billed_minor"),
            INVOICE.c.currency.label("billed_currency"),
            INVOICE.c.created_at.label("billed_at"),
        )
        .join(
            INVOICE,
            and_(
                INVOICE.c.account == SUBSCRIPTION.c.account,
                INVOICE.c.livemode == SUBSCRIPTION.c.livemode,
                INVOICE.c.subscription_external_id == SUBSCRIPTION.c.external_id,
            ),
        )
        .where(
            SUBSCRIPTION.c.status.in_(OWING),
            INVOICE.c.created_at >= since,
            INVOICE.c.status.in_(UNPAID_BILLS),
            INVOICE.c.paid_at.is_(None),
            INVOICE.c.attempts > 0,
            func.coalesce(INVOICE.c.billing_reason, "") != "subscription_create",
        )
        .order_by(INVOICE.c.created_at, INVOICE.c.external_id)
    )
    return connection.execute(query).mappings().all()


def running_subscriptions(connection: Connection) -> Rows:
    """Return the subscriptions that go on, of customers with an address."""
    query = _subscriptions().where(SUBSCRIPTION.c.status.in_(RUNNING))
    return connection.execute(query).mappings().all()


def ended_subscriptions(connection: Connection, since: datetime) -> Rows:
    """Return the subscriptions that ended from a moment on, of customers with an address."""
    query = _subscriptions().where(SUBSCRIPTION.c.ended_at >= since)
    return connection.execute(query).mappings().all()


def _subscriptions() -> Select[Any]:
    return (
        select(
            SUBSCRIPTION,
            CUSTOMER.c.email,
            CUSTOMER.c.name,
            CONTENT.c.slug,
            CONTENT.c.title,
        )
        .join(CUSTOMER, CUSTOMER.c.id == SUBSCRIPTION.c.customer_id)
        .outerjoin(CONTENT, CONTENT.c.id == SUBSCRIPTION.c.content_id)
        .where(CUSTOMER.c.email.is_not(None))
        .order_by(SUBSCRIPTION.c.started_at, SUBSCRIPTION.c.id)
    )


def newest_charges(connection: Connection, subscriptions: Iterable[str]) -> dict[str, str]:
    """Return the charge that last paid each subscription, by the subscription's id."""
    query = (
        select(ORDER.c.subscription_id, ORDER.c.charge_id)
        .where(
            among(ORDER.c.subscription_id, subscriptions),
            ORDER.c.charge_id.is_not(None),
            ORDER.c.status == PAID,
        )
        .order_by(ORDER.c.ordered_at, ORDER.c.id)
    )
    return {row.subscription_id: row.charge_id for row in connection.execute(query)}


def last_orders(connection: Connection, since: datetime, until: datetime) -> Rows:
    """Return the customers whose last paid order is of (since, until], with its time."""
    last = func.max(ORDER.c.ordered_at)
    query = (
        select(CUSTOMER.c.id, CUSTOMER.c.email, CUSTOMER.c.name, last.label("ordered_at"))
        .join(ORDER, ORDER.c.customer_id == CUSTOMER.c.id)
        .where(ORDER.c.status == PAID, CUSTOMER.c.email.is_not(None))
        .group_by(CUSTOMER.c.id)
        .having(and_(last > since, last <= until))
        .order_by(last, CUSTOMER.c.id)
    )
    return connection.execute(query).mappings().all()
