"""What chance alone shows, so that nobody is alarmed by it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from kpay.domain.by_chance import calibration_error, stability_index
from kpay.ml import drift, metrics
from kpay.services.card_words import limits
from kpay.services.drifting import Drift, Kept

DRAW = np.random.default_rng(8)


def test_perfect_probabilities_show_as_much_calibration_error() -> None:
    found = [
        metrics.expected_calibration_error(
            (DRAW.random(300) < 0.3).astype(float), np.full(300, 0.3)
        )
        for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(calibration_error(0.3, 300), rel=0.05)


def test_the_same_customers_seldom_drift_further() -> None:
    border = stability_index(400, 300)
    beyond = [
        drift.psi(drift.spread(DRAW.normal(size=400)), DRAW.normal(size=300)) > border
        for _ in range(1_000)
    ]
    assert 0.005 < np.mean(beyond) < 0.06


def looked(age_days: int, **found: object) -> Drift:
    plain: dict[str, object] = {
        "psi": {}, "score_psi": 0.02, "weighty": frozenset({"recency_days"}), "kept": (),
    }  # fmt: skip
    return Drift(date(2026, 8, 31), age_days, **(plain | found))  # type: ignore[arg-type]


def kept(came: int) -> Kept:
    return Kept("a", date(2026, 5, 1), 900, 100.0, came, 8.0)


def test_advice_is_given_for_what_has_moved_and_weighs() -> None:
    assert looked(90).is_calm
    moved = looked(90, psi={"recency_days": 0.4, "tenure_days": 3.0})
    assert moved.advice == ["what weighs in its scores has moved: days since the last purchase"]
    assert looked(90, score_psi=0.3).advice == [
        "the scores of today's customers have moved (PSI 0.30)"
    ]
    assert looked(90, kept=(kept(130),)).advice == ["of 100 promised as of 2026-05-01, 130 came"]
    assert looked(90, kept=(kept(112), kept(200))).is_calm


def test_no_advice_while_nothing_new_could_be_learned() -> None:
    young = looked(13, score_psi=2.0)
    assert not young.advice
    assert not young.is_calm
    assert young.verdict.startswith("It is too young")


def test_a_few_customers_do_not_alarm() -> None:
    assert looked(90, score_psi=0.5, chance_psi=0.9).is_calm
    assert looked(90, score_psi=0.5, chance_psi=0.1).advice


def test_a_miscalibration_is_a_limit_only_beyond_chance() -> None:
    row = {"customers": 5_000, "buyers": 1_500, "as_of": date(2026, 8, 31)}
    card = {
        "metrics": {"auc": 0.8, "auc_low95": 0.78, "ece": 0.12},
        "calibration": [{"customers": 5_000}],
        "first_day": "2024-01-01",
    }
    (said,) = limits(card, row)
    assert said.startswith("Its probabilities were off by 12 points on average, where chance")
    few = {**row, "customers": 60, "buyers": 15}
    small = {**card, "calibration": [{"customers": 50}]}
    assert [sentence[:27] for sentence in limits(small, few)] == ["It was tested on few people"]


def test_chance_is_no_signal() -> None:
    row = {"customers": 900, "buyers": 90, "as_of": date(2026, 8, 31)}
    (said,) = limits({"metrics": {"auc": 0.51, "auc_low95": 0.46}}, row)
    assert said.startswith("No signal yet")


def test_what_no_window_could_test_was_not_tested_on_few_people() -> None:
    row = {"customers": 2, "buyers": 0, "as_of": date(2026, 8, 31)}
    (said,) = limits({"metrics": {"auc": None}}, row)
    assert said.startswith("No past window could be tested yet")
