"""What-if on the same futures: each path keeps its luck, and only what a lever moves changes."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from kpay.ml.streams import joint
from kpay.ml.streams.joint import Streams
from kpay.ml.streams.launches import Occasion, Planned
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.levers import Levers, Moves, drawn_elasticities, with_churn
from kpay.ml.streams.members import NEVER, Members
from kpay.ml.streams.parts import Part, Parts
from kpay.ml.streams.returns import Refunds

DAYS, AHEAD, PEOPLE = 200, 90, 60
SOLD_ANEW = (joint.SINGLE, joint.STARTS)


def members() -> Members:
    began = np.arange(PEOPLE) * 3
    never = np.full(PEOPLE, NEVER)
    nothing = np.zeros(PEOPLE)
    gone = np.where(np.arange(PEOPLE) % 6 == 0, began + 61, NEVER)
    return Members(
        began=began,
        pays_from=began,
        due=began,
        months=np.ones(PEOPLE, dtype=np.int64),
        days=np.zeros(PEOPLE, dtype=np.int64),
        amount=np.full(PEOPLE, 900.0),
        raised=nothing,
        raised_from=never,
        noticed=never,
        ended=np.where(gone < DAYS, gone, NEVER),
        has_failed=np.zeros(PEOPLE, dtype=bool),
        is_in_arrears=np.zeros(PEOPLE, dtype=bool),
    )


@pytest.fixture(scope="module")
def levers() -> Levers:
    luck = np.random.default_rng(5)
    single = luck.poisson(5, DAYS) * 2000.0
    sold = np.sort(luck.integers(0, DAYS - 20, 40))
    refunds = Refunds(sold, sold + luck.integers(1, 15, 40), np.full(40, 2000.0))
    ledger = Ledger(date(2026, 1, 1), single, np.zeros(DAYS), refunds, members(), ())
    streams = joint.streams(ledger, AHEAD, seed=0)
    return Levers(streams, ledger, drawn_elasticities(-1.25, 0.5, 1000, 0), 0)


def totals(parts: Parts, *names: str) -> float:
    return sum(float(part.mean.sum()) for part in parts.parts if part.name in names)


def test_nothing_moved_is_nothing_changed(levers: Levers) -> None:
    assert np.array_equal(levers.moved(Moves()).draws, levers.streams.parts.draws)


def test_reach_moves_what_is_sold_anew_in_proportion_and_no_renewal(levers: Levers) -> None:
    before, after = levers.streams.parts, levers.moved(Moves(volume_factor=1.2))
    assert totals(after, *SOLD_ANEW) == pytest.approx(1.2 * totals(before, *SOLD_ANEW))
    assert totals(after, joint.RENEWALS) == totals(before, joint.RENEWALS) > 0
    # refunds of what is sold more come within the days ahead, so they rise by less than a fifth
    assert 1.0 < totals(after, joint.REFUNDS) / totals(before, joint.REFUNDS) < 1.2


def test_the_range_is_that_of_differences_of_paths(levers: Levers) -> None:
    before, after = levers.streams.parts, levers.moved(Moves(volume_factor=1.2))
    change = (after.draws - before.draws).sum(axis=1)
    assert (change > 0).all()
    assert change.std() < 0.5 * before.draws.sum(axis=1).std()


def test_a_price_is_answered_by_demand_on_each_path(levers: Levers) -> None:
    before, after = levers.streams.parts, levers.moved(Moves(price_share=0.1))
    moved, known = after.named(joint.SINGLE), before.named(joint.SINGLE)
    assert moved is not None
    assert known is not None
    factor = 1.1 ** (1 + levers.elasticities)
    assert np.allclose(moved.draws.sum(axis=1), factor * known.draws.sum(axis=1))
    elastic = Levers(levers.streams, levers.ledger, np.full(1000, -1.0), 0)
    assert np.allclose(elastic.moved(Moves(price_share=0.1)).draws, before.draws)


def test_fewer_leavers_pay_more_renewals_and_later_ones_most(levers: Levers) -> None:
    before, after = levers.streams.parts, levers.moved(Moves(churn_share=-0.5))
    renewed, known = after.named(joint.RENEWALS), before.named(joint.RENEWALS)
    assert renewed is not None
    assert known is not None
    month = AHEAD // 3
    first = renewed.mean[:month].sum() / known.mean[:month].sum()
    last = renewed.mean[-month:].sum() / known.mean[-month:].sum()
    assert 1.0 < first < last
    assert totals(after, joint.SINGLE) == totals(before, joint.SINGLE)


def test_the_chance_to_leave_changes_by_the_share(levers: Levers) -> None:
    experience = levers.streams.learned.experience
    assert np.allclose(1 - with_churn(experience, -0.1).usual, 0.9 * (1 - experience.usual))
    assert (with_churn(experience, 10.0).usual >= 0).all()


def test_a_launch_adds_its_own_sales_and_leaves_the_luck_of_all_others(levers: Levers) -> None:
    one = Planned(Occasion("course", "launch", DAYS + 30))
    before, after = levers.streams.parts, levers.moved(Moves(added=(one,)))
    launched = after.named(joint.LAUNCHES)
    assert launched is not None
    assert launched.mean[:30].sum() == 0 < launched.mean[30:].sum()
    untouched, known = after.named(joint.SINGLE), before.named(joint.SINGLE)
    assert untouched is not None
    assert known is not None
    assert np.array_equal(untouched.draws, known.draws)


def test_several_at_once_multiply_where_they_meet(levers: Levers) -> None:
    one = Planned(Occasion("course", "launch", DAYS + 30))
    alone = totals(levers.moved(Moves(added=(one,))), joint.LAUNCHES)
    both = totals(levers.moved(Moves(volume_factor=1.5, added=(one,))), joint.LAUNCHES)
    assert both == pytest.approx(1.5 * alone)


def test_a_forecast_of_the_whole_moves_by_the_share_that_is_sold_anew(levers: Levers) -> None:
    ledger = Ledger(
        date(2026, 1, 1),
        np.full(DAYS, 300.0),
        np.full(DAYS, 100.0),
        levers.ledger.refunds,
        levers.ledger.members,
        (),
    )
    mean, draws = np.full(AHEAD, 400.0), np.full((1000, AHEAD), 400.0)
    known = levers.streams
    whole = Streams(
        Parts((Part(joint.EVERYTHING, mean, draws),)),
        known.learned,
        known.single,
        "seasonal_naive",
        "",
        known.backtest,
    )
    fallen = Levers(whole, ledger, levers.elasticities, 0)
    after = fallen.moved(Moves(volume_factor=1.2))
    assert not fallen.has_streams
    assert after.mean.sum() == pytest.approx(400 * AHEAD * (1 + 0.75 * 0.2))
