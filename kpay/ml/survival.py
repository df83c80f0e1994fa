"""How long subscribers stay: the chance of leaving in each period, from renewals and endings.

A discrete hazard by the number of the period (a trial, the first, the second, the third to fifth,
later ones) and the length of the interval. Subscriptions that go on count with the renewals they
have passed, as in the product-limit estimate (Kaplan and Meier, JASA 53, 1958); cells with little in
them are pulled towards the usual shape, scaled to what this business has seen.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np

from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.history import OPEN, Spans

LONGEST_DAYS: Final = (14.0, 45.0, 200.0)  # of a week, month and quarter; a year is longer
USUAL: Final = np.array(  # chance of leaving in a trial and in periods 1, 2, 3 to 5, 6 and later
    [
        [0.45, 0.12, 0.08, 0.06, 0.05],
        [0.45, 0.15, 0.10, 0.07, 0.06],
        [0.45, 0.25, 0.18, 0.14, 0.12],
        [0.45, 0.40, 0.30, 0.25, 0.22],
    ]
)
STAGE_BEGINS: Final = np.array([1, 2, 3, 6])  # numbers of paid periods
USUAL_SCALE_LEAVERS: Final = 5.0  # worth of the usual scale beside a business's own leavers
USUAL_SHAPE_PERIODS: Final = 30.0  # worth of the usual shape beside a cell's own periods
GRACE: Final = 0.1  # of an interval: a renewal is not settled on the day it falls due
EARLY: Final = 0.85  # of an interval: who ended before this did not wait for its end
MOST_HAZARD: Final = 0.95
EARLY_PRIOR: Final = (1.0, 4.0)  # yes and no, as for the next two
ANNOUNCED_PRIOR: Final = (1.0, 1.0)
RESUMED_PRIOR: Final = (1.0, 19.0)


@dataclass(frozen=True, slots=True)
class Renewals:
    """What is expected of each active subscription within a horizon."""

    row: Ints  # in the spans asked about
    customer: Ints
    stays: Floats  # probability of being active when the horizon ends
    payments: Floats  # expected renewals paid within the horizon


@dataclass(frozen=True, slots=True)
class Survival:
    """Chances of leaving by interval and stage, and how leavers go.

    Of those who leave in a period, `early` do not wait for its end; of the others `announced` give
    notice beforehand; of those who gave notice `resumed` stay after all.
    """

    hazards: tuple[tuple[float, ...], ...]
    early: float
    announced: float
    resumed: float

    def stays(self, spans: Spans, cutoff: int, horizon_days: int) -> tuple[Ints, Floats]:
        """Return the customers with an active subscription and their chance to keep one.

        To keep one is to have one of today's still active on the last day of the horizon.
        """
        expected = self.renewals(spans, cutoff, horizon_days)
        customer, owner = np.unique(expected.customer, return_inverse=True)
        leaves_all = np.ones(len(customer))
        np.multiply.at(leaves_all, owner, 1 - expected.stays)
        return customer, 1 - leaves_all

    def renewals(self, spans: Spans, cutoff: int, horizon_days: int) -> Renewals:
        """Return what is expected of each subscription that is active at the cutoff."""
        now = _Standing.at(spans, cutoff)
        stays, payments = self._follow(now, horizon_days)
        return Renewals(now.row, spans.customer[now.row], stays, payments)

    def curve(self, interval_days: float, periods: int) -> Floats:
        """Return the share still there after 1, 2, ... paid periods."""
        number = np.arange(1, periods + 1)
        kind = np.full(periods, _kind(np.array([interval_days]))[0])
        return np.asarray(np.cumprod(1 - self._hazard(kind, number)))

    def _hazard(self, kind: Ints, number: Ints) -> Floats:
        return np.asarray(np.array(self.hazards)[kind, _stage(number)])

    def _follow(self, now: _Standing, horizon_days: float) -> tuple[Floats, Floats]:
        """Walk through the periods of every subscription until the horizon ends inside one."""
        stays, payments = np.ones(len(now.row)), np.zeros(len(now.row))
        walking, kind, number = np.arange(len(now.row)), now.kind, now.number
        begun, due, length = np.zeros(len(now.row)), now.due_in_days, now.length
        passes, drips = self._rest_of_period(now)
        while len(walking):
            ends = due >= horizon_days
            part = (horizon_days - begun[ends]) / length[ends]
            stays[walking[ends]] *= 1 - drips[ends] * part
            walking, passes = walking[~ends], passes[~ends]
            stays[walking] *= passes
            payments[walking] += stays[walking]
            begun, kind, number = due[~ends], kind[~ends], number[~ends] + 1
            length = now.interval_days[walking]
            due = begun + length
            hazard = self._hazard(kind, number)
            passes, drips = 1 - hazard, hazard * self.early
        return stays, payments

    def _rest_of_period(self, now: _Standing) -> tuple[Floats, Floats]:
        """Return the chance to pass the coming renewal, and to leave before it, an interval's worth.

        Who is still here and has said nothing is likelier to stay than the period's hazard says.
        """
        hazard, rest = self._hazard(now.kind, now.number), 1 - now.passed
        drips = hazard * self.early
        silent = hazard * (1 - self.early) * (1 - self.announced * now.passed)
        here = 1 - hazard + drips * rest + silent
        return (
            np.where(now.noticed, self.resumed, (1 - hazard) / here),
            np.where(now.noticed, 0.0, drips / here),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        hazards = tuple(tuple(float(value) for value in row) for row in saved["hazards"])
        return cls(hazards, saved["early"], saved["announced"], saved["resumed"])


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where each active subscription stands in its period; number 0 is a trial."""

    row: Ints
    kind: Ints
    number: Ints
    passed: Floats  # share of the period
    due_in_days: Floats
    length: Floats
    interval_days: Floats
    noticed: Flags

    @classmethod
    def at(cls, spans: Spans, cutoff: int) -> _Standing:
        active = spans.before(cutoff).end == OPEN
        row = np.flatnonzero(spans.start < cutoff)[active]
        interval = np.maximum(spans.interval_days[row], 1.0)
        paid_days = cutoff - spans.trial_end[row]
        in_trial = paid_days < 0
        number = np.where(in_trial, 0, np.floor(paid_days / interval) + 1).astype(np.int64)
        due = number * interval - paid_days
        trial = np.maximum(spans.trial_end[row] - spans.start[row], 1)
        length = np.where(in_trial, trial, interval)
        passed = np.clip(1 - due / length, 0.0, 1.0)
        noticed = spans.notice[row] < cutoff
        return cls(row, _kind(interval), number, passed, due, length, interval, noticed)


