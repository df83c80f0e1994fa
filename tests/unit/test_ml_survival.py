from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest

from kpay.ml import survival
from kpay.ml.history import OPEN, Spans, no_spans
from kpay.ml.survival import Survival

MONTH = 30.0
LEAVING = {0: 0.4, 1: 0.2, 2: 0.1}  # in the trial and the first and second period; later 5 %
DAYS = 900


def members(
    count: int, seed: int, *, early: float = 0.3, announced: float = 0.5,
    interval: float = MONTH, leaving: Mapping[int, float] = LEAVING,
) -> Spans:  # fmt: skip
    """Members who joined on days 0 to 899, every third with a trial of 14 days."""
    generator = np.random.default_rng(seed)
    rows = []
    for customer in range(count):
        start = int(generator.integers(0, DAYS))
        trial_end = start + (14 if customer % 3 == 0 else 0)
        number, begun, notice = int(trial_end == start), start, OPEN
        while True:
            length = 14 if number == 0 else interval
            if generator.random() < leaving.get(number, 0.05):
                break
            begun, number = int(begun + length), number + 1
        share = generator.uniform(0.1, 0.85)
        end = int(begun + length)
        if generator.random() < early:
            end = int(begun + share * length)
        elif generator.random() < announced:
            notice = int(begun + share * length)
        rows.append((customer, start, trial_end, notice, end))
    customer, start, trial_end, notice, end = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    nothing = np.zeros(count, dtype=np.int64)
    intervals = np.full(count, interval)
    return Spans(
        customer, nothing, start, trial_end, notice, end, intervals, nothing + 900, nothing
    )


@pytest.fixture(scope="module")
def world() -> Spans:
    return members(12_000, seed=3)


def test_known_chances_of_leaving_are_found_again(world: Spans) -> None:
    found = survival.fit(world, DAYS)
    trial, first, second, third, later = found.hazards[1]
    assert trial == pytest.approx(0.4, abs=0.03)
    assert first == pytest.approx(0.2, abs=0.015)
    assert second == pytest.approx(0.1, abs=0.015)
    assert third == pytest.approx(0.05, abs=0.01)
    assert later == pytest.approx(0.05, abs=0.01)
    assert found.early == pytest.approx(0.3, abs=0.03)
    assert found.announced == pytest.approx(0.5, abs=0.04)
    assert found.resumed < 0.01


@pytest.mark.parametrize("horizon", [10, 30, 90, 365])
def test_as_many_stay_as_was_promised_at_every_level(world: Spans, horizon: int) -> None:
    found = survival.fit(world, DAYS)
    customer, chance = found.stays(world, DAYS, horizon)
    stayed = (world.end[customer] >= DAYS + horizon).astype(float)
    assert chance.mean() == pytest.approx(stayed.mean(), abs=0.02)
    middle = chance > np.median(chance)
    for part in (middle, ~middle):
        assert chance[part].mean() == pytest.approx(stayed[part].mean(), abs=0.04)


def test_years_that_are_not_over_yet_do_not_look_as_if_everybody_left() -> None:
    yearly = members(6_000, seed=9, interval=365.0, leaving={0: 0.4, 1: 0.4})
    today = 300  # nobody has come to a renewal: only those who did not wait have left
    found = survival.fit(yearly, today)
    customer, chance = found.stays(yearly, today, 60)
    stayed = (yearly.end[customer] >= today + 60).mean()
    assert chance.mean() == pytest.approx(stayed, abs=0.02)
    later = survival.fit(yearly, DAYS)
    assert later.hazards[3][1] == pytest.approx(0.4, abs=0.03)
    assert later.early == pytest.approx(0.3, abs=0.06)


