"""`kpay forecast --scenario --goal`, and `kpay report funnel|campaigns`, on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.books import open_books
from tests.fakes.daily_sales import add_sales

Kpay = Callable[..., Any]


@pytest.fixture
def shop(business: Path) -> Path:
    """A business with one sale a day for half a year."""
    first = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with open_books(business) as books:
        add_sales(books.store, (first + timedelta(days=day) for day in range(200)), 20_00)
    return business


def test_scenarios_and_a_goal_stand_beside_the_forecast(shop: Path, kpay: Kpay) -> None:
    words = ("--scenario", "reach=+20%", "--scenario", "price=+10%", "--goal", "700usd/month")
    result = kpay("forecast", "--horizon", "30d", *words, "--json", home=shop)
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    assert [one["scenario"] for one in shown["scenarios"]] == [
        "reach=+20%",
        "price=+10%",
        "all together",
    ]
    assert shown["goal"]["amount_minor"] == 700_00
    text = " ".join(kpay("forecast", "--horizon", "30d", *words, home=shop).stdout.split())
    assert "Break-even: a price 10 % higher pays" in text
    assert "What must be true" in text
    plain = json.loads(kpay("forecast", "--horizon", "30d", "--json", home=shop).stdout)
    assert plain["total"] == shown["total"]
    assert "scenarios" not in plain


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scenario", "price=10"), "needs a change in percent"),
        (("--scenario", "price=+1%", "--scenario", "price=+2%"), "second time"),
        (("--goal", "much"), "is not an amount over time"),
        (("--explain", "--goal", "5usd/day"), "does not go together"),
        (("--scorecard", "--goal", "5usd/day"), "does not go together"),
        (("--input", "-", "--scenario", "reach=+1%"), "does not go together"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused_with_a_way_on(
    shop: Path, kpay: Kpay, words: tuple[str, ...], said: str
) -> None:
    result = kpay("forecast", *words, home=shop)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "next: " in result.stderr


def test_churn_without_subscriptions_is_told_to_change_nothing(shop: Path, kpay: Kpay) -> None:
    words = ("--horizon", "30d", "--scenario", "churn=-10%", "--json")
    (told,) = json.loads(kpay("forecast", *words, home=shop).stdout)["scenarios"]
    assert told["change"]["mean_minor"] == 0
    assert "so churn changes nothing" in told["assumptions"][0]


def test_traffic_and_costs_from_files_make_a_funnel_and_a_roi(shop: Path, kpay: Kpay) -> None:
    traffic = shop / "traffic.csv"
    days = "".join(f"2026-08-{day:02},search,,100,10\n" for day in range(1, 29))
    traffic.write_text(f"day,source,content,visits,clicks\n{days}", encoding="utf-8")
    assert kpay("import", "traffic", str(traffic), home=shop).exit_code == 0
    span = ("--since", "2026-08-01", "--until", "2026-08-28")
    shown = json.loads(kpay("report", "funnel", *span, "--json", home=shop).stdout)
    assert shown["schema"] == "kpay.report.funnel/1"
    assert (shown["total"]["click_share"], shown["total"]["purchase_share"]) == (0.1, 0.1)
    opened = json.loads(
        kpay("report", "funnel", *span, "--explain", "revenue", "--json", home=shop).stdout
    )
    assert opened["rows_total_minor"] == shown["total"]["revenue_minor"] == 28 * 20_00
    alarm = kpay("report", "funnel", *span, "--fail-if", "purchase_share < 0.2", home=shop)
    assert alarm.exit_code == 10
    campaigns = json.loads(kpay("report", "campaigns", "--json", home=shop).stdout)
    assert campaigns["schema"] == "kpay.report.campaigns/1"
    assert campaigns["campaigns"] == []
