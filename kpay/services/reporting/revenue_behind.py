"""What is behind a figure of the revenue report: the orders, refunds, disputes and fees it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from sqlalchemy import Connection

from kpay.domain.day_rates import DayRates
from kpay.domain.entries import Entry, FailedPayment, Sale, name_of
from kpay.domain.period import instant_text
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.revenue import RevenueReport
from kpay.domain.reports.scope import Scope
from kpay.domain.revenue import NO_DISPUTE_MONEY, Takings
from kpay.services.reporting.base_currency import day_rates
from kpay.store.figures.entries import entries

Told = tuple[Entry, int]

IN_MAIN: Final[dict[str, Callable[[Takings], int]]] = {
    "gross": lambda one: one.gross_minor,
    "discounts": lambda one: one.discounts_minor,
    "tax": lambda one: one.tax_minor,
    "refunds": lambda one: one.refunds_minor,
    "disputes": lambda one: one.disputes_minor,
    "fees": lambda one: one.fees_minor,
    "net": lambda one: one.net_minor,
    "payouts": lambda one: one.payouts_minor,
}
IN_BASE: Final[dict[str, tuple[Callable[[Takings], int], ...]]] = {
    "gross_sales": (lambda one: one.one_time_sales_minor, lambda one: one.subscription_sales_minor),
    "one_time_sales": (lambda one: one.one_time_sales_minor,),
    "subscription_sales": (lambda one: one.subscription_sales_minor,),
    "tax_collected": (lambda one: one.tax_minor,),
    "net_revenue": (
        lambda one: one.one_time_sales_minor,
        lambda one: one.subscription_sales_minor,
        lambda one: one.refunds_tax_minor - one.refunds_minor,
        lambda one: -one.disputes_minor,
        lambda one: -one.fees_minor,
    ),
}
COUNTED: Final = ("orders", "customers", "failed_payments", "paying_customers")
OPENED: Final = frozenset((*IN_MAIN, *IN_BASE, *COUNTED))


def behind(connection: Connection, report: RevenueReport, metric: str) -> Behind:
    """Return the rows that add up to one of the figures that are OPENED."""
    scope, known = report.scope, report.scope.known(report.period)
    between = (known.start, known.end)
    found = entries(connection, between, as_of=scope.as_of, no_dispute_money=NO_DISPUTE_MONEY)
    rates = day_rates(connection, scope, known)
    rows = tuple(_row(scope, *told) for told in _told(found, metric, report, rates))
    figure = report.to_document().metrics[metric]
    opened = Behind(metric, scope, report.period, int(figure.value or 0), rows, figure.currency)
    if metric not in IN_BASE:
        return opened
    return replace(opened, note=" ".join(report.base.sentences()))


def _told(
    found: Iterable[Entry], metric: str, report: RevenueReport, rates: DayRates
) -> Iterable[Told]:
    """Yield the entries of a figure with the amount that each adds to it."""
    if metric in IN_MAIN:
        mine = (one for one in found if one.currency == report.main_currency)
        amounts = ((one, IN_MAIN[metric](one.takings())) for one in mine)
        return (told for told in amounts if told[1])
    if metric in IN_BASE:
        amounts = (
            (one, _converted(one, IN_BASE[metric], rates))
            for one in found
            if rates.knows(one.currency)
        )
        return (told for told in amounts if told[1])
    return ((one, 1) for one in _counted(found, metric, report.main_currency))


def _converted(one: Entry, parts: Iterable[Callable[[Takings], int]], rates: DayRates) -> int:
    takings, at = one.takings(), instant_text(one.at)
    return sum(rates.converted(part(takings), one.currency, at) for part in parts)


def _counted(found: Iterable[Entry], metric: str, main: str) -> Iterable[Entry]:
    if metric == "failed_payments":
        return [one for one in found if isinstance(one, FailedPayment)]
    sales = [one for one in found if isinstance(one, Sale)]
    if metric == "orders":
        return [one for one in sales if one.currency == main]
    if metric == "customers":
        return _first_of_each([one for one in sales if one.currency == main])
    return _first_of_each([one for one in sales if one.total_minor > 0])


def _first_of_each(sales: Iterable[Sale]) -> list[Sale]:
    """Return the first order of each person; a guest is somebody else each time."""
    first: dict[int, Sale] = {}
    for one in sales:
        number = one.who.number
        first.setdefault(-one.order_id if number is None else number, one)
    return list(first.values())


def _row(scope: Scope, one: Entry, amount: int) -> BehindRow:
    return BehindRow(
        one.at, name_of(one, shows_emails=scope.shows_emails), one.what, amount, one.provider
    )
