from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from kpay.ml import calibration, logistic, metrics

RANDOM = np.random.default_rng(3)
BOUGHT = (RANDOM.random(400) < 0.3).astype(float)
CHANCE = np.round(np.clip(0.3 * BOUGHT + RANDOM.random(400) * 0.7, 0.01, 0.99), 2)


def test_the_measures_agree_with_the_reference_library_ties_included() -> None:
    found = metrics.measure(BOUGHT, CHANCE)
    assert found.auc == pytest.approx(reference.roc_auc_score(BOUGHT, CHANCE))
    assert found.log_loss == pytest.approx(reference.log_loss(BOUGHT, CHANCE))
    assert found.brier == pytest.approx(reference.brier_score_loss(BOUGHT, CHANCE))
    assert found.average_precision == pytest.approx(
        reference.average_precision_score(BOUGHT, CHANCE)
    )


def test_the_interval_holds_the_figure_and_narrows_with_more_customers() -> None:
    few = metrics.measure(BOUGHT[:60], CHANCE[:60])
    many = metrics.measure(BOUGHT, CHANCE)
    for found in (few, many):
        assert found.auc_low95 < found.auc < found.auc_high95
        assert found.log_loss_low95 < found.log_loss < found.log_loss_high95
    assert many.auc_high95 - many.auc_low95 < few.auc_high95 - few.auc_low95


def test_what_is_undefined_is_none() -> None:
    everyone = np.ones(10)
    assert metrics.auc(everyone, np.linspace(0, 1, 10)) is None
    assert metrics.measure(np.zeros(10), np.full(10, 0.2)).lift_top_decile is None
    assert metrics.measure(np.empty(0), np.empty(0)) == metrics.UNDEFINED


def test_lift_compares_the_best_tenth_with_everybody() -> None:
    bought = np.array([1.0, 1.0, *[0.0] * 18])
    assert metrics.lift_top_decile(bought, np.linspace(1, 0, 20)) == pytest.approx(10.0)


def test_calibration_error_is_the_gap_between_promise_and_outcome() -> None:
    bought = np.tile([1.0, 0.0], 500)
    assert metrics.expected_calibration_error(bought, np.full(1000, 0.8)) == pytest.approx(0.3)
    table = metrics.calibration_table(bought, np.full(1000, 0.8))
    assert sum(row["actual"] for row in table) == 500
    assert sum(row["expected"] for row in table) == pytest.approx(800)


def test_an_advantage_has_a_sign_and_no_error_against_itself() -> None:
    assert metrics.auc_advantage(BOUGHT, CHANCE, CHANCE) == (0.0, 0.0)
    assert metrics.auc_advantage(BOUGHT, 1 - CHANCE, CHANCE)[0] < 0


def test_the_logistic_finds_the_weights_that_made_the_outcome() -> None:
    columns = RANDOM.normal(size=(20_000, 2)) * [1.0, 5.0] + [3.0, 0.0]
    chance = logistic.sigmoid(1.5 * (columns[:, 0] - 3) - 0.2 * columns[:, 1] - 1)
    model = logistic.fit(columns, (RANDOM.random(20_000) < chance).astype(float))
    slopes = np.array(model.weights) / np.array(model.scale)
    assert slopes == pytest.approx([1.5, -0.2], abs=0.08)
    assert model.probability(columns).mean() == pytest.approx(chance.mean(), abs=0.01)


@pytest.mark.parametrize("bought", [np.zeros(5), np.ones(5), np.array([0.0, 1, 0, 1, 0])])
def test_the_logistic_never_fails_on_degenerate_columns(bought: np.ndarray) -> None:
    columns = np.column_stack([np.ones(5), np.arange(5) * 1e9])
    chance = logistic.fit(columns, bought).probability(columns)
    assert np.isfinite(chance).all()
    assert ((chance > 0) & (chance < 1)).all()


@pytest.mark.parametrize("seed", range(4))
def test_platt_scaling_finds_its_way_where_events_are_rare_and_well_told_apart(seed: int) -> None:
    draw = np.random.default_rng(seed)
    quiet, lively = draw.normal(-7, 0.4, 9400), draw.normal(-0.5, 1.5, 600)
    score = np.concatenate([quiet, lively])
    bought = (draw.random(len(score)) < logistic.sigmoid(score)).astype(float)

    found = calibration.fit(score, bought)

    assert found.slope == pytest.approx(1.0, abs=0.2)
    assert found.shift == pytest.approx(0.0, abs=0.4)


def test_platt_scaling_repairs_overconfident_scores_and_keeps_their_ranks() -> None:
    truth = RANDOM.normal(size=5_000)
    bought = (RANDOM.random(5_000) < logistic.sigmoid(truth)).astype(float)
    shouted = 3 * truth + 1
    repaired = calibration.fit(shouted, bought).log_odds(shouted)
    assert metrics.expected_calibration_error(bought, logistic.sigmoid(repaired)) < 0.03
    assert metrics.auc(bought, repaired) == metrics.auc(bought, shouted)


def test_too_few_rows_leave_scores_as_they_are() -> None:
    assert calibration.fit(np.arange(20.0), np.tile([0.0, 1.0], 10)) == calibration.UNCHANGED
