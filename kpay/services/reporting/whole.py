"""The report of everything: each section from one state of the store, in one scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from kpay.domain.document import Document
from kpay.domain.enums import ReportSection
from kpay.domain.period import Period, add_months, local_day, start_of_day
from kpay.domain.reports.behind import Behind
from kpay.domain.reports.scope import Scope
from kpay.domain.reports.whole import WholeReport
from kpay.store.figures import ledger

MONTHS_BEFORE = 12
ORDER = (
    ReportSection.SUMMARY,
    ReportSection.REVENUE,
    ReportSection.MRR,
    ReportSection.COHORTS,
    ReportSection.CUSTOMERS,
    ReportSection.CONTENT,
    ReportSection.TOPICS,
    ReportSection.FUNNEL,
    ReportSection.CAMPAIGNS,
    ReportSection.PROFIT,
    ReportSection.TAX,
)
"""Sections as they are read; the books are files for an accountant and no part of it."""
Make = Callable[[Connection, Scope], Document]


@dataclass(frozen=True)
class Whole:
    """Makes the sections it is given, in their order."""

    sections: Mapping[str, Make]

    def document(self, connection: Connection, scope: Scope) -> Document:
        """Make all sections of what was asked for, else of the last year and the running month."""
        period = scope.period or last_year(
            scope, scope.everything(ledger.first_movement_at(connection, scope.as_of))
        )
        within = replace(scope, period=period)
        made = {name: make(connection, within) for name, make in self.sections.items()}
        return WholeReport(within, period, made).to_document()

    def explain(self, _connection: Connection, _scope: Scope, _metric: str) -> Behind | None:
        """Open nothing: each section opens its own figures."""
        return None


def last_year(scope: Scope, everything: Period) -> Period:
    """Return the running month and the twelve before it, from the first event on."""
    today = local_day(scope.as_of - timedelta(seconds=1), scope.timezone)
    first = start_of_day(add_months(today.replace(day=1), -MONTHS_BEFORE), scope.timezone)
    return replace(everything, start=max(first, everything.start))
