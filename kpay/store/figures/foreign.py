"""Money that moved in other currencies than the base, movement by movement, to be converted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, literal, select

from kpay.domain.base_takings import Foreign
from kpay.domain.enums import OrderStatus
from kpay.domain.revenue import FEE_KINDS
from kpay.store.dialect import plain_rows
from kpay.store.figures import ledger
from kpay.store.figures.ledger import BALANCE, CHARGES, DISPUTES, ORDERS, REFUNDS

NOTHING = literal(0)


def foreign_rows(
    connection: Connection,
    start: datetime,
    end: datetime,
    currencies: Iterable[str],
    *,
    no_dispute_money: Iterable[str],
) -> list[Foreign]:
    """Return what moved between two moments in some currencies; nothing is asked where there is none."""
    codes = sorted(currencies)
    if not codes:
        return []
    queries = (
        (_sales(), ORDERS.c.ordered_at, ORDERS.c.currency),
        (_refunds(1, REFUNDS.c.refunded_at), REFUNDS.c.refunded_at, REFUNDS.c.currency),
        (_refunds(-1, BALANCE.c.created_at), BALANCE.c.created_at, REFUNDS.c.currency),
        (_movements(), BALANCE.c.created_at, BALANCE.c.currency),
        (_disputes(no_dispute_money), DISPUTES.c.opened_at, DISPUTES.c.currency),
    )
    found: list[Any] = []
    for query, moment, currency in queries:
        inside = and_(moment >= start, moment < end, currency.in_(codes))
        found += plain_rows(connection, query.where(inside))
    return found


def _sales() -> Select[Any]:
    columns = ORDERS.c
    of_subscription = ledger.subscription_sales_minor()
    once = columns.total_minor - columns.tax_minor - of_subscription
    return select(
        columns.ordered_at, columns.currency, once, of_subscription,
        NOTHING, NOTHING, NOTHING, columns.tax_minor,
    ).where(columns.status == OrderStatus.PAID.value)  # fmt: skip


def _refunds(sign: int, moment: ColumnElement[datetime]) -> Select[Any]:
    """What was given back (1), or came back because it failed (-1)."""
    tax = ledger.refunded_tax()
    amount = REFUNDS.c.amount_minor - tax
    query = select(
        moment, REFUNDS.c.currency, NOTHING, NOTHING, sign * amount, NOTHING, NOTHING, -sign * tax
    )
    if sign < 0:
        query = query.select_from(BALANCE).join(REFUNDS, ledger.brought_back())
        return query.outerjoin(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
    query = query.select_from(REFUNDS).outerjoin(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
    return query.outerjoin(CHARGES, ledger.of_charge()).where(
        ledger.is_given_back(), CHARGES.c.is_sale.is_not(False)
    )


def _movements() -> Select[Any]:
    """Fees and disputed money, as `kpay.domain.revenue.booked_costs` finds them in a sum."""
    columns = BALANCE.c
    billed = case((columns.kind.in_(sorted(FEE_KINDS)), columns.amount_minor), else_=0)
    fees = columns.fee_minor - billed
    disputed = case((DISPUTES.c.id.is_not(None), -columns.amount_minor), else_=0)
    return (
        select(
            columns.created_at, columns.currency, NOTHING, NOTHING, NOTHING, disputed, fees, NOTHING
        )
        .select_from(BALANCE)
        .outerjoin(DISPUTES, ledger.caused_by_dispute())
    )


def _disputes(no_money: Iterable[str]) -> Select[Any]:
    columns = DISPUTES.c
    return (
        select(
            columns.opened_at, columns.currency,
            NOTHING, NOTHING, NOTHING, columns.amount_minor, NOTHING, NOTHING,
        )
        .select_from(DISPUTES)
        .outerjoin(BALANCE, ledger.caused_by_dispute())
        .where(BALANCE.c.id.is_(None), columns.status.not_in(sorted(no_money)))
    )  # fmt: skip
