"""Curves, confusion, importance, dependence and drift: the figures of a model's card."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
from sklearn import metrics as library

from kpay.ml import boosting, curves, dependence, drift, fitting, propensity, training
from kpay.ml.fitting import Learned
from kpay.ml.frames import purchases
from kpay.ml.history import History
from kpay.ml.moving import moved
from kpay.ml.targets import PURCHASE
from tests.fakes.ml_worlds import END, membership_orders

HORIZON = 60
KNOWN = History(purchases(membership_orders(400, seed=5), END - timedelta(days=HORIZON)))
AT = training.Snapshots(KNOWN, HORIZON)
RANDOM = np.random.default_rng(3)
CHANCE = np.round(RANDOM.beta(1, 3, 400), 2)  # with many ties
BOUGHT = (RANDOM.random(400) < CHANCE).astype(float)


@pytest.fixture(scope="module")
def learned() -> Learned:
    rows = AT.panel(-HORIZON)
    assert rows is not None
    return fitting.learn(rows, boosting.parameters(threads=1), HORIZON, PURCHASE)


def area(points: list[list[float]]) -> float:
    x, y = np.array(points).T
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def test_the_area_below_the_roc_curve_is_the_auc() -> None:
    made = curves.curves(BOUGHT, CHANCE)
    assert made["roc"][0] == [0.0, 0.0]
    assert made["roc"][-1] == [1.0, 1.0]
    assert area(made["roc"]) == pytest.approx(library.roc_auc_score(BOUGHT, CHANCE), abs=0.002)


def test_precision_ends_at_the_base_rate_and_gain_at_everybody() -> None:
    made = curves.curves(BOUGHT, CHANCE)
    assert made["precision_recall"][-1] == [1.0, pytest.approx(BOUGHT.mean(), abs=1e-4)]
    assert made["gain"][0] == [0.0, 0.0]
    assert made["gain"][-1] == [1.0, 1.0]
    precision, recall, _ = library.precision_recall_curve(BOUGHT, CHANCE)
    for share, exact in made["precision_recall"]:
        nearest = np.abs(recall - share) < 1e-4
        assert np.abs(precision[nearest] - exact).min() < 1e-4


def test_curves_do_not_depend_on_the_order_of_customers_and_stay_short() -> None:
    order = RANDOM.permutation(400)
    made = curves.curves(BOUGHT, CHANCE)
    again = curves.curves(BOUGHT[order], CHANCE[order])
    for name in ("roc", "precision_recall", "gain"):
        assert made[name] == again[name]
        assert len(made[name]) <= curves.MOST_POINTS


def test_a_window_in_which_nobody_bought_has_no_curves() -> None:
    assert curves.curves(np.zeros(50), CHANCE[:50]) == {}
    assert curves.curves(np.zeros(0), np.zeros(0)) == {}


def test_tenths_count_everybody_once_and_lift_is_against_the_base_rate() -> None:
    found = curves.tenths(BOUGHT, CHANCE)
    assert sum(part["customers"] for part in found) == 400
    assert sum(part["buyers"] for part in found) == BOUGHT.sum()
    first = found[0]
    assert first["lift"] == pytest.approx(first["buyers"] / 40 / BOUGHT.mean(), abs=1e-4)


def test_the_cut_off_mails_the_likeliest_fifth() -> None:
    found = curves.at_cutoff(BOUGHT, CHANCE)
    assert found["tp"] + found["fp"] == 80
    assert found["tp"] + found["fn"] == BOUGHT.sum()
    mailed = np.zeros(400)
    mailed[np.argsort(-CHANCE, kind="stable")[:80]] = 1
    assert found["precision"] == pytest.approx(library.precision_score(BOUGHT, mailed))
    assert found["recall"] == pytest.approx(library.recall_score(BOUGHT, mailed))
    assert found["f1"] == pytest.approx(library.f1_score(BOUGHT, mailed))
    assert found["accuracy"] == pytest.approx(library.accuracy_score(BOUGHT, mailed))
    assert found["probability"] == CHANCE[mailed == 1].min()


def test_measures_without_buyers_are_undefined_and_not_zero() -> None:
    found = curves.at_cutoff(np.zeros(30), CHANCE[:30])
    assert found["recall"] is None
    assert found["precision"] == 0
    assert curves.at_cutoff(BOUGHT[:9], CHANCE[:9]) == {}


@pytest.mark.parametrize("rung", propensity.RUNGS)
def test_importance_names_plain_columns_and_ranks_them(learned: Learned, rung: str) -> None:
    now = AT(-HORIZON)
    model = learned.rung(rung, now)  # type: ignore[arg-type]
    gain = model.trees.gain() if model.trees else {}
    found = dependence.importance(model, now, gain)
    sizes = [each["mean_adds"] for each in found]
    assert sizes == sorted(sizes, reverse=True)
    assert {"recency_days", "days_bought"} <= {each["column"] for each in found}
    assert not {each["column"] for each in found} & {"log_recency", "log_repeats"}
    if model.trees:
        assert sum(each["gain"] for each in found) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("rung", propensity.RUNGS)
def test_dependence_falls_with_silence_and_parts_hold_everybody(
    learned: Learned, rung: str
) -> None:
    now = AT(-HORIZON)
    model = learned.rung(rung, now)  # type: ignore[arg-type]
    count = len(now.customer)
    promised, bought = model.probability(now), (np.arange(count) % 3 == 0).astype(float)
    (found,) = dependence.dependence(model, now, ["recency_days"], promised, bought)
    curve = found["curve"]
    assert curve[0][1] > curve[-1][1] + 0.05
    assert [value for value, _ in curve] == sorted(value for value, _ in curve)
    assert sum(part["customers"] for part in found["parts"]) + found["undefined"] == count
    came = sum(part["came"] * part["customers"] for part in found["parts"])
    assert came == pytest.approx(bought.sum(), rel=1e-3)


def test_a_column_that_is_the_same_for_all_has_no_picture(learned: Learned) -> None:
    now = AT(-HORIZON)
    model = learned.rung("bgnbd", now)
    now.columns["flat"] = np.ones(len(now.customer))
    nothing = np.zeros(len(now.customer))
    assert dependence.dependence(model, now, ["flat"], nothing, nothing) == []
    del now.columns["flat"]


def test_what_follows_from_a_moved_number_moves_with_it() -> None:
    now = AT(0)
    other = moved(now, "recency_days", np.full(len(now.customer), 30.0), HORIZON)
    assert np.allclose(other.columns["log_recency"], np.log(31))
    long = now.columns["tenure_days"] > 30
    assert np.allclose((other.seen.observed - other.seen.last)[long] * 7, 30)
    assert not np.allclose(other.columns["bg_logit"], now.columns["bg_logit"])
    assert np.array_equal(other.columns["days_bought"], now.columns["days_bought"])
    same = moved(now, "recency_days", now.columns["recency_days"], HORIZON)
    for name, column in now.columns.items():
        assert np.allclose(same.columns[name], column, equal_nan=True, atol=1e-6), name


def test_equal_customers_have_not_drifted_and_moved_ones_have() -> None:
    then = RANDOM.normal(size=2_000)
    spread = drift.spread(then)
    assert drift.psi(spread, then) == pytest.approx(0, abs=1e-4)
    assert drift.psi(spread, RANDOM.normal(size=2_000)) < 0.03
    assert drift.psi(spread, then + 0.6) > drift.ALARMING_PSI
    assert len(spread["shares"]) == len(spread["borders"]) + 2


def test_counts_with_few_values_and_undefined_ones_are_compared_too() -> None:
    counts = np.repeat([0.0, 1.0, 2.0], [800, 150, 50])
    spread = drift.spread(counts)
    assert drift.psi(spread, counts) == pytest.approx(0, abs=1e-4)
    assert drift.psi(spread, np.repeat([0.0, 1.0, 2.0], [500, 300, 200])) > 0.25
    unknown = counts.copy()
    unknown[:400] = np.nan
    assert drift.psi(spread, unknown) > 0.25
    assert drift.psi(drift.spread(np.full(50, np.nan)), unknown) > 0.25
    assert list(drift.psis({"a": spread, "gone": spread}, {"a": unknown})) == ["a"]
    json.dumps(spread, allow_nan=False)
