"""Opening a figure: METRIC or METRIC@MONTH to the rows that add up to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from kpay.domain import period as calendar
from kpay.domain.document import Document, Metric
from kpay.domain.enums import ReportSection
from kpay.domain.reports.behind import Behind
from kpay.domain.reports.scope import Scope
from kpay.errors import UsageProblem
from kpay.services.reporting.alerting import searched, unknown_metric
from kpay.store.engine import Store

Explain = Callable[[Connection, Scope, str], Behind | None]
MakeAny = Callable[[Connection, Scope], Document]


def opened(
    store: Store,
    wish: str,
    section: ReportSection,
    scope: Scope,
    explain_in: Callable[[ReportSection], Explain],
    document_in: Callable[[ReportSection], MakeAny],
) -> Document:
    """Return the rows behind a figure of a section, else of the first other one that knows it.

    A figure that the section has without rows is opened elsewhere only where it is the same one.

    UsageProblem for a month that is none, and for a figure that cannot be opened.
    """
    name, at, month = wish.partition("@")
    if at:
        scope = _in_month(scope, month, name)
    metric = name.strip().removesuffix("_minor")
    sections = searched(None, section)
    with store.reading() as connection:
        for one in sections:
            found = explain_in(one)(connection, scope, metric)
            if found is not None and one is not section:
                own = document_in(section)(connection, scope).metrics
                if metric in own and not _says(found, own[metric]):
                    break
            if found is not None:
                return found.to_document()
        known = [each for one in sections for each in document_in(one)(connection, scope).metrics]
    if metric in known:
        raise UsageProblem(
            f"{metric} is worked out from other figures and has no rows of its own",
            f"kpay report {section}",
        )
    raise unknown_metric(metric, known, f"--explain NAME{at}{month}")


def _says(found: Behind, metric: Metric) -> bool:
    """Rows of another section add up to this section's figure of the same name."""
    return (found.value, found.currency) == (metric.value, metric.currency)


def _in_month(scope: Scope, month: str, name: str) -> Scope:
    try:
        period = calendar.month(month, scope.timezone)
        calendar.in_known_years(period.first_day)
    except (ValueError, OverflowError):
        raise UsageProblem(
            f"--explain {name}@{month}: {month!r} is not a month (write 2026-10)",
            f"--explain {name}@{calendar.local_day(scope.as_of, scope.timezone):%Y-%m}",
        ) from None
    return replace(scope, period=period)
