"""Subjects by Thompson sampling: fair lots, right chances, fewer clicks lost than by an even split."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from kpay.domain.subject_trial import (
    Tally,
    lost_clicks,
    lost_when_even,
    match_chances,
    plan_batches,
    split_evenly,
    standing,
)
from kpay.domain.variant_results import SubjectTrial
from tests.fakes.subject_lists import share_of_even_loss

KEYS = [f"reader{number}@r.example" for number in range(1000)]


def test_batches_are_equal_drawn_by_lot_and_come_again() -> None:
    drawn = plan_batches(1000, 6, "bread")
    assert sorted(Counter(drawn).values()) == [166, 166, 167, 167, 167, 167]
    assert drawn == plan_batches(1000, 6, "bread") != plan_batches(1000, 6, "rye")
    assert set(drawn[:20]) == set(range(6))
    assert plan_batches(5, 1, "bread") == [0] * 5
    assert plan_batches(0, 3, "bread") == []


def test_an_even_split_is_even_and_by_lot() -> None:
    given = split_evenly(KEYS, "ABC", "bread")
    assert sorted(Counter(given.values()).values()) == [333, 333, 334]
    assert given == split_evenly(KEYS[::-1], "ABC", "bread")
    assert given != split_evenly(KEYS, "ABC", "rye")


def test_chances_are_matched_and_the_same_draw_comes_again() -> None:
    given = match_chances(KEYS, {"A": 0.2, "B": 0.8}, "bread")
    assert Counter(given.values())["A"] == pytest.approx(200, abs=40)
    assert given == match_chances(KEYS[::-1], {"A": 0.2, "B": 0.8}, "bread")


@pytest.mark.parametrize(
    "tallies",
    [
        {"A": Tally(), "B": Tally()},
        {"A": Tally(125, 2), "B": Tally(125, 6)},
        {"A": Tally(2500, 50), "B": Tally(2500, 70), "C": Tally(100, 3)},
        {"A": Tally(100_000, 2000), "B": Tally(10), "C": Tally(50, 50)},
        {"A": Tally(40), "B": Tally(40), "C": Tally(), "D": Tally(7, 1), "E": Tally(900, 20)},
    ],
)
def test_chances_and_losses_agree_with_drawing_from_the_posterior(
    tallies: dict[str, Tally],
) -> None:
    luck = np.random.default_rng(3)
    draws = np.array(
        [
            luck.beta(1 + one.clicked, 1 + one.sent - one.clicked, 200_000)
            for one in tallies.values()
        ]
    )
    best = np.bincount(draws.argmax(axis=0), minlength=len(tallies)) / draws.shape[1]
    assert list(standing(tallies).chances.values()) == pytest.approx(best.tolist(), abs=0.006)
    sent = np.array([one.sent for one in tallies.values()])
    lost = (draws.max(axis=0) * sent.sum() - sent @ draws).mean()
    assert lost_clicks(tallies) == pytest.approx(lost, rel=0.03, abs=0.1)


def test_an_even_split_of_one_better_subject_loses_more() -> None:
    tallies = {"A": Tally(300, 6), "B": Tally(1200, 48)}
    assert lost_clicks(tallies) < lost_when_even(tallies) / 2


def test_nothing_is_called_best_without_being_nearly_certain() -> None:
    subjects = {"A": "Bread", "B": "Fresh bread"}
    close = SubjectTrial(subjects, {"A": Tally(700, 14), "B": Tally(800, 21)})
    clear = SubjectTrial(subjects, {"A": Tally(700, 8), "B": Tally(800, 30)})
    assert close.best is None
    assert "can't be told" in close.sentence
    assert clear.best == "B"
    assert clear.sentence.startswith("Subject B is the best one")
    first, second = clear.to_json()
    assert (second["subject"], second["sent"], second["clicks"]) == ("Fresh bread", 800, 30)
    assert second["low95"] < 30 / 800 < second["high95"]
    assert first["p_best"] + second["p_best"] == pytest.approx(1)
    assert clear.regret_json()["best"] == "B"


def test_a_subject_that_went_to_nobody_has_no_share() -> None:
    one, _ = SubjectTrial({"A": "x", "B": "y"}, {"A": Tally(), "B": Tally(9, 1)}).to_json()
    assert (one["share"], one["low95"], one["high95"]) == (None, None, None)


def test_fewer_clicks_are_lost_than_by_an_even_split() -> None:
    assert share_of_even_loss(1500, (0.02, 0.026), batches=6, runs=120) <= 0.85
