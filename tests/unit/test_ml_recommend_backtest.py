"""The backtest of recommendations: it sees no future, and proves only what is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpay.ml import recommend_windows
from kpay.ml.recommend import BY_SALES, POPULARITY_ONLY, Mix, usual_mix
from kpay.ml.recommend_backtest import MIXES, backtest, chosen
from kpay.ml.recommend_shelf import Catalogue, Owned
from kpay.ml.recommend_windows import RIVALS, Window, horizon, ranked, window_at, windows

DAYS = 400


def shop(
    seed: int, *, people: int = 300, size: int = 24, groups: int = 4, bias: float = 12.0
) -> tuple[Catalogue, Owned]:
    """Everybody buys now and then, `bias` times as gladly what is of their own group."""
    generator = np.random.default_rng(seed)
    taste = generator.integers(groups, size=people)
    liking = np.where(np.arange(size) % groups == taste[:, None], bias, 1.0)
    first = np.full((people, size), -1.0)
    for day in range(DAYS, 0, -4):
        who = np.flatnonzero(generator.random(people) < 0.05)
        for person in who:
            item = generator.choice(size, p=liking[person] / liking[person].sum())
            if first[person, item] < 0:
                first[person, item] = day
    customer, content = np.nonzero(first >= 0)
    names = tuple(f"p{at}" for at in range(size))
    catalogue = Catalogue(names, names, ("",) * size, ((),) * size, np.ones(size, dtype=bool))
    return catalogue, Owned(customer, content, first[customer, content])


def test_a_shop_with_tastes_is_proven_and_every_rival_is_in_the_table() -> None:
    found = backtest(*shop(1))
    assert found.is_proven
    assert found.mix.is_proven
    assert found.gain > 3 * found.gain_se > 0
    quality = {one.name: one for one in found.qualities}
    assert set(quality) == {*RIVALS, "kpay"}
    assert quality["kpay"].ndcg > 1.3 * quality["popularity"].ndcg
    assert quality["kpay"].coverage > quality["popularity"].coverage
    assert all(0 <= one.recall <= 1 and 0 <= one.coverage <= 1 for one in found.qualities)


def test_where_chance_alone_rules_nothing_is_proven() -> None:
    found = [backtest(*shop(seed, bias=1.0)) for seed in range(4)]
    assert sum(one.is_proven for one in found) <= 1
    assert all(one.is_proven or one.mix == POPULARITY_ONLY for one in found)


def test_a_handful_of_buyers_proves_nothing() -> None:
    found = backtest(*shop(3, people=12))
    assert not found.is_proven
    assert found.mix == POPULARITY_ONLY


def test_no_buyers_and_no_pieces_are_no_trouble() -> None:
    none = np.zeros(0, dtype=np.int64)
    catalogue, _ = shop(1, people=2)
    assert backtest(catalogue, Owned(none, none, np.zeros(0))).people == 0


def test_what_comes_after_the_cutoff_changes_nothing_of_what_was_known() -> None:
    catalogue, owned = shop(2)
    early, late = owned.known_days > 100, owned.known_days <= 10
    moved = Owned(
        owned.customer,
        np.where(late, (owned.content + 5) % len(catalogue), owned.content),
        owned.age_days,
    )
    before = window_at(catalogue, owned, 100, 90)
    after = window_at(catalogue, moved, 100, 90)
    assert before is not None
    assert after is not None
    assert early.any()
    assert late.any()
    assert np.array_equal(before.customer, after.customer)
    assert np.array_equal(before.parts.ease, after.parts.ease)
    assert np.array_equal(before.wanted, after.wanted)


def test_a_piece_that_came_out_after_the_cutoff_was_not_there_before_it() -> None:
    catalogue, owned = shop(2)
    shown = np.full(len(catalogue), 390.0)
    shown[5] = 99.0
    window = window_at(
        replace(catalogue, shown_days=shown), owned.where(owned.content != 5), 100, 90
    )
    assert window is not None
    assert window.parts.allowed[:, 6].any()
    assert not window.parts.allowed[:, 5].any()


def test_what_is_got_again_after_the_cutoff_is_no_newer_before_it() -> None:
    catalogue, owned = shop(2)
    again = replace(owned, age_days=np.minimum(owned.age_days, 3.0), first_days=owned.age_days)
    before, after = window_at(catalogue, owned, 100, 90), window_at(catalogue, again, 100, 90)
    assert before is not None
    assert after is not None
    assert np.array_equal(before.parts.ease, after.parts.ease)


def test_ndcg_and_recall_are_those_of_the_formulas() -> None:
    catalogue, owned = shop(1, people=60)
    window = window_at(catalogue, owned, 100, 90)
    assert window is not None
    allowed = np.ones((1, 24), dtype=bool)
    wanted = np.zeros((1, 24), dtype=bool)
    wanted[0, [1, 20]] = True
    parts = replace(window.parts, allowed=allowed)
    score = -np.arange(24, dtype=float)[None]
    found = ranked(score, Window(0, 1.0, np.array([0]), parts, wanted, {}))
    assert found.ndcg[0] == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))
    assert found.recall[0] == 0.5
    assert found.shown.tolist() == list(range(10))


def test_another_mix_is_taken_only_when_it_is_clearly_better_at_every_time() -> None:
    usual, other = MIXES.index(BY_SALES), 7
    even = np.full((len(MIXES), 100), 0.3)
    better, one_season = even.copy(), even.copy()
    better[other] += np.linspace(0.04, 0.06, 100)
    one_season[other] += 0.2
    assert usual != other
    assert chosen(BY_SALES, [better, better]) == MIXES[other]
    assert chosen(BY_SALES, [one_season, even, even]) == BY_SALES
    assert chosen(BY_SALES, []) == BY_SALES


def test_the_usual_mixes_are_among_those_tried() -> None:
    catalogue, _ = shop(1, people=2)
    described = replace(catalogue, tags=(("a",),) * 24)
    assert {usual_mix(catalogue), usual_mix(described)} <= set(MIXES)
    assert usual_mix(described).kindred > 0 == usual_mix(catalogue).kindred


def test_the_horizon_leaves_room_for_four_cutoffs() -> None:
    none = np.zeros(1, dtype=np.int64)
    assert [horizon(Owned(none, none, np.array([days]))) for days in (20.0, 200.0, 2000.0)] == [
        14, 40, 90,
    ]  # fmt: skip


def test_a_big_shop_is_tried_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommend_windows, "MOST_ITEMS", 10)
    monkeypatch.setattr(recommend_windows, "MOST_PEOPLE", 50)
    cuts = list(windows(*shop(4), 60))
    assert cuts
    assert all(cut.parts.ease.shape[1] == 10 for cut in cuts)
    assert len(np.unique(np.concatenate([cut.customer for cut in cuts]))) <= 50


def test_the_same_shop_gives_the_same_backtest() -> None:
    assert backtest(*shop(5)) == backtest(*shop(5))
    assert isinstance(backtest(*shop(5)).mix, Mix)
