"""The funnel from a real store: whose orders are whose, what is refused, what a tenth more is worth."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from kpay.domain.origins import Origin, OriginKind
from kpay.domain.period import days, month
from kpay.domain.reports.funnel import FunnelReport
from kpay.domain.reports.scope import Scope
from kpay.models import Order, Traffic
from kpay.services.reporting import funnel as service
from kpay.store.dialect import table_of
from tests.fakes.books import Books, open_books
from tests.fakes.daily_sales import add_sales
from tests.fakes.sends import add_clicks, add_send

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
SEPTEMBER = month("2026-09", "UTC")


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    with open_books(folder):
        return folder / "kpay.db"


@pytest.fixture
def books(tmp_path: Path, empty_store: Path) -> Iterator[Books]:
    shutil.copy(empty_store, tmp_path / "kpay.db")
    with open_books(tmp_path) as opened:
        yield opened


def scope(period: Any = SEPTEMBER, as_of: datetime = NOW) -> Scope:
    return Scope(period, as_of, "UTC", "usd")


def report(books: Books, asked: Scope | None = None) -> FunnelReport:
    with books.store.reading() as connection:
        return service.funnel_report(connection, asked or scope())


def count_traffic(
    books: Books, first: date, number: int, visits: int, clicks: int, source: str = "search"
) -> None:
    rows = [
        {"day": first + timedelta(days=place), "source": source, "visits": visits, "clicks": clicks}
        for place in range(number)
    ]
    with books.store.writing() as connection:
        connection.execute(insert(table_of(Traffic)), rows)


def sell(books: Books, when: str, amount: int, *, currency: str = "usd", **columns: Any) -> int:
    order = books.order(when, amount, currency=currency)
    if columns:
        orders = table_of(Order)
        with books.store.writing() as connection:
            connection.execute(update(orders).where(orders.c.id == order).values(**columns))
    return order


def busy_month(books: Books) -> None:
    """1,000 visits, 100 clicks and 20 orders of 100.00 in September; half of each in August."""
    count_traffic(books, date(2026, 9, 1), 25, 40, 4)
    count_traffic(books, date(2026, 9, 26), 5, 1, 0)
    count_traffic(books, date(2026, 8, 1), 25, 20, 2)
    count_traffic(books, date(2026, 8, 26), 6, 1, 0)
    august = month("2026-08", "UTC").start
    add_sales(books.store, (SEPTEMBER.start + timedelta(days=place) for place in range(20)), 100_00)
    add_sales(books.store, (august + timedelta(days=place) for place in range(10)), 100_00)


def test_the_factors_multiply_to_what_was_paid(books: Books) -> None:
    busy_month(books)
    total = report(books).to_document().payload["total"]
    assert (total["reach"], total["clicks"], total["orders"]) == (1005, 100, 20)
    assert total["revenue_minor"] == 200_000
    assert total["click_share"] == pytest.approx(100 / 1005, abs=1e-6)
    assert total["purchase_share"] == 0.2
    assert total["order_value_minor"] == 100_00
    assert total["click_low95"] < total["click_share"] < total["click_high95"]
    assert total["ten_percent_more"]["reach"]["revenue_minor"] == 20_000
    assert total["ten_percent_more"]["all"]["revenue_minor"] == 92_820


def test_the_change_is_split_by_factor_to_the_cent(books: Books) -> None:
    busy_month(books)
    change = report(books).to_document().payload["total"]["change"]
    assert change["revenue_minor"] == 100_000
    names = ("reach", "click_share", "purchase_share", "order_value")
    assert sum(change[f"{name}_minor"] for name in names) == 100_000
    assert change["order_value_minor"] == 0
    assert change["reach_minor"] > 90_000


def test_traffic_of_some_days_makes_no_rate_with_orders_of_all(books: Books) -> None:
    count_traffic(books, date(2026, 9, 1), 10, 40, 4)
    sell(books, "2026-09-05", 100_00)
    sell(books, "2026-09-25", 100_00)
    found = report(books)
    shown = found.to_document().payload["total"]
    assert shown["click_share"] == 0.1
    assert shown["purchase_share"] is None
    assert shown["conversion_share"] is None
    assert shown["order_value_minor"] == 100_00
    reasons = {one["factor"]: one["why"] for one in shown["not_given"]}
    assert "10 of 30 days (2026-09-01 to 2026-09-10)" in reasons["purchase_share"]
    assert found.hint == ("kpay report funnel --since 2026-09-01 --until 2026-09-10",)
    some = report(books, scope(days(date(2026, 9, 1), date(2026, 9, 10), "UTC")))
    assert some.to_document().payload["total"]["purchase_share"] == 1 / 40


def test_without_traffic_only_what_is_known_is_told(books: Books) -> None:
    sell(books, "2026-09-05", 70_00)
    document = report(books).to_document()
    total = document.payload["total"]
    assert total["reach"] is None
    assert total["click_share"] is None
    assert total["order_value_minor"] == 70_00
    assert total["ten_percent_more"]["all"] is None
    assert document.next_steps == ("kpay import traffic FILE",)


def test_known_readers_who_came_are_told_where_no_traffic_was_counted(books: Books) -> None:
    people = ["mia@example.com", "ned@example.com"]
    add_clicks(books.store, people, SEPTEMBER.start, kind="visit")
    add_clicks(books.store, people, SEPTEMBER.start + timedelta(days=1), kind="visit")
    sell(books, "2026-09-05", 70_00, email="mia@example.com")
    sell(books, "2026-09-06", 70_00, email="oda@example.com")
    payload = report(books).to_document().payload
    (known,) = payload["sources"]
    assert (known["reach"], known["orders"], known["conversion_share"]) == (2, 1, 0.5)
    assert payload["site"]["reach"] is None
    assert payload["site"]["orders"] == 2


def test_who_bought_by_a_mail_has_clicked_it(books: Books) -> None:
    people = [f"reader{number}@example.com" for number in range(10)]
    add_send(books.store, "autumn", SEPTEMBER.start, mailed=people)
    add_clicks(books.store, people[1:3], SEPTEMBER.start + timedelta(days=3))
    for message in (1, 2):  # the second one's click is known
        reference = Origin(OriginKind.CAMPAIGN, "autumn").reference(message)
        sell(books, "2026-09-05", 30_00, reference=reference)
    mail = report(books).to_document().payload["mail"]
    assert (mail["clicks"], mail["orders"]) == (3, 2)


def test_an_order_belongs_to_the_mail_whose_link_it_came_by(books: Books) -> None:
    people = [f"reader{number}@example.com" for number in range(10)]
    add_send(books.store, "autumn", SEPTEMBER.start + timedelta(days=2), mailed=people)
    add_clicks(books.store, people[:4], SEPTEMBER.start + timedelta(days=3))
    token = Origin(OriginKind.CAMPAIGN, "autumn").reference(1)
    sell(books, "2026-09-05", 30_00, reference=token)
    count_traffic(books, date(2026, 9, 1), 30, 10, 1)
    sell(books, "2026-09-06", 50_00, reference=Origin(OriginKind.PAGE, "course").reference())
    sell(books, "2026-09-07", 50_00, reference="kpmine")
    payload = report(books).to_document().payload
    mail, site, total = payload["mail"], payload["site"], payload["total"]
    assert (mail["reach"], mail["clicks"], mail["orders"]) == (10, 4, 1)
    assert (mail["click_share"], mail["purchase_share"]) == (0.4, 0.25)
    assert (site["orders"], site["revenue_minor"]) == (2, 100_00)
    assert (total["reach"], total["clicks"], total["orders"]) == (310, 34, 3)
    assert [one["source"] for one in payload["sources"]] == ["search", "campaigns"]


def test_clicks_in_mails_are_unknown_and_not_zero_where_none_was_read(books: Books) -> None:
    add_send(books.store, "autumn", SEPTEMBER.start, mailed=["mia@example.com"])
    mail = report(books).to_document().payload["mail"]
    assert (mail["reach"], mail["clicks"], mail["click_share"]) == (1, None, None)


def test_a_source_has_the_orders_that_name_it_and_else_none_is_known(books: Books) -> None:
    count_traffic(books, date(2026, 9, 1), 30, 10, 1, source="search")
    count_traffic(books, date(2026, 9, 1), 30, 20, 1, source="social")
    for place in range(3):
        sell(books, f"2026-09-{place + 1:02}", 10_00, tracking={"utm_source": "social"})
    sell(books, "2026-09-09", 10_00)
    payload = report(books).to_document().payload
    by_name = {one["source"]: one for one in payload["sources"]}
    assert by_name["social"]["purchase_share"] == 0.1
    assert by_name["search"]["orders"] is None
    assert by_name["search"]["purchase_share"] is None
    assert payload["site"]["orders"] == 4
    assert payload["orders_without_source"] == 1


def test_renewals_free_orders_and_other_currencies_are_no_part_of_it(books: Books) -> None:
    count_traffic(books, date(2026, 9, 1), 30, 10, 1)
    sell(books, "2026-09-05", 20_00)
    sell(books, "2026-09-06", 20_00, kind="renewal")
    sell(books, "2026-09-07", 0)
    sell(books, "2026-09-08", 15_00, currency="eur")
    payload = report(books).to_document().payload
    assert (payload["total"]["orders"], payload["total"]["revenue_minor"]) == (1, 20_00)
    assert payload["other_currencies"] == [{"currency": "eur", "orders": 1, "paid_minor": 15_00}]


def test_the_usual_days_end_with_the_newest_traffic(books: Books) -> None:
    count_traffic(books, date(2026, 8, 1), 50, 40, 4)  # up to 19 September
    found = report(books, scope(None))
    assert (found.known.first_day, found.known.last_day) == (date(2026, 8, 21), date(2026, 9, 19))


def test_the_usual_days_begin_with_the_counting_of_traffic(books: Books) -> None:
    count_traffic(books, date(2026, 9, 10), 15, 40, 4)  # up to 24 September
    sell(books, "2026-09-15", 100_00)
    found = report(books, scope(None))
    assert (found.known.first_day, found.known.last_day) == (date(2026, 9, 10), date(2026, 9, 24))
    assert found.total.now.factor("purchase_share") is not None


def test_traffic_told_by_the_month_stands_for_the_month(books: Books) -> None:
    for number in (7, 8, 9):
        count_traffic(books, date(2026, number, 1), 1, 1000, 100)
    for day in ("2026-09-05", "2026-09-25"):
        sell(books, day, 100_00)
    found = report(books, scope(None))
    assert (found.known.first_day, found.known.last_day) == (date(2026, 9, 1), date(2026, 9, 30))
    assert found.to_document().payload["total"]["purchase_share"] == 0.02


def test_nothing_of_a_day_that_is_not_over_is_told(books: Books) -> None:
    busy_month(books)
    then = datetime(2026, 9, 15, 12, tzinfo=UTC)
    before = report(books, scope(as_of=then)).to_document()
    count_traffic(books, date(2026, 9, 15), 3, 1000, 1000, source="later")
    sell(books, "2026-09-15T13:00", 999_00)
    after = report(books, scope(as_of=then)).to_document()
    assert after == before


@pytest.mark.parametrize("metric", ["orders", "revenue", "site_orders", "mail_revenue"])
def test_the_rows_behind_a_figure_add_up_to_it(books: Books, metric: str) -> None:
    busy_month(books)
    add_send(books.store, "autumn", SEPTEMBER.start, mailed=["mia@example.com"])
    sell(books, "2026-09-05", 30_00, reference=Origin(OriginKind.CAMPAIGN, "autumn").reference(1))
    sell(books, "2026-09-06", 30_00, currency="eur")
    with books.store.reading() as connection:
        opened = service.explain(connection, scope(), metric)
        shown = service.document(connection, scope()).metrics[metric]
        assert service.explain(connection, scope(), "click_share") is None
    assert opened is not None
    assert sum(row.amount for row in opened.rows) == opened.value == shown.value
    assert opened.currency == shown.currency


def test_an_empty_business_is_told_so(books: Books) -> None:
    document = report(books, scope(None)).to_document()
    assert document.payload["total"]["revenue_minor"] == 0
    assert len(document.tables) == 0
