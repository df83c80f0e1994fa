from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from kpay.ml import scoring
from kpay.ml.features import Snapshot, snapshot
from kpay.ml.frames import purchases
from kpay.ml.history import History
from kpay.ml.propensity import Propensity
from kpay.ml.value import Amounts, GammaGamma
from tests.fakes.ml_worlds import END, START, bg_nbd_orders, orders

HORIZON = 60
KNOWN = History(purchases(bg_nbd_orders(800, seed=21), END))
NOW: Snapshot = snapshot(KNOWN, 0, HORIZON)
BY_BG = Propensity("bgnbd", HORIZON, NOW.bg)


def test_the_expected_days_of_the_bgnbd_rung_are_the_bgnbds() -> None:
    for horizon in (HORIZON, 200):
        days = scoring.expected_days(NOW, BY_BG, BY_BG.probability(NOW), horizon)
        assert days == pytest.approx(
            NOW.bg.expected_purchases(NOW.seen, horizon), rel=1e-3, abs=1e-5
        )


def test_a_likelier_buyer_is_expected_on_more_days_at_any_horizon() -> None:
    chance = BY_BG.probability(NOW)
    by_bg = NOW.bg.expected_purchases(NOW.seen, HORIZON)
    doubled = scoring.expected_days(NOW, BY_BG, 2 * chance, HORIZON)
    assert doubled == pytest.approx(np.sqrt(2) * by_bg, rel=1e-3, abs=1e-5)
    later = scoring.expected_days(NOW, BY_BG, 2 * chance, 3 * HORIZON)
    assert (later > doubled).all()
    assert later == pytest.approx(
        np.sqrt(2) * NOW.bg.expected_purchases(NOW.seen, 3 * HORIZON), rel=1e-3, abs=1e-5
    )


def test_an_expected_value_is_in_the_currency_of_the_latest_purchase() -> None:
    rows = [(1, 3.0, 1_000, "usd", ""), (1, 40.0, 90_000, "jpy", ""), (2, 50.0, 1_000, "usd", "")]
    known = History(purchases(orders(rows), START + timedelta(days=90)))
    now = snapshot(known, 0, HORIZON)
    even = Amounts(GammaGamma(1e6, 2.0, 1e-6), 1.0)  # everybody spends the multiple they have spent
    minor = scoring.expected_value_minor(known, now, even, np.ones(2))
    assert minor.tolist() == pytest.approx([90_000, 1_000], rel=1e-3, abs=1e-5)
    scores = scoring.score(known, Propensity("rule", HORIZON, now.bg), even)
    assert dict(zip(scores["customer"], scores["currency"], strict=True)) == {1: "jpy", 2: "usd"}


def test_amounts_are_whole_and_within_what_the_store_can_keep() -> None:
    found = scoring.whole_minor(np.array([-3.0, 0.6, 1e30]))
    assert found.tolist() == [0, 1, scoring.LARGEST_MINOR]
