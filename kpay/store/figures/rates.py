"""Exchange rates as the store has them: of the provider's movements of money, and imported."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, select

from kpay.domain.rates import MonthRate, Quote, RateBook, courses, month_quotes
from kpay.models.billing import BalanceTransaction
from kpay.models.books import ExchangeRate
from kpay.models.sales import Order
from kpay.store.dialect import table_of

BALANCE = table_of(BalanceTransaction)
ORDERS = table_of(Order)
RATES = table_of(ExchangeRate)


def rate_book(connection: Connection, base: str, until: datetime, timezone: str) -> RateBook:
    """Return the rates into a currency that were known before a moment.

    An imported month's rate holds from the first moment of the month in the zone on.
    """
    imported = [
        quote
        for quote in month_quotes(_month_rates(connection), base, timezone)
        if quote[0] < until
    ]
    return RateBook(base, courses(_settled(connection, base, until)), courses(imported))


def _settled(connection: Connection, base: str, until: datetime) -> list[Quote]:
    columns = BALANCE.c
    charged = and_(
        ORDERS.c.charge_id == columns.source_external_id, ORDERS.c.account == columns.account
    )
    query = (
        select(columns.created_at, ORDERS.c.currency, columns.exchange_rate)
        .join(ORDERS, charged)
        .where(
            columns.currency == base,
            ORDERS.c.currency != base,
            columns.exchange_rate.is_not(None),
            columns.created_at < until,
        )
        .order_by(columns.created_at, columns.id)
    )
    return [(at, code, rate) for at, code, rate in connection.execute(query)]


def _month_rates(connection: Connection) -> list[MonthRate]:
    columns = RATES.c
    query = select(columns.first_day, columns.currency, columns.base, columns.rate)
    return [MonthRate(*row) for row in connection.execute(query)]
