"""Whom a mail moves: the coefficient by hand, ties, honest intervals, and a learner that finds them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kpay.ml import logistic, qini, uplift
from kpay.ml.frames import Floats
from kpay.ml.qini import Trial


def trial(treated: list[int], responded: list[int]) -> Trial:
    return Trial(
        np.array(treated, dtype=bool), np.array(responded, dtype=bool), np.arange(len(treated))
    )


FOUR = trial([1, 0, 0, 1], [1, 0, 1, 0])


def moved_by_the_first_column(people: int, seed: int) -> tuple[Floats, Trial]:
    """A mail adds to the chance of those with a high first column; the second says who buys anyway."""
    luck = np.random.default_rng(seed)
    matrix = luck.normal(size=(people, 4))
    treated = luck.random(people) < 0.6
    moved = np.where(treated, 0.8 * matrix[:, 0] + 0.2, 0.0)
    chance = logistic.sigmoid(-1.5 + 0.9 * matrix[:, 1] - 0.3 * matrix[:, 0] + moved)
    return matrix, Trial(treated, luck.random(people) < chance, np.arange(people))


def test_the_curve_and_the_coefficient_are_those_of_the_definition() -> None:
    score = np.array([4.0, 3.0, 2.0, 1.0])
    people, gained = qini.curve(FOUR, qini.Ranking.by(score))
    assert people.tolist() == [0, 1, 2, 3, 4]
    assert gained.tolist() == [0, 1, 1, 0.5, 0]
    assert qini.coefficient(FOUR, score) == pytest.approx(2.5 / 3)
    assert qini.coefficient(FOUR, -score) == pytest.approx(-1.5 / 3)


def test_hindsight_has_one_and_no_ranking_has_zero() -> None:
    assert qini.coefficient(FOUR, np.array([1.0, 0.0, -1.0, 0.0])) == pytest.approx(1)
    assert qini.coefficient(FOUR, np.zeros(4)) == 0


def test_the_order_of_rows_with_one_score_says_nothing() -> None:
    _, many = moved_by_the_first_column(500, 1)
    score = np.round(np.random.default_rng(2).random(500), 1)
    noise = score * (1 + 1e-15 * np.random.default_rng(3).normal(size=500))
    mixed = np.random.default_rng(4).permutation(500)
    again = Trial(many.treated[mixed], many.responded[mixed], many.person[mixed])
    assert qini.coefficient(many, noise) == pytest.approx(qini.coefficient(many, score), abs=1e-12)
    assert qini.coefficient(again, score[mixed]) == pytest.approx(qini.coefficient(many, score))


def test_the_coefficient_of_one_arm_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="both arms"):
        qini.coefficient(trial([1, 1], [0, 1]), np.array([1.0, 2.0]))


def test_uplift_at_the_top_is_the_difference_of_the_arms_there() -> None:
    score = np.array([9.0, 8, 7, 6, 5, 4, 3, 2, 1, 0])
    found = trial([1, 0, 1, 0, 1, 0, 1, 0, 1, 0], [1, 0, 0, 0, 1, 1, 1, 1, 0, 1])
    assert qini.uplift_at(found, score, 0.4) == pytest.approx(0.5)
    assert qini.uplift_at(found, score, 0.1) is None
    assert qini.uplift_at(found, np.zeros(10), 0.1) == pytest.approx(found.effect())


def test_the_learner_finds_whom_the_mail_moves_and_not_who_buys_anyway() -> None:
    matrix, seen = moved_by_the_first_column(6000, 1)
    unseen_matrix, unseen = moved_by_the_first_column(6000, 2)
    model = uplift.fit(matrix, seen, ("a", "b", "c", "d"))
    found = qini.coefficient(unseen, model.effect(unseen_matrix))
    buyers = qini.coefficient(unseen, model.mailed.probability(unseen_matrix))
    assert found > 0.15
    assert found > buyers + 0.05


def test_arms_that_do_not_differ_rank_by_who_responds_at_all() -> None:
    """With few people the difference of two free regressions is noise; a shared one still ranks."""
    luck = np.random.default_rng(7)
    matrix = luck.normal(size=(1500, 8))
    treated = luck.random(1500) < 0.7
    chance = logistic.sigmoid(-3.0 + 1.2 * matrix[:, 0] + 0.3 * treated)
    few = Trial(treated, luck.random(1500) < chance, np.arange(1500))
    effect = uplift.fit(matrix, few, ()).effect(matrix)
    assert np.corrcoef(effect, np.exp(matrix[:, 0]))[0, 1] > 0.7


def test_a_ranking_is_judged_by_models_that_never_saw_the_person() -> None:
    luck = np.random.default_rng(5)
    treated, responded = luck.random(600) < 0.5, luck.random(600) < 0.4
    matrix = luck.normal(size=(600, 150))
    nothing = Trial(treated, responded, np.arange(600))
    twice = Trial(*(np.tile(one, 2) for one in (treated, responded, np.arange(600))))
    own = uplift.fit(matrix, nothing, ()).effect(matrix)
    honest = uplift.cross_fitted(np.tile(matrix, (2, 1)), twice).effect
    assert qini.coefficient(nothing, own) > 0.2
    assert abs(qini.coefficient(twice, honest)) < 0.1
    assert np.array_equal(uplift.folds(twice.person, 0)[:600], uplift.folds(twice.person, 0)[600:])


def test_the_interval_tells_a_find_from_luck() -> None:
    matrix, many = moved_by_the_first_column(4000, 3)
    found = qini.judge(many, uplift.cross_fitted(matrix, many).effect)
    luck = qini.judge(many, np.random.default_rng(6).random(4000))
    assert 0 < found.qini.low95 < found.qini.value < found.qini.high95
    assert luck.qini.low95 < 0 < luck.qini.high95
    assert found.top_effect.value > found.effect.value > found.last_effect.value
    assert found.last_effect.high95 < 0.05


def test_seeing_a_person_in_several_sends_makes_nothing_surer() -> None:
    matrix, once = moved_by_the_first_column(1500, 4)
    four = Trial(*(np.tile(one, 4) for one in (once.treated, once.responded, once.person)))
    narrow = qini.judge(once, matrix[:, 0]).effect
    wide = qini.judge(four, np.tile(matrix[:, 0], 4)).effect
    width = (wide.high95 - wide.low95) / (narrow.high95 - narrow.low95)
    assert width == pytest.approx(1, abs=0.15)


def test_the_same_trial_gives_the_same_model_and_it_survives_json() -> None:
    matrix, seen = moved_by_the_first_column(800, 5)
    model = uplift.fit(matrix, seen, ("a", "b", "c", "d"))
    saved = json.dumps(model.to_dict())
    assert saved == json.dumps(uplift.fit(matrix, seen, ("a", "b", "c", "d")).to_dict())
    read = uplift.Uplift.from_dict(json.loads(saved))
    assert np.array_equal(read.effect(matrix), model.effect(matrix))


@pytest.mark.parametrize(
    ("people", "share", "missing"),
    [
        (812, 0.5, "812 of about 2,000 people pooled"),
        (3000, 0.02, "37 of about 100 held-out people bought"),
        (3000, 0.5, None),
    ],
)
def test_nobody_is_ranked_before_there_is_enough(
    people: int, share: float, missing: str | None
) -> None:
    treated = np.arange(people) % 5 < 3
    responded = (np.arange(people) // 5 % 50 < 50 * share) | (treated & (people > 2000))
    found = uplift.shortfall(Trial(treated, responded, np.arange(people)))
    assert (found is None) == (missing is None)
    if missing is not None and found is not None:
        assert found.split()[1:] == missing.split()[1:]
