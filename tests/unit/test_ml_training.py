from __future__ import annotations

import itertools
import json
from datetime import timedelta

import numpy as np
import pytest

from kpay.ml import (
    backtest,
    boosting,
    explaining,
    ladder,
    metrics,
    panel,
    propensity,
    scoring,
    training,
)
from kpay.ml.frames import purchases
from kpay.ml.history import History
from kpay.ml.propensity import Propensity
from kpay.ml.training import Training
from tests.fakes.ml_worlds import END, START, bg_nbd_orders, membership_orders, orders

SETTINGS = boosting.parameters(threads=1)
HORIZON = 60
FRAME = membership_orders(1_600, seed=11)
KNOWN = History(purchases(FRAME, END - timedelta(days=HORIZON)))


@pytest.fixture(scope="module")
def trained() -> Training:
    return training.train(KNOWN, HORIZON, SETTINGS)


def came_back(known: History) -> np.ndarray:
    after = FRAME[FRAME["at"] >= END - timedelta(days=HORIZON)]
    return np.isin(known.purchases.customer_ids, after["customer"]).astype(float)


def test_a_business_of_1600_customers_gets_the_blend_beside_its_baselines(
    trained: Training,
) -> None:
    assert trained.model.rung == "blend"
    assert set(trained.baselines) == {"recency", "rfm_logistic", "bgnbd"}
    assert trained.metrics.auc > trained.baselines["recency"].auc
    assert trained.metrics.auc >= trained.baselines["rfm_logistic"].auc - 0.005
    assert trained.customers == len(KNOWN.purchases.customer_ids)
    assert 0 < trained.buyers < trained.customers
    assert "customers were known at the backtest; nothing simpler does better on the" in trained.why


def test_the_scores_hold_on_the_days_that_came_after(trained: Training) -> None:
    scores = scoring.score(KNOWN, trained.model, trained.amounts).sort_values("customer")
    bought = came_back(KNOWN)
    found = metrics.measure(bought, scores["propensity"].to_numpy())
    assert found.auc > 0.7
    assert found.ece < 0.05
    assert scores["propensity"].mean() == pytest.approx(bought.mean(), abs=0.04)
    after = FRAME[FRAME["at"] >= END - timedelta(days=HORIZON)]
    known_after = after[after["customer"].isin(KNOWN.purchases.customer_ids)]
    promised = scores["expected_value_minor"].sum()
    assert promised == pytest.approx(known_after["amount_minor"].sum(), rel=0.25)


def test_scores_are_ranked_in_tenths_and_carry_whole_amounts(trained: Training) -> None:
    scores = scoring.score(KNOWN, trained.model, trained.amounts)
    assert " ".join(scores.columns) == "customer propensity expected_value_minor currency decile"
    assert scores["propensity"].is_monotonic_decreasing
    assert scores["decile"].tolist() == sorted(scores["decile"])
    assert set(scores["decile"]) == set(range(1, 11))
    assert scores["expected_value_minor"].dtype == np.int64
    assert set(scores["currency"]) == {"usd"}


def test_the_same_rows_give_the_same_bytes(trained: Training) -> None:
    again = training.train(KNOWN, HORIZON, SETTINGS)
    assert json.dumps(again.model.to_dict()) == json.dumps(trained.model.to_dict())
    assert again.metrics == trained.metrics


def test_a_model_read_back_from_json_scores_the_same(trained: Training) -> None:
    text = json.dumps(trained.model.to_dict())
    read = Propensity.from_dict(json.loads(text))
    ours = scoring.score(KNOWN, trained.model, trained.amounts)
    assert scoring.score(KNOWN, read, trained.amounts).equals(ours)
    with pytest.raises(ValueError, match="does not know"):
        Propensity.from_dict({**json.loads(text), "format": 99})


def test_an_explanation_adds_up_to_the_log_odds(trained: Training) -> None:
    someone = int(KNOWN.purchases.customer_ids[5])
    reasons = explaining.explain(KNOWN, trained.model, someone)
    total = reasons.base_log_odds + sum(reason.adds for reason in reasons.parts)
    chance = scoring.score(KNOWN, trained.model, trained.amounts).set_index("customer")
    assert 1 / (1 + np.exp(-total)) == pytest.approx(chance.loc[someone, "propensity"], rel=1e-6)
    sizes = [abs(reason.adds) for reason in reasons.parts]
    assert sizes == sorted(sizes, reverse=True)


def test_training_windows_end_before_the_test_begins() -> None:
    days = panel.cutoffs(KNOWN.purchases, HORIZON, -2 * HORIZON)
    assert max(days) + HORIZON <= -HORIZON
    assert all(HORIZON % (a - b) == 0 for a, b in itertools.pairwise(days))


def test_all_rows_of_a_customer_share_a_fold() -> None:
    rows = training.Snapshots(KNOWN, HORIZON).panel(-HORIZON)
    assert rows is not None
    fold = panel.folds(rows.groups)
    for customer in np.unique(rows.groups)[:50]:
        assert len(set(fold[rows.groups == customer])) == 1
    assert sum(window["buyers"] for window in rows.windows()) == rows.bought.sum()


@pytest.mark.parametrize(
    ("customers", "horizon", "rung"), [(20, 60, "rule"), (150, 60, "bgnbd"), (500, 60, "logistic")]
)
def test_the_rung_follows_the_number_of_customers(customers: int, horizon: int, rung: str) -> None:
    known = History(purchases(bg_nbd_orders(customers, seed=4), END))
    found = training.train(known, horizon, SETTINGS)
    assert propensity.RUNGS.index(found.model.rung) <= propensity.RUNGS.index(rung)
    chance = scoring.score(known, found.model, found.amounts)["propensity"]
    assert chance.between(0, 1).all()


def test_a_horizon_longer_than_the_history_can_label_leaves_bgnbd() -> None:
    found = training.train(KNOWN, 300, SETTINGS)
    assert found.model.rung == "bgnbd"
    assert found.baselines["rfm_logistic"] == metrics.UNDEFINED
    assert scoring.score(KNOWN, found.model, found.amounts)["propensity"].notna().all()


def test_one_customer_gets_the_rule_and_none_is_refused() -> None:
    paid = orders([(1, 0.5, 900, "jpy", "a")])
    alone = History(purchases(paid, START + timedelta(days=200)))
    found = training.train(alone, 90, SETTINGS)
    assert found.model.rung == "rule"
    assert "a model needs 50" in found.why
    scores = scoring.score(alone, found.model, found.amounts)
    assert scores["currency"].tolist() == ["jpy"]
    with pytest.raises(ValueError, match="no purchase"):
        training.train(History(purchases(orders([]), START)), 90, SETTINGS)


def test_a_champion_that_loses_to_a_simpler_rung_falls() -> None:
    now = training.Snapshots(KNOWN, HORIZON)(0)
    size = len(now.customer)
    bought = (np.arange(size) % 2 == 0).astype(float)
    good = np.where(bought > 0, 0.7, 0.3) + np.linspace(-0.2, 0.2, size)
    poor = np.linspace(0.2, 0.8, size)
    promised = {"blend": poor, "logistic": good, "bgnbd": poor, "rule": poor, "recency": poor}
    tested = backtest.Backtest(
        now=now,
        bought=bought,
        promised=promised,
        measured={name: metrics.measure(bought, chance) for name, chance in promised.items()},
    )
    rung, why = ladder.choose(tested, ["blend", "logistic", "bgnbd", "rule"], 1_600)
    assert rung == "logistic"
    assert "blend lost to logistic" in why
