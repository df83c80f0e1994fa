"""What was taken in all currencies, told in the base currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from kpay.domain.base_takings import FIGURES, BaseTakings, InBase, converted_sums, own_sums
from kpay.domain.day_rates import DayRates
from kpay.domain.period import Period
from kpay.domain.reports.scope import Scope, month_edges
from kpay.domain.revenue import NO_DISPUTE_MONEY, BalanceSum, Takings, takings
from kpay.store.figures import ledger
from kpay.store.figures.foreign import foreign_rows
from kpay.store.figures.rates import rate_book


@dataclass(frozen=True, slots=True)
class MonthlyTakings:
    """The takings of each currency by month, the moments between the months, and the balance."""

    months: Sequence[date]
    edges: Sequence[datetime]
    takings: Sequence[Mapping[str, Takings]]
    balance: Sequence[BalanceSum]


def monthly_takings(connection: Connection, known: Period) -> MonthlyTakings:
    """Return the takings of a period's months, failed payments too."""
    months, edges = month_edges(known)
    moved = ledger.movements(connection, edges, no_dispute_money=sorted(NO_DISPUTE_MONEY))
    moved = replace(moved, failed=ledger.failed_payments(connection, edges))
    return MonthlyTakings(months, edges, takings(moved, len(months)), moved.balance)


def day_rates(connection: Connection, scope: Scope, known: Period) -> DayRates:
    """Return the rates of a period's days into the base, as known before the scope's `as_of`."""
    book = rate_book(connection, scope.base_currency, scope.as_of, scope.timezone)
    return DayRates(book, known)


def in_base(connection: Connection, scope: Scope, known: Period, monthly: MonthlyTakings) -> InBase:
    """Add up the base currency's takings and, converted, those of the currencies with a rate."""
    base = scope.base_currency
    rates = day_rates(connection, scope, known)
    others = sorted({code for each in monthly.takings for code in each} - {base})
    foreign = foreign_rows(
        connection,
        known.start,
        known.end,
        [code for code in others if rates.knows(code)],
        no_dispute_money=NO_DISPUTE_MONEY,
    )
    sums = converted_sums(foreign, rates, monthly.edges)
    people = ledger.paying_customers(connection, monthly.edges)
    months = [
        _added(
            each.get(base, Takings()),
            abroad,
            sum(one.failed_payments for one in each.values()),
            who,
        )
        for each, abroad, who in zip(monthly.takings, sums, people, strict=True)
    ]
    everyone = ledger.paying_customers(connection, (known.start, known.end))[0]
    return InBase(
        base,
        tuple(zip(monthly.months, months, strict=True)),
        _in_all(months, everyone),
        rates.used(),
        tuple(code for code in others if not rates.knows(code)),
    )


def _added(own: Takings, abroad: Sequence[int], failed: int, people: int) -> BaseTakings:
    both = (mine + other for mine, other in zip(own_sums(own), abroad, strict=True))
    sums = {f"{name}_minor": minor for name, minor in zip(FIGURES, both, strict=True)}
    return BaseTakings(**sums, failed_payments=failed, paying_customers=people)


def _in_all(months: Sequence[BaseTakings], everyone: int) -> BaseTakings:
    names = [*(f"{name}_minor" for name in FIGURES), "failed_payments"]
    sums = {name: sum(getattr(one, name) for one in months) for name in names}
    return BaseTakings(**sums, paying_customers=everyone)
