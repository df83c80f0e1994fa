"""Revenue as a product: exact, with ranges, and a change that splits without a rest."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from kpay.domain import funnel_windows as windows
from kpay.domain.experiment import critical_value, wilson
from kpay.domain.funnel import (
    CLICK,
    CONVERSION,
    FOUR,
    ORDER,
    PURCHASE,
    REACH,
    Factors,
    Steps,
    change_parts,
    together,
    worth_of,
)

TENTH = Fraction(1, 10)


def steps(reach: int, clicks: int | None, orders: int, each: int) -> Steps:
    return Steps(reach, clicks, orders, orders * each, squares=orders * float(each) ** 2)


@pytest.mark.parametrize(
    ("click", "purchase", "revenue"), [("0.1", "0.2", 200_000), ("0.2", "0.3", 600_000)]
)
def test_revenue_is_the_exact_product_of_its_factors(
    click: str, purchase: str, revenue: int
) -> None:
    factors = Factors.of(1000, Decimal(click), Decimal(purchase), 100_00)
    assert factors.revenue_minor == revenue


@pytest.mark.parametrize("name", ["reach", "click_share", "purchase_share", "order_minor"])
def test_a_tenth_more_of_one_factor_is_a_tenth_more_revenue(name: str) -> None:
    factors = Factors.of(1000, Decimal("0.1"), Decimal("0.2"), 100_00)
    assert factors.raised(**{name: TENTH}).revenue_minor == 220_000


def test_a_tenth_more_of_all_four_is_46_41_percent_more() -> None:
    factors = Factors.of(1000, Decimal("0.1"), Decimal("0.2"), 100_00)
    raised = factors.raised(reach=TENTH, click_share=TENTH, purchase_share=TENTH, order_minor=TENTH)
    assert raised.revenue_minor / factors.revenue_minor == Fraction("1.4641")
    assert raised.revenue_minor == 292_820


def test_counted_steps_multiply_to_what_was_paid() -> None:
    counted = Steps(1013, 97, 13, 123_457, squares=1.2e9)
    product = Fraction(1)
    for name in FOUR:
        factor = counted.factor(name)
        assert factor is not None
        product *= factor
    assert product == 123_457


def test_rates_have_wilsons_interval() -> None:
    counted = steps(1000, 100, 20, 10_000)
    found = counted.interval(CLICK)
    assert found is not None
    assert (found.low, found.high) == wilson(100, 1000, critical_value(0.95))
    assert found.low == pytest.approx(0.0829, abs=1e-4)
    assert found.high == pytest.approx(0.1202, abs=1e-4)


def test_what_is_not_known_or_not_defined_is_none_and_never_zero() -> None:
    assert Steps().factor(REACH) is None
    assert Steps(0, 0, 0, 0).factor(CLICK) is None
    assert Steps(10, 0, 0, 0).factor(PURCHASE) is None
    assert Steps(10, 5, 0, 0).factor(ORDER) is None
    assert Steps(10, 5, 0, 0).revenue() is None
    assert Steps(10, 5, 2, 200, refused={CLICK: "other days"}).factor(CLICK) is None
    assert worth_of(Steps(10, 5, 0, 0), (REACH,), TENTH) is None


def test_a_tenth_more_is_worth_a_tenth_of_revenue_with_a_range_and_all_four_46_41_percent() -> None:
    counted = steps(1000, 100, 20, 10_000)
    revenue = counted.revenue()
    each = worth_of(counted, (CLICK,), TENTH)
    everything = worth_of(counted, FOUR, TENTH)
    assert revenue is not None
    assert each is not None
    assert everything is not None
    assert revenue.low < revenue.estimate == 200_000 < revenue.high
    assert round(each.estimate) == 20_000
    assert each.low == pytest.approx(revenue.low / 10)
    assert round(everything.estimate) == 92_820


def test_no_rate_is_raised_above_one() -> None:
    assert worth_of(steps(100, 95, 20, 1000), (CLICK,), TENTH) is None
    assert worth_of(steps(100, 95, 20, 1000), (PURCHASE,), TENTH) is not None


def test_without_clicks_orders_a_contact_stand_for_both_rates() -> None:
    counted = steps(1000, None, 20, 10_000)
    assert counted.known_factors() == (REACH, CONVERSION, ORDER)
    assert counted.factor(CONVERSION) == Fraction(1, 50)
    assert worth_of(counted, (CONVERSION,), TENTH) is not None


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (steps(1000, 100, 20, 10_000), steps(1000, 200, 60, 10_000)),
        (steps(913, 77, 5, 1999), steps(411, 76, 11, 2501)),
        (steps(1000, 100, 20, 10_000), steps(2000, 100, 20, 10_000)),
        (steps(1000, 100, 20, 10_000), steps(500, 100, 20, 10_000)),
    ],
)
def test_the_factors_parts_sum_to_the_change_exactly(before: Steps, now: Steps) -> None:
    parts = change_parts(before, now)
    assert parts is not None
    assert sum(parts.values()) == (now.paid_minor or 0) - (before.paid_minor or 0)


def test_a_change_belongs_to_the_factor_that_changed() -> None:
    parts = change_parts(steps(1000, 100, 20, 10_000), steps(1000, 100, 20, 12_000))
    assert parts == {REACH: 0, CLICK: 0, PURCHASE: 0, ORDER: 40_000}
    # equal revenue: what one factor gave another took
    offset = change_parts(steps(1000, 100, 20, 10_000), steps(2000, 200, 20, 10_000))
    assert offset is not None
    assert offset[REACH] == -offset[PURCHASE] > 0


def test_a_change_is_not_split_where_a_factor_is_missing() -> None:
    assert change_parts(Steps(10, 5, 0, 0), steps(10, 5, 2, 100)) is None
    mixed = change_parts(steps(1000, None, 20, 10_000), steps(1000, 100, 40, 10_000))
    assert mixed == {REACH: 0, CONVERSION: 200_000, ORDER: 0}


def test_adding_up_does_not_invent_what_one_part_does_not_know() -> None:
    both = together([steps(1000, 100, 20, 10_000), steps(50, None, 3, 10_000)])
    assert (both.reach, both.clicks, both.orders) == (1050, None, 23)


def counts(first: date, number: int, each: int) -> dict[date, int]:
    return {first + timedelta(days=place): each for place in range(number)}


FIRST = date(2026, 9, 1)


def test_steps_counted_on_different_days_are_refused_and_chance_gaps_are_not() -> None:
    visits = counts(FIRST, 30, 100)
    whole = counts(FIRST, 30, 6)
    assert windows.click_problem(visits, whole) is None
    half = counts(FIRST + timedelta(days=15), 15, 6)
    problem = windows.click_problem(visits, half)
    assert problem is not None
    assert "2026-09-16" in problem
    few = {FIRST + timedelta(days=7): 1, FIRST + timedelta(days=20): 1}
    assert windows.click_problem(counts(FIRST, 30, 2), few) is None


def test_clicks_on_days_without_visits_are_no_part_of_them() -> None:
    assert windows.click_problem(counts(FIRST, 10, 50), counts(FIRST, 12, 3)) is not None
    assert windows.click_problem(counts(FIRST, 5, 2), counts(FIRST, 5, 3)) is not None


def test_orders_of_days_without_traffic_make_no_rate() -> None:
    days = [FIRST + timedelta(days=place) for place in range(30)]
    assert windows.days_problem(counts(FIRST, 30, 40), days) is None
    problem = windows.days_problem(counts(FIRST, 20, 40), days)
    assert problem is not None
    assert "20 of 30 days" in problem
    assert windows.days_problem({days[3]: 1, days[17]: 1}, days) is None
    assert windows.longest_run(counts(FIRST, 20, 40), days) == (FIRST, date(2026, 9, 20))


def test_sums_of_weeks_and_months_stand_for_all_their_days() -> None:
    mondays = [date(2026, 8, 31) + timedelta(days=7 * week) for week in range(5)]
    firsts = [date(2026, month, 3) for month in range(6, 10)]
    assert windows.spacing_days(mondays) == 7
    assert windows.spacing_days(firsts) == 31
    assert windows.spacing_days([FIRST, FIRST + timedelta(days=1)]) == 1
    assert windows.spacing_days([FIRST]) == windows.spacing_days([]) == 1
    days = [FIRST + timedelta(days=place) for place in range(30)]
    weekly = dict.fromkeys(mondays, 700)
    assert windows.days_problem(weekly, days, 7) is None
    assert windows.days_problem(dict(list(weekly.items())[:3]), days, 7) is not None
    assert windows.days_problem({date(2026, 9, 3): 3000}, days, 31) is None
