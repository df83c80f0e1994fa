"""The forecast of all streams together, and the fallback when they lose their backtest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.forecasting import outlook as one_series
from kpay.ml.forecasting.outlook import NO_BACKTEST, Backtest, Outlook
from kpay.ml.streams import growth, launches, past_days, returns, starts
from kpay.ml.streams.launches import Planned
from kpay.ml.streams.learned import Learned, learn, still_running
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.parts import Part, Parts
from kpay.ml.streams.past_days import WEEK, Engine, Tested
from kpay.ml.streams.renewals import renewals

RENEWALS, STARTS, SINGLE = "renewals", "new_subscriptions", "one_time"
LAUNCHES, REFUNDS, EVERYTHING = "launches", "refunds", "everything"
OWN: Final = Engine(one_series.outlook, one_series.point)


@dataclass(frozen=True, slots=True)
class Streams:
    """The parts, what they were made from, the outlook of the single sales and the joint backtest."""

    parts: Parts
    learned: Learned
    single: Outlook
    model: str
    why: str
    backtest: Backtest


def streams(
    ledger: Ledger,
    horizon: int,
    plan: Sequence[Planned] | None = None,
    *,
    seed: int = 0,
    engine: Engine = OWN,
) -> Streams:
    """Forecast `horizon` days after the last one known; without a plan no launch is assumed.

    Every stream has a generator of its own, so that a change of one leaves the others' luck alone.
    """
    stood = past_days.stand(ledger, horizon, engine, with_plan=plan is not None)
    weight = growth.lean([one.said_of_single for one in stood])
    tested = [past_days.test(one, ledger, weight) for one in stood]
    learned = learn(ledger, is_planned=plan is not None)
    alone = engine.outlook(learned.usual, horizon, WEEK, seed=seed)
    single = growth.leant(alone, growth.trend(learned.usual, horizon), weight)
    made = _parts(ledger, plan or (), learned, single, seed)
    if not tested:
        return _untested(made, learned, single)
    fitted = made.widened(past_days.spread(made, tested))
    found = past_days.measured(tested, fitted, ledger)
    why = (
        f"each stream by itself, tested together in {found.folds} past windows"
        if found.folds
        else "each stream by itself; every week was the same, so that there is nothing to measure by"
    )
    result = Streams(fitted, learned, single, "streams", why, found)
    return (
        _fallen_back(result, ledger, tested)
        if past_days.has_lost(found, tested, ledger)
        else result
    )


def _untested(made: Parts, learned: Learned, single: Outlook) -> Streams:
    model = single.model if len(made.parts) == 1 else "streams"
    why = f"nothing in the past to test the streams on; single sales: {single.why}"
    return Streams(made, learned, single, model, why, NO_BACKTEST)


def _parts(
    ledger: Ledger, plan: Sequence[Planned], learned: Learned, single: Outlook, seed: int
) -> Parts:
    draws, horizon = single.draws.shape
    ahead = range(ledger.days, ledger.days + horizon)
    luck = [np.random.default_rng([seed, stream]) for stream in range(4)]
    level = float(single.mean.mean())
    renewed = renewals(
        ledger.members, learned.experience, ledger.first_day, ahead, draws=draws, generator=luck[0]
    )
    new = (learned.plans, learned.counted_days, learned.experience, horizon)
    begun = starts.new_subscriptions(*new, draws=draws, generator=luck[1])
    still = level * still_running(ledger, learned, horizon)
    coming = (plan, learned.sizes, level, ahead)
    extra = still + launches.planned(*coming, draws=draws, generator=luck[2])
    sold = single.draws + renewed + begun + extra
    back = returns.given_back(ledger.sales, sold, learned.rate, generator=luck[3])
    found = [
        Part(SINGLE, single.mean, single.draws),
        Part(RENEWALS, renewed.mean(axis=0), renewed),
        Part(STARTS, begun.mean(axis=0), begun),
        Part(LAUNCHES, still + launches.planned(*coming)[0], extra),
        Part(REFUNDS, -back.mean(axis=0), -back),
    ]
    return Parts(tuple(part for part in found if part.name == SINGLE or part.draws.any()))


def _fallen_back(lost: Streams, ledger: Ledger, tested: Sequence[Tested]) -> Streams:
    """Return the seasonal naive on the sum of all streams, with the spread of its own misses."""
    horizon = len(lost.parts.mean)
    mean = np.resize(ledger.net[-WEEK:], horizon)
    usual = lost.parts.mean
    scale = float(mean.sum() / usual.sum()) if usual.sum() > 0 else 1.0
    draws = lost.parts.draws * scale + (mean - usual * scale)
    naive = [Tested(one.naive, one.naive, one.came) for one in tested]
    whole = Parts((Part(EVERYTHING, mean, draws),))
    fitted = whole.widened(past_days.spread(whole, naive))
    why = f"the streams did worse than the seasonal naive in {len(tested)} past windows"
    found = past_days.measured(naive, fitted, ledger)
    return Streams(fitted, lost.learned, lost.single, "seasonal_naive", why, found)
