"""The streams as seen from past days: what they would have said, what came, and what that says of now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from kpay.ml.arrays import Floats
from kpay.ml.forecasting.outlook import NO_BACKTEST, Backtest, Outlook
from kpay.ml.streams import growth, launches, returns, starts
from kpay.ml.streams.growth import Said
from kpay.ml.streams.launches import Planned
from kpay.ml.streams.learned import Learned, learn, still_running
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.parts import Parts
from kpay.ml.streams.renewals import renewals

WEEK: Final = 7
MOST_ORIGINS: Final = 6
ORIGINS_A_HORIZON: Final = 2
NAIVE_MUST_WIN: Final = 0.5  # of the windows, beside being better on the whole
LEAST_PAST_DAYS: Final = 42
PATHS_WORTH: Final = 2.0  # independent windows that the spread of the paths is worth
USUAL_SPREAD: Final = 0.15  # of the log of a month's revenue, over businesses of many kinds
USUAL_WORTH: Final = 2.0
FEW_WINDOWS: Final = 1.08  # the spread itself is only estimated, from three windows or so
LARGEST_MISS: Final = 1.0
WIDEST_SPREAD: Final = 0.8
NARROWEST_SPREAD: Final = 0.02


class Engine(NamedTuple):
    """What forecasts one series: with paths, and quickly its mean alone."""

    outlook: Callable[..., Outlook]
    point: Callable[[Floats, int, int], Floats]


@dataclass(frozen=True, slots=True)
class Stood:
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
class Tested:
    """One past origin: what the streams and the seasonal naive said, and what came."""

    said: Floats
    naive: Floats
    came: Floats


def stand(ledger: Ledger, horizon: int, engine: Engine, *, with_plan: bool) -> list[Stood]:
    """Stand at up to six past days, newest first, half a horizon apart.

    With a plan, the launches that came after such a day are taken as planned by their dates.
    """
    length = min(horizon, max(WEEK, (ledger.days - LEAST_PAST_DAYS) // 2))
    stride = max(1, length // ORIGINS_A_HORIZON)
    days = range(ledger.days - length, LEAST_PAST_DAYS - 1, -stride)[:MOST_ORIGINS]
    return [_stand(ledger, day, length, engine, with_plan=with_plan) for day in days]


def _stand(ledger: Ledger, day: int, length: int, engine: Engine, *, with_plan: bool) -> Stood:
    """Return what each stream was expected to bring after a past day, from what was known then."""
    known = ledger.known_at(day)
    ahead = range(day, day + length)
    learned = learn(known, is_planned=with_plan)
    later = [one for one in ledger.occasions if one.day >= day and one.kind == "launch"]
    plan = [Planned(one) for one in later] if with_plan else []
    relative = still_running(known, learned, length)
    relative = relative + launches.planned(plan, learned.sizes, 1.0, ahead)[0]
    recurring = renewals(known.members, learned.experience, known.first_day, ahead)[0]
    new = (learned.plans, learned.counted_days, learned.experience, length)
    recurring = recurring + starts.new_subscriptions(*new)[0]
    point, line = engine.point(learned.usual, length, WEEK), growth.trend(learned.usual, length)
    lifted = 1 + float(relative.sum()) / length
    came = float(ledger.single[day : day + length].sum())
    said = Said(lifted * float(point.sum()), lifted * float(line.sum()), came)
    return Stood(day, known, learned, point, line, relative, recurring, said)


def test(one: Stood, ledger: Ledger, weight: float) -> Tested:
    """Put the streams of a past day together, beside the seasonal naive and what came."""
    length = len(one.point)
    single = growth.leaning(one.point, one.line, weight)
    sold = single + one.recurring + float(single.mean()) * one.relative
    back = returns.given_back(one.known.sales, sold[None, :], one.learned.rate)[0]
    net = ledger.net
    return Tested(
        sold - back,
        np.resize(net[one.day - WEEK : one.day], length),
        net[one.day : one.day + length],
    )


def spread(made: Parts, tested: Sequence[Tested]) -> float:
    """Return the log spread of the total: what the paths say, and what was missed at past origins."""
    totals = made.draws.sum(axis=1)
    positive = totals[totals > 0]
    model = float(np.log(positive).std()) if len(positive) == len(totals) else WIDEST_SPREAD
    misses = [_miss(one.said, one.came) ** 2 for one in tested]
    independent = len(misses) / ORIGINS_A_HORIZON
    known = PATHS_WORTH * model**2 + sum(misses) / ORIGINS_A_HORIZON
    worth = PATHS_WORTH + independent + USUAL_WORTH
    variance = (known + USUAL_WORTH * USUAL_SPREAD**2) / worth
    return float(np.clip(FEW_WINDOWS * np.sqrt(variance), NARROWEST_SPREAD, WIDEST_SPREAD))


def _miss(said: Floats, came: Floats) -> float:
    """Return the log of actual over expected total, at most a factor e either way."""
    total, real = float(said.sum()), float(came.sum())
    floor = 0.05 * max(abs(total), abs(real)) + 1e-9
    ratio = max(real + floor, floor) / max(total + floor, floor)
    return float(np.clip(np.log(ratio), -LARGEST_MISS, LARGEST_MISS))


def measured(tested: Sequence[Tested], made: Parts, ledger: Ledger) -> Backtest:
    """Measure the origins; a day is inside when the range, as wide as now's, holds what came."""
    net = ledger.net
    scale = float(np.abs(net[WEEK:] - net[:-WEEK]).mean()) if len(net) > WEEK else 0.0
    if not tested or scale <= 0:
        return NO_BACKTEST
    coverage = {level: _coverage(tested, made, level) for level in (80, 95)}
    return Backtest(
        folds=len(tested),
        mase=float(np.mean([np.abs(one.said - one.came).mean() for one in tested])) / scale,
        baseline_mase=float(np.mean([np.abs(one.naive - one.came).mean() for one in tested]))
        / scale,
        coverage80=coverage[80],
        coverage95=coverage[95],
        total_error=median_miss([(one.said, one.came) for one in tested]),
        baseline_total_error=median_miss([(one.naive, one.came) for one in tested]),
    )


def _coverage(tested: Sequence[Tested], made: Parts, level: int) -> float:
    """Return the share of past days inside the range around what was said, as wide as it is now."""
    low, high = np.quantile(made.draws, [0.5 - level / 200, 0.5 + level / 200], axis=0) - made.mean
    inside = [
        (one.came >= one.said + low[: len(one.said)])
        & (one.came <= one.said + high[: len(one.said)])
        for one in tested
    ]
    return float(np.mean(inside))


def has_lost(found: Backtest, tested: Sequence[Tested], ledger: Ledger) -> bool:
    """Say that the seasonal naive did better, on the whole and in most of the windows.

    A last week without a sale is no rival: it would be sure of nothing for ever.
    """
    if found.mase is None or found.baseline_mase is None or not ledger.net[-WEEK:].any():
        return False
    better = [
        np.abs(one.naive - one.came).sum() < np.abs(one.said - one.came).sum() for one in tested
    ]
    return found.mase > found.baseline_mase and bool(np.mean(better) > NAIVE_MUST_WIN)


def median_miss(pairs: Sequence[tuple[Floats, Floats]]) -> float | None:
    """Return the median share of what came by which totals were off; None where nothing came."""
    shares = [
        abs(float(said.sum() - came.sum())) / float(came.sum())
        for said, came in pairs
        if came.sum() > 0
    ]
    return float(np.median(shares)) if shares else None
