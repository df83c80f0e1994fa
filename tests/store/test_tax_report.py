"""Tax by country and rate, which adds up to the tax of the revenue report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.period import month
from kpay.domain.reports.scope import Scope
from kpay.models.books import ExchangeRate
from kpay.services.reporting import revenue, tax
from tests.fakes.books import Books, at, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def scope(asked: str | None = None, as_of: str = "2026-06-01") -> Scope:
    return Scope(month(asked, "UTC") if asked else None, at(as_of), "UTC", "eur")


def told(books: Books, asked: str | None = None) -> dict[str, Any]:
    with books.store.reading() as connection:
        return dict(tax.document(connection, scope(asked)).payload)


def sell(books: Books) -> None:
    """Two countries, three rates, a country that is not known, dollars at 0.8 euros and pounds."""
    books.put(
        ExchangeRate, first_day=date(2026, 1, 1), currency="usd", base="eur", rate="0.8"
    )  # fmt: skip
    german = books.order("2026-04-01", 11900, tax=1900, currency="eur", country="DE")
    books.order("2026-04-02", 499, tax=80, currency="eur", country="de")
    books.order("2026-04-03", 1070, tax=70, currency="eur", country="DE")
    books.order("2026-04-04", 1200, tax=200, currency="eur", country="FR", discount=0)
    books.order("2026-04-05", 5000, currency="eur")
    dollars = books.order("2026-04-06", 2400, tax=400, currency="usd", country="FR", fee=99)
    books.order("2026-04-07", 1200, tax=200, currency="gbp", country="GB")
    books.order("2026-04-08", 0, currency="eur", country="AT")
    books.refund("2026-05-02", 5950, order=german, currency="eur")
    books.refund("2026-05-03", 2400, order=dollars, currency="usd", is_booked=True)
    books.refund("2026-05-04", 100, currency="eur")


def test_each_country_and_rate_has_a_row_of_its_own(books: Books) -> None:
    sell(books)
    rows = told(books)["currencies"]["eur"]["rows"]
    assert [
        (row["country"], row["rate_share"], row["orders"], row["sales_minor"]) for row in rows
    ] == [
        ("DE", 0.19, 2, 10000 + 419),
        ("DE", 0.07, 1, 1000),
        ("FR", 0.2, 1, 1000),
        (None, 0.0, 1, 5000),
        (None, None, 0, 0),
    ]
    german = rows[0]
    assert (german["tax_minor"], german["refunds_minor"]) == (1980, 5000)
    assert (german["refunded_tax_minor"], german["tax_due_minor"]) == (950, 1030)
    assert rows[-1]["refunds_minor"] == 100


def test_the_totals_are_the_tax_of_the_revenue_report(books: Books) -> None:
    sell(books)
    for asked in (None, "2026-04", "2026-05"):
        with books.store.reading() as connection:
            found = told(books, asked)
            sums = revenue.document(connection, scope(asked)).payload
        for code, own in sums["currencies"].items():
            total = found["currencies"].get(code, {"total": {"tax_due_minor": 0}})["total"]
            assert total["tax_due_minor"] == own["tax_minor"], (asked, code)
        assert (
            found["in_base"]["total"]["tax_due_minor"]
            == sums["in_base"]["total"]["tax_collected_minor"]
        )


def test_dollars_are_told_in_euros_and_pounds_stand_apart(books: Books) -> None:
    sell(books)
    found = told(books, "2026-04")["in_base"]
    french = [row for row in found["rows"] if row["country"] == "FR"]
    assert french[0]["sales_minor"] == 1000 + 1600
    assert (found["apart"], found["converted"]) == (
        ["gbp"],
        {"usd": {"lowest": "0.8", "highest": "0.8"}},
    )


def test_the_rows_behind_a_figure_add_up_to_it(books: Books) -> None:
    sell(books)
    with books.store.reading() as connection:
        figures = tax.document(connection, scope()).metrics
        for name, figure in figures.items():
            opened = tax.explain(connection, scope(), name)
            assert opened is not None
            assert sum(row.amount for row in opened.rows) == opened.value == figure.value != 0
        assert tax.explain(connection, scope(), "gross") is None


def test_nothing_sold_leads_on(books: Books) -> None:
    with books.store.reading() as connection:
        document = tax.document(connection, scope())
    assert document.payload["currencies"] == {}
    assert document.next_steps


def test_a_refund_that_failed_is_taken_back_with_its_tax(books: Books) -> None:
    order = books.order("2026-04-01", 1190, tax=190, currency="eur", country="DE", fee=50)
    books.refund("2026-04-09", 1190, order=order, currency="eur", status="failed", is_booked=True)
    with books.store.reading() as connection:
        query = "SELECT external_id FROM refund"
        refund = connection.exec_driver_sql(query).scalar_one()
    books.booked("2026-05-02", "refund_failure", 1190, source=refund, currency="eur")
    april, may = (
        told(books, asked)["currencies"]["eur"]["total"] for asked in ("2026-04", "2026-05")
    )
    assert (april["refunds_minor"], april["tax_due_minor"]) == (1000, 0)
    assert (may["refunds_minor"], may["refunded_tax_minor"]) == (-1000, -190)
    assert may["tax_due_minor"] == 190