def test_the_curve_is_the_product_limit_estimate_where_much_is_known(world: Spans) -> None:
    known = world.before(DAYS)
    paid = known.trial_end == known.start
    lasted = np.where(known.end == OPEN, DAYS, known.end)[paid] - known.start[paid]
    ended = known.end[paid] != OPEN
    shares, share = [], 1.0
    for period in range(1, 9):
        at_risk = (lasted > (period - 0.9) * MONTH) & (ended | (lasted > (period + 0.1) * MONTH))
        leaves = ended & at_risk & (lasted <= (period + 0.1) * MONTH)
        share *= 1 - leaves.sum() / at_risk.sum()
        shares.append(share)
    assert survival.fit(world, DAYS).curve(MONTH, 8) == pytest.approx(shares, abs=0.03)


def test_expected_renewals_come_true(world: Spans) -> None:
    found = survival.fit(world, DAYS).renewals(world, DAYS, 120)
    first_due = world.trial_end[found.row]
    ends = np.minimum(world.end[found.row], DAYS + 120)
    due = np.arange(0, 40)[None, :] * MONTH + first_due[:, None]
    paid = ((due >= DAYS) & (due < ends[:, None])).sum(axis=1)
    assert found.payments.sum() == pytest.approx(paid.sum(), rel=0.03)


def alone(**changes: int) -> Spans:
    row = {"start": -100, "trial_end": -100, "notice": OPEN, "end": OPEN, **changes}
    one = {name: np.array([day]) for name, day in row.items()}
    zero = np.zeros(1, dtype=np.int64)
    return Spans(
        customer=zero, content=zero, interval_days=np.array([MONTH]),
        amount_minor=zero + 900, currency=zero, **one,
    )  # fmt: skip


def chance(model: Survival, spans: Spans, horizon: int) -> float:
    return float(model.stays(spans, 0, horizon)[1][0])


def test_notice_means_leaving_at_the_end_of_the_period_and_not_before() -> None:
    model = survival.fit(no_spans(), 0)
    noticed = alone(notice=-3)  # the fourth period ends on day 20
    assert chance(model, noticed, 20) == 1.0
    assert chance(model, noticed, 21) == pytest.approx(model.resumed, rel=1e-2)
    assert chance(model, alone(), 21) > 0.85


def test_silence_late_in_a_period_is_a_good_sign() -> None:
    model = survival.fit(no_spans(), 0)
    late, early = alone(start=-58, trial_end=-58), alone(start=-32, trial_end=-32)
    assert chance(model, late, 30) > chance(model, early, 30) - 1e-9
    assert chance(model, late, 3) > 1 - model.hazards[1][2]


def test_somebody_in_a_trial_is_less_certain_than_a_member_of_long_standing() -> None:
    model = survival.fit(no_spans(), 0)
    trial = alone(start=-3, trial_end=11)
    assert chance(model, trial, 30) < 0.75 < chance(model, alone(start=-900, trial_end=-900), 30)


def test_the_future_is_not_seen(world: Spans) -> None:
    whole, past = survival.fit(world, 500), survival.fit(world.before(500), 500)
    assert whole == past
    assert np.array_equal(whole.stays(world, 500, 90)[1], past.stays(world.before(500), 500, 90)[1])


def test_a_keeper_of_two_subscriptions_stays_if_either_goes_on() -> None:
    model, one = survival.fit(no_spans(), 0), alone()
    two = Spans(*(np.repeat(getattr(one, name), 2) for name in Spans.__slots__))
    customer, stays = model.stays(two, 0, 90)
    assert customer.tolist() == [0]
    assert 1 - stays[0] == pytest.approx((1 - chance(model, one, 90)) ** 2)


def test_few_members_are_pulled_towards_the_usual_shape() -> None:
    few = members(12, seed=1)
    hazards = np.array(survival.fit(few, DAYS).hazards)
    assert (hazards > 0.005).all()
    assert (hazards < 0.8).all()
    nobody = survival.fit(no_spans(), 0)
    assert np.array(nobody.hazards) == pytest.approx(survival.USUAL)
    assert len(nobody.stays(no_spans(), 0, 90)[0]) == 0


def test_a_model_read_back_from_json_says_the_same(world: Spans) -> None:
    found = survival.fit(world, DAYS)
    assert Survival.from_dict(json.loads(json.dumps(found.to_dict()))) == found
