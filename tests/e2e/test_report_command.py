"""`kpay report` on the command line: one result in every format, to the cent."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kpay.domain.money import format_major, format_minor
from tests.fakes.books import open_books

Run = Callable[..., Any]
SECTIONS = ("summary", "revenue", "mrr")
TAKEN_AWAY = ("discounts", "tax", "refunds", "disputes", "fees")


@pytest.fixture(scope="module")
def shop_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nine months of sales in two currencies, subscribers, and a list."""
    folder = tmp_path_factory.mktemp("shop")
    with open_books(folder) as books:
        mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
        for month in range(1, 10):
            day = f"2026-{month:02}"
            order = books.order(f"{day}-05", 12345 * month, customer=mia, discount=45, fee=99)
            books.refund(f"{day}-20", 1000 + month, order=order, is_booked=True)
            books.order(f"{day}-17", 700, customer=ned, currency="eur", tax=112, products=("陶艺",))
        books.subscription(mia, "2026-02-05", 900, phases=(("2026-02-05", 900),))
        books.subscription(ned, "2026-03-05", 12000, interval="year", ended="2026-08-09")
        books.subscriber("mia@example.com", "2026-02-01")
        books.subscriber("oda@example.com", "2026-09-21")
    return folder / "kpay.db"


@pytest.fixture
def shop(business: Path, shop_store: Path) -> Path:
    """A business of its own with that store."""
    shutil.copy(shop_store, business / "kpay.db")
    return business


def in_format(kpay: Run, shop: Path, section: str, fmt: str, *more: str) -> str:
    result = kpay("report", section, "--format", fmt, *more, home=shop)
    assert result.exit_code == 0, result.stderr
    return str(result.stdout)


def test_revenue_adds_up_and_has_the_keys_of_the_contract(kpay: Run, shop: Path) -> None:
    answer = json.loads(in_format(kpay, shop, "revenue", "json"))
    assert answer["schema"] == "kpay.report.revenue/1"
    assert answer["period"] == {
        "start": "2026-01-05T00:00:00Z",
        "end": "2026-10-01T09:00:00Z",
        "timezone": "UTC",
    }
    assert answer["last_sync"] is None
    gross = sum(12345 * month for month in range(1, 10))
    refunds = sum(1000 + month for month in range(1, 10))
    promised = {
        "gross_minor": gross,
        "discounts_minor": 9 * 45,
        "tax_minor": 0,
        "refunds_minor": refunds,
        "disputes_minor": 0,
        "fees_minor": 9 * 99,
        "net_minor": gross - 9 * 45 - refunds - 9 * 99,
        "orders": 9,
        "customers": 1,
    }
    assert promised.items() <= answer["currencies"]["usd"].items()
    assert answer["currencies"]["eur"]["net_minor"] == 9 * (700 - 112)


@pytest.mark.parametrize("section", ["revenue", "mrr"])
def test_the_figures_agree_in_all_formats(kpay: Run, shop: Path, section: str) -> None:
    answer = json.loads(in_format(kpay, shop, section, "json"))
    if section == "revenue":
        amounts = [
            (-minor if key.removesuffix("_minor") in TAKEN_AWAY else minor, code)
            for each in (answer, *answer["months"])
            for code, sums in each["currencies"].items()
            for key, minor in sums.items()
            if key.endswith("_minor")
        ]
    else:
        names = ("mrr_start_minor", "new_minor", "mrr_end_minor", "arpu_minor", "ltv_minor")
        amounts = [
            (month[name], "usd")
            for month in answer["months"]
            for name in names
            if month[name] is not None
        ]
    assert len(amounts) > 20
    people = {format_minor(*amount) for amount in amounts}
    pages = [in_format(kpay, shop, section, fmt) for fmt in ("table", "md")]
    pages.append(html.unescape(in_format(kpay, shop, section, "html")))
    for page in pages:
        shown = set(re.findall(r"-?[$€][\d,.]+", page))
        assert people - shown == set()
    cells = {
        cell
        for row in csv.reader(io.StringIO(in_format(kpay, shop, section, "csv")))
        for cell in row
    }
    assert {format_major(*amount) for amount in amounts} - cells == set()


