"""Businesses whose future is known: the sandbox's, and a second kind that lives by other laws."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from kpay.ml.streams.launches import Occasion
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.members import NEVER, Members, later
from kpay.ml.streams.returns import Refunds
from tests.bench.sandbox_worlds import CALM, CUTOFF_DAY, START, LivedWorld, Plan

PEOPLE_3000 = 1111  # customers asked for; the world has 2.7 people for each
STEADY = Plan(customers=PEOPLE_3000, launch_jitter_days=20, sees_visits=False)
GROWING = replace(
    STEADY,
    launch_jitter_days=8,
    first_pieces=4,
    launches=24,
    parameters=replace(
        CALM,
        known_at_start_share=0.02,
        outside_option=40.0,  # each piece adds to what is wanted, as in a young catalogue
        orders_a_year=tuple(5 * rate for rate in CALM.orders_a_year),
    ),
)
KINDS = ("memberships", "seasonal", "launches")


# ---------------------------------------------------------------------- the sandbox


@dataclass(frozen=True)
class Lived:
    """A lived world as a ledger to its last day, and the mean of its other futures."""

    ledger: Ledger
    floor: float


def lived(seed: int, plan: Plan, days_ahead: int, worlds: int) -> Lived:
    """Live a world; the floor is what the truth expects of the days after the cutoff, plan known."""
    world = LivedWorld(seed, plan)
    since = START + timedelta(CUTOFF_DAY)
    futures = world._truth.revenue_draws(since, since + timedelta(days_ahead), "usd", worlds=worlds)
    return Lived(ledger_of(world), float(np.mean(futures)))


def ledger_of(world: LivedWorld) -> Ledger:
    """Return what kpay would know of a world's money on its last day."""
    lines, days = world.lines(), world.plan.days
    day = _days(lines["at"])
    amount = lines["amount_minor"].to_numpy(float)
    is_club = lines["content"].str.startswith("club").to_numpy()
    return Ledger(
        START,
        np.bincount(day[~is_club], amount[~is_club], minlength=days)[:days].astype(float),
        np.bincount(day[is_club], amount[is_club], minlength=days)[:days].astype(float),
        _refunds(world, lines, day),
        _members(world._diary.memberships()),
        tuple(
            Occasion(item.slug, "launch", item.first_day)
            for item in world.items
            if item.first_day > 0
        ),
    )


def _days(moments: pd.Series[pd.Timestamp]) -> np.ndarray:
    first = pd.Timestamp(START, tz="UTC")
    found = (moments - first) / pd.Timedelta(days=1)
    return np.where(found.isna(), NEVER, np.floor(found.fillna(0))).astype(np.int64)


