"""What reports ask of customers: what was given back to whom, who they are, and who is a member."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, Text, and_, func, literal, select, type_coerce, union_all

from kpay.domain.enums import COUNTED_REFUNDS, OrderStatus
from kpay.models.billing import Subscription
from kpay.models.payments import Charge
from kpay.models.people import Customer
from kpay.models.sales import Order, Refund
from kpay.store.dialect import among, plain_rows, table_of
from kpay.store.figures.ledger import refunded_tax

ORDERS = table_of(Order)
REFUNDS = table_of(Refund)
CHARGES = table_of(Charge)
CUSTOMERS = table_of(Customer)
SUBSCRIPTIONS = table_of(Subscription)


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """What was given back for an order, without its tax; `customer` is 0 where nobody knows."""

    order: int
    customer: int
    at: str
    currency: str
    net_minor: int
    provider: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who a customer number is."""

    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class NetRow:
    """An order or what was given back for one, without tax: what a customer's revenue is made of."""

    at: datetime
    customer: int
    is_refund: bool
    net_minor: int
    provider: str


def given_back(connection: Connection, start: datetime, end: datetime) -> list[MoneyBack]:
    """Return the counted refunds of paid orders that were given in [start, end), oldest first."""
    query = _refunds(
        REFUNDS.c.order_id,
        func.coalesce(ORDERS.c.customer_id, 0),
        type_coerce(REFUNDS.c.refunded_at, Text),
        REFUNDS.c.currency,
        REFUNDS.c.amount_minor - refunded_tax(),
        REFUNDS.c.external_id,
    ).where(REFUNDS.c.refunded_at >= start, REFUNDS.c.refunded_at < end)
    rows = plain_rows(connection, query.order_by(REFUNDS.c.refunded_at, REFUNDS.c.id))
    return [MoneyBack(*row) for row in rows]


def _refunds(*columns: Any) -> Select[Any]:
    """Select from the refunds that count: money is on its way back, of a charge that was a sale."""
    of_charge = and_(
        CHARGES.c.account == REFUNDS.c.account,
        CHARGES.c.livemode == REFUNDS.c.livemode,
        CHARGES.c.external_id == REFUNDS.c.charge_id,
    )
    return (
        select(*columns)
        .select_from(REFUNDS)
        .join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .outerjoin(CHARGES, of_charge)
        .where(
            REFUNDS.c.status.in_(COUNTED_REFUNDS),
            CHARGES.c.is_sale.is_not(False),
            ORDERS.c.status == OrderStatus.PAID.value,
        )
    )


def people(connection: Connection, numbers: Iterable[int]) -> dict[int, Person]:
    """Return who these customers are, by number."""
    columns = CUSTOMERS.c
    query = select(columns.id, columns.name, columns.email).where(among(columns.id, numbers))
    return {number: Person(*told) for number, *told in connection.execute(query)}


def members(connection: Connection, moment: datetime) -> frozenset[int]:
    """Return the customers who had a subscription that ran at a moment."""
    columns = SUBSCRIPTIONS.c
    query = select(columns.customer_id).where(
        columns.customer_id.is_not(None),
        columns.started_at < moment,
        columns.ended_at.is_(None) | (columns.ended_at >= moment),
        columns.status.not_in(("incomplete", "incomplete_expired")),
    )
    return frozenset(connection.execute(query).scalars())


def net_rows(
    connection: Connection,
    start: datetime,
    end: datetime,
    *,
    currency: str,
    customers: Sequence[int] | None = None,
) -> list[NetRow]:
    """Return the paid orders and the refunds of [start, end) in a currency, oldest first.

    Of some customers (0: guests whom nobody knows), or of all.
    """
    buyer = func.coalesce(ORDERS.c.customer_id, 0)
    sold = select(
        ORDERS.c.ordered_at.label("at"),
        buyer.label("customer"),
        literal(False).label("is_refund"),
        (ORDERS.c.total_minor - ORDERS.c.tax_minor).label("net"),
        ORDERS.c.external_id.label("provider"),
        ORDERS.c.id.label("number"),
    ).where(
        ORDERS.c.status == OrderStatus.PAID.value,
        ORDERS.c.currency == currency,
        ORDERS.c.ordered_at >= start,
        ORDERS.c.ordered_at < end,
    )
    returned = _refunds(
        REFUNDS.c.refunded_at.label("at"),
        buyer.label("customer"),
        literal(True).label("is_refund"),
        (refunded_tax() - REFUNDS.c.amount_minor).label("net"),
        REFUNDS.c.external_id.label("provider"),
        REFUNDS.c.id.label("number"),
    ).where(
        REFUNDS.c.currency == currency, REFUNDS.c.refunded_at >= start, REFUNDS.c.refunded_at < end
    )
    if customers is not None:
        sold, returned = (one.where(among(buyer, customers)) for one in (sold, returned))
    both = union_all(sold, returned).subquery()
    query = select(both).order_by(both.c.at, both.c.is_refund, both.c.number)
    return [
        NetRow(at, customer, bool(is_refund), net, provider)
        for at, customer, is_refund, net, provider, _ in connection.execute(query)
    ]
