"""The MRR report: from subscriptions and rates in the store to movements by the month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from kpay.domain.document import Document
from kpay.domain.period import add_months, local_day, months_between, start_of_day
from kpay.domain.rates import RateBook
from kpay.domain.reports.behind import Behind
from kpay.domain.reports.mrr import MrrReport
from kpay.domain.reports.scope import Scope
from kpay.domain.subscription_spans import Span, spans
from kpay.domain.subscription_walk import months_of_mrr
from kpay.domain.subscriptions import Month, MonthOfMrr
from kpay.store.figures import recurring
from kpay.store.figures.rates import rate_book


@dataclass(frozen=True, slots=True)
class Recurring:
    """Every paying stretch, those that can be counted in the base currency and the others apart."""

    counted: tuple[Span, ...]
    apart: Mapping[str, tuple[Span, ...]]
    rates: RateBook


def recurring_spans(connection: Connection, scope: Scope) -> Recurring:
    """Read subscriptions and rates, as known before the scope's `as_of`."""
    until = scope.as_of
    rates = rate_book(connection, scope.base_currency, until, scope.timezone)
    counted: list[Span] = []
    apart: dict[str, list[Span]] = defaultdict(list)
    for facts in recurring.subscriptions(connection):
        for span in spans(facts):
            if span.start < until:
                (counted if rates.knows(span.currency) else apart[span.currency]).append(span)
    return Recurring(tuple(counted), {code: tuple(apart[code]) for code in sorted(apart)}, rates)


def mrr_report(connection: Connection, scope: Scope) -> MrrReport:
    """Walk all subscriptions through the months from the first to `as_of`; show what was asked."""
    found = recurring_spans(connection, scope)
    everyone = [*found.counted, *(span for apart in found.apart.values() for span in apart)]
    first = min((span.start for span in everyone), default=None)
    period = scope.period or scope.everything(first)
    shown = months_between(period.first_day, scope.known(period).last_day)
    return MrrReport(
        scope,
        period,
        scope.base_currency,
        months_until(scope, found.counted, found.rates),
        {code: months_until(scope, apart, RateBook(code)) for code, apart in found.apart.items()},
        tuple(shown),
    )


def months_until(scope: Scope, counted: Sequence[Span], rates: RateBook) -> tuple[MonthOfMrr, ...]:
    """Return the months from the first paying one to `as_of`; none where nobody ever paid."""
    if not counted:
        return ()
    first = local_day(min(span.start for span in counted), scope.timezone)
    last = local_day(scope.as_of - timedelta(seconds=1), scope.timezone)
    months = [_month(day, scope, rates) for day in months_between(first, last)]
    return tuple(months_of_mrr(counted, months))


def _month(first_day: date, scope: Scope, rates: RateBook) -> Month:
    end = min(start_of_day(add_months(first_day, 1), scope.timezone), scope.as_of)
    return Month(first_day, start_of_day(first_day, scope.timezone), end, rates.at(end))


def document(connection: Connection, scope: Scope) -> Document:
    """Make the MRR report."""
    return mrr_report(connection, scope).to_document()


def explain(_connection: Connection, _scope: Scope, _metric: str) -> Behind | None:
    """Open a metric."""
    return None
