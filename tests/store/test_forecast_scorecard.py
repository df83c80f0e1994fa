"""Stored forecasts are held against what came, as far as their days are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kpay.domain.document import Calibration
from kpay.domain.forecast_scores import Score, coverage
from kpay.domain.reports.scorecard import Scorecard
from kpay.services.forecasting import revenue
from kpay.services.forecasting.answering import Questions, forecast_and_answer
from kpay.services.forecasting.scorecard import scorecard
from kpay.services.forecasting.series import Asked
from kpay.store.engine import Store
from tests.fakes.stores import new_store
from tests.fakes.streams_shop import FIRST, moment, put_orders, put_refund, single_sales

DAYS = 200


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    store = new_store(tmp_path)
    put_orders(store, single_sales(DAYS))
    yield store
    store.close()


def print_forecast(
    store: Store, last: int, *, days: int = 30, freq: str | None = None, made: int | None = None
) -> None:
    """Forecast as of a day, printed on the day after unless said otherwise."""
    now = moment(last + 1 if made is None else made, 9)
    wish = revenue.Wish(day(last).isoformat(), None, "usd", now, "UTC")
    forecast_and_answer(store, Asked(days, freq, (80, 95)), wish, Questions())


def scored(store: Store, on: int) -> Scorecard:
    return scorecard(store, as_of=None, now=moment(on, 21), timezone="UTC")


def test_a_forecast_whose_days_are_over_stands_beside_what_came(shop: Store) -> None:
    print_forecast(shop, 149)
    put_refund(shop, 160, 1900)
    (found,) = scored(shop, DAYS).scores
    came = sum(minor for on, minor in single_sales(DAYS) if 150 <= on < 180) - 1900
    before = sum(minor for on, minor in single_sales(DAYS) if 120 <= on < 150)
    assert (found.days_over, found.came_minor, found.as_before_minor) == (30, came, before)
    assert found.is_made_before
    assert found.is_inside(95)
    assert found.error_minor == came - found.expected_minor


def test_an_unfinished_horizon_is_scored_by_the_days_that_are_over(shop: Store) -> None:
    print_forecast(shop, 189, days=30)
    (found,) = scored(shop, DAYS).scores
    came = sum(minor for on, minor in single_sales(DAYS) if 190 <= on < 200)
    assert (found.days_over, found.came_minor) == (10, came)
    assert found.expected_minor == pytest.approx(came, rel=0.5)
    low, high = found.bounds[80]
    assert low < found.expected_minor < high


def test_the_same_forecast_by_day_and_by_month_counts_once(shop: Store) -> None:
    for freq in ("day", "month", "week", "day"):
        print_forecast(shop, 149, freq=freq)
    print_forecast(shop, 159)
    print_forecast(shop, 198)
    found = scored(shop, DAYS)
    assert [score.as_of for score in found.scores] == [day(149), day(159), day(198)]
    assert found.waiting == 0


def test_a_forecast_without_a_day_over_waits(shop: Store) -> None:
    print_forecast(shop, 199)
    found = scored(shop, DAYS)
    assert (found.scores, found.waiting) == ((), 1)
    assert found.to_document().next_steps == ("kpay forecast",)


def test_forecasts_made_afterwards_are_listed_but_not_judged(shop: Store) -> None:
    print_forecast(shop, 149)
    print_forecast(shop, 120, made=199)
    found = scored(shop, DAYS)
    assert [score.is_made_before for score in found.scores] == [False, True]
    assert [score.as_of for score in found.judged] == [day(149)]
    assert found.to_document().payload["coverage"]["80"]["of"] == 1


def test_the_scorecard_of_an_earlier_day_knows_nothing_of_later_forecasts(shop: Store) -> None:
    print_forecast(shop, 149)
    then = scorecard(shop, as_of=day(179).isoformat(), now=moment(185), timezone="UTC")
    print_forecast(shop, 182)
    now = scorecard(shop, as_of=day(179).isoformat(), now=moment(DAYS), timezone="UTC")
    assert then.to_document() == now.to_document()


def test_an_older_run_without_streams_is_scored_by_its_total_before_refunds(shop: Store) -> None:
    document = {"total": {"mean_minor": 500_000, "low80_minor": 1, "high80_minor": 900_000}}
    from kpay.store import learning

    row = {
        "run": "old", "as_of": day(149), "horizon_days": 30, "freq": "day", "currency": "usd",
        "model": "combination", "document": document, "made_at": moment(150),
    }  # fmt: skip
    with shop.writing() as connection:
        learning.keep_forecast(connection, row)
    put_refund(shop, 160, 1900)
    (found,) = scored(shop, DAYS).scores
    assert found.came_minor == sum(minor for on, minor in single_sales(DAYS) if 150 <= on < 180)
    assert found.is_inside(80)
    assert found.is_inside(95) is None
    assert scored(shop, 170).scores == ()


def made_up(as_of: int, came: int, *, days: int = 30) -> Score:
    return Score(
        "run", day(as_of), datetime(2026, 1, 1, tzinfo=UTC), days, days, "usd", 1000,
        {80: (900, 1100), 95: (800, 1200)}, came, 1000, True,
    )  # fmt: skip


def test_coverage_counts_overlapping_days_once() -> None:
    apart = [made_up(30 * n, 1000) for n in range(10)]
    together = [made_up(n, 1000) for n in range(10)]
    assert coverage(apart, 80).share == coverage(together, 80).share == 1.0
    low_apart, low_together = coverage(apart, 80).low, coverage(together, 80).low
    assert low_apart is not None
    assert low_together is not None
    assert low_apart == pytest.approx(0.722, abs=0.01)
    assert low_together < 0.3


def test_the_picture_and_the_sentence_say_what_the_rows_say() -> None:
    scores = tuple(made_up(30 * n, came) for n, came in enumerate((1000, 1150, 1300, 950)))
    document = Scorecard(day(150), scores, 2).to_document()
    (picture,) = [block for block in document.blocks if isinstance(block, Calibration)]
    assert picture.stated == (0.8, 0.95)
    assert picture.came == (0.5, 0.75)
    assert document.metrics["coverage80"].value == 0.5
    assert document.payload["waiting"] == 2
    assert (
        document.payload["median_error_share"] == document.payload["as_before_median_error_share"]
    )
