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


def first_outlay_day(connection: Connection, last: date) -> date | None:
    """Return the first day, up to `last`, of which a cost or another income is known."""
    days = [
        connection.execute(select(func.min(table.c.day)).where(table.c.day <= last)).scalar_one()
        for table in (COSTS, INCOME)
    ]
    return min((day for day in days if day is not None), default=None)
