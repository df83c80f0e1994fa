from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

from kpay.ml import value
from kpay.ml.frames import purchases
from kpay.ml.value import Amounts, GammaGamma
from tests.fakes.ml_worlds import START, orders

Row = tuple[int, float, int, str, str]


def spenders(customers: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts and mean amounts of people whose amounts are Gamma(5, v), v from Gamma(4, 6)."""
    generator = np.random.default_rng(seed)
    rate = generator.gamma(4.0, 1 / 6.0, customers)
    count = generator.integers(1, 12, customers).astype(float)
    return count, generator.gamma(5.0 * count, 1 / (rate * count))


def test_the_parameters_behind_simulated_amounts_are_found_again() -> None:
    model = value.fit(*spenders(20_000, seed=5))
    assert (model.p, model.q, model.gamma) == pytest.approx((5.0, 4.0, 6.0), rel=0.05)


def test_few_purchases_pull_the_expected_amount_towards_everybodys_mean() -> None:
    count, mean = spenders(4_000, seed=5)
    model = value.fit(count, mean)
    middle = model.p * model.gamma / (model.q - 1)
    assert middle == pytest.approx(mean.mean(), rel=0.15)
    once, often = model.expected_amount(np.array([1.0, 50.0]), np.array([4 * middle] * 2))
    assert middle < once < often < 4 * middle


def test_the_likelihood_equals_its_definition_integrated_numerically() -> None:
    model = GammaGamma(p=2.5, q=3.7, gamma=4.0)
    count, mean = np.array([1.0, 3.0, 9.0]), np.array([0.4, 2.0, 6.0])

    def of_one(times: float, amount: float) -> float:
        def density(rate: float) -> float:
            seen = gamma.pdf(amount, model.p * times, scale=1 / (rate * times))
            return float(seen * gamma.pdf(rate, model.q, scale=1 / model.gamma))

        return float(quad(density, 0, 60, limit=400, points=[0.1, 0.5, 1, 2, 5, 10])[0])

    expected = sum(np.log(of_one(*row)) for row in zip(count, mean, strict=True))
    assert value.log_likelihood(model, count, mean) == pytest.approx(expected, rel=1e-7)


def test_no_neighbouring_parameters_are_likelier_than_the_fitted_ones() -> None:
    count, mean = spenders(400, seed=8)
    best = value.fit(count, mean, prior_weight=0)
    highest = value.log_likelihood(best, count, mean)
    for name in ("p", "q", "gamma"):
        for factor in (0.97, 1.03):
            other = replace(best, **{name: getattr(best, name) * factor})
            assert value.log_likelihood(other, count, mean) < highest


def test_the_unit_of_the_amounts_does_not_matter() -> None:
    count, mean = spenders(60, seed=9)
    cents = value.fit(count, 100 * mean)
    model = value.fit(count, mean)
    assert (cents.p, cents.q) == pytest.approx((model.p, model.q), rel=1e-4)
    assert cents.gamma == pytest.approx(100 * model.gamma, rel=1e-4)


def test_the_value_model_survives_customers_who_never_paid() -> None:
    for count, mean in (
        (np.ones(3), np.zeros(3)),
        (np.ones(1), np.ones(1)),
        (np.ones(9), np.ones(9)),
    ):
        model = value.fit(count, mean)
        assert np.isfinite(model.expected_amount(np.ones(2), np.array([0.0, 9.0]))).all()


def test_repeat_amounts_leave_out_the_first_day() -> None:
    frame = orders(
        [
            (1, 0.1, 500, "usd", ""),
            (1, 0.9, 700, "usd", ""),
            (1, 14.2, 1_000, "usd", ""),
            (1, 20.2, 3_000, "usd", ""),
            (2, 3.0, 400, "usd", ""),
        ]
    )
    repeats, mean_minor = value.repeat_amounts(purchases(frame, START + timedelta(days=29)))
    assert (repeats.tolist(), mean_minor.tolist()) == ([2, 0], [2_000, 0])


def steady(amounts: list[tuple[float, int, str]], customer: int = 1) -> list[Row]:
    return [(customer, day, minor, currency, "") for day, minor, currency in amounts]


def test_what_the_last_horizon_brought_scales_what_is_expected() -> None:
    before = [
        row for c in range(200) for row in steady([(3.0, 1_000, "usd"), (40, 1_000, "usd")], c)
    ]
    dearer = [row for c in range(200) for row in steady([(80.0, 1_500, "usd")], c)]
    same = [row for c in range(200) for row in steady([(80.0, 1_000, "usd")], c)]
    until = START + timedelta(days=90)
    assert value.learn(purchases(orders(before + same), until), 30).scale == pytest.approx(
        1.0, abs=0.02
    )
    assert 1.3 < value.learn(purchases(orders(before + dearer), until), 30).scale <= 1.5


def test_a_currency_that_is_new_within_the_last_horizon_scales_nothing() -> None:
    before = [row for c in range(200) for row in steady([(3.0, 10, "usd"), (40, 10, "usd")], c)]
    yen = [row for c in range(200) for row in steady([(80.0, 90_000, "jpy")], c)]
    known = purchases(orders(before + yen), START + timedelta(days=90))
    assert value.learn(known, 30).scale == pytest.approx(1.0, abs=0.02)


def test_recent_amounts_count_for_more_than_old_ones() -> None:
    rising = steady([(3.0, 500, "usd"), (340, 1_500, "usd")], customer=1)
    falling = steady([(3.0, 1_500, "usd"), (340, 500, "usd")], customer=2)
    known = purchases(orders(rising + falling), START + timedelta(days=360))
    risen, fallen = Amounts(GammaGamma(3.0, 4.0, 1.0), 1.0).expected(known, 0)
    assert risen > 1.1 * fallen


def test_amounts_read_back_from_json_say_the_same() -> None:
    amounts = Amounts(GammaGamma(3.0, 4.0, 1.0), 1.2)
    assert Amounts.from_dict(json.loads(json.dumps(amounts.to_dict()))) == amounts
