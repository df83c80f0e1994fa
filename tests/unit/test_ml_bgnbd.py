from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from scipy.special import hyp2f1

from kpay.ml import bgnbd, value
from kpay.ml.bgnbd import BgNbd, Histories
from kpay.ml.frames import purchases
from tests.fakes.ml_worlds import END, START, bg_nbd_orders, orders


def some_histories() -> Histories:
    return Histories(
        np.array([0.0, 0.0, 1, 4, 12]),
        np.array([0.0, 0.0, 5, 30, 38]),
        np.array([2.0, 39.0, 39, 39, 39]),
    )


def test_the_parameters_behind_simulated_histories_are_found_again() -> None:
    known = purchases(bg_nbd_orders(6_000, seed=1), END)
    found = bgnbd.fit(bgnbd.histories(known, 0))
    assert found.r / found.alpha == pytest.approx(0.6 / 4.0, rel=0.12)
    assert found.a / (found.a + found.b) == pytest.approx(0.8 / 3.8, rel=0.12)
    assert not found.at_limit


def test_expected_purchases_equal_the_closed_form_of_the_paper() -> None:
    model, seen, weeks = BgNbd(0.243, 4.414, 0.793, 2.426), some_histories(), 39
    x, observed = seen.repeats, seen.observed
    ends = model.alpha + observed + weeks
    factor = (model.a + model.b + x - 1) / (model.a - 1)
    shape = hyp2f1(model.r + x, model.b + x, model.a + model.b + x - 1, weeks / ends)
    paper = factor * (1 - ((model.alpha + observed) / ends) ** (model.r + x) * shape)
    paper *= model.alive(seen)
    assert model.expected_purchases(seen, 7 * weeks) == pytest.approx(paper, rel=2e-3)


def test_the_promised_share_of_buyers_comes_true_on_simulated_people() -> None:
    frame = bg_nbd_orders(6_000, seed=2)
    known = purchases(frame, END - timedelta(days=90))
    seen = bgnbd.histories(known, 0)
    model = bgnbd.fit(seen)
    after = frame[frame["at"] >= END - timedelta(days=90)]
    came = np.isin(known.customer_ids, after["customer"])
    assert model.any_purchase(seen, 90).mean() == pytest.approx(came.mean(), abs=0.02)


def test_silence_makes_leaving_likelier_and_a_longer_horizon_a_purchase() -> None:
    model, seen = BgNbd(0.5, 5.0, 0.8, 2.5), some_histories()
    later = Histories(seen.repeats, seen.last, seen.observed + 20)
    assert (model.alive(later)[2:] < model.alive(seen)[2:]).all()
    assert (model.any_purchase(seen, 90) > model.any_purchase(seen, 30)).all()
    assert (model.expected_purchases(seen, 90) >= model.any_purchase(seen, 90) - 1e-9).all()


@pytest.mark.parametrize(
    "seen",
    [
        Histories(np.empty(0), np.empty(0), np.empty(0)),
        Histories(np.zeros(1), np.zeros(1), np.zeros(1)),
        Histories(np.full(3, 5000.0), np.full(3, 10.0), np.full(3, 10.0)),
        Histories(np.zeros(900), np.zeros(900), np.full(900, 500.0)),
    ],
)
def test_fitting_never_fails_and_gives_probabilities(seen: Histories) -> None:
    model = bgnbd.fit(seen)
    chance = model.any_purchase(seen, 90)
    assert np.isfinite(chance).all()
    assert ((chance >= 0) & (chance <= 1)).all()
    assert np.isfinite(model.expected_purchases(seen, 90)).all()


def test_histories_count_days_not_orders() -> None:
    frame = orders([(1, 0.1, 5, "usd", ""), (1, 0.9, 5, "usd", ""), (1, 14.2, 5, "usd", "")])
    seen = bgnbd.histories(purchases(frame, START + timedelta(days=29)), 0)
    assert (seen.repeats.tolist(), seen.last.tolist(), seen.observed.tolist()) == (
        [1],
        [2.0],
        [4.0],
    )


def test_few_purchases_pull_the_expected_amount_towards_everybodys_mean() -> None:
    generator = np.random.default_rng(5)
    rate = generator.gamma(4.0, 1 / 6.0, 4_000)
    count = generator.integers(1, 12, 4_000).astype(float)
    mean = generator.gamma(5.0 * count, 1 / (rate * count))
    model = value.fit(count, mean)
    middle = model.p * model.gamma / (model.q - 1)
    assert middle == pytest.approx(mean.mean(), rel=0.15)
    once, often = model.expected_amount(np.array([1.0, 50.0]), np.array([4 * middle] * 2))
    assert middle < once < often < 4 * middle


def test_the_value_model_survives_customers_who_never_paid() -> None:
    model = value.fit(np.ones(3), np.zeros(3))
    assert np.isfinite(model.expected_amount(np.ones(2), np.array([0.0, 9.0]))).all()
