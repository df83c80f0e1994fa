"""What customers brought in their first year: sales, refunds, fees and disputes, one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    func,
    select,
)  # fmt: skip

from kpay.domain.enums import OrderStatus
from kpay.store.dialect import plain_rows
from kpay.store.figures import ledger
from kpay.store.figures.ledger import BALANCE, CHARGES, DISPUTES, ORDERS, REFUNDS


class Brought(NamedTuple):
    """An amount of a customer, taxes apart; costs are negative. Moments are RFC 3339 in UTC."""

    first_at: str
    at: str
    currency: str
    minor: int


def newcomers(connection: Connection, start: datetime, end: datetime) -> int:
    """Count the customers whose first paid order lies in [start, end)."""
    query = select(func.count()).select_from(_first(start, end))
    return int(connection.execute(query).scalar_one())


def brought(
    connection: Connection, start: datetime, end: datetime, until: datetime
) -> list[Brought]:
    """Return all that moved before `until` of the customers who first bought in [start, end)."""
    first = _first(start, end)
    rows: list[Any] = []
    for query in (_sales, _refunds, _failed_refunds, _fees, _disputes):
        rows += plain_rows(connection, query(first, until))
    return [Brought._make(row) for row in rows]


def _first(start: datetime, end: datetime) -> Subquery:
    columns = ORDERS.c
    moment = func.min(columns.ordered_at)
    return (
        select(columns.customer_id, moment.label("at"))
        .where(
            columns.status == OrderStatus.PAID.value,
            columns.customer_id.is_not(None),
            columns.total_minor > 0,
        )
        .group_by(columns.customer_id)
        .having(and_(moment >= start, moment < end))
        .subquery("first")
    )


def _sales(first: Subquery, until: datetime) -> Select[Any]:
    columns = ORDERS.c
    return (
        select(
            first.c.at,
            columns.ordered_at,
            columns.currency,
            columns.total_minor - columns.tax_minor,
        )
        .join(first, first.c.customer_id == columns.customer_id)
        .where(columns.status == OrderStatus.PAID.value, columns.ordered_at < until)
    )


def _refunds(first: Subquery, until: datetime) -> Select[Any]:
    given = ledger.refunded_tax() - REFUNDS.c.amount_minor
    return (
        _of_buyer(first, REFUNDS.c.refunded_at, REFUNDS.c.currency, given)
        .select_from(REFUNDS)
        .join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .join(first, first.c.customer_id == ORDERS.c.customer_id)
        .outerjoin(CHARGES, ledger.of_charge())
        .where(
            ledger.is_given_back(),
            CHARGES.c.is_sale.is_not(False),
            REFUNDS.c.refunded_at < until,
        )
    )


def _failed_refunds(first: Subquery, until: datetime) -> Select[Any]:
    back = REFUNDS.c.amount_minor - ledger.refunded_tax()
    return (
        _of_buyer(first, BALANCE.c.created_at, REFUNDS.c.currency, back)
        .select_from(BALANCE)
        .join(REFUNDS, ledger.brought_back())
        .join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .join(first, first.c.customer_id == ORDERS.c.customer_id)
        .where(BALANCE.c.created_at < until)
    )


def _fees(first: Subquery, until: datetime) -> Select[Any]:
    charged = and_(
        ORDERS.c.charge_id == BALANCE.c.source_external_id, ORDERS.c.account == BALANCE.c.account
    )
    return (
        _of_buyer(first, BALANCE.c.created_at, BALANCE.c.currency, -BALANCE.c.fee_minor)
        .select_from(BALANCE)
        .join(ORDERS, charged)
        .join(first, first.c.customer_id == ORDERS.c.customer_id)
        .where(BALANCE.c.created_at < until, BALANCE.c.fee_minor != 0)
    )


def _disputes(first: Subquery, until: datetime) -> Select[Any]:
    taken = BALANCE.c.amount_minor - BALANCE.c.fee_minor
    return (
        _of_buyer(first, BALANCE.c.created_at, BALANCE.c.currency, taken)
        .select_from(DISPUTES)
        .join(BALANCE, ledger.caused_by_dispute())
        .join(ORDERS, ORDERS.c.id == DISPUTES.c.order_id)
        .join(first, first.c.customer_id == ORDERS.c.customer_id)
        .where(BALANCE.c.created_at < until)
    )


def _of_buyer(
    first: Subquery,
    moment: ColumnElement[datetime],
    currency: ColumnElement[str],
    minor: ColumnElement[int],
) -> Select[Any]:
    return select(first.c.at, moment, currency, minor)
