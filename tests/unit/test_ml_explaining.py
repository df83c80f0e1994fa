"""Every rung's score is the sum of its parts, and each part is where it belongs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from kpay.ml import boosting, explaining, fitting, shapley, targets, training
from kpay.ml.bgnbd import BgNbd, Histories
from kpay.ml.fitting import Learned
from kpay.ml.frames import purchases
from kpay.ml.history import OPEN, History, Marks, Spans
from kpay.ml.logistic import logit
from kpay.ml.targets import PURCHASE
from kpay.ml.training import Snapshots
from tests.fakes.ml_worlds import END, membership_orders

HORIZON = 60
RUNGS = ("rule", "bgnbd", "logistic", "blend", "boosting")
KNOWN = History(purchases(membership_orders(400, seed=5), END - timedelta(days=HORIZON)))
AT = training.Snapshots(KNOWN, HORIZON)


@pytest.fixture(scope="module")
def learned() -> Learned:
    rows = AT.panel(-HORIZON)
    assert rows is not None
    return fitting.learn(rows, boosting.parameters(threads=1), HORIZON, PURCHASE)


@pytest.mark.parametrize("rung", RUNGS)
def test_base_and_parts_add_up_to_the_score_for_everybody(learned: Learned, rung: str) -> None:
    now = AT(0)
    model = learned.rung(rung, now)  # type: ignore[arg-type]
    rows = np.arange(len(now.customer))
    parts = explaining.contributions(model, now, rows)
    base = model.log_odds(now) - np.sum(list(parts.values()), axis=0)
    assert np.ptp(base) < 1e-8
    assert set(parts) <= set(now.columns)
    assert max(np.abs(adds).max() for adds in parts.values()) > 0.1


@pytest.mark.parametrize("rung", RUNGS)
def test_one_customer_is_explained_as_among_all(learned: Learned, rung: str) -> None:
    now = AT(0)
    model = learned.rung(rung, now)  # type: ignore[arg-type]
    row = 17
    found = explaining.explain(KNOWN, model, int(KNOWN.purchases.customer_ids[now.customer[row]]))
    total = found.base_log_odds + sum(part.adds for part in found.parts)
    assert total == pytest.approx(float(model.log_odds(now)[row]), abs=1e-9)
    sizes = [abs(part.adds) for part in found.parts]
    assert sizes == sorted(sizes, reverse=True)
    assert all(part.value == found.values[part.column] for part in found.parts)


@pytest.fixture(scope="module")
def renewing() -> Snapshots:
    """A business whose customers all subscribed once, of whom some have left."""
    generator = np.random.default_rng(2)
    count = len(KNOWN.purchases.customer_ids)
    start = np.sort(generator.integers(-300, -100, count))
    months = generator.geometric(0.12, count)
    end = start + 30 * months
    spans = Spans(
        customer=np.arange(count),
        content=np.full(count, -1),
        start=start,
        trial_end=start,
        notice=np.where(end < 0, end - 15, OPEN),
        end=np.where(end < 0, end, OPEN),
        interval_days=np.full(count, 30.0),
        amount_minor=np.full(count, 900),
        currency=np.zeros(count, dtype=np.int64),
    )
    known = replace(KNOWN, spans=spans)
    return training.Snapshots(known, HORIZON, targets.parse("renewal"))


@pytest.mark.parametrize("rung", ["rule", "logistic", "blend"])
def test_renewals_are_explained_by_parts_that_add_up(renewing: Snapshots, rung: str) -> None:
    rows = renewing.panel(-HORIZON)
    assert rows is not None
    settings = boosting.parameters(threads=1)
    now = renewing(0)
    model = fitting.learn(rows, settings, HORIZON, renewing.target).rung(rung, now)  # type: ignore[arg-type]
    parts = explaining.contributions(model, now, np.arange(len(now.customer)))
    base = model.log_odds(now) - np.sum(list(parts.values()), axis=0)
    assert np.ptp(base) < 1e-8
    assert np.abs(parts["prior_logit"]).max() > 0.1
    if rung == "rule":
        assert base[0] == pytest.approx(model.log_odds(now).mean())


def test_nobody_who_never_bought_is_explained(learned: Learned) -> None:
    model = learned.rung("bgnbd", AT(0))
    with pytest.raises(KeyError):
        explaining.explain(KNOWN, model, -1)


def test_the_longer_the_silence_the_more_it_takes_away(learned: Learned) -> None:
    now = AT(0)
    parts = explaining.contributions(learned.rung("bgnbd", now), now, np.arange(len(now.customer)))
    silent = now.columns["recency_days"]
    repeats = now.columns["days_bought"] > 1
    assert np.corrcoef(silent[repeats], parts["recency_days"][repeats])[0, 1] < -0.5


def test_the_linear_part_shows_no_second_hand_log_odds(learned: Learned) -> None:
    now = AT(0)
    parts = explaining.contributions(
        learned.rung("logistic", now), now, np.arange(len(now.customer))
    )
    assert not parts["bg_logit"].any()
    assert parts["recency_days"].any()


def test_equal_numbers_get_equal_shares_and_an_unused_number_none() -> None:
    everybody = Histories(np.array([0.0, 4.0]), np.array([0.0, 4.0]), np.array([10.0, 10.0]))

    def judge(seen: Histories) -> np.ndarray:
        return seen.repeats + (seen.observed - seen.last)

    shares = shapley.shares(judge, everybody, everybody)
    assert shares["days_bought"].tolist() == [-2.0, 2.0]
    assert shares["recency_days"].tolist() == [2.0, -2.0]
    assert shares["tenure_days"].tolist() == [0.0, 0.0]


def test_shares_add_up_where_the_numbers_mix() -> None:
    model = BgNbd(0.6, 4.0, 0.8, 3.0)
    seen = Histories(
        np.array([0.0, 1.0, 6.0, 2.0]),
        np.array([0.0, 3.0, 20.0, 30.0]),
        np.array([5.0, 30.0, 25.0, 31.0]),
    )

    def judge(histories: Histories) -> np.ndarray:
        return logit(model.any_purchase(histories, HORIZON))

    shares = shapley.shares(judge, seen, seen)
    base = judge(seen) - sum(shares.values())
    assert np.ptp(base) < 1e-10
    assert base[0] == pytest.approx(judge(seen).mean())


def test_histories_that_nobody_has_can_be_asked_about() -> None:
    model = BgNbd(0.6, 4.0, 0.8, 3.0)
    seen = Histories(np.array([0.0, 900.0]), np.array([0.0, 300.0]), np.array([400.0, 300.0]))
    shares = shapley.shares(lambda asked: logit(model.any_purchase(asked, HORIZON)), seen, seen)
    assert np.isfinite(list(shares.values())).all()


def test_facts_say_when_a_mail_was_last_of_interest() -> None:
    def marks(*days: int) -> Marks:
        count = len(days)
        return Marks(np.full(count, 3), np.array(days), np.full(count, -1), np.ones(count))

    now = AT(0)
    row = int(np.flatnonzero(now.customer == 3)[0])
    quiet = explaining.facts(KNOWN, now, row)
    assert (quiet.mails, quiet.last_click_days) == (0, None)
    heard = History(KNOWN.purchases, marks={"mail": marks(-40, -20, -5), "click": marks(-19)})
    told = explaining.facts(heard, now, row)
    assert (told.mails, told.last_click_days, told.mails_since_click) == (3, 18, 1)
    assert told.purchase_days == now.columns["days_bought"][row]
    assert told.silent_days == now.columns["recency_days"][row]