def test_the_summary_compares_with_the_days_before_and_the_year_before(
    kpay: Run, shop: Path
) -> None:
    answer = json.loads(in_format(kpay, shop, "summary", "json", "--month", "2026-09"))
    assert answer["before"]["start"] == "2026-08-01T00:00:00Z"
    assert answer["year_before"]["start"] == "2025-09-01T00:00:00Z"
    figures = answer["figures"]
    assert 5 <= len(figures) <= 7
    net = [12345 * month - 45 - 1000 - month - 99 for month in (9, 8)]
    assert (figures["net"]["value_minor"], figures["net"]["before_minor"]) == tuple(net)
    assert figures["net"]["change_share"] == pytest.approx(net[0] / net[1] - 1, abs=1e-6)
    assert figures["net"]["year_change_share"] is None
    assert figures["orders"] == {
        "value": 1,
        "before": 1,
        "year_before": 0,
        "change_share": 0.0,
        "year_change_share": None,
    }
    assert (figures["mrr"]["value_minor"], figures["mrr"]["before_minor"]) == (900, 900)
    assert (figures["on_list"]["value"], figures["on_list"]["before"]) == (2, 1)
    assert answer["other_currencies"]["eur"]["orders"] == 1
    assert answer["top_content"][0]["title"] == "Course"
    assert [order["currency"] for order in answer["recent_orders"][:2]] == ["eur", "usd"]


def test_a_summary_of_silent_days_names_the_newest_sale(kpay: Run, shop: Path) -> None:
    result = kpay("report", home=shop, env={"KPAY_NOW": "2028-01-01T00:00:00Z"})
    assert "Nothing was sold in these days; the newest sale was on 2026-09-17." in result.stdout
    assert "next: kpay report --month 2026-09" in result.stdout


def test_a_business_without_sales_is_led_on(kpay: Run, business: Path) -> None:
    for section in SECTIONS:
        result = kpay("report", section, home=business)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "next: kpay sync" in result.stdout


def test_a_report_as_of_a_day_is_the_same_whenever_it_is_made(kpay: Run, shop: Path) -> None:
    for section in SECTIONS:
        words = ("report", section, "--as-of", "2026-06-30", "--json")
        now = kpay(*words, home=shop)
        later = kpay(*words, home=shop, env={"KPAY_NOW": "2027-03-01T00:00:00Z"})
        assert now.stdout == later.stdout
        assert '"as_of": "2026-07-01T00:00:00Z"' in now.stdout


def test_the_page_is_whole_by_itself_and_runs_nothing(kpay: Run, shop: Path) -> None:
    for section in SECTIONS:
        page = in_format(kpay, shop, section, "html")
        assert "<svg" in page
        assert "prefers-color-scheme: dark" in page
        assert "@media print" in page
        assert not re.search(r"<script|<link|<img|<iframe|https?://|\son\w+=|@import|url\(", page)
    assert "陶艺" in in_format(kpay, shop, "summary", "html")


def test_out_writes_a_whole_file_that_only_the_creator_reads(kpay: Run, shop: Path) -> None:
    page = shop / "revenue.html"
    result = kpay("report", "revenue", "--out", str(page), home=shop)
    assert (result.exit_code, result.stdout) == (0, "")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert page.stat().st_mode & 0o777 == 0o600
    kpay("report", "mrr", "--csv", "--out", str(shop / "logs"), home=shop)
    listed = (shop / "logs" / "kpay-report-mrr.csv").read_text(encoding="utf-8")
    assert "Month (USD),Start,New" in listed
    assert not list(shop.glob("**/*.part"))


def test_a_file_that_cannot_be_written_is_a_problem_of_the_disk(kpay: Run, shop: Path) -> None:
    result = kpay("report", "--out", str(shop / "none" / "report.md"), home=shop)
    assert result.exit_code == 74
    assert "none/report.md cannot be written" in result.stderr


def test_wrong_options_are_usage_problems(kpay: Run, shop: Path) -> None:
    wrong = (
        ("--month", "2026-99"),
        ("--month", "2026-01", "--since", "2026-01-01"),
        ("--since", "2026-02-30"),
        ("--as-of", "yesterday"),
        ("cohort",),
    )
    for words in wrong:
        result = kpay("report", *words, home=shop)
        assert result.exit_code == 2, words
        assert result.stderr.startswith("error: "), words


def test_imported_lines_come_out_to_the_penny(kpay: Run, business: Path) -> None:
    rows = ["order_id,email,ordered_at,amount,currency,product"]
    amounts = [f"{number}.{number % 100:02}" for number in range(1, 200)]
    rows += [
        f"o{place // 3},c{place // 3 % 7}@example.com,2026-03-09,{amount},gbp,tea"
        for place, amount in enumerate(amounts)
    ]
    imported = kpay("import", "orders", "-", home=business, input="\n".join(rows) + "\n")
    assert imported.exit_code == 0, imported.stderr
    answer = json.loads(kpay("report", "revenue", "--json", home=business).stdout)
    pence = sum(int(amount.replace(".", "")) for amount in amounts)
    assert answer["currencies"]["gbp"]["gross_minor"] == pence
    assert answer["currencies"]["gbp"]["orders"] == 67
