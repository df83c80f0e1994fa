"""Buyers by the month of their first order: how many, who bought again, and what they paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    Text,
    case,
    func,
    literal,
    select,
)
from sqlalchemy import type_coerce as as_type

from kpay.domain.cohorts import BoughtCell
from kpay.domain.enums import OrderStatus
from kpay.domain.period import instant_text
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

Edges = Sequence[datetime]


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


def buyers(
    connection: Connection, edges: Edges
) -> tuple[dict[int, int], list[tuple[int, int, int]]]:
    """Return how many first bought in each month, and (cohort, month, how many) bought again.

    `edges` are the moments between the months; a second order counts once for each buyer.
    """
    columns = ORDERS.c
    place = func.row_number().over(
        partition_by=columns.customer_id, order_by=(columns.ordered_at, columns.id)
    )
    first = func.lag(columns.ordered_at).over(
        partition_by=columns.customer_id, order_by=(columns.ordered_at, columns.id)
    )
    each = (
        select(columns.ordered_at, place.label("place"), first.label("first"))
        .where(_paid_by_someone(edges[-1]))
        .subquery()
    )
    begun = func.coalesce(each.c.first, each.c.ordered_at)
    cohort, month = _month_of(begun, edges), _month_of(each.c.ordered_at, edges)
    query = (
        select(each.c.place, cohort, month, func.count())
        .where(each.c.place <= literal(2))
        .group_by(each.c.place, cohort, month)
    )
    sizes: dict[int, int] = {}
    seconds = []
    for number, begun_in, came_in, count in connection.execute(query):
        if number == 1:
            sizes[begun_in] = count
        else:
            seconds.append((begun_in, came_in, count))
    return sizes, seconds


def bought(connection: Connection, edges: Edges) -> list[BoughtCell]:
    """Return what each month's buyers paid in every month, and got back, without tax."""
    firsts = _firsts(edges[-1])
    cohort = _month_of(firsts.c.first, edges)
    month = _month_of(ORDERS.c.ordered_at, edges)
    net = func.sum(ORDERS.c.total_minor - ORDERS.c.tax_minor)
    paid = (
        select(cohort, month, ORDERS.c.currency, net)
        .join(firsts, firsts.c.customer_id == ORDERS.c.customer_id)
        .where(_paid_by_someone(edges[-1]))
        .group_by(cohort, month, ORDERS.c.currency)
    )
    queries = (
        paid,
        _returned(cohort, firsts, edges, REFUNDS.c.refunded_at, sign=-1),
        _returned(cohort, firsts, edges, BALANCE.c.created_at, sign=1),
    )
    return [BoughtCell(*row) for query in queries for row in connection.execute(query)]


def _returned(
    cohort: ColumnElement[Any],
    firsts: Subquery,
    edges: Edges,
    moment: ColumnElement[datetime],
    *,
    sign: int,
) -> Select[Any]:
    """Select what was given back (-1), or came back because the refund failed (1)."""
    month = _month_of(moment, edges)
    net = func.sum(sign * (REFUNDS.c.amount_minor - tax_inside()))
    query = select(cohort, month, REFUNDS.c.currency, net)
    if sign > 0:
        query = query.select_from(BALANCE).join(REFUNDS, brought_back())
    else:
        query = query.select_from(REFUNDS).where(is_given_back())
    return (
        query.join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .join(firsts, firsts.c.customer_id == ORDERS.c.customer_id)
        .outerjoin(CHARGES, of_charge())
        .where(
            CHARGES.c.is_sale.is_not(False),
            moment < edges[-1],
            _paid_by_someone(edges[-1]),
        )
        .group_by(cohort, month, REFUNDS.c.currency)
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
    columns = ORDERS.c
    return (
        (columns.status == OrderStatus.PAID.value)
        & columns.customer_id.is_not(None)
        & (columns.ordered_at < until)
    )


def _month_of(moment: ColumnElement[Any], edges: Edges) -> ColumnElement[Any]:
    """Number the month of a moment; it is found by halves, not by going through all of them."""
    text = as_type(moment, Text)

    def among(first: int, last: int) -> ColumnElement[Any]:
        if first == last:
            return literal(first)
        middle = (first + last + 1) // 2
        earlier = text < instant_text(edges[middle])
        return case((earlier, among(first, middle - 1)), else_=among(middle, last))

    return among(0, len(edges) - 2)
