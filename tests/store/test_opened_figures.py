"""An opened figure is the figure that was shown: its amount, its currency and its moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kpay.bootstrap.reports import section_module
from kpay.domain.document import Metric
from kpay.domain.enums import ReportSection
from kpay.domain.period import Period
from kpay.domain.reports.scope import Scope
from kpay.errors import UsageProblem
from kpay.services.reporting import customers, summary
from kpay.services.reporting.opening import opened
from tests.fakes.books import Books, at, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened_books:
        yield opened_books


def scope(start: str, end: str, *, as_of: str = "2026-10-01") -> Scope:
    return Scope(Period(at(start), at(end), "UTC"), at(as_of), "UTC", "usd")


def shown_and_opened(books: Books, of: Scope, metric: str) -> tuple[Metric, Metric]:
    with books.store.reading() as connection:
        shown = summary.document(connection, of).metrics[metric]
        found = summary.explain(connection, of, metric)
    assert found is not None
    assert sum(row.amount for row in found.rows) == found.value
    return shown, Metric(found.value, found.currency)


@pytest.mark.parametrize(("end", "minor"), [("2026-09-11", 900), ("2026-09-21", 2100)])
def test_mrr_of_a_summary_is_opened_at_the_end_of_its_days(
    books: Books, end: str, minor: int
) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.subscription(mia, "2026-08-05", 900)
    books.subscription(ned, "2026-09-15", 1200)
    shown, behind = shown_and_opened(books, scope("2026-08-15", end), "mrr")
    assert shown == behind == Metric(minor, "usd")


@pytest.mark.parametrize("metric", ["net", "orders", "customers"])
def test_sales_of_a_summary_are_opened_in_the_currency_they_are_shown_in(
    books: Books, metric: str
) -> None:
    mia = books.customer("mia@example.com")
    old = books.order("2026-05-02", 3000, customer=mia)
    books.order("2026-09-03", 700, currency="eur", customer=mia)
    books.refund("2026-09-05", 1000, order=old)
    shown, behind = shown_and_opened(books, scope("2026-09-01", "2026-10-01"), metric)
    assert shown == behind
    assert shown.value == (700 if metric == "net" else 1)


def test_who_is_lapsing_in_another_currency_is_behind_the_count(books: Books) -> None:
    for email, currency in (("mia@example.com", "usd"), ("ned@example.com", "eur")):
        person = books.customer(email)
        for month in range(1, 5):
            books.order(f"2026-{month:02}-03", 1000, customer=person, currency=currency)
    books.order("2026-09-30", 0)
    everything = Scope(None, at("2026-10-01"), "UTC", "usd")
    with books.store.reading() as connection:
        count = customers.document(connection, everything).metrics["lapsing"].value
        found = customers.explain(connection, everything, "lapsing")
    assert found is not None
    assert count == found.value == len(found.rows) == 2


def test_a_figure_is_never_opened_by_another_sections_figure_of_its_name(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.order("2026-02-03", 1000, customer=mia, products=("salt", "crumbs"))
    everything = Scope(None, at("2026-10-01"), "UTC", "usd")

    def open_in(section: ReportSection, metric: str) -> int:
        found = opened(
            books.store,
            metric,
            section,
            everything,
            explain_in=lambda one: section_module(one).explain,
            document_in=lambda one: section_module(one).document,
        )
        return int(found.payload["value"])

    with pytest.raises(UsageProblem, match="no rows of its own"):
        open_in(ReportSection.PROFIT, "new_customers")  # the summary's are of its last 30 days
    assert open_in(ReportSection.PROFIT, "customers") == 0
    assert open_in(ReportSection.CUSTOMERS, "new_customers") == 1
