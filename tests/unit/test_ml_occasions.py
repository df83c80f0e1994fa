from __future__ import annotations

import numpy as np
import pytest

from kpay.ml.forecasting import occasions
from kpay.ml.forecasting import outlook as forecast

WEEK = np.array([3.0, 1, 1, 1, 2, 5, 4])


def test_a_rare_spike_is_told_as_the_weekdays_before_it() -> None:
    values = np.tile(WEEK, 30)
    spiked = values.copy()
    spiked[-14:] *= 4
    mask = occasions.touched(len(values), [len(values) - 14], 14)
    assert mask.sum() == 14
    assert occasions.as_usual(spiked, mask, 7) == pytest.approx(values)
    untold = forecast.outlook(spiked, 14, 7).mean.sum()
    told = forecast.outlook(occasions.as_usual(spiked, mask, 7), 14, 7).mean.sum()
    assert told == pytest.approx(2 * WEEK.sum(), rel=0.02)
    assert untold > 1.2 * told


def test_what_happens_all_the_time_is_usual() -> None:
    assert not occasions.touched(180, list(range(0, 180, 30)), 14).any()
    assert occasions.touched(180, [20, 100], 14).sum() == 28


def test_a_first_week_without_a_past_stays_as_it_is() -> None:
    values = np.array([9.0, 8, 7, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    mask = occasions.touched(len(values), [0], 3)
    assert occasions.as_usual(values, mask, 7).tolist() == values.tolist()


def test_starts_outside_the_known_days_touch_what_they_reach() -> None:
    assert occasions.touched(60, [-3, 57, 90], 7).nonzero()[0].tolist() == [0, 1, 2, 3, 57, 58, 59]
    assert occasions.touched(0, [1], 7).tolist() == []
