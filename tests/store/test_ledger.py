"""Takings from real rows: every sum to the cent, and tied to what the bank says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from kpay.domain.period import Period, month
from kpay.domain.reports.revenue import RevenueReport
from kpay.domain.reports.scope import Scope
from kpay.domain.revenue import Takings
from kpay.services.reporting.revenue import revenue_report
from kpay.store.figures import sales as sales_figures
from tests.fakes.books import Books, at, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def report(
    books: Books,
    period: Period | None = None,
    *,
    as_of: str = "2026-06-01",
    timezone: str = "UTC",
) -> RevenueReport:
    with books.store.reading() as connection:
        return revenue_report(connection, Scope(period, at(as_of), timezone, "usd"))


def test_imported_orders_are_summed_per_currency_and_each_person_once(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.order("2026-01-05", 1999, customer=mia)
    books.order("2026-01-06", 2001, customer=mia, discount=500)
    books.order("2026-01-07", 700, customer=ned, currency="eur")
    books.order("2026-01-08", 100)
    books.order("2026-01-08", 200)
    totals = report(books).totals
    assert totals["usd"] == Takings(gross_minor=4300, discounts_minor=500, orders=4, customers=3)
    assert totals["eur"] == Takings(gross_minor=700, orders=1, customers=1)
    assert totals["usd"].net_minor == 3800
    assert report(books).orders_without_fee == 5


def test_only_paid_orders_and_refunds_that_stand_count(books: Books) -> None:
    order = books.order("2026-01-05", 5000)
    books.order("2026-01-05", 9000, status="failed")
    books.refund("2026-01-09", 1000, order=order)
    books.refund("2026-01-09", 300, order=order, status="pending")
    books.refund("2026-01-09", 2000, order=order, status="failed")
    sums = report(books).totals["usd"]
    assert (sums.gross_minor, sums.refunds_minor, sums.net_minor) == (5000, 1300, 3700)


def test_a_refund_counts_in_the_month_it_was_given_and_takes_its_tax_back(books: Books) -> None:
    order = books.order("2026-01-31", 11900, tax=1900)
    books.refund("2026-02-02", 5950, order=order)
    january, february = (sums["usd"] for _, sums in report(books, as_of="2026-02-28").months)
    assert (january.tax_minor, january.refunds_minor, january.net_minor) == (1900, 0, 10000)
    assert (february.tax_minor, february.refunds_minor) == (-950, 5950)
    assert february.net_minor == -5000


def test_months_are_the_creators(books: Books) -> None:
    books.order("2026-01-31T23:30", 1000)
    berlin = report(books, month("2026-02", "Europe/Berlin"), timezone="Europe/Berlin")
    assert berlin.totals["usd"].gross_minor == 1000
    assert report(books, month("2026-02", "UTC")).totals == {}


def test_net_and_tax_are_what_the_balance_earned_to_the_cent(books: Books) -> None:
    first = books.order("2026-01-05", 10000, fee=320)
    books.order("2026-01-10", 5000, discount=1000, fee=146)
    taxed = books.order("2026-01-11", 1190, tax=190, fee=65)
    books.refund("2026-02-01", 2500, order=first, is_booked=True)
    books.refund("2026-02-03", 1190, order=taxed, is_booked=True)
    lost = books.dispute("2026-02-10", 4000)
    books.booked("2026-02-10", "adjustment", -4000, 1500, source=lost)
    won = books.dispute("2026-02-12", 1190, status="won")
    books.booked("2026-02-12", "adjustment", -1190, 1500, source=won)
    books.booked("2026-03-20", "adjustment", 1190, source=won)
    books.booked("2026-03-31", "stripe_fee", -200)
    books.booked("2026-03-31", "payout", -5000)
    made = report(books)
    sums = made.totals["usd"]
    assert sums.disputes_minor == 4000
    assert sums.fees_minor == 320 + 146 + 65 + 1500 + 1500 + 200
    assert sums.tax_minor == 0
    assert sums.net_minor + sums.tax_minor == made.bank["usd"].net_minor
    assert made.bank["usd"].paid_out_minor == 5000
    assert made.orders_without_fee == 0


def test_a_dispute_that_the_balance_does_not_know_counts_unless_it_took_nothing(
    books: Books,
) -> None:
    books.order("2026-01-05", 9000)
    books.dispute("2026-01-20", 4000, status="needs_response")
    books.dispute("2026-01-21", 500, status="won")
    books.dispute("2026-01-22", 600, status="warning_closed")
    assert report(books).totals["usd"].disputes_minor == 4000


def test_what_came_later_is_not_known_as_of_a_day(books: Books) -> None:
    order = books.order("2026-01-05", 9000)
    books.order("2026-01-20", 100)
    books.refund("2026-01-25", 9000, order=order)
    early = report(books, month("2026-01", "UTC"), as_of="2026-01-10")
    assert early.totals["usd"] == Takings(gross_minor=9000, orders=1, customers=1)
    assert early.to_document().payload["period"]["end"] == "2026-02-01T00:00:00Z"


def test_months_and_days_add_up_to_the_whole(books: Books) -> None:
    for day in range(1, 29):
        books.order(f"2026-02-{day:02}T12:00", 100 * day, fee=day)
    made = report(books, month("2026-02", "UTC"))
    assert sum(sums["usd"].net_minor for _, sums in made.months) == made.totals["usd"].net_minor
    assert [sums["usd"].gross_minor for _, sums in made.line] == [100 * d for d in range(1, 29)]


def test_an_empty_store_says_so_and_leads_on(books: Books) -> None:
    document = report(books).to_document()
    assert document.payload["currencies"] == {}
    assert document.next_steps


def test_new_customers_and_the_list_are_counted_over_any_number_of_spans(books: Books) -> None:
    books.order("2026-01-05", 1999, customer=books.customer("mia@example.com"))
    books.subscriber("ned@example.com", "2026-01-05", left="2026-02-05")
    cuts = [at("2026-01-01") + timedelta(hours=hour) for hour in range(2101)]
    with books.store.reading() as connection:
        new = sales_figures.new_customers(connection, list(pairwise(cuts)))
        listed = sales_figures.people_on_list(connection, cuts)
    assert [hour for hour, count in enumerate(new) if count] == [4 * 24]
    assert len(new) == 2100
    assert sum(listed) == 31 * 24
