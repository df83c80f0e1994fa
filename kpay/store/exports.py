"""Rows for export, in a fixed order: what the columns of an import can hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from kpay.domain.enums import COUNTED_REFUNDS, ImportKind, OrderStatus
from kpay.models.books import ExchangeRate, ImportedPlan, SubscriptionEvent
from kpay.models.people import Customer, Subscriber
from kpay.models.sales import LineItem, Order, Refund
from kpay.models.signals import Cost, Event, Feedback, Income, Traffic
from kpay.store.dialect import table_of

CUSTOMER = table_of(Customer)
SUBSCRIBER = table_of(Subscriber)
ORDER = table_of(Order)
LINE = table_of(LineItem)
REFUND = table_of(Refund)
EVENT = table_of(Event)
TRAFFIC = table_of(Traffic)
COST = table_of(Cost)
INCOME = table_of(Income)
FEEDBACK = table_of(Feedback)
PLAN = table_of(ImportedPlan)
HAPPENED = table_of(SubscriptionEvent)
RATE = table_of(ExchangeRate)

QUERIES: Final[Mapping[ImportKind, Select[Any]]] = {
    ImportKind.CUSTOMERS: select(CUSTOMER).order_by(CUSTOMER.c.email, CUSTOMER.c.id),
    ImportKind.SUBSCRIBERS: select(SUBSCRIBER).order_by(SUBSCRIBER.c.email),
    ImportKind.EVENTS: select(EVENT).order_by(EVENT.c.happened_at, EVENT.c.email, EVENT.c.id),
    ImportKind.TRAFFIC: select(TRAFFIC).order_by(
        TRAFFIC.c.day, TRAFFIC.c.source, TRAFFIC.c.content
    ),
    ImportKind.COSTS: select(COST).order_by(COST.c.day, COST.c.kind, COST.c.campaign),
    ImportKind.INCOME: select(INCOME).order_by(INCOME.c.day, INCOME.c.kind, INCOME.c.currency),
    ImportKind.PLANS: select(PLAN).order_by(PLAN.c.plan),
    ImportKind.SUBSCRIPTIONS: select(HAPPENED).order_by(
        HAPPENED.c.happened_at, HAPPENED.c.subscription, HAPPENED.c.id
    ),
    ImportKind.FX: select(RATE).order_by(RATE.c.first_day, RATE.c.base, RATE.c.currency),
    ImportKind.FEEDBACK: select(FEEDBACK).order_by(FEEDBACK.c.at, FEEDBACK.c.email, FEEDBACK.c.id),
}


def rows(connection: Connection, kind: ImportKind) -> Iterator[dict[str, Any]]:
    """Yield the rows of a kind that is exported as it stands in its table."""
    for row in connection.execute(QUERIES[kind]).mappings():
        yield dict(row)


def order_lines(connection: Connection) -> Iterator[dict[str, Any]]:
    """Yield the lines of paid orders, oldest order first, with the order they belong to.

    An order without lines yields one row whose `line_minor` is None.
    """
    query = (
        select(
            ORDER.c.id,
            ORDER.c.external_id.label("order_id"),
            ORDER.c.email,
            CUSTOMER.c.email.label("customer_email"),
            CUSTOMER.c.name,
            ORDER.c.ordered_at,
            ORDER.c.currency,
            ORDER.c.total_minor,
            ORDER.c.country,
            LINE.c.product,
            LINE.c.name.label("line_name"),
            LINE.c.quantity,
            LINE.c.amount_minor.label("line_minor"),
        )
        .outerjoin(LINE, LINE.c.order_id == ORDER.c.id)
        .outerjoin(CUSTOMER, CUSTOMER.c.id == ORDER.c.customer_id)
        .where(ORDER.c.status == OrderStatus.PAID.value)
        .order_by(ORDER.c.ordered_at, ORDER.c.id, LINE.c.position)
    )
    for row in connection.execute(query).mappings():
        yield dict(row)


def refunds_by_order(connection: Connection) -> dict[int, list[tuple[str, int, Any]]]:
    """Return the refunds that count, by order: (external id, minor units, when), oldest first."""
    query = (
        select(REFUND.c.order_id, REFUND.c.external_id, REFUND.c.amount_minor, REFUND.c.refunded_at)
        .where(REFUND.c.order_id.is_not(None), REFUND.c.status.in_(COUNTED_REFUNDS))
        .order_by(REFUND.c.refunded_at, REFUND.c.id)
    )
    found: dict[int, list[tuple[str, int, Any]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.order_id, []).append(
            (row.external_id, row.amount_minor, row.refunded_at)
        )
    return found
