"""Targets: whom they are about, what counts, and what is believed beforehand."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from kpay.ml import boosting, metrics, snapshots, targets, training
from kpay.ml.frames import purchases
from kpay.ml.history import OPEN, History, Marks, Pieces, Spans
from kpay.ml.propensity import Propensity
from kpay.ml.targets import PURCHASE, Target
from tests.fakes.ml_worlds import END, START, bg_nbd_orders, orders

SETTINGS = boosting.parameters(threads=1)
CUTOFF, HORIZON = -60, 60


def marks(rows: list[tuple[int, int, int]]) -> Marks:
    rows.sort()
    customer, day, content = (
        np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)
    )
    return Marks(customer, day, content, np.ones(len(rows)))


def spans(rows: list[tuple[int, int, int]]) -> Spans:
    customer, start, end = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    none = np.full(len(rows), OPEN)
    unknown = np.full(len(rows), -1)
    month = np.full(len(rows), 30.0)
    return Spans(
        customer, unknown, start, start, none, end, month, np.full(len(rows), 900), unknown
    )


def four_buyers() -> History:
    """Customers 0 to 3, who first bought on days -300, -200, -100 and -80."""
    days_ago = {1: 300, 2: 200, 3: 100, 4: 80}
    rows = [(who, 365.0 - ago + 0.5, 900, "usd", "a") for who, ago in days_ago.items()]
    return History(
        purchases(orders(rows), END),
        bought=marks([(0, -300, 0), (1, -200, 0), (2, -100, 0), (3, -80, 0), (1, -30, 1)]),
        marks={"refund": marks([(3, -40, 0)])},
        spans=spans([(0, -300, OPEN), (1, -200, -70), (2, -100, -20)]),
        pieces=Pieces(
            slug=("a", "b"),
            text=("", ""),
            kind=("ebook", "ebook"),
            tags=((), ()),
            price_minor=np.array([900, 900]),
            currency=np.array([0, 0]),
            first_day=np.array([-300, -150]),
            last_day=np.array([OPEN, OPEN]),
        ),
    )


@pytest.mark.parametrize("name", ["purchase", "content:a", "renewal", "refund"])
def test_a_name_is_read_and_said_again(name: str) -> None:
    assert targets.parse(name).name == name


@pytest.mark.parametrize("name", ["", "content:", "churn", "refund:a", "uplift"])
def test_another_name_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(ValueError, match="content:SLUG"):
        targets.parse(name)


def test_content_is_about_those_who_do_not_own_it_while_it_is_on_sale() -> None:
    known = four_buyers()
    target = Target("content", "b")
    assert target.eligible(known.before(CUTOFF), CUTOFF).tolist() == [True] * 4
    assert target.eligible(known.before(-10), -10).tolist() == [True, False, True, True]
    assert not target.eligible(known.before(-160), -160).any()
    assert target.happened(known, CUTOFF, HORIZON).tolist() == [False, True, False, False]
    with pytest.raises(ValueError, match="'c'"):
        Target("content", "c").check(known)


def test_renewal_is_about_active_subscriptions_that_are_still_active_when_the_horizon_ends() -> (
    None
):
    known = four_buyers()
    target = Target("renewal")
    assert target.eligible(known.before(CUTOFF), CUTOFF).tolist() == [True, False, True, False]
    assert target.happened(known, CUTOFF, HORIZON).tolist() == [True, False, False, False]
    with pytest.raises(ValueError, match="no subscription"):
        target.check(History(known.purchases))


def test_refund_is_about_those_who_bought_within_60_days() -> None:
    known = four_buyers()
    target = Target("refund")
    assert target.eligible(known.before(CUTOFF), CUTOFF).tolist() == [False, False, True, True]
    assert target.happened(known, CUTOFF, HORIZON).tolist() == [False, False, False, True]


def test_nothing_of_the_future_is_in_a_prior() -> None:
    known = four_buyers()
    for target in (Target("content", "a"), Target("renewal"), Target("refund")):
        past = known.before(CUTOFF)
        assert target.prior(past, CUTOFF, HORIZON) == target.prior(past, CUTOFF, HORIZON)
        believed = target.prior(past, CUTOFF, HORIZON)
        assert believed is not None
        said = believed.log_odds(past, np.arange(4), np.zeros(4), CUTOFF, HORIZON)
        assert np.isfinite(said).all()
        assert targets.Prior.from_dict(believed.to_dict()) == believed


def subscribers(count: int, *, seed: int) -> History:
    """Members who pay monthly; whoever was bought from twice leaves far less often."""
    draw = np.random.default_rng(seed)
    paid = orders(
        [
            (who, float(draw.uniform(0, 40)) + 20 * turn, 900, "usd", "club")
            for who in range(count)
            for turn in range(1 + who % 2)
        ]
    )
    rows = []
    for who in range(count):
        start = int(-365 + draw.integers(0, 200))
        months = int(draw.geometric(0.04 if who % 2 else 0.25))
        end = start + 30 * months
        rows.append((who, start, end if end < 0 else OPEN))
    return History(purchases(paid, END), spans=spans(rows))


def test_a_renewal_model_beats_the_survival_it_starts_from_where_columns_tell_more() -> None:
    known = subscribers(1_200, seed=5)
    found = training.train(known, 30, SETTINGS, target=Target("renewal"))
    assert found.model.rung != "rule"
    assert found.metrics.auc > found.rungs["rule"].auc + 0.05
    assert found.metrics.log_loss < found.rungs["rule"].log_loss
    assert found.baselines["bgnbd"].auc is None
    read = Propensity.from_dict(found.model.to_dict())
    then = read.look(known)
    assert np.array_equal(read.probability(then), found.model.probability(then))
    active = Target("renewal").eligible(known, 0)
    assert set(then.customer) == set(np.flatnonzero(active))


def test_a_target_with_too_few_cases_gets_the_rate_of_the_past_and_says_so() -> None:
    frame = bg_nbd_orders(300, seed=2)
    known = History(
        purchases(frame, START + timedelta(days=365)), marks={"refund": marks([(3, -40, -1)])}
    )
    found = training.train(known, 60, SETTINGS, target=Target("refund"))
    assert found.model.rung == "rule"
    assert "rate of the past" in found.why
    chance = found.model.probability(found.model.look(known))
    assert len(set(chance)) == 1
    assert 0 < chance[0] < 0.05


def test_a_purchase_is_believed_by_bgnbd_alone() -> None:
    assert PURCHASE.prior(four_buyers(), CUTOFF, HORIZON) is None
    assert PURCHASE.prior_column == "bg_logit"


def tasteful(customers: int, *, seed: int) -> History:
    """Each customer looks at pieces of one taste a while before buying one of them."""
    draw = np.random.default_rng(seed)
    bought, seen, lines = [], [], []
    for who in range(customers):
        taste = who % 2
        for day in sorted(draw.choice(np.arange(-360, 0), size=5, replace=False).tolist()):
            piece = int(2 * draw.integers(0, 3) + taste)
            seen.append((who, day - int(draw.integers(1, 30)), piece))
            bought.append((who, day, piece))
            lines.append((who, 365.0 + day + 0.5, 900, "usd", f"p{piece}"))
    size = 6
    shelf = Pieces(
        slug=tuple(f"p{piece}" for piece in range(size)),
        text=("",) * size,
        kind=("ebook",) * size,
        tags=((),) * size,
        price_minor=np.full(size, 900),
        currency=np.zeros(size, dtype=np.int64),
        first_day=np.full(size, -400),
        last_day=np.full(size, OPEN),
    )
    visits = {"visit": marks([visit for visit in seen if visit[1] < 0])}
    return History(purchases(orders(lines), END), bought=marks(bought), marks=visits, pieces=shelf)


def test_what_draws_to_one_piece_is_learned_from_all_pieces() -> None:
    known = tasteful(160, seed=3)
    target = Target("content", "p1")
    past = known.before(CUTOFF)
    believed = target.prior(past, CUTOFF, HORIZON)
    assert believed is not None
    assert believed.drawn is not None
    now = snapshots.see(known, CUTOFF, HORIZON, target=target)
    came = target.labels(known, now.customer, CUTOFF, HORIZON)
    assert 5 < came.sum() < 40
    assert metrics.auc(came, now.columns["prior_logit"]) > 0.75
    assert metrics.auc(came, now.columns["bg_logit"]) < 0.65
    unmoved = snapshots.see(past, CUTOFF, HORIZON, target=target)
    assert np.array_equal(now.columns["prior_logit"], unmoved.columns["prior_logit"])
    read = targets.Prior.from_dict(believed.to_dict())
    again = snapshots.see(known, CUTOFF, HORIZON, target=target, prior=read)
    assert np.array_equal(now.columns["prior_logit"], again.columns["prior_logit"])
