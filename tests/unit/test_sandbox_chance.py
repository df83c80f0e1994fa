"""Luck belongs to a person, a purpose and a day, and to nothing else."""

from __future__ import annotations

import numpy as np

from kpay.sandbox.chance import Chance, name_key

PERSONS = np.array([3, 17, 99])


def test_the_same_seed_draws_the_same_luck() -> None:
    one, two = Chance(7, 200), Chance(7, 200)
    assert np.array_equal(one.everyone("buy", 12), two.everyone("buy", 12))
    assert np.array_equal(one.some("leave", 12, PERSONS), two.some("leave", 12, PERSONS))
    assert one.one("fraud", 12) == two.one("fraud", 12)


def test_seed_purpose_and_day_each_change_the_luck() -> None:
    luck = Chance(7, 200)
    draws = [luck.everyone("buy", 12), luck.everyone("buy", 13), luck.everyone("visit", 12)]
    draws.append(Chance(8, 200).everyone("buy", 12))
    assert len({draw.tobytes() for draw in draws}) == 4


def test_asking_for_others_or_in_another_order_changes_nobodys_luck() -> None:
    luck = Chance(7, 200)
    alone = luck.some("leave", 5, np.array([17]))
    luck.everyone("buy", 5)
    assert luck.some("leave", 5, PERSONS)[1] == alone[0]


def test_a_new_piece_leaves_the_draws_of_all_others_as_they_were() -> None:
    luck = Chance(7, 200)
    keys = [name_key("a"), name_key("b")]
    before = luck.race("pick", 5, PERSONS, keys)
    after = luck.race("pick", 5, PERSONS, [*keys, name_key("c")])
    assert np.array_equal(before, after[:, :2])


def test_the_cheap_draws_are_uniform_and_independent_between_days() -> None:
    luck, everyone = Chance(1, 20_000), np.arange(20_000)
    today, tomorrow = luck.some("x", 1, everyone), luck.some("x", 2, everyone)
    counts, _ = np.histogram(today, bins=20, range=(0, 1))
    chi_square = float(((counts - 1000) ** 2 / 1000).sum())
    assert chi_square < 43.8  # 99.9 % of chi-square with 19 degrees of freedom
    assert abs(np.corrcoef(today, tomorrow)[0, 1]) < 0.03
