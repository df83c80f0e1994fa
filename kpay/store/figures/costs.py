"""Questions about imported costs and other income."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, literal, select

from kpay.domain.outlays import Outlay
from kpay.models.signals import Cost, Income
from kpay.store.dialect import table_of

COSTS = table_of(Cost)
INCOME = table_of(Income)


def outlays(connection: Connection, first: date, last: date) -> list[Outlay]:
    """Return costs, then other income, of the days from `first` to `last`, both inside."""
    spent = (
        select(
            COSTS.c.day, COSTS.c.kind, COSTS.c.campaign, COSTS.c.amount_minor, COSTS.c.currency,
            literal(False),
        )
        .where(COSTS.c.day >= first, COSTS.c.day <= last)
        .order_by(COSTS.c.day, COSTS.c.kind, COSTS.c.campaign, COSTS.c.currency)
    )  # fmt: skip
    received = (
        select(
            INCOME.c.day, INCOME.c.kind, literal(""), INCOME.c.amount_minor, INCOME.c.currency,
            literal(True),
        )
        .where(INCOME.c.day >= first, INCOME.c.day <= last)
        .order_by(INCOME.c.day, INCOME.c.kind, INCOME.c.currency)
    )  # fmt: skip
    return [Outlay._make(row) for query in (spent, received) for row in connection.execute(query)]


def outlay_days(connection: Connection, last: date) -> tuple[date, date] | None:
    """Return the first and the last day, up to `last`, of which costs or other income are known."""
    days: list[date] = []
    for table in (COSTS, INCOME):
        query = select(func.min(table.c.day), func.max(table.c.day)).where(table.c.day <= last)
        days += [day for day in connection.execute(query).one() if day is not None]
    return (min(days), max(days)) if days else None
