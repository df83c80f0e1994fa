"""Profit, and what a customer costs and brings; null with a reason where it is not defined."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.outlays import Outlay
from kpay.domain.period import month
from kpay.domain.profit import is_marketing
from kpay.domain.reports.scope import Scope
from kpay.models.books import ExchangeRate
from kpay.models.signals import Cost, Income
from kpay.services.reporting import profit, revenue
from tests.fakes.books import Books, at, open_books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with open_books(tmp_path) as opened:
        yield opened


def scope(asked: str | None = None, as_of: str = "2026-06-01") -> Scope:
    return Scope(month(asked, "UTC") if asked else None, at(as_of), "UTC", "usd")


def told(books: Books, asked: str | None = None, as_of: str = "2026-06-01") -> dict[str, Any]:
    with books.store.reading() as connection:
        return dict(profit.document(connection, scope(asked, as_of)).payload)


def spend(
    books: Books, day: str, kind: str, minor: int, *, campaign: str = "", currency: str = "usd"
) -> None:
    books.put(
        Cost, day=date.fromisoformat(day), kind=kind, campaign=campaign, amount_minor=minor,
        currency=currency,
    )  # fmt: skip


def trade(books: Books) -> None:
    mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
    books.order("2026-04-03", 11900, customer=mia, tax=1900, fee=400)
    books.order("2026-04-04", 5000, customer=ned, fee=100)
    books.order("2026-05-05", 4000, customer=mia, fee=100)
    spend(books, "2026-04-01", "hosting", 1000)
    spend(books, "2026-04-02", "Google Ads", 3000)
    spend(books, "2026-04-03", "design", 500, campaign="spring")
    spend(books, "2026-05-01", "hosting", 1000)
    books.put(Income, day=date(2026, 5, 9), kind="talk", amount_minor=2000, currency="usd")


def test_profit_is_what_is_left_of_net_revenue_and_other_income(books: Books) -> None:
    trade(books)
    april, may = told(books)["months"][:2]
    assert (april["net_revenue_minor"], april["costs_minor"]) == (14500, 4500)
    assert (april["profit_minor"], april["marketing_minor"]) == (10000, 3500)
    assert april["margin_share"] == round(10000 / 14500, 6)
    assert april["costs_by_kind"] == {
        "Google Ads": {"amount_minor": 3000},
        "design": {"amount_minor": 500},
        "hosting": {"amount_minor": 1000},
    }
    assert (may["other_income_minor"], may["profit_minor"]) == (2000, 3900 + 2000 - 1000)
    assert told(books)["total"]["profit_minor"] == 14900


def test_a_new_customer_costs_the_marketing_by_the_number_of_first_orders(books: Books) -> None:
    trade(books)
    found = told(books, "2026-04")["customers"]
    assert (found["new_customers"], found["cac_minor"]) == (2, 1750)
    assert (found["customer_months"], found["monthly_minor"]) == (2, 7250)
    assert found["payback_months"] == round(1750 / 7250, 2)


def test_what_is_not_defined_is_null_and_says_why(books: Books) -> None:
    trade(books)
    may = told(books, "2026-05")["customers"]
    assert (may["cac_minor"], may["payback_months"], may["ltv_mrr_cac"]) == (None, None, None)
    assert may["why_not"]["cac"] == "no cost of marketing is known in these days"
    spend(books, "2026-05-02", "ads", 100)
    assert told(books, "2026-05")["customers"]["why_not"]["cac"].startswith("nobody bought")


def test_the_first_year_of_those_who_came_a_year_ago_is_what_a_customer_brings(
    books: Books,
) -> None:
    mia, ned, oda = (books.customer(f"{name}@example.com") for name in ("mia", "ned", "oda"))
    books.order("2024-09-01", 1190, customer=mia, tax=190, fee=65)
    books.order("2025-03-01", 2000, customer=mia, fee=88)
    books.order("2025-09-05", 9000, customer=mia)
    given = books.order("2025-02-01", 3000, customer=ned, fee=117)
    books.refund("2025-02-09", 3000, order=given)
    books.order("2026-04-01", 5000, customer=oda)
    spend(books, "2026-04-01", "ads", 500)
    found = told(books, "2026-04", as_of="2026-05-01")["customers"]
    brought = (1000 - 65) + (2000 - 88) + (3000 - 117 - 3000)
    assert (found["observed_customers"], found["ltv_observed_minor"]) == (2, brought // 2)
    assert found["ltv_observed_cac"] == round(brought / 2 / 500, 2)


def test_costs_in_another_currency_are_converted_or_stand_apart(books: Books) -> None:
    trade(books)
    books.put(ExchangeRate, first_day=date(2026, 4, 1), currency="eur", base="usd", rate="1.1")
    spend(books, "2026-04-09", "travel", 1000, currency="eur")
    spend(books, "2026-04-09", "travel", 700, currency="gbp")
    found = told(books, "2026-04")
    assert found["total"]["costs_minor"] == 4500 + 1100
    assert found["apart"] == {"gbp": {"costs_minor": 700, "other_income_minor": 0}}


def test_the_rows_behind_a_figure_add_up_to_it(books: Books) -> None:
    trade(books)
    with books.store.reading() as connection:
        figures = profit.document(connection, scope()).metrics
        for name in profit.OPENED:
            opened = profit.explain(connection, scope(), name)
            assert opened is not None
            assert (
                sum(row.amount for row in opened.rows) == opened.value == figures[name].value != 0
            )
        assert profit.explain(connection, scope(), "cac") is None
        net = revenue.document(connection, scope()).metrics["net_revenue"]
    assert figures["net_revenue"] == net


@pytest.mark.parametrize(
    ("kind", "campaign", "counts"),
    [
        ("ads", "", True),
        ("Google-Ads", "", True),
        ("hosting", "", False),
        ("hosting", "spring", True),
        ("uploads", "", False),
        ("广告费", "", True),
        ("influencer fee", "", True),
    ],
)
def test_marketing_is_told_by_a_word_of_the_kind_or_by_a_campaign(
    kind: str, campaign: str, counts: bool
) -> None:
    one = Outlay(date(2026, 1, 1), kind, campaign, 100, "usd", False)
    assert is_marketing(one) is counts


def test_without_costs_the_report_says_so(books: Books) -> None:
    books.order("2026-04-03", 1000)
    with books.store.reading() as connection:
        made = profit.document(connection, scope())
    assert made.next_steps == ("kpay import costs FILE",)
    assert made.metrics["profit"].value == 1000
    assert made.metrics["margin_share"].value is None


def test_a_business_that_is_over_ends_with_what_moved_last(books: Books) -> None:
    trade(books)
    spend(books, "2026-06-20", "hosting", 100)
    months = told(books, as_of="2027-01-01")["months"]
    assert [one["month"] for one in months] == ["2026-04", "2026-05", "2026-06"]
    assert [one["is_partial"] for one in months] == [False, False, True]
