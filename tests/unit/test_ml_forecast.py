from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit

from kpay.ml.forecasting import outlook as forecast
from kpay.ml.forecasting import paths, seasons

WEEK = np.array([1.0, 0.8, 0.8, 0.9, 1.2, 1.8, 1.5])


def shop_days(days: int, seed: int, level: float = 20_000.0) -> np.ndarray:
    """Simulate daily takings in minor units: orders of 1,900 on a weekday pattern."""
    generator = np.random.default_rng(seed)
    return generator.poisson(level / 1_900 * np.resize(WEEK, days)) * 1_900.0


def test_a_weekday_pattern_is_found_and_beats_the_seasonal_naive() -> None:
    found = forecast.outlook(shop_days(400, 1), 28, 7)
    assert found.model == "combination"
    assert found.backtest.mase < 0.9 * found.backtest.baseline_mase
    truth = 20_000 * np.resize(WEEK, 428)[400:]
    assert found.mean == pytest.approx(truth, rel=0.25)
    assert found.mean.sum() == pytest.approx(truth.sum(), rel=0.1)


def test_ranges_hold_what_they_promise_on_simulated_shops() -> None:
    inside = {80: [], 95: [], "total80": [], "total95": []}
    for seed in range(40):
        days = shop_days(230, seed, level=2_000.0 * (1 + seed))
        found = forecast.outlook(days[:200], 30, 7, seed=seed)
        for level in (80, 95):
            share = [0.5 - level / 200, 0.5 + level / 200]
            low, high = np.quantile(found.draws, share, axis=0)
            inside[level].append(np.mean((days[200:] >= low) & (days[200:] <= high)))
            low, high = np.quantile(found.draws.sum(axis=1), share)
            inside[f"total{level}"].append(low <= days[200:].sum() <= high)
    assert 0.72 < np.mean(inside[80]) < 0.93
    assert 0.9 < np.mean(inside[95]) <= 1.0
    assert np.mean(inside["total80"]) > 0.72
    assert np.mean(inside["total95"]) > 0.9


def test_the_backtest_reports_the_coverage_that_it_reached() -> None:
    found = forecast.outlook(shop_days(300, 5), 30, 7).backtest
    assert found.folds == 12
    assert 0.6 < found.coverage80 < found.coverage95 <= 1.0
    assert found.total_error < 0.2
    assert found.total_error < found.baseline_total_error


def test_a_series_that_only_repeats_itself_is_left_to_the_seasonal_naive() -> None:
    generator = np.random.default_rng(2)
    block = generator.integers(0, 5, 7) ** 4 * 100.0
    days = np.concatenate([np.tile(block, 12), np.tile(np.roll(block, 3) * 9, 3)])
    found = forecast.outlook(days, 7, 7)
    assert found.model == "seasonal_naive"
    assert found.mean == pytest.approx(days[-7:])
    assert found.backtest.mase == found.backtest.baseline_mase


def test_the_point_alone_is_the_mean_of_the_outlook() -> None:
    for days in (shop_days(150, 4), shop_days(20, 4), np.tile([0.0, 9.0, 1.0, 0, 0, 0, 4], 20)):
        assert np.array_equal(forecast.point(days, 30, 7), forecast.outlook(days, 30, 7).mean)


def test_growth_of_months_is_carried_on() -> None:
    months = 1_000 * 1.02 ** np.arange(72) * np.resize(np.linspace(0.8, 1.2, 12), 72)
    truth = 1_000 * 1.02 ** np.arange(72, 84) * np.resize(np.linspace(0.8, 1.2, 12), 12)
    ahead = forecast.outlook(months, 12, 12).mean
    assert ahead == pytest.approx(truth, rel=0.2)
    assert (ahead > months[-12:]).all()


def test_months_of_less_than_three_years_go_without_a_season_and_keep_their_growth() -> None:
    found = forecast.outlook(np.arange(110.0, 140.0), 3, 12)
    assert found.model != "mean"
    assert (found.mean > 125).all()


