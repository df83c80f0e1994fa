"""Buyers by the month of their first order: how many, who bought again, and what they paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Text,
    func,
    select,
)
from sqlalchemy import type_coerce as as_type

from kpay.domain.cohorts import Paid
from kpay.domain.enums import OrderStatus
from kpay.domain.period import instant_text
from kpay.store.dialect import plain_rows
from kpay.store.figures.ledger import (
    BALANCE,
    CHARGES,
    ORDERS,
    REFUNDS,
    brought_back,
    is_given_back,
    of_charge,
)
from kpay.store.figures.ledger import refunded_tax as tax_inside
from kpay.store.figures.spans import unindexed


@dataclass(frozen=True, slots=True)
class FirstOrder:
    """The order with which a customer began."""

    customer: int
    at: datetime
    order: str


def first_order_at(connection: Connection, until: datetime) -> datetime | None:
    """Return when the first known customer bought."""
    query = select(func.min(ORDERS.c.ordered_at)).where(_paid_by_someone(until))
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def first_buyers(connection: Connection, start: datetime, end: datetime) -> list[FirstOrder]:
    """Return the customers whose first order lies in [start, end), oldest first."""
    firsts = _firsts(end)
    query = (
        select(firsts.c.customer_id, firsts.c.first, ORDERS.c.external_id)
        .join(firsts, firsts.c.customer_id == ORDERS.c.customer_id)
        .where(_paid_by_someone(end), ORDERS.c.ordered_at == firsts.c.first)
        .where(firsts.c.first >= start)
        .order_by(firsts.c.first, firsts.c.customer_id, ORDERS.c.id)
    )
    found: dict[int, FirstOrder] = {}
    for customer, at, order in connection.execute(query):
        found.setdefault(customer, FirstOrder(customer, at, order))
    return list(found.values())


def orders_of_customers(connection: Connection, until: datetime) -> list[tuple[int, str, str, int]]:
    """Return customer, moment, currency and net of every paid order, in no order of its own.

    The moment is looked at here: asked in SQL it would lead along its index to one row at a time.
    """
    columns = ORDERS.c
    net = columns.total_minor - columns.tax_minor
    moment = as_type(columns.ordered_at, Text)
    query = select(columns.customer_id, moment, columns.currency, net).where(_is_paid_by_someone())
    last = instant_text(until)
    return [row for row in plain_rows(connection, query) if row[1] < last]


def given_back(connection: Connection, until: datetime) -> list[Paid]:
    """Return what customers got back, without tax, and (above zero) what came back of it."""
    queries = (
        _returned(REFUNDS.c.refunded_at, until, sign=-1),
        _returned(BALANCE.c.created_at, until, sign=1),
    )
    return [Paid(*row) for query in queries for row in plain_rows(connection, query)]


def _returned(moment: ColumnElement[datetime], until: datetime, *, sign: int) -> Select[Any]:
    """Select what was given back (-1), or came back because the refund failed (1).

    Refunds are few: their orders are looked up, not all orders gone through for a refund.
    """
    net = sign * (REFUNDS.c.amount_minor - tax_inside())
    query = select(ORDERS.c.customer_id, as_type(moment, Text), REFUNDS.c.currency, net)
    if sign > 0:
        query = query.select_from(BALANCE).join(REFUNDS, brought_back())
    else:
        query = query.select_from(REFUNDS).where(is_given_back())
    return (
        query.join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .outerjoin(CHARGES, of_charge())
        .where(CHARGES.c.is_sale.is_not(False), moment < until)
        .where(_is_paid_by_someone(), unindexed(ORDERS.c.ordered_at) < until)
    )


def _firsts(until: datetime) -> Subquery:
    columns = ORDERS.c
    return (
        select(columns.customer_id, func.min(columns.ordered_at).label("first"))
        .where(_paid_by_someone(until))
        .group_by(columns.customer_id)
        .subquery()
    )


def _paid_by_someone(until: datetime) -> ColumnElement[bool]:
    return _is_paid_by_someone() & (ORDERS.c.ordered_at < until)


def _is_paid_by_someone() -> ColumnElement[bool]:
    columns = ORDERS.c
    return (columns.status == OrderStatus.PAID.value) & columns.customer_id.is_not(None)
