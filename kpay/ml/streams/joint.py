"""The forecast of all streams together, its backtest as a whole, and the fallback when that is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.forecasting import outlook as one_series
from kpay.ml.forecasting.outlook import NO_BACKTEST, Backtest, Outlook
from kpay.ml.frames import Floats
from kpay.ml.streams import growth, launches, returns, starts, survival
from kpay.ml.streams.growth import Said
from kpay.ml.streams.launches import Planned, Sizes
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.parts import Part, Parts
from kpay.ml.streams.renewals import renewals
from kpay.ml.streams.returns import Rate
from kpay.ml.streams.starts import Plan
from kpay.ml.streams.survival import Experience

WEEK: Final = 7
RENEWALS, STARTS, SINGLE = "renewals", "new_subscriptions", "one_time"
LAUNCHES, REFUNDS, EVERYTHING = "launches", "refunds", "everything"
MOST_ORIGINS: Final = 6
ORIGINS_A_HORIZON: Final = 2
NAIVE_MUST_WIN: Final = 0.5
LEAST_PAST_DAYS: Final = 42
PRIOR_ORIGINS: Final = 2.0
LARGEST_MISS: Final = 1.0
WIDEST_SPREAD: Final = 0.8
NARROWEST_SPREAD: Final = 0.02


@dataclass(frozen=True, slots=True)
class Learned:
    """What the streams were made from: for the assumptions that are printed."""

    experience: Experience
    plans: tuple[Plan, ...]
    counted_days: int
    sizes: dict[str, Sizes]
    rate: Rate
    usual: Floats  # single sales with the days of launches told as usual ones
    is_cleaned: bool


@dataclass(frozen=True, slots=True)
class Streams:
    """The parts, what they were made from, the outlook of the single sales and the joint backtest."""

    parts: Parts
    learned: Learned
    single: Outlook
    model: str
    why: str
    backtest: Backtest
    miss_spread: float | None


@dataclass(frozen=True, slots=True)
class _Stood:
    """A past day: what was known, and what was to be expected of each stream from there on.

    `relative` is what launches bring, in usual days; `recurring` what subscriptions do.
    """

    day: int
    known: Ledger
    learned: Learned
    point: Floats
    line: Floats
    relative: Floats
    recurring: Floats
    said_of_single: Said


@dataclass(frozen=True, slots=True)
class _Tested:
    """One past origin: what the streams and the seasonal naive said, and what came."""

    said: Floats
    naive: Floats
    came: Floats


def streams(
    ledger: Ledger, horizon: int, plan: Sequence[Planned] | None = None, *, seed: int = 0
) -> Streams:
    """Forecast `horizon` days after the last one known; without a plan no launch is assumed.

    Every stream has a generator of its own, so that a change of one leaves the others' luck alone.
    """
    stood = _origins(ledger, horizon, with_plan=plan is not None)
    weight = growth.lean([one.said_of_single for one in stood])
    tested = [_tested(one, ledger, weight) for one in stood]
    made, learned, single = _parts(ledger, horizon, plan, weight, seed)
    if not tested:
        return Streams(
            made, learned, single, _model(made, single), _untested(single), NO_BACKTEST, None
        )
    spread = _spread(made, tested)
    fitted = made.widened(spread)
    found = _measured(tested, fitted, ledger)
    why = f"each stream by itself, tested together in {found.folds} past windows"
    result = Streams(fitted, learned, single, "streams", why, found, spread)
    return _fallen_back(result, ledger, tested) if _has_lost(found, tested) else result


def _model(made: Parts, single: Outlook) -> str:
    return single.model if len(made.parts) == 1 else "streams"


def _untested(single: Outlook) -> str:
    return f"nothing in the past to test the streams on; single sales: {single.why}"


def _parts(
    ledger: Ledger, horizon: int, plan: Sequence[Planned] | None, weight: float, seed: int
) -> tuple[Parts, Learned, Outlook]:
    ahead = range(ledger.days, ledger.days + horizon)
    luck = [np.random.default_rng([seed, stream]) for stream in range(4)]
    learned, usual = _learn(ledger, is_planned=plan is not None)
    alone = one_series.outlook(usual, horizon, WEEK, seed=seed)
    single = growth.leant(alone, growth.trend(usual, horizon), weight)
    draws = len(single.draws)
    level = float(single.mean.mean())
    renewed = renewals(
        ledger.members, learned.experience, ledger.first_day, ahead, draws=draws, generator=luck[0]
    )
    begun = starts.new_subscriptions(
        learned.plans, learned.counted_days, learned.experience, horizon,
        draws=draws, generator=luck[1],
    )  # fmt: skip
    still = level * _running(ledger, usual, learned, horizon)
    extra = still + launches.planned(
        plan or (), learned.sizes, level, ahead, draws=draws, generator=luck[2]
    )
    expected = still + launches.planned(plan or (), learned.sizes, level, ahead)[0]
    sold = single.draws + renewed + begun + extra
    back = returns.given_back(ledger.sales, sold, learned.rate, generator=luck[3])
    found = [
        Part(SINGLE, single.mean, single.draws),
        Part(RENEWALS, renewed.mean(axis=0), renewed),
        Part(STARTS, begun.mean(axis=0), begun),
        Part(LAUNCHES, expected, extra),
        Part(REFUNDS, -back.mean(axis=0), -back),
    ]
    return (
        Parts(tuple(part for part in found if part.name == SINGLE or part.draws.any())),
        learned,
        single,
    )


def _learn(ledger: Ledger, *, is_planned: bool) -> tuple[Learned, Floats]:
    """Return what the past says of every stream, and the single sales of usual days."""
    mask = launches.touched(ledger.days, ledger.occasions, is_planned=is_planned)
    usual = launches.as_usual(ledger.single, mask)
    told = launches.as_usual(ledger.single, _all_touched(ledger))
    plans, counted = starts.plans(ledger.members, ledger.days, ~mask)
    learned = Learned(
        experience=survival.experience(ledger.members, ledger.days),
        plans=plans,
        counted_days=counted,
        sizes={
            kind: launches.sizes(ledger.single, told, ledger.occasions, kind)
            for kind in launches.SPANS
        },
        rate=returns.rate(ledger.sales, ledger.refunds),
        usual=usual,
        is_cleaned=bool(mask.any()),
    )
    return learned, usual


def _all_touched(ledger: Ledger) -> np.ndarray:
    mask = np.zeros(ledger.days, dtype=bool)
    for one in ledger.occasions:
        mask[max(one.day, 0) : max(one.day + one.span, 0)] = True
    return mask


def _running(ledger: Ledger, usual: Floats, learned: Learned, horizon: int) -> Floats:
    """Return what launches of the last days still bring, in usual days; nothing where they are usual."""
    if not learned.is_cleaned:
        return np.zeros(horizon)
    found = [
        launches.running(ledger.single, usual, ledger.occasions, size, horizon)
        for size in learned.sizes.values()
        if size.learned_from
    ]
    return np.asarray(np.sum([*found, np.zeros(horizon)], axis=0))


# ---------------------------------------------------------------------- the backtest


def _origins(ledger: Ledger, horizon: int, *, with_plan: bool) -> list[_Stood]:
    """Stand at up to six past days, newest first, half a horizon apart.

    With a plan, the launches that came after such a day are taken as planned by their dates.
    """
    length = min(horizon, max(WEEK, (ledger.days - LEAST_PAST_DAYS) // 2))
    stride = max(1, length // ORIGINS_A_HORIZON)
    days = range(ledger.days - length, LEAST_PAST_DAYS - 1, -stride)[:MOST_ORIGINS]
    return [_stand(ledger, day, length, with_plan=with_plan) for day in days]


def _stand(ledger: Ledger, day: int, length: int, *, with_plan: bool) -> _Stood:
    """Return what each stream was expected to bring after a past day, from what was known then."""
    known = ledger.known_at(day)
    ahead = range(day, day + length)
    learned, usual = _learn(known, is_planned=with_plan)
    later = [one for one in ledger.occasions if one.day >= day and one.kind == "launch"]
    plan = [Planned(one) for one in later] if with_plan else []
    relative = _running(known, usual, learned, length)
    relative = relative + launches.planned(plan, learned.sizes, 1.0, ahead)[0]
    recurring = renewals(known.members, learned.experience, known.first_day, ahead)[0]
    recurring = (
        recurring
        + starts.new_subscriptions(learned.plans, learned.counted_days, learned.experience, length)[
            0
        ]
    )
    point, line = one_series.point(usual, length, WEEK), growth.trend(usual, length)
    lifted = 1 + float(relative.sum()) / length
    came = float(ledger.single[day : day + length].sum())
    said = Said(lifted * float(point.sum()), lifted * float(line.sum()), came)
    return _Stood(day, known, learned, point, line, relative, recurring, said)


def _tested(one: _Stood, ledger: Ledger, weight: float) -> _Tested:
    """Put the streams of a past day together, beside the seasonal naive and what came."""
    length = len(one.point)
    single = growth.leaning(one.point, one.line, weight)
    sold = single + one.recurring + float(single.mean()) * one.relative
    back = returns.given_back(one.known.sales, sold[None, :], one.learned.rate)[0]
    net = ledger.net
    return _Tested(
        sold - back,
        np.resize(net[one.day - WEEK : one.day], length),
        net[one.day : one.day + length],
    )


def _spread(made: Parts, tested: Sequence[_Tested]) -> float:
    """Return the log spread of the total: what the paths say, and what was missed at past origins."""
    totals = made.draws.sum(axis=1)
    positive = totals[totals > 0]
    model = float(np.log(positive).std()) if len(positive) == len(totals) else WIDEST_SPREAD
    misses = [_miss(one.said, one.came) ** 2 for one in tested]
    independent = len(misses) / ORIGINS_A_HORIZON
    variance = (PRIOR_ORIGINS * model**2 + sum(misses) / ORIGINS_A_HORIZON) / (
        PRIOR_ORIGINS + independent
    )
    return float(np.clip(np.sqrt(variance), NARROWEST_SPREAD, WIDEST_SPREAD))


def _miss(said: Floats, came: Floats) -> float:
    """Return the log of actual over expected total, at most a factor e either way."""
    total, real = float(said.sum()), float(came.sum())
    floor = 0.05 * max(abs(total), abs(real)) + 1e-9
    ratio = max(real + floor, floor) / max(total + floor, floor)
    return float(np.clip(np.log(ratio), -LARGEST_MISS, LARGEST_MISS))


def _measured(tested: Sequence[_Tested], made: Parts, ledger: Ledger) -> Backtest:
    """Measure the origins; a day is inside when the range, as wide as now's, holds what came."""
    net = ledger.net
    scale = float(np.abs(net[WEEK:] - net[:-WEEK]).mean()) if len(net) > WEEK else 0.0
    if not tested or scale <= 0:
        return NO_BACKTEST
    coverage = {level: _coverage(tested, made, level) for level in (80, 95)}
    misses = [
        abs(float(one.said.sum() - one.came.sum())) / float(one.came.sum())
        for one in tested
        if one.came.sum() > 0
    ]
    return Backtest(
        folds=len(tested),
        mase=float(np.mean([np.abs(one.said - one.came).mean() for one in tested])) / scale,
        baseline_mase=float(np.mean([np.abs(one.naive - one.came).mean() for one in tested]))
        / scale,
        coverage80=coverage[80],
        coverage95=coverage[95],
        total_error=float(np.median(misses)) if misses else None,
    )


