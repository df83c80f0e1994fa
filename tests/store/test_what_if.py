"""What-if and goals from a real store: ranges, assumptions, and what cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kpay.domain.document import Table
from kpay.errors import UsageProblem
from kpay.models import Content, Price, Product
from kpay.services.forecasting import answering, demand
from kpay.services.forecasting.answering import Questions
from kpay.services.forecasting.result import Forecast
from kpay.services.forecasting.revenue import Wish
from kpay.services.forecasting.series import Asked
from tests.fakes.books import Books, open_books
from tests.fakes.daily_sales import add_sales

FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
DAYS = (NOW - FIRST).days
ASKED = Asked(60, "month", (80, 95))


def fill(books: Books) -> None:
    """Some sales each day, a few refunds, and thirty memberships."""
    luck = np.random.default_rng(3)
    moments = [
        FIRST + timedelta(days=day, minutes=number)
        for day in range(DAYS)
        for number in range(int(luck.poisson(4)))
    ]
    add_sales(books.store, moments, 20_00)
    for number in range(0, 200, 10):
        books.refund((FIRST + timedelta(days=number, hours=1)).isoformat(), 20_00, order=number + 1)
    for number in range(30):
        member = books.customer(f"member{number}@example.com")
        start = FIRST + timedelta(days=4 * number)
        books.subscription(member, start.isoformat(), 9_00, phases=((start.isoformat(), 9_00),))


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    with open_books(tmp_path_factory.mktemp("shop")) as opened:
        fill(opened)
        yield opened


def forecast(
    books: Books, *scenarios: str, goal: str | None = None, plan: str | None = None
) -> Forecast:
    wish = Wish(None, None, "usd", NOW, "UTC", plan)
    return answering.forecast_and_answer(books.store, ASKED, wish, Questions(scenarios, goal))


def test_reach_brings_its_share_of_what_is_sold_anew(books: Books) -> None:
    made = forecast(books, "reach=+20%")
    (told,) = made.to_json()["scenarios"]
    anew = sum(part.total for part in made.parts if part.name in ("one_time", "new_subscriptions"))
    change = told["change"]
    assert 0.8 * 0.2 * anew < change["mean_minor"] <= 0.2 * anew + 1
    assert change["low95_minor"] <= change["low80_minor"] < change["mean_minor"]
    assert change["mean_minor"] < change["high80_minor"] <= change["high95_minor"]
    assert told["total"]["mean_minor"] == made.total.mean + change["mean_minor"]
    assert told["gain_probability"] == 1.0
    assert told["break_even_volume_share"] is None


def test_a_price_is_told_with_its_elasticity_and_its_break_even(books: Books) -> None:
    made = forecast(books, "price=+10%")
    (told,) = made.to_json()["scenarios"]
    assert told["break_even_volume_share"] == pytest.approx(-1 / 11, abs=1e-6)
    assert "a usual range, as this shop has changed no price yet" in told["assumptions"][0]
    assert 0.0 < told["gain_probability"] < 1.0
    assert told["change"]["low80_minor"] < 0 < told["change"]["high80_minor"]


def test_several_are_told_each_and_together(books: Books) -> None:
    told = forecast(books, "reach=+10%", "purchase=+10%", "churn=-10%").to_json()["scenarios"]
    assert [one["scenario"] for one in told] == [
        "reach=+10%",
        "purchase=+10%",
        "churn=-10%",
        "all together",
    ]
    means = [one["change"]["mean_minor"] for one in told]
    assert means[3] > sum(means[:3])  # rates multiply
    assert means[2] > 0


def test_a_launch_to_come_is_sized_by_a_guess_and_says_so(books: Books) -> None:
    (told,) = forecast(books, "launch=course@2026-10-20").to_json()["scenarios"]
    assert told["change"]["mean_minor"] > 0
    assert "a guess, as no past launch is known" in told["assumptions"][0]


def kept(books: Books) -> list[str]:
    with books.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT document FROM forecast_run ORDER BY id")
        return list(rows.scalars())


def test_the_forecast_itself_stays_the_same_and_nothing_of_a_scenario_is_kept(books: Books) -> None:
    plain = forecast(books)
    before = kept(books)
    asked = forecast(books, "reach=+20%", goal="5000usd/month")
    again = forecast(books, "reach=+20%", goal="5000usd/month")
    assert asked.total == plain.total
    assert asked.to_json() == again.to_json()
    assert kept(books) == before
    assert not any("scenarios" in document for document in before)


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("launch=course@2027-10-20", "not one of the days ahead"),
        ("prices=+10%", "is not one of reach="),
    ],
)
def test_what_cannot_be_told_is_refused_with_what_can(
    books: Books, scenario: str, said: str
) -> None:
    with pytest.raises(UsageProblem, match=said) as refusal:
        forecast(books, scenario)
    assert str(refusal.value.hint).startswith(("kpay forecast --", "--"))


def test_what_is_planned_already_is_no_scenario(books: Books, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("date,name\n2026-10-12,course\n", encoding="utf-8")
    with pytest.raises(UsageProblem, match="the plan has a launch 'course' already"):
        forecast(books, "launch=course@2026-10-20", plan=str(plan))
    made = forecast(books, "launch=other@2026-10-20", "reach=+10%", plan=str(plan))
    launch, reach, _ = made.to_json()["scenarios"]
    assert launch["change"]["mean_minor"] > 0
    assert reach["change"]["mean_minor"] > 0


def test_a_goal_names_what_each_lever_alone_would_have_to_do(books: Books) -> None:
    expected = forecast(books).total.mean
    monthly = expected / 60 * 365.25 / 12 / 100
    goal = forecast(books, goal=f"{1.1 * monthly:.2f}usd/month").to_json()["goal"]
    assert goal["expected_total_minor"] == expected
    levers = {one["lever"]: one for one in goal["levers"]}
    assert goal["needed_total_minor"] == pytest.approx(1.1 * expected, rel=1e-3)
    assert 0.0 < goal["probability"] < 0.5
    needed = levers["reach"]["change_share"]
    assert needed == levers["click"]["change_share"] == levers["purchase"]["change_share"]
    # what the lever asks for does reach the goal
    told = forecast(books, f"reach={100 * needed:+.2f}%").to_json()["scenarios"]
    assert told[0]["total"]["mean_minor"] == pytest.approx(goal["needed_total_minor"], rel=1e-3)
    assert levers["churn"]["change_share"] is None
    assert levers["churn"]["why_not"] == "not even if nobody left"
    assert levers["launch"]["count"] >= 1


def test_a_goal_that_is_expected_anyway_asks_for_nothing(books: Books) -> None:
    made = forecast(books, goal="1usd/week")
    goal = made.to_json()["goal"]
    (table,) = (block for block in made.more_blocks if isinstance(block, Table))
    assert {row[1] for row in table.rows} == {"as it is"}
    assert goal["probability"] == 1.0
    assert all(one["change_share"] in (0.0, None) for one in goal["levers"])
    assert goal["levers"][-1]["count"] == 0


def test_a_goal_out_of_reach_is_null_for_every_lever(books: Books) -> None:
    goal = forecast(books, goal="9000000usd/month").to_json()["goal"]
    assert goal["probability"] == 0.0
    assert all(
        one["change_share"] is None and one["count"] is None and one["why_not"]
        for one in goal["levers"]
    )


def test_a_goal_in_another_currency_is_refused(books: Books) -> None:
    with pytest.raises(UsageProblem, match="is in EUR, the forecast in USD"):
        forecast(books, goal="5000eur/month")


def price(books: Books, product: str, amount: int, since: datetime, **more: Any) -> None:
    books.put(
        Price,
        account="acct_1",
        livemode=False,
        external_id=f"price_{books.count}",
        product_external_id=product,
        amount_minor=amount,
        currency="usd",
        created_at=since,
        **more,
    )


def test_changes_of_price_are_found_and_held_against_all_other_pieces(tmp_path: Path) -> None:
    with open_books(tmp_path) as books:
        raised = FIRST + timedelta(days=100)
        pieces = [
            books.put(
                Content,
                slug=slug,
                title=slug,
                kind="ebook",
                status="published",
                tags=[],
                digest=slug,
                file=f"{slug}.md",
                created_at=FIRST,
            )
            for slug in ("raised", "same")
        ]
        for slug, piece in zip(("raised", "same"), pieces, strict=True):
            books.put(
                Product,
                account="acct_1",
                livemode=False,
                external_id=f"prod_{slug}",
                content_id=piece,
                name=slug,
                created_at=FIRST,
            )
        price(books, "prod_raised", 10_00, FIRST)
        price(books, "prod_raised", 10_00, FIRST + timedelta(days=1))  # changed nothing
        price(books, "prod_raised", 20_00, raised)
        price(books, "prod_same", 10_00, FIRST)
        days = [FIRST + timedelta(days=day) for day in range(30, 170)]
        fewer = [day for number, day in enumerate(days) if day < raised or number % 2]
        add_sales(books.store, fewer, 10_00, content_id=pieces[0])
        add_sales(books.store, days, 10_00, content_id=pieces[1])
        with books.store.reading() as connection:
            found = demand.demand(connection, NOW)
            before = demand.demand(connection, raised)
    assert found.learned_from == 1
    assert before.learned_from == 0
    assert -1.25 < found.mean < -1.0  # sales fell by a half where the price doubled
    assert found.deviation < before.deviation
