"""The tax report: orders and refunds of a period by country and rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from kpay.domain.document import Document
from kpay.domain.entries import GivenBackEntry, Sale, name_of
from kpay.domain.period import Period, instant_text
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.scope import Scope
from kpay.domain.reports.tax import TaxReport
from kpay.domain.taxing import by_currency, in_base
from kpay.services.reporting.base_currency import day_rates
from kpay.store.figures import entries, ledger
from kpay.store.figures.tax import taxed_rows

OPENED: Final[dict[str, Callable[[Sale | GivenBackEntry], int]]] = {
    "tax_due": lambda one: one.takings().tax_minor,
    "tax_charged": lambda one: one.tax_minor if isinstance(one, Sale) else 0,
    "tax_refunded": lambda one: one.takings().refunds_tax_minor,
    "taxable_sales": lambda one: one.total_minor - one.tax_minor if isinstance(one, Sale) else 0,
}


def tax_report(connection: Connection, scope: Scope) -> TaxReport:
    """Gather what was taxed in the period that was asked for, or since money first moved."""
    asked = _period(connection, scope)
    known = scope.known(asked)
    base = scope.base_currency
    rows = taxed_rows(connection, known.start, known.end, base=base)
    rates = day_rates(connection, scope, known)
    codes = sorted({row.currency for row in rows} - {base})
    return TaxReport(
        scope,
        asked,
        by_currency(rows),
        in_base(rows, rates),
        rates.used(),
        tuple(code for code in codes if not rates.knows(code)),
    )


def _period(connection: Connection, scope: Scope) -> Period:
    return scope.period or scope.everything(
        ledger.first_movement_at(connection, scope.as_of),
        ledger.last_movement_at(connection, scope.as_of),
    )


def document(connection: Connection, scope: Scope) -> Document:
    """Make the tax report."""
    return tax_report(connection, scope).to_document()


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open a metric: the orders and refunds it is made of, in the base currency."""
    if metric not in OPENED:
        return None
    report = tax_report(connection, scope)
    known = scope.known(report.period)
    between, rates = (known.start, known.end), day_rates(connection, scope, known)
    told: list[Sale | GivenBackEntry] = [
        *entries.sales(connection, between, as_of=scope.as_of),
        *entries.refunds(connection, between, as_of=scope.as_of),
    ]
    rows: list[BehindRow] = []
    for one in sorted(told, key=lambda one: (one.at, one.provider, one.what)):
        if rates.knows(one.currency) and (minor := OPENED[metric](one)):
            amount = rates.converted(minor, one.currency, instant_text(one.at))
            name = name_of(one, shows_emails=scope.shows_emails)
            rows.append(BehindRow(one.at, name, one.what, amount, one.provider))
    figure = report.to_document().metrics[metric]
    return Behind(
        metric, scope, report.period, int(figure.value or 0), tuple(rows), figure.currency
    )
