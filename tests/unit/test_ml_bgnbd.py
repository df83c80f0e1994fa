from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1
from scipy.stats import beta, gamma

from kpay.ml import bgnbd
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
    assert model.expected_purchases(seen, 7 * weeks) == pytest.approx(paper, rel=1e-4)


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


def integrated(model: BgNbd, x: float, last: float, observed: float) -> float:
    """The likelihood of one history, the rate and the chance of leaving integrated numerically."""
    rate = gamma(model.r, scale=1 / model.alpha)
    leaving = beta(model.a, model.b)

    def mean(law: Any, of: Callable[[float], float]) -> float:
        below, above = law.ppf(1e-13), law.ppf(1 - 1e-13)
        middle = law.median()
        return float(
            quad(lambda v: of(v) * law.pdf(v), below, middle, limit=200)[0]
            + quad(lambda v: of(v) * law.pdf(v), middle, above, limit=200)[0]
        )

    stayed = mean(leaving, lambda p: (1 - p) ** x) * mean(
        rate, lambda v: v**x * np.exp(-v * observed)
    )
    if x == 0:
        return stayed
    left = mean(leaving, lambda p: p * (1 - p) ** (x - 1))
    return stayed + left * mean(rate, lambda v: v**x * np.exp(-v * last))


def test_the_likelihood_equals_its_definition_integrated_numerically() -> None:
    model, seen = BgNbd(1.4, 4.4, 1.8, 2.4), some_histories()
    rows = zip(seen.repeats, seen.last, seen.observed, strict=True)
    expected = sum(np.log(integrated(model, *row)) for row in rows)
    assert bgnbd.log_likelihood(model, seen) == pytest.approx(expected, rel=1e-6)


def test_no_neighbouring_parameters_are_likelier_than_the_fitted_ones() -> None:
    seen = bgnbd.histories(purchases(bg_nbd_orders(500, seed=3), END), 0)
    best = bgnbd.fit(seen, prior_weight=0)
    highest = bgnbd.log_likelihood(best, seen)
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.97, 1.03):
            other = replace(best, **{name: getattr(best, name) * factor})
            assert bgnbd.log_likelihood(other, seen) < highest


def test_the_prior_holds_few_customers_and_lets_go_of_many() -> None:
    many = bgnbd.histories(purchases(bg_nbd_orders(2_500, seed=3), END), 0)
    few = Histories(many.repeats[:40], many.last[:40], many.observed[:40])
    assert bgnbd.fit(many).a == pytest.approx(bgnbd.fit(many, prior_weight=0).a, rel=1e-3)
    centre = bgnbd.STARTS[0][2]
    pulled, free = bgnbd.fit(few), bgnbd.fit(few, prior_weight=0)
    assert abs(np.log(pulled.a / centre)) < 0.8 * abs(np.log(free.a / centre))


def test_equal_histories_are_counted_and_weeks_hardly_move_the_estimates() -> None:
    seen = bgnbd.histories(purchases(bg_nbd_orders(4_000, seed=6), END), 0)
    cells, count = seen.distinct()
    assert count.sum() == len(seen)
    assert len(cells) < len(seen)
    weeks, in_week = seen.in_weeks()
    assert len(weeks) < 0.8 * len(cells)
    assert in_week @ weeks.last == pytest.approx(seen.last.sum())
    model = bgnbd.fit(seen)
    share = bgnbd._log_likelihood(
        np.array([model.r, model.alpha, model.a, model.b]), weeks, in_week
    )
    assert share[0] == pytest.approx(bgnbd.log_likelihood(model, seen), rel=2e-3)


def many_histories(size: int) -> Histories:
    generator = np.random.default_rng(4)
    observed = generator.integers(0, 1_500, size)
    repeats = np.where(observed > 0, generator.poisson(generator.gamma(0.6, 2.0, size)), 0)
    last = np.where(repeats > 0, np.floor(observed * generator.beta(2.0, 1.0, size)), 0)
    return Histories(repeats.astype(float), last / 7, observed / 7)


def test_very_many_histories_are_fitted_on_a_few_cells() -> None:
    seen = many_histories(120_000)
    cells, count = seen.gathered()
    assert len(cells) <= bgnbd.MOST_CELLS < len(seen.distinct()[0])
    assert count.sum() == len(seen)
    found = bgnbd.fit(seen)
    highest = bgnbd.log_likelihood(found, seen)
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.96, 1.04):
            other = replace(found, **{name: getattr(found, name) * factor})
            assert bgnbd.log_likelihood(other, seen) < highest
