"""What customers brought in their first year: sales, refunds, fees and disputes, one by one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select

from kpay.domain.enums import OrderStatus
from kpay.store.dialect import among, plain_rows
from kpay.store.figures import ledger
from kpay.store.figures.ledger import BALANCE, CHARGES, DISPUTES, ORDERS, REFUNDS

BUYER = ORDERS.c.customer_id


class Brought(NamedTuple):
    """An amount of a customer, taxes apart; costs are negative. `at` is RFC 3339 in UTC."""

    customer: int
    at: str
    currency: str
    minor: int


def newcomers(connection: Connection, start: datetime, end: datetime) -> dict[int, datetime]:
    """Return the customers whose first paid order lies in [start, end), and when that was."""
    columns = ORDERS.c
    moment = func.min(columns.ordered_at)
    query = (
        select(BUYER, moment)
        .where(
            columns.status == OrderStatus.PAID.value, BUYER.is_not(None), columns.total_minor > 0
        )
        .group_by(BUYER)
        .having(and_(moment >= start, moment < end))
    )
    return {int(number): at for number, at in connection.execute(query)}


def brought(
    connection: Connection, customers: Iterable[int], start: datetime, until: datetime
) -> list[Brought]:
    """Return all that moved of some customers in [start, until)."""
    theirs = among(BUYER, customers)
    rows: list[Any] = []
    for query, moment in (_sales(), _refunds(), _failed_refunds(), _fees(), _disputes()):
        rows += plain_rows(connection, query.where(theirs, moment >= start, moment < until))
    return [Brought._make(row) for row in rows]


Asked = tuple[Select[Any], ColumnElement[datetime]]


def _sales() -> Asked:
    columns = ORDERS.c
    query = select(
        BUYER, columns.ordered_at, columns.currency, columns.total_minor - columns.tax_minor
    )
    return query.where(columns.status == OrderStatus.PAID.value), columns.ordered_at


def _refunds() -> Asked:
    columns = REFUNDS.c
    given = ledger.refunded_tax() - columns.amount_minor
    query = (
        select(BUYER, columns.refunded_at, columns.currency, given)
        .select_from(REFUNDS)
        .join(ORDERS, ORDERS.c.id == columns.order_id)
        .outerjoin(CHARGES, ledger.of_charge())
        .where(ledger.is_given_back(), CHARGES.c.is_sale.is_not(False))
    )
    return query, columns.refunded_at


def _failed_refunds() -> Asked:
    back = REFUNDS.c.amount_minor - ledger.refunded_tax()
    query = (
        select(BUYER, BALANCE.c.created_at, REFUNDS.c.currency, back)
        .select_from(BALANCE)
        .join(REFUNDS, ledger.brought_back())
        .join(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
    )
    return query, BALANCE.c.created_at


def _fees() -> Asked:
    columns = BALANCE.c
    charged = and_(
        ORDERS.c.charge_id == columns.source_external_id, ORDERS.c.account == columns.account
    )
    query = (
        select(BUYER, columns.created_at, columns.currency, -columns.fee_minor)
        .select_from(BALANCE)
        .join(ORDERS, charged)
        .where(columns.fee_minor != 0)
    )
    return query, columns.created_at


def _disputes() -> Asked:
    columns = BALANCE.c
    query = (
        select(
            BUYER, columns.created_at, columns.currency, columns.amount_minor - columns.fee_minor
        )
        .select_from(DISPUTES)
        .join(BALANCE, ledger.caused_by_dispute())
        .join(ORDERS, ORDERS.c.id == DISPUTES.c.order_id)
    )
    return query, columns.created_at