def _refunds(world: LivedWorld, lines: pd.DataFrame, day: np.ndarray) -> Refunds:
    """Return the refunds beside the newest sale that they can be of."""
    first = pd.Timestamp(START, tz="UTC").timestamp()
    sales: dict[tuple[int, str], list[tuple[int, float]]] = defaultdict(list)
    rows = zip(
        lines["customer"], lines["content"], day.tolist(), lines["amount_minor"], strict=True
    )
    for customer, content, on, amount in rows:
        sales[customer, content].append((on, float(amount)))
    found = []
    for person, at, kind, slug, share in world._diary.marks:
        given = int((at - first) // 86_400)
        before = [sale for sale in sales[person, slug] if sale[0] <= given]
        if kind == "refund" and before:
            found.append((before[-1][0], given, share * before[-1][1]))
    columns = np.array(found, dtype=float).reshape(-1, 3).T
    return Refunds(columns[0].astype(np.int64), columns[1].astype(np.int64), columns[2])


def _members(began: pd.DataFrame) -> Members:
    starts, trial = _days(began["started_at"]), _days(began["trial_end_at"])
    pays_from = np.where(trial < NEVER, trial, starts)
    count = len(began)
    return Members(
        starts,
        pays_from,
        pays_from,
        np.where(began["interval"] == "month", 1, 12).astype(np.int64),
        np.zeros(count, dtype=np.int64),
        began["amount_minor"].to_numpy(float),
        np.zeros(count),
        np.full(count, NEVER),
        _days(began["notice_at"]),
        _days(began["ended_at"]),
        np.zeros(count, dtype=bool),
        np.zeros(count, dtype=bool),
    )


# ---------------------------------------------------------------------- other laws


def made_up(seed: int, days_ahead: int) -> tuple[Ledger, int]:
    """Return a business of the second kind and the day on which it is looked at.

    Its level wanders and drifts, its year has a season, its launches differ widely, its members come
    and go by laws of their own; nothing is taken from the sandbox or from kpay.
    """
    luck = np.random.default_rng([seed, 99])
    kind = KINDS[seed % len(KINDS)]
    day = int(luck.integers(120, 700))
    days = day + days_ahead
    level = _level(luck, days, kind)
    launches = _launches(luck, days, kind)
    boost = np.ones(days)
    for at in launches:
        size = float(np.exp(luck.normal(np.log(4.0), 0.5)))
        span = np.arange(days - at)
        boost[at:] += size / 3.0 * np.exp(-span / 3.0)
    price = float(luck.choice([900, 1900, 4900]))
    orders = luck.poisson(level * boost)
    single = np.array([price * luck.choice([1, 1, 1, 2, 3], count).sum() for count in orders])
    members, subscribed = _membership(luck, days, kind)
    refunds = _returned(luck, single)
    occasions = tuple(Occasion(f"launch-{at}", "launch", at) for at in launches)
    return Ledger(date(2024, 2, 5), single, subscribed, refunds, members, occasions), day


def _level(luck: np.random.Generator, days: int, kind: str) -> np.ndarray:
    a_day = float(np.exp(luck.normal(np.log(6.0 if kind != "memberships" else 1.5), 0.6)))
    week = luck.dirichlet(np.full(7, 30.0)) * 7
    season = (0.45 if kind == "seasonal" else 0.1) * np.sin(
        2 * np.pi * (np.arange(days) / 365.25 + luck.random())
    )
    drift = luck.normal(0.0004, 0.0008) * np.arange(days)
    wander = np.zeros(days)
    for at in range(1, days):
        wander[at] = 0.97 * wander[at - 1] + luck.normal(0, 0.03)
    return np.asarray(a_day * np.resize(week, days) * np.exp(season + drift + wander))


def _launches(luck: np.random.Generator, days: int, kind: str) -> list[int]:
    every = 45 if kind == "launches" else 120
    found, at = [], int(luck.integers(20, every))
    while at < days:
        found.append(at)
        at += int(luck.integers(every // 2, 2 * every))
    return found


def _membership(luck: np.random.Generator, days: int, kind: str) -> tuple[Members, np.ndarray]:
    a_day = 0.8 if kind == "memberships" else 0.1
    began = np.repeat(np.arange(days), luck.poisson(a_day, days))
    months = np.where(luck.random(len(began)) < 0.8, 1, 12)
    amount = np.where(months == 1, 1200.0, 12_000.0)
    ended = np.full(len(began), NEVER)
    paid = np.zeros(days)
    for place, (start, length) in enumerate(zip(began.tolist(), months.tolist(), strict=True)):
        on, number = start, 0
        while on < days:
            paid[on] += amount[place]
            number += 1
            due = int(_later(start, length, number))
            stays = (0.82 if number == 1 else 0.95) if length == 1 else 0.6
            if luck.random() > stays:
                early = luck.random() < 0.4
                ended[place] = int(luck.integers(on + 1, due)) if early else due
                break
            on = due
    count = len(began)
    everybody = Members(
        began, began, began, months, np.zeros(count, dtype=np.int64), amount, np.zeros(count),
        np.full(count, NEVER), ended, ended, np.zeros(count, dtype=bool),
        np.zeros(count, dtype=bool),
    )  # fmt: skip
    return everybody, paid


def _later(start: int, months: int, times: int) -> int:
    one = np.array([1])
    return int(later(date(2024, 2, 5), one * start, one * months, one * 0, one * times)[0])


def _returned(luck: np.random.Generator, single: np.ndarray) -> Refunds:
    is_given = luck.random(len(single)) < 0.15
    sold = np.flatnonzero(is_given & (single > 0))
    given = sold + luck.exponential(10.0, len(sold)).astype(np.int64)
    inside = given < len(single)
    return Refunds(sold[inside], given[inside], 0.2 * single[sold][inside])
