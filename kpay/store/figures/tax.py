"""What was taxed: paid orders and refunds, gathered by country, currency and amounts.

Amounts of one price repeat, so that a year of sales is a few rows. What has to be converted stays
apart by its moment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, case, func, literal, select
from sqlalchemy import type_coerce as told_as

from kpay.domain.enums import OrderStatus
from kpay.domain.taxing import TaxedRow
from kpay.store.figures import ledger
from kpay.store.figures.ledger import BALANCE, CHARGES, ORDERS, REFUNDS


def taxed_rows(
    connection: Connection, start: datetime, end: datetime, *, base: str
) -> list[TaxedRow]:
    """Return the orders and refunds of [start, end); moments are told but for the base currency."""
    sold = ORDERS.c.ordered_at
    given, failed = REFUNDS.c.refunded_at, BALANCE.c.created_at
    queries = (
        (_sales(base), sold, False, 1),
        (_refunds(base, given), given, True, 1),
        (_failed_refunds(base), failed, True, -1),
    )
    return [
        TaxedRow._make((*row, is_refund, sign))
        for query, moment, is_refund, sign in queries
        for row in connection.execute(query.where(and_(moment >= start, moment < end)))
    ]


def _sales(base: str) -> Select[Any]:
    columns = ORDERS.c
    net = columns.total_minor - columns.tax_minor
    keys = (
        columns.country,
        columns.currency,
        _moment(columns.ordered_at, columns.currency, base),
        net,
        columns.tax_minor,
    )
    sold = (net, columns.tax_minor)
    paid = and_(columns.status == OrderStatus.PAID.value, columns.total_minor > 0)
    return select(*keys, *sold, func.count()).where(paid).group_by(*keys)


def _refunds(base: str, moment: ColumnElement[datetime]) -> Select[Any]:
    query = _given_back(base, moment).select_from(REFUNDS)
    query = query.outerjoin(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
    return query.outerjoin(CHARGES, ledger.of_charge()).where(
        ledger.is_given_back(), CHARGES.c.is_sale.is_not(False)
    )


def _failed_refunds(base: str) -> Select[Any]:
    query = _given_back(base, BALANCE.c.created_at).select_from(BALANCE)
    query = query.join(REFUNDS, ledger.brought_back())
    return query.outerjoin(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)


def _given_back(base: str, moment: ColumnElement[datetime]) -> Select[Any]:
    tax = ledger.refunded_tax()
    currency = REFUNDS.c.currency
    keys = (
        ORDERS.c.country,
        currency,
        _moment(moment, currency, base),
        REFUNDS.c.amount_minor - tax,
        tax,
        func.coalesce(ORDERS.c.total_minor - ORDERS.c.tax_minor, 0),
        func.coalesce(ORDERS.c.tax_minor, 0),
    )
    return select(*keys, func.count()).group_by(*keys)


def _moment(
    moment: ColumnElement[datetime], currency: ColumnElement[str], base: str
) -> ColumnElement[str]:
    as_text = told_as(moment, Text)
    return case((currency == base, literal("")), else_=as_text)
