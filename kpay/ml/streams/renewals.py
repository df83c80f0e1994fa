"""What known subscriptions pay: due days that are known, times the chance to get that far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from kpay.ml.arrays import Floats, Ints
from kpay.ml.streams import survival
from kpay.ml.streams.members import Members, later, next_due
from kpay.ml.streams.survival import LATER, RECOVERED_PRIOR, Experience

RECOVERED_AFTER_DAYS: Final = 3
MOST_AMOUNTS: Final = 24  # told apart in one cohort of equal due days


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Subscriptions that fall due on the same day, at the same stage and price: `count` of each."""

    due: Ints
    months: Ints
    days: Ints
    kind: Ints
    stage: Ints
    amount: Floats
    raised: Floats
    raised_from: Ints
    arrears: Ints
    elapsed: Floats
    count: Ints


def renewals(
    members: Members,
    learned: Experience,
    first_day: date,
    ahead: range,
    *,
    draws: int = 0,
    generator: np.random.Generator | None = None,
) -> Floats:
    """Return what known subscriptions pay on each day ahead: paths, or without draws one expectation.

    Who asked to leave pays no more; a bill in arrears is paid with the chance of recovery.
    """
    known = members.known_at(ahead.start)
    staying = known.only((known.ended > ahead.start) & (known.noticed >= ahead.start))
    paid = np.zeros((len(ahead), max(draws, 1)))
    if len(staying.began):
        _walk(_cohorts(staying, first_day, ahead.start), learned, first_day, ahead, paid, generator)
    return np.asarray(paid.T)


def _cohorts(members: Members, first_day: date, day: int) -> Cohorts:
    due = next_due(members, first_day, day)
    number = np.rint((due - members.pays_from) / members.length).astype(np.int64)
    begins = later(first_day, due, members.months, members.days, np.full(len(due), -1))
    stage = np.clip(number, 0, LATER)
    stage = np.where(members.had_trial | (stage > 0), stage, 1)
    begins = np.where(stage == 0, members.began, np.maximum(begins, members.began))
    elapsed = np.clip((day - begins) / np.maximum(due - begins, 1), 0.0, 1.0)
    amount = _few_amounts(members.amount)
    keys = np.column_stack(
        [due, members.months, members.days, survival.kinds(members), stage, np.rint(amount),
         np.rint(members.raised), members.raised_from, members.is_in_arrears, np.rint(elapsed * 100)]
    ).astype(np.int64)  # fmt: skip
    found, count = np.unique(keys, axis=0, return_counts=True)
    due, months, days, kind, stage, price, raised, raised_from, arrears, percent = found.T
    return Cohorts(
        due, months, days, kind, stage, price.astype(float), raised.astype(float), raised_from,
        arrears, percent / 100, count,
    )  # fmt: skip


def _few_amounts(amount: Floats) -> Floats:
    """Return amounts, or where there are many different ones the mean of each twenty-fourth of them."""
    if len(np.unique(amount)) <= MOST_AMOUNTS:
        return amount
    edges = np.quantile(amount, np.linspace(0, 1, MOST_AMOUNTS + 1)[1:-1])
    group = np.digitize(amount, edges)
    means = np.bincount(group, amount) / np.maximum(np.bincount(group), 1)
    return np.asarray(means[group])


def _walk(
    cohorts: Cohorts,
    learned: Experience,
    first_day: date,
    ahead: range,
    paid: Floats,
    generator: np.random.Generator | None,
) -> None:
    """Add what each cohort pays, due day after due day, until the last day ahead."""
    draws = paid.shape[1]
    chances = learned.drawn(draws, generator) if generator else learned.usual
    there = np.repeat(cohorts.count[:, None], draws, axis=1).astype(float)
    owing = cohorts.arrears > 0
    if owing.any():
        there[owing] = _thinned(there[owing], _recovery(draws, generator), generator)
        day = min(RECOVERED_AFTER_DAYS, len(ahead) - 1)
        paid[day] += cohorts.amount[owing] @ there[owing]
    due, stage, is_next = cohorts.due, cohorts.stage, True
    while len(due) and (inside := due < ahead.stop).any():
        chance = chances[cohorts.kind, stage]
        if is_next:
            chance = survival.still_paying(chance, (learned.early_share * cohorts.elapsed)[:, None])
        there = _thinned(there, chance, generator)
        price = cohorts.amount + np.where(due >= cohorts.raised_from, cohorts.raised, 0.0)
        np.add.at(paid, due[inside] - ahead.start, (price[:, None] * there)[inside])
        due = later(first_day, due, cohorts.months, cohorts.days, np.ones_like(due))
        stage, is_next = np.minimum(stage + 1, LATER), False


def _recovery(draws: int, generator: np.random.Generator | None) -> Floats:
    yes, no = RECOVERED_PRIOR
    return generator.beta(yes, no, (1, draws)) if generator else np.array([[yes / (yes + no)]])


def _thinned(there: Floats, chance: Floats, generator: np.random.Generator | None) -> Floats:
    """Return who goes on: by chance, or without a generator as many as are expected."""
    if generator is None:
        return np.asarray(there * chance)
    share = np.broadcast_to(chance, there.shape)
    return np.asarray(generator.binomial(there.astype(np.int64), share), dtype=float)
