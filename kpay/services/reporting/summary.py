"""The summary report: seven figures, each in its period, just before, and a year before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Connection

from kpay.domain.document import Document, Kind
from kpay.domain.period import Period
from kpay.domain.person_shown import person_shown
from kpay.domain.reports import scope as report_scope
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.measured import Measured, mean_minor
from kpay.domain.reports.scope import Scope
from kpay.domain.reports.summary import Summary
from kpay.domain.revenue import Takings
from kpay.domain.subscription_levels import mrr_over
from kpay.services.reporting import revenue
from kpay.services.reporting.mrr_behind import paid_before
from kpay.services.reporting.naming import named
from kpay.services.reporting.recurring import recurring_spans
from kpay.services.reporting.revenue import takings_between
from kpay.store.figures import ledger, sales

DAYS_SHOWN = 30
SELLERS_SHOWN = 5
ORDERS_SHOWN = 5

Spans = tuple[Period, Period, Period]


@dataclass(frozen=True, slots=True)
class _Look:
    """The summary's three spans, the fine cuts of the first, and what was taken in all of them."""

    spans: Spans
    labels: tuple[str, ...]
    edges: tuple[datetime, ...]
    lived: tuple[bool, bool]
    takings: tuple[dict[str, Takings], ...]
    by_label: list[dict[str, Takings]]
    currency: str

    def ends(self) -> tuple[datetime, ...]:
        return tuple(span.end for span in self.spans)


def summary(connection: Connection, scope: Scope) -> Summary:
    """Measure the period that was asked for, or the last 30 days."""
    asked = scope.period or report_scope.last_days(scope.as_of, DAYS_SHOWN, scope.timezone)
    look = _look(connection, scope, asked)
    known, before, year_before = look.spans
    return Summary(
        scope,
        asked,
        before,
        year_before,
        look.currency,
        (*_sale_figures(look), *_people_figures(connection, scope, look)),
        look.labels,
        sales.best_sellers(
            connection, known.start, known.end, currency=look.currency, limit=SELLERS_SHOWN
        ),
        sales.recent_orders(connection, known.end, limit=ORDERS_SHOWN),
        {code: sums for code, sums in look.takings[0].items() if code != look.currency},
        ledger.last_sale_at(connection, scope.as_of),
    )


def _look(connection: Connection, scope: Scope, asked: Period) -> _Look:
    known = scope.known(asked)
    earlier = (report_scope.before(asked, known), report_scope.year_before(known))
    labels, edges = report_scope.fine_edges(known)
    first = ledger.first_sale_at(connection, scope.as_of)
    spans = (known, *earlier)
    taken = tuple(takings_between(connection, (span.start, span.end))[0] for span in spans)
    return _Look(
        spans,
        labels,
        edges,
        (_is_lived(earlier[0], first), _is_lived(earlier[1], first)),
        taken,
        takings_between(connection, edges),
        _main_currency(taken, scope.base_currency),
    )


def _is_lived(period: Period, first_sale_at: datetime | None) -> bool:
    """The business sold before the period began, so that it can be compared with."""
    return first_sale_at is not None and first_sale_at <= period.start


def _main_currency(taken: Sequence[dict[str, Takings]], base: str) -> str:
    """Return the base currency, or the one most was ordered in where the base has no order."""
    for span in taken:
        orders = {code: sums.orders for code, sums in span.items() if sums.orders}
        if orders:
            return base if base in orders else max(sorted(orders), key=lambda code: orders[code])
    return base


def _sale_figures(look: _Look) -> tuple[Measured, ...]:
    def measured(
        name: str, label: str, kind: Kind, value: Callable[[Takings], int | None]
    ) -> Measured:
        now, before, year_before = (
            value(span.get(look.currency, Takings())) for span in look.takings
        )
        line = tuple(
            float(value(each.get(look.currency, Takings())) or 0) for each in look.by_label
        )
        currency = look.currency if kind == "money" else None
        return Measured(name, label, kind, now, before, year_before, line, look.lived, currency)

    return (
        measured("net", "Net revenue", "money", lambda sums: sums.net_minor),
        measured("orders", "Orders", "count", lambda sums: sums.orders),
        measured("customers", "Buyers", "count", lambda sums: sums.customers),
        measured("mean_order", "Mean order", "money", mean_minor),
    )


def _people_figures(connection: Connection, scope: Scope, look: _Look) -> tuple[Measured, ...]:
    spans = [(span.start, span.end) for span in look.spans]
    new, new_before, new_year, *by_label = sales.new_customers(
        connection, [*spans, *pairwise(look.edges)]
    )
    listed, listed_before, listed_year, *by_end = sales.people_on_list(
        connection, [*look.ends(), *look.edges[1:]]
    )
    return (
        Measured(
            "new_customers",
            "New buyers",
            "count",
            new,
            new_before,
            new_year,
            _line(by_label),
            look.lived,
        ),
        _mrr_figure(connection, scope, look),
        Measured(
            "on_list", "Mailing list", "count", listed, listed_before, listed_year, _line(by_end)
        ),
    )


def _mrr_figure(connection: Connection, scope: Scope, look: _Look) -> Measured:
    found = recurring_spans(connection, scope)

    now, before, year_before, *ends = mrr_over(
        found.counted, [*look.ends(), *look.edges[1:]], found.rates.at
    )
    line = _line(ends) if found.counted else ()
    return Measured(
        "mrr", "MRR", "money", now, before, year_before, line, currency=scope.base_currency
    )


def _line(counts: Sequence[int]) -> tuple[float, ...]:
    return tuple(float(count) for count in counts)


def document(connection: Connection, scope: Scope) -> Document:
    """Make the summary."""
    return summary(connection, scope).to_document()


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open a figure of the summary: sales as revenue does, MRR as it is when the period ends."""
    asked = scope.period or report_scope.last_days(scope.as_of, DAYS_SHOWN, scope.timezone)
    inside = replace(scope, period=asked)
    if metric == "new_customers":
        return _new_buyers(connection, inside, asked)
    if metric == "on_list":
        return _listed(connection, inside, asked)
    if metric == "mrr":
        return _paying(connection, inside, asked)
    if metric in ("net", "orders", "customers"):
        currency = _look(connection, inside, asked).currency
        return revenue.explain(connection, inside, metric, currency=currency)
    return None


def _paying(connection: Connection, scope: Scope, asked: Period) -> Behind:
    rows = paid_before(connection, scope, scope.known(asked).end)
    value = _mrr_figure(connection, scope, _look(connection, scope, asked)).now
    return Behind("mrr", scope, asked, int(value or 0), rows, scope.base_currency)


def _new_buyers(connection: Connection, scope: Scope, asked: Period) -> Behind:
    known = scope.known(asked)
    first = sales.first_orders(connection, known.start, known.end)
    names = named(connection, scope, [str(one.customer) for one in first])
    rows = tuple(
        BehindRow(one.at, names[str(one.customer)], "first order", 1, one.order) for one in first
    )
    return Behind("new_customers", scope, asked, len(rows), rows)


def _listed(connection: Connection, scope: Scope, asked: Period) -> Behind:
    rows = tuple(
        BehindRow(
            reader.since,
            person_shown(reader.name, reader.email, shows_emails=scope.shows_emails),
            "on the mailing list",
            1,
            f"subscriber {reader.number}",
        )
        for reader in sales.listed_at(connection, scope.known(asked).end)
    )
    return Behind("on_list", scope, asked, len(rows), rows)
