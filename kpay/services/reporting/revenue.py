"""The revenue report: sums of the ledger for a period, its months and its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from kpay.domain.document import Document
from kpay.domain.reports.behind import Behind
from kpay.domain.reports.revenue import RevenueReport
from kpay.domain.reports.scope import Scope, fine_edges
from kpay.domain.revenue import NO_DISPUTE_MONEY, Takings, added_up, takings
from kpay.domain.settlement import bank_sides
from kpay.services.reporting.base_currency import in_base, monthly_takings
from kpay.services.reporting.revenue_behind import OPENED, behind
from kpay.store.figures import ledger

NO_MONEY = tuple(sorted(NO_DISPUTE_MONEY))


def revenue_report(connection: Connection, scope: Scope) -> RevenueReport:
    """Add up what was taken in the period that was asked for, or since money first moved."""
    asked = scope.period or scope.everything(
        ledger.first_movement_at(connection, scope.as_of),
        ledger.last_movement_at(connection, scope.as_of),
    )
    known = scope.known(asked)
    monthly = monthly_takings(connection, known)
    labels, cuts = fine_edges(known)
    by_label = monthly.takings if cuts == monthly.edges else takings_between(connection, cuts)
    return RevenueReport(
        scope,
        asked,
        added_up(monthly.takings, ledger.customers(connection, known.start, known.end)),
        tuple(zip(monthly.months, monthly.takings, strict=True)),
        tuple(zip(labels, by_label, strict=True)),
        bank_sides(monthly.balance),
        in_base(connection, scope, known, monthly),
        ledger.orders_without_fee(connection, known.start, known.end),
        ledger.conversions(connection, known.start, known.end),
    )


def takings_between(connection: Connection, edges: Sequence[datetime]) -> list[dict[str, Takings]]:
    """Return the takings of each span between neighbouring moments."""
    moved = ledger.movements(connection, edges, no_dispute_money=NO_MONEY)
    return takings(moved, len(edges) - 1)


def document(connection: Connection, scope: Scope) -> Document:
    """Make the revenue report."""
    return revenue_report(connection, scope).to_document()


def explain(
    connection: Connection, scope: Scope, metric: str, *, currency: str = ""
) -> Behind | None:
    """Open a metric: orders, refunds, disputes and fees, with whom they are of.

    Of the report's main currency, or of another one.
    """
    if metric not in OPENED:
        return None
    report = revenue_report(connection, scope)
    return behind(connection, replace(report, currency=currency), metric)
