"""Recurring revenue from the rows that sync leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kpay.domain.period import month
from kpay.domain.reports.mrr import MrrReport
from kpay.domain.reports.scope import Scope
from kpay.services.reporting.mrr import mrr_report
from tests.fakes.books import Books, at, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def report(books: Books, as_of: str = "2026-04-01", asked: str | None = None) -> MrrReport:
    period = month(asked, "UTC") if asked else None
    with books.store.reading() as connection:
        return mrr_report(connection, Scope(period, at(as_of), "UTC", "usd"))


def ends(made: MrrReport) -> list[int]:
    return [month["mrr_end_minor"] for month in made.to_document().payload["months"]]


def test_phases_say_from_when_a_subscription_paid_what(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.subscription(mia, "2026-01-05", 3000, phases=(("2026-01-05", 1500), ("2026-03-05", 3000)))
    assert ends(report(books)) == [1500, 1500, 3000]


def test_without_phases_the_present_price_holds_from_the_end_of_the_trial(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.subscription(mia, "2026-01-25", 12000, interval="year", trial_end="2026-02-08")
    assert ends(report(books)) == [1000, 1000]
    assert report(books).months[0].month.new_minor == 1000


def test_an_unpaid_bill_ends_it_after_the_grace(books: Books) -> None:
    mia = books.customer("mia@example.com")
    name = books.subscription(mia, "2026-01-05", 1000, status="past_due")
    books.bill(name, "2026-01-05", paid="2026-01-05", status="paid")
    books.bill(name, "2026-02-05", paid=None, status="open")
    books.bill(name, "2026-03-05", paid=None, status="draft")
    made = report(books)
    assert ends(made) == [1000, 0, 0]
    assert made.months[1].month.churn_involuntary_minor == 1000
    assert ends(report(books, as_of="2026-02-18")) == [1000, 1000]


def test_two_subscriptions_of_one_person_are_one_subscriber(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    books.subscription(mia, "2026-02-05", 500)
    february = report(books).months[1].month
    assert (february.expansion_minor, february.new_minor) == (500, 0)
    assert february.subscribers_end == 1


def test_a_currency_without_a_rate_stands_apart(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    books.subscription(ned, "2026-01-05", 700, currency="eur")
    payload = report(books).to_document().payload
    assert [month["mrr_end_minor"] for month in payload["months"]] == [1000, 1000, 1000]
    assert [month["mrr_end_minor"] for month in payload["apart"]["eur"]] == [700, 700, 700]


def test_a_rate_of_the_balance_turns_it_into_the_base_and_its_change_is_fx(books: Books) -> None:
    ned = books.customer("ned@example.com")
    books.subscription(ned, "2026-01-05", 1000, currency="eur")
    for day, rate in (("2026-01-06", "1.1"), ("2026-03-02", "1.25")):
        books.order(day, 1000, currency="eur", source="stripe")
        books.booked(day, "charge", 1100, source=f"ch_{books.count - 1}", rate=rate)
    made = report(books)
    assert ends(made) == [1100, 1100, 1250]
    assert [line.month.fx_minor for line in made.months] == [0, 0, 150]
    assert made.apart == {}


def test_a_month_that_was_asked_for_is_shown_with_its_own_opening(books: Books) -> None:
    mia = books.customer("mia@example.com")
    books.subscription(mia, "2026-01-05", 1000)
    (only,) = report(books, asked="2026-03").to_document().payload["months"]
    assert (only["month"], only["mrr_start_minor"], only["new_minor"]) == ("2026-03", 1000, 0)
    assert only["ltv_3m_minor"] is None
    assert only["gross_churn_share"] == 0.0


def test_nobody_ever_paid_is_an_empty_list_and_a_sentence(books: Books) -> None:
    document = report(books).to_document()
    assert document.payload["months"] == []
    assert "No subscription has paid" in document.blocks[0].text  # type: ignore[union-attr]
