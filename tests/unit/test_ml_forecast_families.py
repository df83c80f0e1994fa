"""Made-up businesses of several kinds: the forecast must be at home in all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from kpay.ml.forecasting import paths
from kpay.ml.forecasting.outlook import outlook

WEEK = np.array([1.0, 0.8, 0.8, 0.9, 1.2, 1.8, 1.5])
Level = Callable[[np.ndarray, np.random.Generator], np.ndarray]
HORIZON = 30
SHOPS = 8

FAMILIES: dict[str, tuple[int, Level]] = {
    "even": (300, lambda day, _: np.full(len(day), 8.0)),
    "growing": (300, lambda day, _: 4 * np.exp(day / 250)),
    "shrinking": (300, lambda day, _: 16 * np.exp(-day / 250)),
    "wandering": (400, lambda day, noise: 8 * np.exp(np.cumsum(noise.normal(0, 0.03, len(day))))),
    "shifted": (300, lambda day, _: np.where(day < 200, 6.0, 14.0)),
    "short": (60, lambda day, _: np.full(len(day), 5.0)),
    "rare": (300, lambda day, _: np.full(len(day), 0.15)),
    "launches": (
        330,
        lambda day, noise: 4 + 30 * 0.6 ** ((day + noise.integers(60)) % 55),
    ),
}


def shop(family: str, seed: int) -> np.ndarray:
    known, level = FAMILIES[family]
    noise = np.random.default_rng(seed)
    day = np.arange(known + HORIZON)
    return noise.poisson(level(day, noise) * np.resize(WEEK, len(day))) * 1_900.0


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_of_shop_is_forecast_better_than_by_its_last_week(family: str) -> None:
    missed, naive = 0.0, 0.0
    for seed in range(SHOPS):
        days = shop(family, seed)
        past, came = days[:-HORIZON], days[-HORIZON:]
        missed += ((outlook(past, HORIZON, 7).mean - came) ** 2).sum()
        naive += ((np.resize(past[-7:], HORIZON) - came) ** 2).sum()
    assert missed < 0.75 * naive


def test_a_shop_that_rarely_sells_is_never_told_that_it_will_sell_nothing() -> None:
    for seed in range(SHOPS):
        days = shop("rare", seed)
        found = outlook(days[:-HORIZON], HORIZON, 7)
        assert found.model == "combination"
        assert found.mean.sum() == pytest.approx(0.15 * HORIZON * 1_900 * WEEK.mean(), rel=0.6)


@pytest.mark.parametrize("family", ["even", "wandering", "rare", "launches", "short"])
def test_ranges_of_every_kind_of_shop_hold_about_what_they_promise(family: str) -> None:
    steps, totals = [], []
    for seed in range(SHOPS + 4):
        days = shop(family, 100 + seed)
        came = days[-HORIZON:]
        draws = outlook(days[:-HORIZON], HORIZON, 7).draws
        low, high = paths.bounds(draws, 80)
        steps.append(np.mean((came >= low) & (came <= high)))
        low, high = paths.bounds(draws.sum(axis=1), 95)
        totals.append(low <= came.sum() <= high)
    assert 0.7 < np.mean(steps) < 0.95
    assert np.mean(totals) >= 0.85


def test_a_yearly_season_is_seen_from_two_years_of_days_and_costs_little_where_there_is_none() -> (
    None
):
    def missed(swing: float, days: int) -> float:
        errors = []
        for seed in range(5):
            noise = np.random.default_rng(seed)
            day = np.arange(days + 60)
            level = 8 * (1 + swing * np.sin(2 * np.pi * (day + 60 * seed) / 365))
            came = noise.poisson(level * np.resize(WEEK, len(day))) * 1_900.0
            expected = outlook(came[:-60], 60, 7).mean.sum()
            errors.append(abs(expected - came[-60:].sum()) / came[-60:].sum())
        return float(np.mean(errors))

    assert missed(0.6, 760) < 0.65 * missed(0.6, 400)
    assert missed(0.0, 760) < 0.06


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e6, 1e9])
def test_a_series_in_other_units_gets_the_same_forecast_in_these_units(scale: float) -> None:
    days = shop("wandering", 3)
    plain, scaled = outlook(days, HORIZON, 7), outlook(days * scale, HORIZON, 7)
    assert scaled.mean == pytest.approx(plain.mean * scale, rel=1e-6)
    assert scaled.draws == pytest.approx(plain.draws * scale, rel=1e-6)


def test_ranges_from_zero_leave_most_of_the_idle_tail_to_what_is_above() -> None:
    draws = np.concatenate([np.zeros(500), np.arange(1.0, 501.0)])
    low, high = paths.bounds(draws, 80)
    assert low == 0.0
    assert np.mean(draws <= high) == pytest.approx(0.85, abs=0.005)
    low, high = paths.bounds(draws + 1, 80)
    assert np.mean((draws + 1 >= low) & (draws + 1 <= high)) == pytest.approx(0.9, abs=0.005)


def test_ranges_that_begin_below_zero_have_equal_tails() -> None:
    low, high = paths.bounds(np.arange(-500.0, 500.0), 80)
    assert (low, high) == pytest.approx(tuple(np.quantile(np.arange(-500.0, 500.0), [0.1, 0.9])))
