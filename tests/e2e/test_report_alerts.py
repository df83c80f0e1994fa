"""`kpay report` in cron: silent when all is well, exit 10 with a sentence when it is not; figures opened."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kpay import heartbeat
from tests.fakes.books import open_books

Run = Callable[..., Any]
AS_OF = ("--as-of", "2026-09-30")


@pytest.fixture(scope="module")
def shop_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two members of 9.00 and 30.00 a month, the dear one gone in September, and two single sales."""
    folder = tmp_path_factory.mktemp("shop")
    with open_books(folder) as books:
        mia, ned = books.customer("mia@example.com"), books.customer("ned@example.com")
        books.order("2026-08-05", 4_000, customer=mia)
        books.order("2026-09-10", 2_500, customer=mia)
        books.order("2026-09-17", 1_500, customer=ned)
        books.subscription(mia, "2026-05-05", 900, phases=(("2026-05-05", 900),))
        books.subscription(ned, "2026-05-05", 3_000, ended="2026-09-09")
        books.subscriber("mia@example.com", "2026-02-01")
        books.subscriber("oda@example.com", "2026-09-21", left="2026-09-25")
    return folder / "kpay.db"


@pytest.fixture
def shop(business: Path, shop_store: Path) -> Path:
    shutil.copy(shop_store, business / "kpay.db")
    return business


def test_a_condition_that_holds_exits_with_10_and_says_why(kpay: Run, shop: Path) -> None:
    result = kpay("report", "--fail-if", "gross_churn_share > 8%", "--quiet", *AS_OF, home=shop)
    assert result.exit_code == 10
    assert result.stdout == ""
    assert "alert: gross_churn_share is 76.92%, above 8.00%" in result.stderr
    assert "next: kpay report mrr" in result.stderr


def test_all_is_well_and_nothing_is_said(kpay: Run, shop: Path) -> None:
    fine = ("--fail-if", "gross_churn_share > 80%", "--fail-if", "net < 10usd")
    result = kpay("report", "mrr", *fine, "--quiet", *AS_OF, home=shop)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_the_report_is_printed_and_then_judged(kpay: Run, shop: Path) -> None:
    result = kpay("report", "mrr", "--fail-if", "mrr < 10", "--json", *AS_OF, home=shop)
    assert result.exit_code == 10
    assert json.loads(result.stdout)["schema"] == "kpay.report.mrr/1"
    said = json.loads(result.stderr)["error"]
    assert said["code"] == "condition_holds"
    assert said["message"] == "mrr is $9.00, below $10.00"


def test_a_quiet_report_is_still_written_to_its_file(kpay: Run, shop: Path) -> None:
    target = shop / "week.json"
    fine = ("--fail-if", "mrr < 1", "--quiet", "--out", str(target))
    assert kpay("report", *fine, *AS_OF, home=shop).exit_code == 0
    assert json.loads(target.read_text())["schema"] == "kpay.report.summary/1"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("gross_chrun_share > 1", "--fail-if 'gross_churn_share > 1'"),
        ("mrr.nothing > 1", "no report has a figure called 'nothing'"),
        ("moon.mrr > 1", "there is no report 'moon'"),
        ("net < 5eur", "net is in USD, not in EUR"),
        ("net", "is not a condition"),
    ],
)
def test_a_condition_on_nothing_is_a_mistake(
    kpay: Run, shop: Path, condition: str, said: str
) -> None:
    result = kpay("report", "--fail-if", condition, *AS_OF, home=shop)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "next: " in result.stderr


@pytest.mark.parametrize(
    ("metric", "value", "unit"),
    [("net", 4_000, "_minor"), ("orders", 2, ""), ("new_customers", 1, ""), ("on_list", 1, "")],
)
def test_figures_of_the_summary_are_opened(
    kpay: Run, shop: Path, metric: str, value: int, unit: str
) -> None:
    shown = json.loads(kpay("report", "--json", *AS_OF, home=shop).stdout)["figures"][metric]
    opened = kpay("report", "--explain", metric, "--json", *AS_OF, home=shop)
    assert opened.exit_code == 0, opened.stderr
    answer = json.loads(opened.stdout)
    assert answer["schema"] == "kpay.report.explain/1"
    assert answer[f"value{unit}"] == answer[f"rows_total{unit}"] == shown[f"value{unit}"] == value


def test_a_figure_of_another_report_and_month_is_opened(kpay: Run, shop: Path) -> None:
    opened = kpay("report", "--explain", "churn@2026-09", "--json", *AS_OF, home=shop)
    answer = json.loads(opened.stdout)
    assert answer["value_minor"] == answer["rows_total_minor"] == 3_000
    assert [row["customer"] for row in answer["rows"]] == ["#2 n***@e***.com"]


@pytest.mark.parametrize("metric", ["churn@2026-09", "new_customers", "on_list", "net"])
def test_addresses_are_masked_until_they_are_asked_for(kpay: Run, shop: Path, metric: str) -> None:
    masked = kpay("report", "--explain", metric, *AS_OF, home=shop).stdout
    whole = kpay("report", "--explain", metric, "--emails", *AS_OF, home=shop).stdout
    assert "@example.com" not in masked
    assert "@example.com" in whole


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("chrun", "did you mean churn?\nnext: kpay report mrr --explain churn "),
        ("churn@September", "'September' is not a month"),
        ("quick_ratio", "has no rows of its own"),
    ],
)
def test_what_cannot_be_opened_is_said(kpay: Run, shop: Path, wish: str, said: str) -> None:
    result = kpay("report", "mrr", "--explain", wish, *AS_OF, home=shop)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_policy_is_about_mrr(kpay: Run, shop: Path) -> None:
    result = kpay("report", "revenue", "--policy", "stripe", *AS_OF, home=shop)
    assert result.exit_code == 2
    assert "next: kpay report mrr --policy stripe" in result.stderr


def test_a_later_sync_changes_no_earlier_report(kpay: Run, shop: Path) -> None:
    def page() -> str:
        return str(kpay("report", "--format", "html", *AS_OF, home=shop).stdout)

    heartbeat.record(shop, "sync", datetime(2026, 10, 1, 4, tzinfo=UTC))
    first = page()
    heartbeat.record(shop, "sync", datetime(2027, 10, 1, 4, tzinfo=UTC))
    assert page() == first


def test_an_empty_out_is_refused(kpay: Run, business: Path) -> None:
    refused = kpay("report", "--out", "", home=business)
    assert refused.exit_code == 2
    assert "next: kpay report --out ." in refused.stderr
    assert refused.stdout == ""
