"""The books: everything that moved money in a period, posted twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Connection

from kpay.domain.bookkeeping import half_of, half_of_outlay
from kpay.domain.document import Document
from kpay.domain.entries import Entry
from kpay.domain.journal import Half, joined
from kpay.domain.period import Period, local_day, start_of_day
from kpay.domain.reports.behind import Behind
from kpay.domain.reports.books import BooksReport
from kpay.domain.reports.scope import Scope
from kpay.domain.revenue import NO_DISPUTE_MONEY
from kpay.store.figures import costs, ledger
from kpay.store.figures.entries import entries


def books_report(connection: Connection, scope: Scope) -> BooksReport:
    """Post what happened in the period that was asked for, or since money first moved."""
    asked = scope.period or first_to_last(connection, scope)
    return BooksReport(scope, asked, joined(_halves(connection, scope, scope.known(asked))))


def first_to_last(connection: Connection, scope: Scope) -> Period:
    """Return the days from the first sale, movement, cost or other income to the last."""
    first = ledger.first_movement_at(connection, scope.as_of)
    last = ledger.last_movement_at(connection, scope.as_of)
    today = local_day(scope.as_of - timedelta(seconds=1), scope.timezone)
    spent = costs.outlay_days(connection, today)
    if spent:
        start, end = (start_of_day(day, scope.timezone) for day in spent)
        first, last = min(first or start, start), max(last or end, end)
    return scope.everything(first, last)


def _halves(connection: Connection, scope: Scope, known: Period) -> Iterator[Half]:
    found = entries(
        connection,
        (known.start, known.end),
        as_of=scope.as_of,
        no_dispute_money=NO_DISPUTE_MONEY,
    )
    for one in found:
        half = half_of(one, local_day(one.at, scope.timezone), _customer(one, scope))
        if half is not None:
            yield half
    if known.start < known.end:
        spent = costs.outlays(connection, known.first_day, known.last_day)
        for number, outlay in enumerate(spent, 1):
            yield half_of_outlay(outlay, number)


def _customer(one: Entry, scope: Scope) -> str:
    if scope.shows_emails and one.who.email:
        return one.who.email
    return "" if one.who.number is None else str(one.who.number)


def document(connection: Connection, scope: Scope) -> Document:
    """Make the books."""
    return books_report(connection, scope).to_document()


def explain(_connection: Connection, _scope: Scope, _metric: str) -> Behind | None:
    """Open a metric: the books are open as they are."""
    return None
