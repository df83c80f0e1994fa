"""Intervals of a campaign: published values, edges, and honest coverage on simulated arms."""

from __future__ import annotations

import random

import pytest

from kpay.domain.experiment import (
    Arm,
    critical_value,
    effect,
    wilson,
)

PRICES = (900, 1900, 2900, 4900, 9900)
WEIGHTS = (35, 30, 20, 10, 5)


def arm(people: int, buyers: int) -> Arm:
    return Arm(people, (1000,) * buyers)


def test_wilson_agrees_with_newcombes_table() -> None:
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3: 81 of 263 and 1 of 29.
    z = critical_value(0.95)
    assert wilson(81, 263, z) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(1, 29, z) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert wilson(0, 20, z)[0] == 0.0


def test_the_difference_agrees_with_newcombes_table() -> None:
    # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10: 56/70 - 48/80 and 9/10 - 3/10.
    found = effect(arm(70, 56), arm(80, 48)).buyers
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    found = effect(arm(10, 9), arm(10, 3)).buyers
    assert found is not None
    assert (found.low, found.high) == pytest.approx((0.1705, 0.8090), abs=5e-5)


def test_nothing_is_claimed_without_a_holdout_or_without_orders() -> None:
    assert effect(arm(100, 5), Arm(0)).buyers is None
    assert effect(arm(100, 5), Arm(0)).revenue is None
    silent = effect(Arm(100), Arm(10))
    assert silent.revenue is None
    assert silent.buyers is not None
    assert silent.buyers.estimate == 0


def test_one_lucky_buyer_proves_nothing() -> None:
    found = effect(Arm(900, (9900,)), Arm(100))
    assert found.revenue is not None
    assert found.buyers is not None
    assert found.revenue.low < 0 < found.revenue.high
    assert found.buyers.low < 0 < found.buyers.high


def test_a_higher_level_is_a_wider_range_round_the_same_estimate() -> None:
    narrow, wide = (effect(arm(900, 40), arm(100, 2), level) for level in (0.95, 0.999))
    assert narrow.revenue is not None
    assert wide.revenue is not None
    assert wide.revenue.low < narrow.revenue.low < narrow.revenue.high < wide.revenue.high
    assert wide.revenue.estimate == narrow.revenue.estimate


@pytest.mark.parametrize(
    ("share", "worth", "lift"), [(0.1, 1, 1.33), (0.2, 2, 1.33), (0.2, 1, 1.0)]
)
def test_the_interval_covers_the_truth_nineteen_times_of_twenty(
    share: float, worth: int, lift: float
) -> None:
    luck, runs, covered, shown = random.Random(11), 600, 0, 0
    for _ in range(runs):
        people, base = 1500, 0.022
        held = round(share * people)
        extra = base * (lift - 1)
        usual = _orders(luck, people - held, base)
        caused = tuple(amount * worth for amount in _orders(luck, people - held, extra))
        found = effect(Arm(people - held, usual + caused), Arm(held, _orders(luck, held, base)))
        assert found.revenue is not None
        assert found.buyers is not None
        covered += found.revenue.low <= sum(caused) <= found.revenue.high
        shown += found.buyers.low > 0
    assert covered / runs >= 0.93
    if lift == 1.0:
        assert shown / runs <= 0.035


def _orders(luck: random.Random, people: int, share: float) -> tuple[int, ...]:
    buyers = sum(luck.random() < share for _ in range(people))
    return tuple(luck.choices(PRICES, WEIGHTS, k=buyers))
