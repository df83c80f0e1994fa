"""Reports by their name, and what their options mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from kpay.domain.document import Document
from kpay.domain.enums import ReportSection
from kpay.domain.period import local_day
from kpay.domain.report_scope import Scope, asked_period, moment_known
from kpay.errors import UsageProblem
from kpay.services.reporting_mrr import mrr_report
from kpay.services.reporting_revenue import revenue_report
from kpay.services.reporting_summary import summary
from kpay.store.engine import Store

SECTIONS: dict[ReportSection, Callable[[Connection, Scope], Document]] = {
    ReportSection.SUMMARY: lambda connection, scope: summary(connection, scope).to_document(),
    ReportSection.REVENUE: lambda connection, scope: revenue_report(
        connection, scope
    ).to_document(),
    ReportSection.MRR: lambda connection, scope: mrr_report(connection, scope).to_document(),
}


def report(store: Store, section: ReportSection, scope: Scope) -> Document:
    """Make one report from one state of the store."""
    with store.reading() as connection:
        return SECTIONS[section](connection, scope)


def scope_of(
    *,
    month: str | None,
    since: str | None,
    until: str | None,
    as_of: str | None,
    now: datetime,
    timezone: str,
    base_currency: str,
    last_sync: str | None,
) -> Scope:
    """Read a report's options; UsageProblem says which of them is wrong."""
    try:
        known = moment_known(as_of, now, timezone)
        last = local_day(known - timedelta(seconds=1), timezone)
        period = asked_period(month, since, until, last=last, timezone=timezone)
    except ValueError as error:
        raise UsageProblem(
            str(error), _corrected(str(error), until, local_day(now, timezone))
        ) from error
    return Scope(period, known, timezone, base_currency, last_sync)


def _corrected(problem: str, until: str | None, today: date) -> str:
    """Return the option that is wrong with something in it that would do, else where help is."""
    option = problem.partition(" ")[0]
    if not option.startswith("--") or "together" in problem:
        return "kpay report --help"
    if option == "--month":
        return f"--month {today:%Y-%m}"
    if "needs --since" in problem:
        return f"--since {(until or '').strip()[:7]}-01"
    return f"{option} {today}"