@dataclass(frozen=True, slots=True)
class _Lives:
    """What has been seen of subscriptions: paid periods passed, and the one in which they ended."""

    kind: Ints
    in_trial: Flags  # had one that is settled
    left_trial: Flags
    left: Flags  # in a paid period
    passed: Ints  # renewals
    waited: Floats  # share of the period after them that went by before the end, or today
    announced: Flags
    resumable: Flags  # gave notice, and the period in which they did is over
    resumed: Flags

    @classmethod
    def of(cls, known: Spans, cutoff: int) -> _Lives:
        """Read subscriptions as they were known at the cutoff."""
        interval = np.maximum(known.interval_days, 1.0)
        ended = known.end != OPEN
        until = np.where(ended, known.end, cutoff)
        paid = (until - known.trial_end) / interval
        has_trial = known.trial_end > known.start
        left_trial = has_trial & ended & (paid <= GRACE)
        left = ended & ~left_trial
        begun = np.where(left, np.maximum(np.ceil(paid - GRACE), 1) - 1, np.floor(paid - GRACE))
        passed = np.where(left_trial, 0, np.maximum(begun, 0)).astype(np.int64)
        noticed = known.notice != OPEN
        given = np.where(noticed, known.notice, known.start)
        due = np.maximum(np.ceil((given - known.trial_end) / interval), 0) + GRACE
        return cls(
            kind=_kind(interval),
            in_trial=left_trial | (has_trial & (paid > GRACE)),
            left_trial=left_trial,
            left=left,
            passed=passed,
            waited=np.where(left_trial, 0.0, np.clip(paid - passed, 0.0, 1.0)),
            announced=noticed & (known.notice < until - 1),
            resumable=noticed & (known.trial_end + due * interval < cutoff),
            resumed=noticed & (known.trial_end + due * interval < until),
        )

    @property
    def left_at_end(self) -> Flags:
        """Who left when a paid period was over, having waited for it."""
        return self.left & (self.waited >= EARLY)

    def trials(self) -> tuple[Floats, Floats]:
        """Return who left in a settled trial and who had one, by interval."""
        return (
            np.bincount(self.kind[self.left_trial], minlength=len(USUAL)).astype(float),
            np.bincount(self.kind[self.in_trial], minlength=len(USUAL)).astype(float),
        )

    def leavers(self, chosen: Flags) -> Floats:
        """Return how many of some left in a paid period, by interval and stage."""
        return self._in_last_period(chosen.astype(float))

    def time(self) -> Floats:
        """Return the paid periods lived through, parts of them too, by interval and stage."""
        return self._whole_periods() + self._in_last_period(self.waited)

    def ends(self) -> Floats:
        """Return how many ends of paid periods were reached, by interval and stage."""
        return self._whole_periods() + self.leavers(self.left_at_end)

    def _in_last_period(self, weight: Floats) -> Floats:
        found = np.zeros(USUAL.shape)
        np.add.at(found, (self.kind, _stage(self.passed + 1)), weight)
        return found[:, 1:]

    def _whole_periods(self) -> Floats:
        beyond = np.append(STAGE_BEGINS[1:], np.iinfo(np.int32).max)
        stages = [
            np.clip(self.passed + 1 - first, 0, last - first).astype(float)
            for first, last in zip(STAGE_BEGINS, beyond, strict=True)
        ]
        return np.column_stack(
            [np.bincount(self.kind, inside, minlength=len(USUAL)) for inside in stages]
        )


