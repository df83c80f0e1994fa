"""Families of features earn their place, rungs of the ladder theirs."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial

import numpy as np
import pytest

from kpay.ml import backtest, boosting, ladder, metrics, selection, training, tuning
from kpay.ml.backtest import Backtest, Window
from kpay.ml.features import Snapshot
from kpay.ml.frames import purchases
from kpay.ml.history import History, Marks
from kpay.ml.snapshots import Snapshots
from kpay.ml.targets import PURCHASE
from kpay.ml.training import Training
from tests.fakes.ml_worlds import END, bg_nbd_orders, membership_orders

SETTINGS = boosting.parameters(threads=1)
HORIZON = 60


def visited(customers: int, *, seed: int, is_telling: bool) -> History:
    """A shop with visits: a week before every purchase, or on days that have nothing to do with them."""
    known = purchases(bg_nbd_orders(customers, seed=seed, a=0.3), END)
    draw = np.random.default_rng(seed)
    customer, day = known.customer, known.day - draw.integers(1, 40, len(known.day))
    if not is_telling:
        customer = draw.integers(0, customers, len(day))
    order = np.lexsort((day, customer))
    none = np.full(len(order), -1)
    visits = Marks(customer[order], day[order], none, np.ones(len(order)))
    return History(known, marks={"visit": visits})


@cache
def trained(customers: int, *, is_telling: bool) -> Training:
    return training.train(visited(customers, seed=3, is_telling=is_telling), HORIZON, SETTINGS)


@pytest.mark.parametrize("customers", [260, 400])
def test_a_family_that_tells_who_will_buy_is_kept_and_one_that_does_not_is_not(
    customers: int,
) -> None:
    telling = trained(customers, is_telling=True)
    kept = {verdict.name: verdict for verdict in telling.families if verdict.is_kept}
    assert set(kept) == {"site"}
    assert kept["site"].gain > kept["site"].se > 0
    assert telling.recipe["families"] == ["site"] == list(telling.model.families)
    silent = trained(customers, is_telling=False)
    assert [verdict.is_kept for verdict in silent.families] == [False]
    assert silent.recipe["families"] == []
    assert telling.metrics.log_loss < silent.metrics.log_loss - 0.01


def test_a_model_looks_at_its_own_families_only_and_nothing_later() -> None:
    world = visited(400, seed=3, is_telling=True)
    model = trained(400, is_telling=True).model
    then = model.look(world, -HORIZON)
    assert "site_visits_30" in then.names
    unmoved = model.look(world.before(-HORIZON), -HORIZON)
    assert np.array_equal(model.probability(then), model.probability(unmoved))
    assert "site_visits_30" not in trained(400, is_telling=False).model.look(world).names


def test_families_that_past_days_refute_are_dropped_and_the_reason_is_kept() -> None:
    at = Snapshots(visited(260, seed=3, is_telling=True), HORIZON)
    found = selection.choose(at, None)
    plain = backtest.run(at, ["logistic", "bgnbd", "rule"], None)
    worse = replace(
        plain, promised={name: np.full(len(said), 0.5) for name, said in plain.promised.items()}
    )
    chosen, tested = selection.confirm(found, plain, worse, "logistic")
    assert tested is plain
    assert chosen.chosen.families == ()
    assert any("not in the backtest" in verdict.why for verdict in chosen.verdicts)


def told(size: int, tests: int, promised: dict[str, np.ndarray], bought: np.ndarray) -> Backtest:
    """A backtest of a number of equal windows."""
    blank = Snapshot(-HORIZON, np.arange(size), None, None, {}, np.zeros(1))  # type: ignore[arg-type]
    measured = {name: metrics.measure(bought, said) for name, said in promised.items()}
    earlier = tuple(Window(blank, bought, promised) for _ in range(tests - 1))
    return Backtest(blank, bought, promised, measured, PURCHASE, earlier)


def promises(size: int, better: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Rungs of which each says a little more than the one before it."""
    draw = np.random.default_rng(1)
    truth = draw.normal(size=size)
    bought = (draw.random(size) < 1 / (1 + np.exp(-truth))).astype(float)
    noise = draw.normal(size=size)
    said = {
        name: 1 / (1 + np.exp(-(truth + (1.0 - better * place) * noise)))
        for place, name in enumerate(("bgnbd", "logistic", "blend", "boosting"))
    }
    return bought, {**said, "rule": said["bgnbd"], "recency": said["bgnbd"]}


RUNGS = ["boosting", "blend", "logistic", "bgnbd", "rule"]


