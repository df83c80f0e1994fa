"""The customers report: from orders and refunds in the store to people, groups and countries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy import Connection

from kpay.domain.concentration import concentration
from kpay.domain.document import Document
from kpay.domain.period import local_day
from kpay.domain.reports.behind import Behind
from kpay.domain.reports.customer_rows import (
    Country,
    GroupLine,
    Lapsing,
    MonthOfPeople,
    TopCustomer,
)
from kpay.domain.reports.customers import CustomersReport
from kpay.domain.reports.customers_shown import document_of
from kpay.domain.reports.scope import Scope, is_whole_month, month_edges
from kpay.ml.groups import NAMES
from kpay.services.reporting.customer_behind import Shown, behind
from kpay.services.reporting.customer_study import Study, study

TOP_CUSTOMERS = 10
DUE_DAYS = 30


def document(connection: Connection, scope: Scope) -> Document:
    """Make the customers report."""
    return document_of(customers_report(connection, study(connection, scope)))


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open net, new, returning, largest, at_risk_year, customer_N, and the counts of people."""
    return behind(connection, scope, metric, customers_report)


def customers_report(connection: Connection, known: Study) -> CustomersReport:
    """Say who the customers of a period are, from all that is known of them."""
    inside = known.inside
    by_customer = inside.by_customer()
    start_s = known.known.start.timestamp()
    buyers = inside.buyers.tolist()
    late, top = known.lapsing_numbers, known.largest
    shown = Shown(connection, [*late, *top[:TOP_CUSTOMERS]], known.scope)
    return CustomersReport(
        scope=known.scope,
        period=known.period,
        currency=known.currency,
        customers=len(buyers),
        new_customers=sum(known.first_s[one] >= start_s for one in buyers),
        orders=inside.orders,
        guest_orders=int((inside.is_order & (inside.customer == 0)).sum()),
        net_minor=inside.total_minor,
        months=_months(known),
        spread=concentration(by_customer.values()),
        top=_top(known, top[:TOP_CUSTOMERS], shown),
        groups=_groups(known),
        usual_gap_days=round(known.told.usual_gap_days),
        is_gap_assumed=known.told.is_assumed,
        lapsing=_lapsing(known, shown),
        due_30d=int((known.returning_on_time & (known.due_in_days < DUE_DAYS)).sum()),
        countries=_countries(known),
        others=known.others,
    )


def _months(known: Study) -> tuple[MonthOfPeople, ...]:
    first_days = month_edges(known.known)[0]
    found = []
    for first_day, (start, end) in zip(first_days, known.months, strict=True):
        rows = known.inside
        here = (rows.at_s >= start.timestamp()) & (rows.at_s < end.timestamp())
        is_guest = rows.customer == 0
        new = rows.only(here & known.new_in_month)
        old = rows.only(here & ~known.new_in_month & ~is_guest)
        guests = rows.only(here & is_guest)
        sums = (new.total_minor, old.total_minor, guests.total_minor)
        is_partial = not is_whole_month(first_day, known.known)
        found.append(MonthOfPeople(first_day, is_partial, len(new.buyers), len(old.buyers), *sums))
    return tuple(found)


def _top(known: Study, numbers: Sequence[int], shown: Shown) -> tuple[TopCustomer, ...]:
    group = dict(zip(known.numbers.tolist(), known.told.group.tolist(), strict=True))
    found = []
    for number in numbers:
        rows = known.inside.only(known.inside.customer == number)
        orders = rows.at_s[rows.is_order]
        last = int(orders.max()) if len(orders) else int(rows.at_s.max())
        found.append(
            TopCustomer(
                number,
                shown[number],
                rows.orders,
                rows.total_minor,
                _day(last, known),
                NAMES[group[number]],
            )
        )
    return tuple(found)


def _groups(known: Study) -> tuple[GroupLine, ...]:
    paid = np.zeros(len(known.bought.customer_ids), dtype=np.int64)
    codes = known.bought.currencies
    if known.currency in codes:
        rows = known.bought.currency == codes.index(known.currency)
        np.add.at(paid, known.bought.customer[rows], known.bought.amount_minor[rows])
    mine = paid[known.told.customer]
    members = [known.told.group == place for place in range(len(NAMES))]
    return tuple(
        GroupLine(name, int(member.sum()), int(mine[member].sum()))
        for name, member in zip(NAMES, members, strict=True)
    )


def _lapsing(known: Study, shown: Shown) -> tuple[Lapsing, ...]:
    numbers = known.lapsing_numbers
    worth = known.last_year_of(numbers).by_customer()
    told, places = known.told, np.flatnonzero(known.lapsing).tolist()
    tomorrow = local_day(known.known.end, known.scope.timezone)
    found = [
        Lapsing(
            number,
            shown[number],
            NAMES[int(told.group[place])],
            int(told.times[place]),
            round(float(told.gap_days[place])),
            tomorrow + timedelta(days=int(told.last_day[place])),
            tomorrow + timedelta(days=int(known.due_in_days[place])),
            worth.get(number, 0),
        )
        for number, place in zip(numbers, places, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.year_minor, one.number)))


def _countries(known: Study) -> tuple[Country, ...]:
    rows = known.inside
    found = []
    for place in np.unique(rows.country).tolist():
        here = rows.only(rows.country == place)
        code = known.countries[place].upper()
        found.append(Country(code, len(here.buyers), here.orders, here.total_minor))
    return tuple(sorted(found, key=lambda one: (-one.net_minor, one.code)))


def _day(second: int, known: Study) -> date:
    return local_day(datetime.fromtimestamp(second, UTC), known.scope.timezone)
