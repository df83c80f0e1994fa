"""New subscriptions: how many begin a day (Gamma-Poisson), and what they pay within the horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.arrays import Flags, Floats, Ints
from kpay.ml.streams import survival
from kpay.ml.streams.members import Members
from kpay.ml.streams.survival import LATER, Experience

LOOKED_AT_DAYS: Final = 60
FEWEST_DAYS: Final = 14
PRIOR_STARTS: Final = 0.5
LONGEST_DRAWN_DAYS: Final = 730  # beyond, who stays by chance is lost in how unsure the chances are
MOST_PLANS: Final = 6  # told apart; the rest counts as one more plan of their mean price


@dataclass(frozen=True, slots=True)
class Plan:
    """What a new subscription is like: how many began, after which trial, at which price and interval."""

    starts: int
    trial_days: int
    interval_days: int
    kind: int
    amount: float


def plans(members: Members, day: int, counted: Flags) -> tuple[tuple[Plan, ...], int]:
    """Return the plans of the subscriptions begun on counted days, and how many days were counted.

    Counted are the last 60 days, without those marked as launch days where enough others remain.
    """
    window = range(max(day - LOOKED_AT_DAYS, 0), day)
    usable = counted[window.start : window.stop]
    if usable.sum() < FEWEST_DAYS:
        usable = np.ones(len(window), dtype=bool)
    began = members.known_at(day)
    inside = began.began >= window.start
    inside[inside] = usable[began.began[inside] - window.start]
    return _told_apart(began.only(inside)), max(int(usable.sum()), 1)


def _told_apart(new: Members) -> tuple[Plan, ...]:
    if not len(new.began):
        return ()
    trial, length = new.pays_from - new.began, np.rint(new.length).astype(np.int64)
    price = np.rint(new.amount + new.raised).astype(np.int64)
    keys = np.column_stack([length, survival.kinds(new), np.minimum(trial, 60), price])
    found, owner, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    order = np.lexsort((np.arange(len(count)), -count))
    shown, rest = order[:MOST_PLANS], order[MOST_PLANS:]
    named = [_plan(found[at], int(count[at])) for at in shown.tolist()]
    if len(rest):
        others = keys[np.isin(owner.ravel(), rest)]
        usual = np.median(others, axis=0)
        usual[3] = others[:, 3].mean()
        named.append(_plan(usual, len(others)))
    return tuple(named)


def _plan(key: Floats | Ints, count: int) -> Plan:
    length, kind, trial, price = key
    return Plan(count, int(trial), max(int(length), 1), int(kind), float(price))


def new_subscriptions(
    plan_list: tuple[Plan, ...],
    counted_days: int,
    learned: Experience,
    horizon: int,
    *,
    draws: int = 0,
    generator: np.random.Generator | None = None,
) -> Floats:
    """Return what subscriptions still to begin pay on each day: paths, or without draws one expectation."""
    paid = np.zeros((max(draws, 1), horizon))
    chances = learned.drawn(draws, generator) if generator else learned.usual
    for plan in plan_list:
        began = _begun(plan, counted_days, paid.shape, generator)
        paid += _payments(plan, began, chances[plan.kind], generator)
    return paid


def _begun(
    plan: Plan, counted_days: int, shape: tuple[int, ...], generator: np.random.Generator | None
) -> Floats:
    """Return how many of a plan begin on each day; the rate is as unsure as its count is small."""
    worth = plan.starts + PRIOR_STARTS * (plan.starts == 0)
    if generator is None:
        return np.full(shape, worth / counted_days)
    rate = generator.gamma(worth, 1 / counted_days, (shape[0], 1))
    return np.asarray(generator.poisson(np.broadcast_to(rate, shape)), dtype=float)


def _payments(
    plan: Plan, began: Floats, chance: Floats, generator: np.random.Generator | None
) -> Floats:
    """Follow those who begin through their payments; `chance` is (stages, draws)."""
    paid = np.zeros(began.shape)
    luck = generator if began.shape[1] <= LONGEST_DRAWN_DAYS else None
    day, stage, there = plan.trial_days, 0 if plan.trial_days else 1, began
    if not plan.trial_days:
        paid += plan.amount * there
        day = plan.interval_days
    while day < began.shape[1]:
        there = _going_on(there, chance[stage], luck)
        paid[:, day:] += plan.amount * there[:, : began.shape[1] - day]
        day, stage = day + plan.interval_days, min(stage + 1, LATER)
    return paid


def _going_on(there: Floats, chance: Floats, generator: np.random.Generator | None) -> Floats:
    share = np.broadcast_to(chance[:, None], there.shape)
    if generator is None:
        return np.asarray(there * share)
    return np.asarray(generator.binomial(there.astype(np.int64), share), dtype=float)
