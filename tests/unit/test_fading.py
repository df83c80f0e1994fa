"""How sales fade, and how amounts are shared, by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpay.domain.allocation import allocated
from kpay.domain.fading import Pace, fading
from kpay.domain.reports.content_rows import Rate


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**13), min_size=1, max_size=9))
def test_parts_add_up_and_are_off_by_less_than_two_units(total: int, weights: list[int]) -> None:
    parts = allocated(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(
            abs(part * whole - total * weight) <= 1 * whole
            for part, weight in zip(parts, weights, strict=True)
        )


def test_an_order_of_nothing_goes_to_its_first_line() -> None:
    assert allocated(500, [0, 0]) == [500, 0]
    assert allocated(0, [3, 4]) == [0, 0]
    assert allocated(99, [1, 1, 1]) == [33, 33, 33]


def test_the_half_life_is_the_day_of_the_middle_order() -> None:
    at_once = fading([*[0] * 12, *range(20, 28)], 200, is_on_sale=True)
    assert (at_once.half_life_days, at_once.stretch_days) == (0, 180)
    steady = fading(range(0, 180, 2), 180, is_on_sale=True)
    assert steady.half_life_days == 88
    assert steady.half_life_low is not None
    assert steady.half_life_high is not None
    assert steady.half_life_low < 88 < steady.half_life_high


def test_too_young_or_too_few_has_no_half_life() -> None:
    assert fading(range(20), 27, is_on_sale=True).half_life_days is None
    assert fading(range(9), 200, is_on_sale=True).half_life_days is None
    assert fading(range(20), 28, is_on_sale=True).stretch_days == 28


@pytest.mark.parametrize(
    ("days", "age_days", "is_on_sale", "pace"),
    [
        ([], 400, True, Pace.NEVER),
        ([3], 30, True, Pace.NEW),
        ([3], 400, True, Pace.SILENT),
        ([*range(60), 380], 400, True, Pace.FADED),
        ([*range(60), *range(365, 400)], 400, True, Pace.SLOWING),
        ([*range(60), *range(340, 400)], 400, True, Pace.SELLING),
        ([1, 2, 399], 400, True, Pace.SELLING),
        ([3], 400, False, Pace.GONE),
    ],
)
def test_a_piece_is_called_faded_only_where_chance_would_not_do_it(
    days: list[int], age_days: int, is_on_sale: bool, pace: Pace
) -> None:
    assert fading(days, age_days, is_on_sale=is_on_sale).pace is pace


def test_a_rate_that_cannot_be_is_unknown() -> None:
    assert (Rate(3, 0).share, Rate(5, 4).share, Rate(5, 4).range) == (None, None, (None, None))
    assert Rate(30, 100).against(0.1, 1) == "more"
    assert Rate(14, 100).against(0.1, 1) == ""
    assert Rate(30, 100).against(0.5, 40) == "fewer"
    assert Rate(19, 100).against(0.1, 1) == "more"
    assert Rate(19, 100).against(0.1, 40) == ""
