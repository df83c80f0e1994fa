"""The cohorts report: from subscriptions and orders in the store to what became of each month's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from kpay.domain.cohorts import Buyers, Cohort, subscriber_cohorts
from kpay.domain.document import Document
from kpay.domain.period import local_day, month, months_between
from kpay.domain.rates import RateBook
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.cohorts import CohortsReport
from kpay.domain.reports.scope import Scope
from kpay.domain.subscription_facts import OWN_RULES
from kpay.domain.subscriptions import Movement
from kpay.services.reporting.naming import named
from kpay.services.reporting.recurring import (
    calendar,
    known_subscriptions,
    month_of,
    walked,
)
from kpay.store.figures import cohorts as figures
from kpay.store.figures.rates import rate_book

First = tuple[datetime | None, str, str, str]
"""When a customer began, who it is, with what, and the id it has where it came from."""


@dataclass(frozen=True, slots=True)
class Subscribers:
    """The cohorts of subscribers with what they were made of."""

    cohorts: list[Cohort]
    journal: list[Movement]
    since: datetime | None
    apart: frozenset[str]


def cohorts_report(connection: Connection, scope: Scope) -> CohortsReport:
    """Follow the subscribers and the buyers of each month in the period up to `as_of`."""
    rates = rate_book(connection, scope.base_currency, scope.as_of, scope.timezone)
    subscribers = _subscribers(connection, scope)
    first = figures.first_order_at(connection, scope.as_of)
    buyers, unknown = _buyers(connection, scope, rates, first) if first else ([], set())
    began = min(filter(None, (first, subscribers.since)), default=None)
    period = scope.period or scope.everything(began)
    shown = set(months_between(period.first_day, scope.known(period).last_day))
    return CohortsReport(
        scope,
        period,
        scope.base_currency,
        tuple(one for one in subscribers.cohorts if one.first_day in shown),
        tuple(one for one in buyers if one.first_day in shown),
        tuple(sorted(subscribers.apart | unknown)),
    )


def _subscribers(connection: Connection, scope: Scope) -> Subscribers:
    known = known_subscriptions(connection, scope)
    found = known.under(OWN_RULES)
    months = calendar(scope, found.counted, known.rates)
    journal: list[Movement] = []
    walked(scope, found.counted, months, journal=journal)
    since = min((span.start for span in found.counted), default=None)
    cohorts = subscriber_cohorts(journal, months)
    return Subscribers(cohorts, journal, since, frozenset(found.apart))


def _buyers(
    connection: Connection, scope: Scope, rates: RateBook, first: datetime
) -> tuple[list[Cohort], set[str]]:
    """Return the buyers' cohorts, and the currencies that cannot be counted in them."""
    last = local_day(scope.as_of - timedelta(seconds=1), scope.timezone)
    days = months_between(local_day(first, scope.timezone), last)
    months = [month_of(day, scope, rates) for day in days]
    counted = Buyers.of(months, figures.orders_of_customers(connection, scope.as_of))
    counted.give_back(figures.given_back(connection, scope.as_of))
    unknown = {code for _, _, code in counted.sums if not rates.knows(code)}
    return counted.cohorts(months), unknown


def document(connection: Connection, scope: Scope) -> Document:
    """Make the cohorts report."""
    return cohorts_report(connection, scope).to_document()


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open the newest cohort of the scope whose month is over: who began in it, and with what."""
    report = cohorts_report(connection, scope)
    of = {"subscriber_cohort": report.subscribers, "buyer_cohort": report.buyers}.get(metric, ())
    whole = [one for one in of if one.people[0] is not None]
    if not whole:
        return None
    cohort = whole[-1]
    period = month(f"{cohort.first_day:%Y-%m}", scope.timezone)
    rows: list[First]
    if metric == "buyer_cohort":
        firsts = figures.first_buyers(connection, period.start, period.end)
        rows = [(one.at, str(one.customer), "first order", one.order) for one in firsts]
    else:
        rows = _first_payments(_subscribers(connection, scope).journal, cohort)
    names = named(connection, scope, (customer for _, customer, _, _ in rows))
    listed = [BehindRow(at, names[who], what, 1, told) for at, who, what, told in rows]
    title = f"{metric}@{cohort.first_day:%Y-%m}"
    return Behind(title, scope, period, cohort.size, tuple(listed))


def _first_payments(journal: list[Movement], cohort: Cohort) -> list[First]:
    """Return the first movement of each customer of a cohort, the oldest first."""
    found = [
        (one.at, one.customer, "first MRR", " ".join(one.subscriptions))
        for one in journal
        if one.kind == "new" and one.month == cohort.first_day
    ]
    return sorted(found, key=lambda row: (str(row[0]), row[3], row[1]))
