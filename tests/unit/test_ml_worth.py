from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from kpay.ml import scoring, survival, targets, worth
from kpay.ml.features import Snapshot
from kpay.ml.frames import purchases
from kpay.ml.history import OPEN, History, Pieces, Spans, no_spans
from kpay.ml.propensity import Propensity
from kpay.ml.snapshots import see
from kpay.ml.targets import Prior
from kpay.ml.value import Amounts, GammaGamma
from tests.fakes.ml_worlds import END, START, bg_nbd_orders, orders

HORIZON = 60
KNOWN = History(purchases(bg_nbd_orders(800, seed=21), END))
NOW: Snapshot = see(KNOWN, 0, HORIZON)
BY_BG = Propensity("bgnbd", HORIZON, NOW.bg)
AS_SPENT = Amounts(GammaGamma(1e6, 2.0, 1e-6), 1.0)  # everybody spends what they have spent


def test_the_expected_days_of_the_bgnbd_rung_are_the_bgnbds() -> None:
    for horizon in (HORIZON, 200):
        days = worth.expected_days(NOW, BY_BG, BY_BG.probability(NOW), horizon)
        expected = NOW.bg.expected_purchases(NOW.seen, horizon)
        assert days == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_a_likelier_buyer_is_expected_on_more_days_at_any_horizon() -> None:
    chance = BY_BG.probability(NOW)
    doubled = worth.expected_days(NOW, BY_BG, 2 * chance, HORIZON)
    later = worth.expected_days(NOW, BY_BG, 2 * chance, 3 * HORIZON)
    assert (later > doubled).all()
    for days, horizon in ((doubled, HORIZON), (later, 3 * HORIZON)):
        by_bg = NOW.bg.expected_purchases(NOW.seen, horizon)
        assert days == pytest.approx(np.sqrt(2) * by_bg, rel=1e-3, abs=1e-5)


ROWS = [
    (1, 3.0, 1_000, "usd", ""),
    (1, 40.0, 90_000, "jpy", ""),
    (2, 10.0, 3_000, "usd", ""),
    (2, 80.0, 1_000, "usd", ""),
]
SHOP = History(purchases(orders(ROWS), START + timedelta(days=90)))
USD, JPY = SHOP.purchases.currencies.index("usd"), SHOP.purchases.currencies.index("jpy")


def asked(shop: History, name: str) -> tuple[Snapshot, Propensity]:
    target = targets.parse(name)
    now = see(shop, 0, HORIZON, target=target)
    return now, Propensity("rule", HORIZON, now.bg, target=target, prior=now.prior)


def test_the_worth_of_a_purchase_is_in_the_currency_of_the_latest_one() -> None:
    now, _ = asked(SHOP, "purchase")
    minor = worth.purchases_minor(SHOP, now, AS_SPENT, np.ones(2))
    own_mean_of_2 = 3_000 * 0.5 ** (79 / 180) + 1_000 * 0.5 ** (9 / 180)
    own_mean_of_2 /= 0.5 ** (79 / 180) + 0.5 ** (9 / 180)
    assert minor[1] == pytest.approx(own_mean_of_2, rel=1e-3)
    scores = scoring.score(SHOP, Propensity("rule", HORIZON, now.bg), AS_SPENT)
    assert dict(zip(scores["customer"], scores["currency"], strict=True)) == {1: "jpy", 2: "usd"}


def test_the_worth_of_one_piece_is_its_price_times_the_chance() -> None:
    pieces = Pieces(
        slug=("a", "atlas"),
        text=("", ""),
        kind=("ebook", "ebook"),
        tags=((), ()),
        price_minor=np.array([500, 2_900]),
        currency=np.array([USD, USD]),
        first_day=np.array([-90, -90]),
        last_day=np.array([OPEN, OPEN]),
    )
    shop = replace(SHOP, pieces=pieces)
    now, model = asked(shop, "content:atlas")
    found = worth.expected(shop, now, model, AS_SPENT, np.array([0.5, 0.1]))
    assert found.minor.tolist() == [1_450, 290]
    assert found.currency.tolist() == [USD, USD]


def test_the_worth_of_a_refund_is_what_was_bought_of_late_in_one_currency() -> None:
    now, model = asked(SHOP, "refund")
    found = worth.expected(SHOP, now, model, AS_SPENT, np.array([0.5, 0.1]))
    assert found.minor.tolist() == [45_000, 100]
    assert found.currency.tolist() == [JPY, USD]


def subscribed(**columns: list[int]) -> History:
    rows = len(columns["customer"])
    spans = Spans(
        customer=np.array(columns["customer"]),
        content=np.zeros(rows, dtype=np.int64),
        start=np.array(columns["start"]),
        trial_end=np.array(columns["start"]),
        notice=np.array(columns.get("notice", [OPEN] * rows)),
        end=np.array(columns.get("end", [OPEN] * rows)),
        interval_days=np.full(rows, 30.0),
        amount_minor=np.array(columns["amount_minor"]),
        currency=np.array(columns["currency"]),
    )
    return replace(SHOP, spans=spans)


def test_the_worth_of_a_renewal_is_the_payments_to_come_in_one_currency() -> None:
    shop = subscribed(
        customer=[0, 1, 1], start=[-65, -80, -20], amount_minor=[900, 700, 500],
        currency=[USD, JPY, USD],
    )  # fmt: skip
    now, model = asked(shop, "renewal")
    believed = model.probability(now)
    found = worth.expected(shop, now, model, AS_SPENT, believed)
    assert model.prior is not None
    assert model.prior.staying is not None
    coming = model.prior.staying.renewals(shop.spans, 0, HORIZON)
    assert found.currency.tolist() == [USD, USD]
    expected = [900 * coming.payments[0], 500 * coming.payments[2]]
    assert found.minor.tolist() == pytest.approx(expected, abs=1)
    assert 900 < found.minor[0] < 1_800
    surer = worth.expected(shop, now, model, AS_SPENT, np.minimum(1.2 * believed, 1.0))
    assert (surer.minor > found.minor).all()


def test_who_gave_notice_is_expected_to_pay_next_to_nothing() -> None:
    shop = subscribed(
        customer=[0, 1], start=[-65, -65], amount_minor=[900, 900], currency=[USD, USD],
        notice=[-2, OPEN],
    )  # fmt: skip
    now, model = asked(shop, "renewal")
    leaver, stayer = worth.expected(shop, now, model, AS_SPENT, model.probability(now)).minor
    assert leaver < 0.1 * stayer


def test_a_renewal_model_without_its_survival_expects_nothing() -> None:
    shop = subscribed(customer=[0], start=[-65], amount_minor=[900], currency=[USD])
    now, model = asked(shop, "renewal")
    bare = replace(model, prior=Prior(a_day=0.01))
    assert worth.expected(shop, now, bare, AS_SPENT, np.ones(1)).minor.tolist() == [0]
    assert survival.fit(no_spans(), 0).renewals(no_spans(), 0, HORIZON).payments.tolist() == []


def test_amounts_are_whole_and_within_what_the_store_can_keep() -> None:
    found = worth.whole_minor(np.array([-3.0, 0.6, 1e30]))
    assert found.tolist() == [0, 1, worth.LARGEST_MINOR]