def test_a_short_history_gets_its_mean_and_a_wide_range() -> None:
    found = forecast.outlook(np.array([100.0, 300.0]), 30, 7)
    assert found.model == "mean"
    assert found.mean.tolist() == [200.0] * 30
    assert found.backtest == forecast.NO_BACKTEST
    assert forecast.outlook(np.array([3.0]), 30, 7).why.startswith("1 value is too few")
    low, high = np.quantile(found.draws.sum(axis=1), [0.1, 0.9])
    assert low < 0.5 * 6_000
    assert high > 2 * 6_000


def test_a_past_no_longer_than_the_horizon_holds_its_level_for_unsure() -> None:
    days = np.random.default_rng(4).poisson(20, 800).astype(float)
    short, long = (forecast.outlook(days[-known:], 90, 7) for known in (90, 800))
    widths = [np.ptp(np.log(np.quantile(f.draws.sum(axis=1), [0.1, 0.9]))) for f in (short, long)]
    assert widths[0] > 2 * widths[1]


def test_where_sales_are_rare_a_month_without_one_is_possible() -> None:
    days = np.zeros(400)
    days[[20, 75, 110, 170, 205, 260, 290, 330, 372]] = 50.0
    totals = forecast.outlook(days, 30, 7).draws.sum(axis=1)
    assert 0.1 < (totals == 0).mean() < 0.8


def test_a_quiet_week_is_not_taken_for_the_end() -> None:
    days = np.zeros(1100)
    days[550] = 1000.0
    found = forecast.outlook(days, 90, 7)
    assert found.model == "combination"
    assert found.draws.sum() > 0


@pytest.mark.parametrize(
    "values",
    [
        [],
        [5.0],
        [0.0] * 400,
        [7.0] * 400,
        [0.0] * 399 + [9e13],
        [9e13] + [0.0] * 399,
        [9e13] * 60,
        ([0.0] * 29 + [100.0]) * 8,
        [0.0, 1.0] * 30,
    ],
)
@pytest.mark.parametrize("season", [1, 7, 12])
def test_no_series_gives_anything_but_finite_values_from_zero_up(
    values: list[float], season: int
) -> None:
    found = forecast.outlook(np.array(values), 40, season)
    for numbers in (found.mean, found.draws):
        assert np.isfinite(numbers).all()
        assert (numbers >= 0).all()
    if not any(values):
        assert not found.mean.any()
        assert not found.draws.any()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 10**12), min_size=0, max_size=90),
    st.integers(1, 45),
    st.sampled_from([1, 7]),
)
def test_days_weeks_and_total_agree_to_the_unit(values: list[int], steps: int, season: int) -> None:
    found = forecast.outlook(np.array(values, dtype=float), steps, season)
    days = [[at] for at in range(steps)]
    weeks = [list(range(at, min(at + 7, steps))) for at in range(0, steps, 7)]
    by_day = forecast.ranges(found.mean, found.draws, days, [80, 95])
    by_week = forecast.ranges(found.mean, found.draws, weeks, [80, 95])
    (total,) = forecast.ranges(found.mean, found.draws, [list(range(steps))], [80, 95])
    assert sum(day.mean for day in by_day) == sum(week.mean for week in by_week) == total.mean
    for part in (*by_day, *by_week, total):
        low80, high80 = part.bounds[80]
        low95, high95 = part.bounds[95]
        assert 0 <= low95 <= low80 <= part.mean <= high80 <= high95


def test_the_heavy_quantiles_are_those_of_students_t() -> None:
    shares = np.array([0.0005, 0.025, 0.1, 0.5, 0.8, 0.9995])
    assert paths.heavy_quantile(shares) == pytest.approx(stdtrit(4, shares), abs=1e-7)


def test_the_same_seed_gives_the_same_paths_and_another_seed_others() -> None:
    days = shop_days(120, 3)
    first, again = (forecast.outlook(days, 14, 7, seed=4).draws for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, forecast.outlook(days, 14, 7, seed=5).draws)


def test_season_indices_do_not_take_growth_for_a_season() -> None:
    growing = 100.0 * 1.03 ** np.arange(60)
    assert seasons.season_indices(growing, 12) == pytest.approx(np.ones(12), abs=0.02)
