from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpay.ml.forecasting import members, paths, rolling
from kpay.ml.forecasting.outlook import outlook

SALES = st.one_of(st.integers(0, 10**9), st.just(0))
SERIES = st.lists(SALES, min_size=40, max_size=120)
SEASONS = st.sampled_from([1, 7, 12])


@settings(max_examples=20, deadline=None)
@given(SERIES, SEASONS, st.integers(1, 20))
def test_a_forecast_made_at_an_origin_sees_nothing_that_came_later(
    values: list[int], season: int, steps: int
) -> None:
    series = np.array(values, dtype=float)
    origin = max(3 * season, len(series) // 2)
    if origin >= len(series):
        return
    together = members.every_member(series, [len(series), origin], steps, season)[1]
    alone = members.every_member(series[:origin], [origin], steps, season)[0]
    scale = max(float(series.max()), 1.0)
    assert together / scale == pytest.approx(alone / scale, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(SERIES, SEASONS, st.integers(1, 20))
def test_a_wider_level_holds_the_narrower_one(values: list[int], season: int, steps: int) -> None:
    draws = outlook(np.array(values, dtype=float), steps, season).draws
    for drawn in (draws, draws.sum(axis=1)):
        ends = [paths.bounds(drawn, level) for level in (50, 76, 80, 85, 95)]
        for (low, high), (lower, higher) in pairwise(ends):
            assert (lower <= low * (1 + 1e-12)).all()
            assert (low <= high * (1 + 1e-12)).all()
            assert (high <= higher * (1 + 1e-12)).all()


@settings(max_examples=20, deadline=None)
@given(SERIES, SEASONS, st.integers(1, 20))
def test_weights_add_up_to_one_and_the_fold_is_over_before_the_next_uses_it(
    values: list[int], season: int, steps: int
) -> None:
    series = np.array(values, dtype=float)
    if len(series) < 3 * season + 12:
        return
    _, known = rolling.forecasts_and_folds(series, steps, season)
    assert rolling.member_weights(known, season).sum() == pytest.approx(1.0)
    for fold in known:
        assert np.array_equal(fold.past, series[: fold.origin])
        assert np.array_equal(fold.actual, series[fold.origin : fold.end])
        assert fold.end <= len(series)
