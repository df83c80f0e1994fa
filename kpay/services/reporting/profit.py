"""The profit report: revenue in the base currency, beside imported costs and other income."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from kpay.domain.day_rates import DayRates
from kpay.domain.document import Document
from kpay.domain.entries import NOBODY
from kpay.domain.outlays import Outlay
from kpay.domain.period import Period, add_months, instant_text, local_day, start_of_day
from kpay.domain.profit import Acquisition, Observed, in_all, is_marketing, profit_months
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.profit import ProfitReport
from kpay.domain.reports.scope import Scope
from kpay.services.reporting import mrr, revenue
from kpay.services.reporting.base_currency import day_rates, in_base, monthly_takings
from kpay.services.reporting.books import first_to_last
from kpay.store.figures import costs, first_year
from kpay.store.figures import sales as sales_figures

FIRST_YEAR: Final = timedelta(days=365)
OPENED: Final = ("costs", "other_income", "marketing", "profit")
IMPORTED: Final = "imported"
Told = tuple[Outlay, int]


def profit_report(connection: Connection, scope: Scope) -> ProfitReport:
    """Work out profit for the period that was asked for, or since money first moved."""
    asked = scope.period or first_to_last(connection, scope)
    known = scope.known(asked)
    base = in_base(connection, scope, known, monthly_takings(connection, known))
    found, apart = _outlays(connection, known, day_rates(connection, scope, known))
    months = profit_months(base, found)
    total = in_all(months, known.first_day)
    won = Acquisition(
        total.marketing_minor,
        any(is_marketing(one) for one, _ in found),
        sales_figures.new_customers(connection, [(known.start, known.end)])[0],
        base.total.net_revenue_minor,
        sum(one.paying_customers for _, one in base.months),
        _lifetime_value(connection, scope),
        _observed(connection, scope),
    )
    return ProfitReport(scope, asked, base, months, total, won, apart)


def _outlays(
    connection: Connection, known: Period, rates: DayRates
) -> tuple[list[Told], dict[str, dict[str, int]]]:
    """Return costs and income with their amounts in the base, and the sums of those without a rate."""
    if known.start >= known.end:
        return [], {}
    found: list[Told] = []
    apart: dict[str, dict[str, int]] = {}
    for one in costs.outlays(connection, known.first_day, known.last_day):
        if rates.knows(one.currency):
            found.append((one, rates.converted_on(one.amount_minor, one.currency, one.day)))
            continue
        sums = apart.setdefault(one.currency, {"costs": 0, "other_income": 0})
        sums["other_income" if one.is_income else "costs"] += one.amount_minor
    return found, {code: apart[code] for code in sorted(apart)}


def _lifetime_value(connection: Connection, scope: Scope) -> int | None:
    """Return the lifetime value of a subscriber that the MRR report tells."""
    metric = mrr.document(connection, scope).metrics.get("ltv_3m")
    return None if metric is None or metric.value is None else int(metric.value)


def _observed(connection: Connection, scope: Scope) -> Observed:
    """Add up what those who first bought 24 to 12 months ago brought in their first 365 days."""
    today = local_day(scope.as_of, scope.timezone)
    start, end = (start_of_day(add_months(today, -months), scope.timezone) for months in (24, 12))
    first = first_year.newcomers(connection, start, end)
    until = {number: instant_text(at + FIRST_YEAR) for number, at in first.items()}
    rates = day_rates(connection, scope, Period(start, scope.as_of, scope.timezone))
    total = 0
    for number, at, currency, minor in first_year.brought(connection, first, start, scope.as_of):
        if at < until[number] and rates.knows(currency):
            total += rates.converted(minor, currency, at)
    return Observed(len(first), total)


def document(connection: Connection, scope: Scope) -> Document:
    """Make the profit report."""
    return profit_report(connection, scope).to_document()


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open a metric: the costs and income it is made of, and for the profit what was sold too."""
    if metric not in OPENED:
        return None
    asked = scope.period or first_to_last(connection, scope)
    known = scope.known(asked)
    found, _ = _outlays(connection, known, day_rates(connection, scope, known))
    rows = _rows(found, metric, scope)
    figure = profit_report(connection, scope).to_document().metrics[metric]
    note = ""
    if metric == "profit":
        sold = revenue.explain(connection, replace(scope, period=asked), "net_revenue")
        rows = [*(sold.rows if sold else ()), *rows]
        note = sold.note if sold else ""
    return Behind(metric, scope, asked, int(figure.value or 0), tuple(rows), figure.currency, note)


CHOSEN: Final[dict[str, Callable[[Outlay], bool]]] = {
    "costs": lambda one: not one.is_income,
    "other_income": lambda one: one.is_income,
    "marketing": is_marketing,
    "profit": lambda one: True,
}


def _rows(found: Sequence[Told], metric: str, scope: Scope) -> list[BehindRow]:
    rows = []
    for one, minor in found:
        if CHOSEN[metric](one):
            spent = metric == "profit" and not one.is_income
            what = f"{'income' if one.is_income else 'cost'}: {one.kind}"
            at = start_of_day(one.day, scope.timezone)
            amount = -minor if spent else minor
            rows.append(BehindRow(at, NOBODY, what, amount, one.campaign or IMPORTED))
    return rows