def test_trees_need_more_proof_in_a_small_business() -> None:
    for size, expected in ((400, "logistic"), (1_500, "blend")):
        bought, said = promises(size, better=0.0)
        rung, why = ladder.choose(told(size, 1, said, bought), RUNGS, size)
        assert rung == expected
        assert f"{size} customers" in why
    bought, said = promises(400, better=0.3)
    rung, why = ladder.choose(told(400, 1, said, bought), RUNGS, 400)
    assert rung == "boosting"
    assert "boosting beats logistic" in why


def test_what_is_known_beside_purchases_makes_the_blend_usual_from_300_customers() -> None:
    bought, said = promises(400, better=0.0)
    tested = told(400, 1, said, bought)
    assert ladder.choose(tested, RUNGS, 400, has_families=True)[0] == "blend"


def test_a_window_of_bad_weather_does_not_decide_alone() -> None:
    draw = np.random.default_rng(4)
    bought = (np.arange(600) % 2).astype(float)
    honest = np.clip(np.where(bought > 0, 0.6, 0.4) + draw.normal(0, 0.1, 600), 0.05, 0.95)
    unlucky = {"blend": honest, "logistic": honest, "rfm_logistic": honest, "rule": honest}
    tested = told(
        600, 1, {**unlucky, "bgnbd": np.clip(honest + (bought - 0.5) * 0.1, 0, 1)}, bought
    )
    assert tested.loss_gain("bgnbd", "logistic")[0] > 0
    against = Window(tested.now, bought, {**unlucky, "bgnbd": np.full(600, 0.5)})
    rolled = replace(tested, earlier=(against, against))
    assert rolled.loss_gain("logistic", "bgnbd")[0] > 0
    assert ladder.choose(tested, RUNGS[2:], 600)[0] == "bgnbd"
    assert ladder.choose(rolled, RUNGS[2:], 600)[0] == "logistic"


def test_somebody_tested_three_times_is_one_customer() -> None:
    bought, said = promises(400, better=0.2)
    once = told(400, 1, said, bought).loss_gain("blend", "bgnbd")
    thrice = told(400, 3, said, bought).loss_gain("blend", "bgnbd")
    assert thrice == pytest.approx(once)


def test_older_tests_stand_half_a_horizon_apart_and_learn_only_from_what_ended_before() -> None:
    known = purchases(membership_orders(450, seed=11), END - timedelta(days=HORIZON))
    found = training.train(History(known), 30, SETTINGS)
    days = [test["cutoff_day"] for test in found.rolling]
    assert days[0] == -30
    assert len(days) == 3
    assert all(8 <= later - earlier <= 30 for later, earlier in itertools.pairwise(days))
    assert {"logistic", "blend", "bgnbd", "rfm_logistic"} <= set(found.rolling[-1]["log_loss"])
    assert not found.has_seen_a_year
    assert all(rounds >= boosting.FEWEST_ROUNDS for rounds in found.fits)


def test_a_large_business_is_learned_from_whole_customers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kpay.ml.panel.MOST_ROWS", 900)
    monkeypatch.setattr("kpay.ml.snapshots.MOST_CUSTOMERS", 300)
    known = History(purchases(membership_orders(1_000, seed=7), END))
    at = Snapshots(known, HORIZON)
    rows = at.panel(-HORIZON)
    assert rows is not None
    assert 500 < len(rows.labels) <= 1_000
    whole = {int(who) for who in rows.groups}
    for part in rows.snapshots[1:]:
        first_seen = set(rows.snapshots[0].customer.tolist())
        assert first_seen <= set(part.customer.tolist())
    assert len(whole) < 300
    assert 200 < len(at(-HORIZON).customer) < 330
    found = training.train(known, HORIZON, SETTINGS)
    everybody = len(np.unique(known.purchases.customer))
    assert found.customers == everybody == len(found.model.look(known).customer)
    assert f"{found.tested.size} customers were known" in found.why
    assert found.tested.size > len(found.tested.now.customer)


def test_tuned_settings_are_kept_only_where_past_days_prove_them() -> None:
    known = History(purchases(membership_orders(420, seed=11), END))
    tuned = training.train(known, HORIZON, SETTINGS, tune=partial(tuning.tune, budget_s=0.5))
    assert tuned.tuned is not None
    assert tuned.tuned.trials >= 1
    assert tuned.tuned.is_kept == (tuned.tuned.gain > tuned.tuned.se)
    is_used = tuned.tuned.is_kept and tuned.model.trees is not None
    assert bool(tuned.recipe["settings"]) == is_used
    again = training.train(known, HORIZON, SETTINGS | tuned.recipe["settings"])
    if again.recipe["rung"] == tuned.recipe["rung"]:
        assert again.model.to_dict() == tuned.model.to_dict()