def _coverage(tested: Sequence[_Tested], made: Parts, level: int) -> float:
    """Return the share of past days inside the range around what was said, as wide as it is now."""
    low, high = np.quantile(made.draws, [0.5 - level / 200, 0.5 + level / 200], axis=0) - made.mean
    inside = [
        (one.came >= one.said + low[: len(one.said)])
        & (one.came <= one.said + high[: len(one.said)])
        for one in tested
    ]
    return float(np.mean(inside))


def _has_lost(found: Backtest, tested: Sequence[_Tested]) -> bool:
    """Say that the seasonal naive did better, on the whole and in most of the windows."""
    better = [
        np.abs(one.naive - one.came).sum() < np.abs(one.said - one.came).sum() for one in tested
    ]
    if np.mean(better) <= NAIVE_MUST_WIN:
        return False

    return (
        found.mase is not None
        and found.baseline_mase is not None
        and (found.mase > found.baseline_mase)
    )


def _fallen_back(lost: Streams, ledger: Ledger, tested: Sequence[_Tested]) -> Streams:
    """Return the seasonal naive on the sum of all streams, with the spread of its own misses."""
    horizon = len(lost.parts.mean)
    mean = np.resize(ledger.net[-WEEK:], horizon)
    usual = lost.parts.mean
    scale = float(mean.sum() / usual.sum()) if usual.sum() > 0 else 1.0
    draws = lost.parts.draws * scale + (mean - usual * scale)
    naive = [_Tested(one.naive, one.naive, one.came) for one in tested]
    whole = Parts((Part(EVERYTHING, mean, draws),))
    fitted = whole.widened(_spread(whole, naive))
    why = f"the streams did worse than the seasonal naive in {len(tested)} past windows"
    found = _measured(naive, fitted, ledger)
    return Streams(fitted, lost.learned, lost.single, "seasonal_naive", why, found, None)