def fit(spans: Spans, cutoff: int) -> Survival:
    """Learn from what was known when day `cutoff` began; never raises, even without a subscription."""
    lives = _Lives.of(spans.before(cutoff), cutoff)
    time, ends = lives.time(), lives.ends()
    leavers, waited = lives.leavers(lives.left), lives.leavers(lives.left_at_end)
    early = _early_share(leavers - waited, time, waited, ends)
    periods = early * time + (1 - early) * ends / (1 - early * USUAL[:, 1:])
    left_trial, trials = lives.trials()
    paid = _shrunken(leavers, periods, USUAL[:, 1:])
    trial = _shrunken(left_trial[:, None], trials[:, None], USUAL[:, :1])
    return Survival(
        hazards=tuple(tuple(row) for row in np.column_stack([trial, paid]).tolist()),
        early=early,
        announced=_share(
            (lives.left_at_end & lives.announced).sum(), lives.left_at_end.sum(), ANNOUNCED_PRIOR
        ),
        resumed=_share(
            (lives.resumable & lives.resumed).sum(), lives.resumable.sum(), RESUMED_PRIOR
        ),
    )


def _early_share(early: Floats, time: Floats, waited: Floats, ends: Floats) -> float:
    """Return which share of the leavers of a whole period leaves before its end.

    Periods that are not over yet have shown early leavers only, so each kind is held against its own
    chances: the early ones against time, those who waited against ends.
    """
    left = float(early.sum() + waited.sum())
    a_period = 1 - np.exp(-early.sum() / max(1.0, float(time.sum())))
    at_end = (1 - a_period) * waited.sum() / max(1.0, float(ends.sum()))
    share = a_period / (a_period + at_end) if left else 0.0
    return _share(left * share, left, EARLY_PRIOR)


def _shrunken(leavers: Floats, periods: Floats, usual: Floats) -> Floats:
    """Pull each cell towards the usual shape, scaled to the interval's and everybody's leavers."""
    expected = periods * usual
    weight = USUAL_SCALE_LEAVERS
    whole = (leavers.sum() + weight) / (expected.sum() + weight)
    scale = (leavers.sum(axis=1) + weight * whole) / (expected.sum(axis=1) + weight)
    centre = np.minimum(usual * scale[:, None], MOST_HAZARD)
    hazards = (leavers + USUAL_SHAPE_PERIODS * centre) / (periods + USUAL_SHAPE_PERIODS)
    return np.asarray(np.minimum(hazards, MOST_HAZARD))


def _share(yes: float, of: float, prior: tuple[float, float]) -> float:
    return float((yes + prior[0]) / (of + sum(prior)))


def _kind(interval_days: Floats) -> Ints:
    return np.asarray(np.searchsorted(LONGEST_DAYS, interval_days))


def _stage(number: Ints) -> Ints:
    """Return 0 for a trial, else the stage of a paid period."""
    return np.asarray(np.searchsorted(STAGE_BEGINS, number, side="right"))
