"""Looks are planned, and all of them together err at most one time in twenty."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from kpay.domain.experiment import critical_value
from kpay.domain.looks import looks_so_far, next_look, planned_looks


def test_all_looks_together_spend_five_per_cent_and_never_more() -> None:
    many = list(islice(planned_looks(), 40))
    assert sum(look.error for look in many) == pytest.approx(0.05)
    assert [look.sends for look in many[:7]] == [5, 10, 20, 40, 80, 160, 320]
    assert all(0 < look.error < 0.05 for look in many)


@pytest.mark.parametrize(
    ("sends", "made", "coming"),
    [(0, [], 5), (4, [], 5), (5, [5], 10), (9, [5], 10), (40, [5, 10, 20, 40], 80)],
)
def test_a_look_comes_when_so_many_sends_are_finished(
    sends: int, made: list[int], coming: int
) -> None:
    assert [look.sends for look in looks_so_far(sends)] == made
    assert next_look(sends).sends == coming


def test_luck_alone_is_seldom_called_an_effect_at_any_look() -> None:
    luck = np.random.default_rng(4)
    sums = np.cumsum(luck.standard_normal((20_000, 80)), axis=1) / np.sqrt(np.arange(1, 81))
    called = np.zeros(len(sums), dtype=bool)
    for look in looks_so_far(80):
        called |= np.abs(sums[:, look.sends - 1]) > critical_value(look.level)
    daily = (np.abs(sums) > critical_value(0.95)).any(axis=1)
    assert 0.02 < called.mean() < 0.045
    assert daily.mean() > 0.3
