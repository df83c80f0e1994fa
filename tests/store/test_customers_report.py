"""The customers report from real rows: whose revenue it is, on how few it hangs, who is slipping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.document import Document
from kpay.domain.period import Period, month
from kpay.domain.reports.scope import Scope
from kpay.models.people import Customer
from kpay.services import groups, histories
from kpay.services.reporting import customers
from tests.fakes.books import MADE_AT, Books, at, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def still_open(books: Books) -> None:
    """A sale at the end, without which the history would count as over."""
    books.order("2026-06-30", 0)


def scope(period: Period | None = None, *, as_of: str = "2026-07-01", **more: Any) -> Scope:
    return Scope(period, at(as_of), "UTC", "usd", **more)


def report(books: Books, of: Scope | None = None) -> Document:
    with books.store.reading() as connection:
        return customers.document(connection, of or scope())


def told(books: Books, of: Scope | None = None) -> dict[str, Any]:
    return dict(report(books, of).payload)


def regular(books: Books, email: str, *days: str, amount: int = 1000) -> int:
    number = books.customer(email)
    for day in days:
        books.order(day, amount, customer=number)
    return number


def test_net_is_without_tax_and_refunds_and_each_person_counts_once(books: Books) -> None:
    mia = books.customer("mia@example.com")
    taxed = books.order("2026-01-05", 11900, customer=mia, tax=1900)
    books.order("2026-02-06", 2000, customer=mia, discount=500)
    books.refund("2026-02-10", 5950, order=taxed)
    books.refund("2026-02-11", 100, order=taxed, status="failed")
    books.order("2026-02-07", 700)
    books.order("2026-02-08", 900, currency="eur")
    answer = told(books)
    assert (answer["customers"], answer["orders"], answer["guest_orders"]) == (1, 3, 1)
    assert answer["net_minor"] == 10000 + 1500 - 5000 + 700
    assert answer["top"][0]["net_minor"] == 6500
    assert answer["other_currencies"] == {"eur": {"orders": 1, "net_minor": 900}}


def test_new_is_who_first_ordered_in_the_month_and_the_months_add_up(books: Books) -> None:
    regular(books, "a@example.com", "2026-01-05", "2026-01-20", "2026-03-01")
    regular(books, "b@example.com", "2026-03-02", amount=300)
    books.order("2026-03-03", 50)
    answer = told(books)
    january, _, march = answer["months"][:3]
    assert (january["new_customers"], january["new_minor"]) == (1, 2000)
    assert (march["new_minor"], march["returning_minor"], march["guests_minor"]) == (300, 1000, 50)
    parts = ("new_minor", "returning_minor", "guests_minor")
    assert sum(each[part] for each in answer["months"] for part in parts) == answer["net_minor"]
    march_alone = told(books, scope(month("2026-03", "UTC")))
    assert (march_alone["customers"], march_alone["new_customers"]) == (2, 1)


def test_the_largest_is_named_by_number_and_a_masked_address(books: Books) -> None:
    number = regular(books, "someone@firm.example", "2026-01-05", amount=9000)
    books.put(Customer, email="x@example.com", name="Xenia", tags=[], created_at=MADE_AT)
    regular(books, "other@example.com", "2026-01-06")
    still_open(books)
    page = report(books)
    assert page.payload["top"][0] == {
        "customer": number,
        "shown": "s***@f***.example",
        "orders": 1,
        "net_minor": 9000,
        "revenue_share": 0.9,
        "last_day": "2026-01-05",
        "rfm": "hibernating",
    }
    assert "someone@firm.example" not in repr(page)
    asked = told(books, scope(shows_emails=True))
    assert asked["top"][0]["shown"] == "someone@firm.example"


def test_who_is_late_by_their_own_rhythm_is_lapsing_unless_a_member(books: Books) -> None:
    quick = regular(
        books, "quick@example.com", "2026-01-01", "2026-01-31", "2026-03-02", "2026-04-01"
    )
    regular(books, "slow@example.com", "2025-01-01", "2026-01-01")
    member = regular(books, "member@example.com", "2026-01-01", "2026-01-31", "2026-03-02")
    books.subscription(member, "2026-01-01", 900)
    still_open(books)
    answer = told(books)
    [late] = answer["lapsing_customers"]
    assert late["customer"] == quick
    assert (late["purchases"], late["gap_days"], late["rfm"]) == (4, 38, "needs attention")
    assert (late["last_day"], late["expected_day"]) == ("2026-04-01", "2026-05-08")
    assert (answer["lapsing"], answer["at_risk_year_minor"]) == (1, 4000)


def test_the_year_that_is_at_risk_ends_with_the_last_order(books: Books) -> None:
    days = ("2024-12-01", "2025-01-01", "2025-02-01", "2025-12-20", "2026-01-01")
    regular(books, "late@example.com", *days)
    still_open(books)
    answer = told(books)
    assert answer["at_risk_year_minor"] == 3000


def test_groups_are_those_of_segments(books: Books) -> None:
    for place in range(30):
        days = [
            f"2026-0{1 + (place + step) % 6}-{1 + place % 28:02}" for step in range(place % 5 + 1)
        ]
        regular(books, f"c{place}@example.com", *days, amount=100 * (place + 1))
    answer = told(books)
    with books.store.reading() as connection:
        history = histories.read(connection, at("2026-07-01"))
    apart = groups.tell_apart(history, at("2026-06-30").date())
    named = [groups.groups.NAMES[place] for place in apart.rfm.group]
    shown = {one["name"]: one["customers"] for one in answer["rfm"]}
    assert shown == {name: named.count(name) for name in shown}
    assert sum(shown.values()) == 30
    assert sum(one["paid_minor"] for one in answer["rfm"]) == answer["net_minor"]


def test_countries_are_those_of_the_orders(books: Books) -> None:
    regular(books, "a@example.com", "2026-01-05")
    assert told(books)["countries"] == [
        {"country": None, "customers": 1, "orders": 1, "net_minor": 1000, "revenue_share": 1.0}
    ]


@pytest.fixture
def busy(books: Books) -> Books:
    for place in range(12):
        days = [
            f"2026-0{1 + (2 * step + place) % 6}-{1 + place:02}" for step in range(place % 4 + 1)
        ]
        regular(books, f"c{place}@example.com", *sorted(days), amount=500 + 100 * place)
    books.refund("2026-04-20", 600, order=3)
    books.order("2026-05-01", 777)
    return books


@pytest.mark.parametrize("since", [None, "2026-03"])
def test_the_rows_behind_a_figure_add_up_to_it(busy: Books, since: str | None) -> None:
    of = scope(month(since, "UTC") if since else None)
    page = report(busy, of)
    opened = 0
    with busy.store.reading() as connection:
        for name, metric in page.metrics.items():
            behind = customers.explain(connection, of, name)
            if behind is None:
                continue
            opened += 1
            assert sum(row.amount for row in behind.rows) == behind.value == (metric.value or 0), (
                name
            )
    assert opened == 9


def test_one_customer_can_be_opened_by_number(busy: Books) -> None:
    page = told(busy)
    first = page["top"][0]
    with busy.store.reading() as connection:
        behind = customers.explain(connection, scope(), f"customer_{first['customer']}")
        assert customers.explain(connection, scope(), "weather") is None
    assert behind is not None
    assert sum(row.amount for row in behind.rows) == first["net_minor"]
    assert {row.customer for row in behind.rows} == {f"#{first['customer']} {first['shown']}"}


def test_what_came_later_changes_nothing(busy: Books) -> None:
    early = scope(as_of="2026-04-01")
    before = report(busy, early)
    regular(busy, "later@example.com", "2026-04-02", amount=99999)
    busy.refund("2026-04-03", 500, order=2)
    assert repr(report(busy, early)) == repr(before)
    assert report(busy, replace(early, as_of=early.as_of + timedelta(days=9))) != before


def test_an_empty_store_says_so_and_leads_on(books: Books) -> None:
    page = report(books)
    assert page.next_steps == ("kpay sync", "kpay import orders FILE")
    assert page.payload["net_minor"] == 0
    assert page.payload["concentration"]["gini"] is None
    assert page.payload["returning_share"] is None
