"""The content report from real rows: sums to the cent, rates with their range, pieces without a sale."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from kpay.domain.document import Document
from kpay.domain.period import Period, month
from kpay.domain.reports.scope import Scope
from kpay.models.catalog import Content
from kpay.models.sales import LineItem, Order
from kpay.models.signals import Event, Feedback, Traffic
from kpay.services.reporting import content
from kpay.store.dialect import table_of
from tests.fakes.books import Books, at, open_books
from tests.fakes.stores import add_content


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def scope(period: Period | None = None, *, as_of: str = "2026-07-01") -> Scope:
    return Scope(period, at(as_of), "UTC", "usd")


def report(books: Books, of: Scope | None = None) -> Document:
    with books.store.reading() as connection:
        return content.document(connection, of or scope())


def pieces(books: Books, of: Scope | None = None) -> dict[str, dict[str, Any]]:
    return {piece["content"]: piece for piece in report(books, of).payload["pieces"]}


def published(books: Books, slug: str, when: str) -> None:
    add_content(books.store, slug)
    with books.store.writing() as connection:
        table = table_of(Content)
        connection.execute(update(table).where(table.c.slug == slug).values(published_at=at(when)))


def sale(books: Books, when: str, lines: dict[str, int], **more: Any) -> int:
    """An order whose lines have prices of their own."""
    order = books.order(when, sum(lines.values()), products=tuple(lines), **more)
    with books.store.writing() as connection:
        table = table_of(LineItem)
        for product, minor in lines.items():
            mine = (table.c.order_id == order) & (table.c.product == product)
            connection.execute(update(table).where(mine).values(amount_minor=minor))
    return order


def test_what_was_paid_and_given_back_is_shared_by_the_prices(books: Books) -> None:
    order = sale(books, "2026-01-05", {"tea": 1000, "cup": 2000}, discount=300, tax=270)
    books.refund("2026-01-09", 1350, order=order)
    sale(books, "2026-01-06", {"tea": 1000}, currency="eur")
    found = pieces(books)
    assert (found["tea"]["gross_minor"], found["tea"]["net_minor"]) == (1000, 810 - 405)
    assert (found["cup"]["gross_minor"], found["cup"]["net_minor"]) == (2000, 1620 - 810)
    assert found["tea"]["other_currencies"] == {"eur": {"gross_minor": 1000, "net_minor": 1000}}
    page = report(books)
    assert (page.payload["net_minor"], page.payload["orders"]) == (1215, 2)
    assert (found["tea"]["refunded_orders"], found["tea"]["refund"]["share"]) == (1, 0.5)


def test_pieces_without_a_sale_are_listed_and_later_ones_are_not(books: Books) -> None:
    published(books, "quiet", "2026-01-01")
    published(books, "later", "2026-08-01")
    sale(books, "2026-01-05", {"tea": 1000})
    found = pieces(books)
    assert set(found) == {"quiet", "tea"}
    assert found["quiet"]["orders"] == 0
    assert found["quiet"]["decay"]["state"] == "never sold"
    assert found["quiet"]["looks"]["conversion"]["share"] is None
    assert found["quiet"]["reviews"]["rating_mean"] is None
    assert report(books).payload["pieces_unsold"] == 1


def test_together_counts_orders_and_people(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    sale(books, "2026-01-05", {"tea": 1000, "cup": 2000}, customer=mia)
    sale(books, "2026-01-06", {"tea": 1000}, customer=ned)
    sale(books, "2026-02-06", {"jug": 1000}, customer=ned)
    sale(books, "2026-02-07", {"tea": 1000})
    tea = pieces(books)["tea"]
    assert tea["attach_share"] == pytest.approx(1 / 3, abs=1e-6)
    assert (tea["buyers"], tea["buyers_of_others_share"]) == (2, 1.0)


def test_renewals_are_sales_but_neither_purchases_nor_launches(books: Books) -> None:
    mia = books.customer("mia@example.com")
    for when in ("2026-01-05", "2026-02-05", "2026-03-05"):
        order = sale(books, when, {"club": 900}, customer=mia)
        with books.store.writing() as connection:
            table = table_of(Order)
            connection.execute(update(table).where(table.c.id == order).values(kind="renewal"))
    club = pieces(books)["club"]
    assert (club["orders"], club["renewals"], club["gross_minor"]) == (3, 2, 2700)
    assert (club["decay"]["first_90d_orders"], club["refund"]["share"]) == (1, 0.0)


def test_visits_buy_on_the_days_on_which_they_were_counted(books: Books) -> None:
    published(books, "tea", "2026-01-01")
    for day in ("2026-03-01", "2026-03-31"):
        books.put(
            Traffic, day=date.fromisoformat(day), source="x", content="tea", visits=50, clicks=4
        )
    for when in ("2026-02-28", "2026-03-05", "2026-03-31T23:00", "2026-04-01"):
        sale(books, when, {"tea": 1000})
    looks = pieces(books)["tea"]["looks"]
    assert (looks["source"], looks["visits"], looks["clicks"]) == ("traffic", 100, 8)
    assert (looks["purchases"], looks["conversion"]["share"]) == (2, 0.02)
    low, high = looks["conversion"]["low95"], looks["conversion"]["high95"]
    assert (low, high) == (pytest.approx(0.0055, abs=1e-4), pytest.approx(0.0700, abs=1e-4))


def test_known_people_who_looked_are_held_against_those_of_them_who_bought(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    sale(books, "2026-01-05", {"tea": 1000}, customer=mia)
    sale(books, "2026-01-06", {"tea": 1000}, customer=ned)
    sale(books, "2026-06-30", {"jug": 1})  # without it the history would count as over in January
    for email in ("mia@example.com", "mia@example.com", "oda@example.com"):
        books.put(
            Event,
            email=email,
            happened_at=at(f"2026-02-{books.count % 9 + 10}"),
            kind="page_view",
            content="tea",
        )
    looks = pieces(books)["tea"]["looks"]
    assert (looks["source"], looks["visits"], looks["purchases"]) == ("events", 2, 1)
    assert looks["conversion"]["share"] == 0.5


def test_more_purchases_than_visits_were_counted_differently(books: Books) -> None:
    books.put(Traffic, day=date(2026, 1, 5), source="x", content="tea", visits=1)
    sale(books, "2026-01-05T10:00", {"tea": 1000})
    sale(books, "2026-01-05T11:00", {"tea": 1000})
    assert pieces(books)["tea"]["looks"]["conversion"]["share"] is None


def test_a_mean_of_few_ratings_is_drawn_to_everybodys(books: Books) -> None:
    sale(books, "2026-01-05", {"tea": 1000, "cup": 10})
    sale(books, "2026-06-30", {"jug": 1})
    given = [("tea", 5.0), *[("cup", 4.0)] * 8, ("cup", 2.0)]
    for place, (piece, stars) in enumerate(given):
        books.put(
            Feedback,
            email=f"c{place}@example.com",
            at=at("2026-02-01"),
            kind="review",
            content=piece,
            rating=stars,
        )
    found = pieces(books)
    mean = (5 + 32 + 2) / 10
    assert found["tea"]["reviews"]["rating_shrunk"] == pytest.approx((5 + 5 * mean) / 6)
    assert found["cup"]["reviews"]["unhappy_share"] == pytest.approx(1 / 9, abs=1e-6)
    assert report(books).metrics["rating_mean"].value == pytest.approx(mean)


@pytest.fixture
def busy(books: Books) -> Books:
    published(books, "tea", "2026-01-01")
    for place in range(40):
        lines = {"tea": 900 + place, "cup": 333} if place % 3 else {"jug": 501}
        order = sale(
            books, f"2026-0{1 + place % 6}-{1 + place % 28:02}", lines, discount=place % 2, tax=17
        )
        if place % 7 == 0:
            books.refund(f"2026-06-{1 + place % 28:02}", 250, order=order)
    return books


@pytest.mark.parametrize("when", [None, "2026-06"])
@pytest.mark.parametrize("metric", ["gross", "net", "gross:tea", "net:tea", "net:cup", "net:jug"])
def test_the_rows_behind_a_figure_add_up_to_it(busy: Books, metric: str, when: str | None) -> None:
    of = scope(month(when, "UTC") if when else None)
    with busy.store.reading() as connection:
        behind = content.explain(connection, of, metric)
    assert behind is not None
    name, _, piece = metric.partition(":")
    shown = pieces(busy, of)[piece] if piece else report(busy, of).payload
    assert behind.value == shown[f"{name}_minor"] == sum(row.amount for row in behind.rows)
    assert behind.rows


def test_other_figures_and_pieces_have_no_rows(busy: Books) -> None:
    with busy.store.reading() as connection:
        for metric in ("weather", "gross:weather", "rating_mean"):
            assert content.explain(connection, scope(), metric) is None


def test_what_came_later_changes_nothing(busy: Books) -> None:
    early = scope(as_of="2026-04-01")
    before = report(busy, early)
    sale(busy, "2026-04-02", {"tea": 99999})
    busy.refund("2026-04-03", 100, order=1)
    busy.put(Traffic, day=date(2026, 4, 2), source="x", content="tea", visits=5)
    assert repr(report(busy, early)) == repr(before)


def test_an_empty_store_says_so_and_leads_on(books: Books) -> None:
    page = report(books)
    assert page.next_steps == ("kpay publish", "kpay sync")
    assert page.payload["pieces"] == []


def test_thousands_of_pieces_are_listed_in_reasonable_time(books: Books) -> None:
    with books.store.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO orders (source, account, livemode, external_id, ordered_at, currency, "
            "gross_minor, discount_minor, tax_minor, total_minor, status, kind, tracking) "
            "VALUES ('import', '', 0, 'o', '2026-01-05T00:00:00Z', 'usd', 4000, 0, 0, 4000, 'paid', "
            "'one_time', '{}')"
        )
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3999) "
            "INSERT INTO line_item (order_id, position, product, name, quantity, amount_minor) "
            "SELECT 1, i, 'p' || i, 'p' || i, 1, 1 FROM n"
        )
    began = time.process_time()
    assert len(pieces(books)) == 4000
    assert time.process_time() - began < 5
