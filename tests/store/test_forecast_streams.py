"""A forecast of revenue from the rows of a real store: its parts, its plan, and what it must not know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kpay.errors import InputInvalid, Refused
from kpay.services.forecasting import revenue
from kpay.services.forecasting.answering import Questions, forecast_and_answer
from kpay.services.forecasting.result import Forecast
from kpay.services.forecasting.series import Asked
from kpay.store.engine import Store
from tests.fakes.stores import digest, new_store, rows
from tests.fakes.streams_shop import (
    FIRST,
    moment,
    put_member,
    put_orders,
    put_piece,
    put_refund,
    single_sales,
)

DAYS = 200
LAST = FIRST + timedelta(days=DAYS - 1)
NOW = datetime(2027, 6, 1, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    store = new_store(tmp_path)
    put_orders(store, single_sales(DAYS))
    yield store
    store.close()


def forecast(
    store: Store, *, days: int = 30, as_of: date | None = LAST, plan: str | None = None,
    currency: str | None = None, now: datetime = NOW, freq: str | None = None, zone: str = "UTC",
) -> Forecast:  # fmt: skip
    asked = Asked(days, freq, (80, 95))
    day = as_of.isoformat() if as_of else None
    wish = revenue.Wish(day, currency, "usd", now, zone, plan)
    return forecast_and_answer(store, asked, wish, Questions())


def parts(made: Forecast) -> dict[str, int]:
    return {part.name: part.total for part in made.parts}


def test_parts_add_up_to_the_total_in_every_unit_of_time(shop: Store) -> None:
    for number in range(40):
        put_member(shop, f"sub{number}", number * 4, billed=number * 4)
    put_orders(shop, [(day, 1000) for day in range(0, 160, 4)], kind="renewal")
    put_refund(shop, 50, 1900)
    for freq in ("day", "week", "month"):
        made = forecast(shop, freq=freq)
        assert set(parts(made)) == {"renewals", "new_subscriptions", "one_time", "refunds"}
        assert sum(parts(made).values()) == made.total.mean
        for at, point in enumerate(made.points):
            assert sum(part.points[at] for part in made.parts) == point.range.mean
    assert len({forecast(shop, freq=freq).total.mean for freq in ("day", "week", "month")}) == 1


def test_what_comes_later_changes_no_forecast_of_an_earlier_day(shop: Store) -> None:
    put_member(shop, "sub1", 20, billed=173)
    put_member(shop, "sub2", 20, billed=173)
    put_refund(shop, 60, 1900)
    before = forecast(shop).to_json()
    put_orders(shop, [(DAYS + 3, 990_000)], name="later")
    put_member(shop, "sub9", DAYS + 1, amount=50_000, billed=DAYS + 1)
    put_refund(shop, DAYS + 2, 1900)
    put_piece(shop, "big", DAYS + 1, DAYS + 2, "published")
    put_piece(shop, "draft", DAYS - 20, DAYS + 2, "published")
    put_piece(shop, "waits", DAYS - 20, DAYS + 9, "scheduled")
    with shop.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE subscription SET ended_at = ?, canceled_at = ?, status = 'canceled'"
            " WHERE external_id = 'sub1'",
            (f"{moment(DAYS + 5):%Y-%m-%dT%H:%M:%SZ}", f"{moment(DAYS + 4):%Y-%m-%dT%H:%M:%SZ}"),
        )
    assert forecast(shop).to_json() == before


def test_known_renewals_are_paid_on_their_days(shop: Store) -> None:
    for number in range(20):
        put_member(shop, f"sub{number}", 10, billed=160)
    made = forecast(shop)
    (renewals,) = [part for part in made.parts if part.name == "renewals"]
    due = [at for at, minor in enumerate(renewals.points) if minor]
    assert [FIRST + timedelta(days=DAYS + at) for at in due] == [date(2026, 8, 14)]
    assert 15_000 < renewals.total <= 20_000


def test_who_asked_to_leave_pays_no_more_and_it_says_so(shop: Store) -> None:
    for number in range(10):
        put_member(shop, f"sub{number}", 10, billed=180, asked_to_leave=190)
    put_member(shop, "stays", 10, billed=180)
    made = forecast(shop)
    assert parts(made)["renewals"] < 1000
    assert any("10 that asked to leave" in sentence for sentence in made.assumptions)


def test_a_bill_in_arrears_may_still_be_paid(shop: Store) -> None:
    for number in range(10):
        put_member(shop, f"sub{number}", 10, amount=4000, interval="year", billed=195,
                   bill_status="open")  # fmt: skip
    made = forecast(shop)
    assert parts(made)["renewals"] == pytest.approx(20_000, rel=0.1)


def test_without_a_plan_no_launch_is_assumed_and_scheduled_ones_are_offered(shop: Store) -> None:
    put_piece(shop, "soon", 150, DAYS + 7, "scheduled")
    plain = forecast(shop, as_of=None, now=moment(DAYS, 9))
    assert "launches" not in parts(plain)
    assert any("No launch and no campaign is assumed. 1 scheduled" in s for s in plain.assumptions)
    assert "kpay forecast --plan scheduled" in plain.next_steps
    counted = forecast(shop, plan="scheduled")
    assert parts(counted)["launches"] > 0
    assert counted.plan is not None
    assert [(one.name, one.sized_by) for one in counted.plan] == [("soon", "a usual guess")]
    assert counted.total.mean > plain.total.mean


def test_a_plan_with_figures_is_taken_at_its_word(shop: Store, tmp_path: Path) -> None:
    plan = tmp_path / "launches.csv"
    day = LAST + timedelta(days=3)
    plan.write_text(f"date,name,reach,click,purchase,value\n{day},course,1000,10%,0.2,100.00\n")
    made = forecast(shop, plan=str(plan))
    assert parts(made)["launches"] == 200_000
    assert made.plan is not None
    assert (made.plan[0].mean_minor, made.plan[0].sized_by) == (200_000, "its own figures")
    plan.write_text(f"date,name\n{day},course\n{LAST - timedelta(days=90)},old\n")
    by_date = forecast(shop, plan=str(plan))
    assert 0 < parts(by_date)["launches"] < 200_000
    assert "1 date of the plan lies outside the days ahead." in by_date.assumptions


def test_ranges_of_a_plan_widen_the_forecast(shop: Store, tmp_path: Path) -> None:
    day = LAST + timedelta(days=3)
    head = "date,name,reach,click,purchase,value,reach_low,reach_high\n"
    widths = []
    for low, high in ((990, 1010), (200, 5000)):
        file = tmp_path / f"{low}.csv"
        file.write_text(f"{head}{day},course,1000,0.1,0.2,100,{low},{high}\n")
        bounds = forecast(shop, plan=str(file)).total.bounds[80]
        widths.append(bounds[1] - bounds[0])
    assert widths[1] > 1.5 * widths[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("date,name\n2026-13-01,x\n", "is not a day"),
        ("date,name,reach\n2026-08-01,x,100\n", "missing beside reach"),
        ("date,reach,click,purchase,value\n2026-08-01,100,2,.1,5\n", "a share from 0 to 1"),
        ("date,kind\n2026-08-01,party\n", "is not launch or campaign"),
        ("day,name\n2026-08-01,x\n", "unknown column 'day'"),
        ("date,name\n", "there is no launch in it"),
        (
            "date,reach,click,purchase,value,value_low\n2026-08-01,100,.2,.1,5,4\n",
            "needs value_low and value_high",
        ),
    ],
)
def test_wrong_lines_of_a_plan_are_listed(
    shop: Store, tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "plan.csv"
    file.write_text(text)
    with pytest.raises(InputInvalid) as caught:
        forecast(shop, plan=str(file))
    assert problem in str(caught.value.details)


def test_today_is_not_over_and_does_not_count(shop: Store) -> None:
    yesterday = LAST - timedelta(days=1)
    whole = forecast(shop, as_of=yesterday)
    partial = forecast(shop, as_of=LAST, now=moment(DAYS - 1, 15))
    assert partial.known_until == yesterday
    assert partial.total == whole.total
    assert "is not over" in partial.note


def test_other_currencies_count_at_a_known_rate_or_stand_apart(shop: Store) -> None:
    put_orders(shop, [(day, 1000) for day in range(DAYS)], currency="eur")
    apart = forecast(shop)
    assert any("EUR are not in it" in sentence for sentence in apart.warnings)
    with shop.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO exchange_rate (first_day, currency, base, rate)"
            " VALUES ('2026-01-01', 'eur', 'usd', '1.2')"
        )
    together = forecast(shop)
    assert together.warnings == ()
    assert together.total.mean - apart.total.mean == pytest.approx(30 * 1200, rel=0.15)
    assert any("EUR count at the rate" in sentence for sentence in together.assumptions)
    alone = forecast(shop, currency="eur")
    assert (alone.currency, alone.total.mean) == ("eur", pytest.approx(30_000, rel=0.05))


def test_days_are_those_of_the_zone(shop: Store) -> None:
    made = forecast(shop, zone="Asia/Kathmandu")
    assert made.steps_known == DAYS
    put_orders(shop, [(DAYS - 1, 1_000_000)], name="late")
    with shop.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE orders SET ordered_at = '2026-07-23T18:20:00Z' WHERE total_minor = 1000000"
        )
    ahead = LAST + timedelta(days=1)
    assert date(2026, 7, 23) == LAST
    kathmandu = forecast(shop, as_of=LAST, zone="Asia/Kathmandu")
    assert kathmandu.total == made.total
    assert forecast(shop, as_of=ahead, zone="Asia/Kathmandu").total != made.total


def test_under_28_days_it_warns_and_still_answers(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    put_orders(store, single_sales(15))
    put_member(store, "sub1", 3, amount=9000, billed=3)
    made = forecast(store, as_of=FIRST + timedelta(days=14))
    assert any("Only 15 days are known" in sentence for sentence in made.warnings)
    assert parts(made)["renewals"] > 5000
    low, high = made.total.bounds[80]
    assert high > 1.5 * low
    store.close()


def test_a_currency_without_sales_is_refused(shop: Store) -> None:
    with pytest.raises(Refused):
        forecast(shop, currency="gbp")


def test_the_same_forecast_twice_changes_nothing(shop: Store) -> None:
    forecast(shop)
    before = digest(shop)
    forecast(shop)
    assert digest(shop) == before
    assert rows(shop, "SELECT count(*) FROM forecast_run") == [(1,)]
