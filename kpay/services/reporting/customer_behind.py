"""The orders, refunds and people behind a figure of the customers report."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from kpay.domain.person_shown import person_shown
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.customers import CustomersReport
from kpay.domain.reports.scope import Scope
from kpay.services.reporting.customer_study import Study, study
from kpay.store.figures import customers as figures
from kpay.store.figures.customers import NetRow

EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
ONE_CUSTOMER: Final = re.compile(r"customer_([1-9][0-9]*)")
Chosen = Callable[[NetRow], bool]
Report = Callable[[Connection, Study], CustomersReport]


class Shown:
    """How customers are named in a report: by number, and by a name or a masked address."""

    def __init__(self, connection: Connection, numbers: Iterable[int], scope: Scope) -> None:
        self._people = figures.people(connection, sorted(set(numbers)))
        self._shows_emails = scope.shows_emails

    def __getitem__(self, number: int) -> str:
        one = self._people.get(number)
        if one is None:
            return ""
        return person_shown(one.name, one.email, shows_emails=self._shows_emails)

    def said(self, number: int) -> str:
        """Return number and name; guests have none."""
        return f"#{number} {self[number]}".rstrip() if number else "a guest"


def behind(connection: Connection, scope: Scope, metric: str, report: Report) -> Behind | None:
    """Return the rows of a figure, or None for one that has none in this report."""
    one = ONE_CUSTOMER.fullmatch(metric)
    if not one and metric not in {*MONEY, *COUNTED}:
        return None
    known = study(connection, scope)
    rows = _rows(connection, known, metric)
    if one:
        number = int(one[1])
        rows = [row for row in rows if row.customer == number]
        value = known.inside.by_customer().get(number, 0)
    else:
        told = report(connection, known)
        rows = [row for row in rows if CHOICES[metric](known)(row)]
        value = int(told.metrics()[metric].value or 0)
    return _opened(connection, known, metric, value, rows)


def _rows(connection: Connection, known: Study, metric: str) -> list[NetRow]:
    """Return the rows to choose from: of the period, or for who is late, of all time.

    Who is late is told by what they ordered in any currency.
    """
    start = EVER if metric in OF_ALL_TIME else known.known.start
    codes = known.currencies if metric == "lapsing" else (known.currency,)
    found = [
        row
        for code in codes
        for row in figures.net_rows(connection, start, known.known.end, currency=code)
    ]
    return sorted(found, key=lambda row: row.at)  # stable: in one currency nothing moves


def _opened(
    connection: Connection, known: Study, metric: str, value: int, rows: Sequence[NetRow]
) -> Behind:
    is_count = metric in COUNTED
    kept = COUNTED[metric](rows) if is_count else rows
    shown = Shown(connection, (row.customer for row in kept), known.scope)
    listed = tuple(
        BehindRow(
            row.at,
            shown.said(row.customer),
            "refund" if row.is_refund else "order",
            1 if is_count else row.net_minor,
            row.provider,
        )
        for row in kept
    )
    return Behind(
        metric,
        known.scope,
        known.period,
        value,
        listed,
        None if is_count else known.currency,
        NOTES.get(metric, "Without tax, before fees and disputes."),
    )


def _anything(_known: Study) -> Chosen:
    return lambda _row: True


def _new(known: Study) -> Chosen:
    def is_new(row: NetRow) -> bool:
        since = next(start for start, _ in reversed(known.months) if row.at >= start)
        return known.first_s.get(row.customer, -1) >= since.timestamp()

    return is_new


def _returning(known: Study) -> Chosen:
    is_new = _new(known)
    return lambda row: bool(row.customer) and not is_new(row)


def _largest(known: Study) -> Chosen:
    return lambda row: row.customer in known.largest[:1]


def _new_in_period(known: Study) -> Chosen:
    start_s = known.known.start.timestamp()
    return lambda row: known.first_s.get(row.customer, -1) >= start_s


def _late(known: Study) -> Chosen:
    numbers = set(known.lapsing_numbers)
    return lambda row: row.customer in numbers


def _in_last_year(known: Study) -> Chosen:
    is_late = _late(known)
    return lambda row: is_late(row) and row.at.timestamp() > known.year_begins_s(row.customer)


def _first_orders(rows: Sequence[NetRow]) -> list[NetRow]:
    first: dict[int, NetRow] = {}
    for row in rows:
        if row.customer and not row.is_refund:
            first.setdefault(row.customer, row)
    return list(first.values())


def _last_orders(rows: Sequence[NetRow]) -> list[NetRow]:
    last = {row.customer: row for row in rows if row.customer and not row.is_refund}
    return sorted(last.values(), key=lambda row: (row.at, row.customer))


def _orders(rows: Sequence[NetRow]) -> list[NetRow]:
    return [row for row in rows if not row.is_refund]


MONEY: Final[Mapping[str, Callable[[Study], Chosen]]] = {
    "net": _anything,
    "new": _new,
    "returning": _returning,
    "largest": _largest,
    "at_risk_year": _in_last_year,
}
CHOICES: Final[Mapping[str, Callable[[Study], Chosen]]] = {
    **MONEY,
    "customers": _anything,
    "orders": _anything,
    "new_customers": _new_in_period,
    "lapsing": _late,
}
COUNTED: Final[Mapping[str, Callable[[Sequence[NetRow]], list[NetRow]]]] = {
    "customers": _first_orders,
    "new_customers": _first_orders,
    "orders": _orders,
    "lapsing": _last_orders,
}
OF_ALL_TIME: Final = frozenset({"lapsing", "at_risk_year"})
NOTES: Final[Mapping[str, str]] = {
    "customers": "One row a customer: the first order of the period.",
    "new_customers": "One row a customer: the first order of all.",
    "orders": "One row an order.",
    "lapsing": "One row a customer: the last order.",
}
