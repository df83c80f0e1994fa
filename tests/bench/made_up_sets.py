"""Businesses unlike the ones that models are tuned on: made-up orders, each with a law of its own.

Every set is a function of a seed and returns an orders frame as `kpay.ml.frames` wants it. Days count from
2024-01-01; `DAYS` of them are lived, and the last `horizon` days are what is to be foretold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 730
Row = tuple[int, float, float, str]  # person, day, amount in units, currency
Draw = np.random.Generator


@dataclass(frozen=True)
class MadeUp:
    """A set, the horizon that is asked of it, and how many people there are to make up."""

    rows: Callable[[Draw, int], Iterator[Row]]
    people: int
    horizon_days: int = 90
    seeds: int = 8

    def orders(self, seed: int) -> pd.DataFrame:
        """Return the orders of a seed, oldest first."""
        rows = list(self.rows(np.random.default_rng([seed, 17]), self.people))
        frame = pd.DataFrame(rows, columns=["customer", "day", "amount", "currency"])
        frame = frame[(frame["day"] >= 0) & (frame["day"] < DAYS)].sort_values("day")
        seconds = (frame["day"] * 86_400).astype("int64")
        return pd.DataFrame(
            {
                "customer": frame["customer"].astype("int64"),
                "at": (pd.Timestamp(START) + pd.to_timedelta(seconds, unit="s")).astype(
                    "datetime64[us, UTC]"
                ),
                "amount_minor": np.rint(frame["amount"] * 100).astype("int64"),
                "currency": frame["currency"],
                "content": "item",
                "order": np.arange(len(frame), dtype="int64"),
            }
        ).reset_index(drop=True)


def order_book(orders: pd.DataFrame) -> pd.DataFrame:
    """Return the orders as the rivals read them, days counted from the start."""
    day = ((orders["at"] - pd.Timestamp(START)) // pd.Timedelta(days=1)).astype("int64")
    median = orders.groupby("currency")["amount_minor"].transform("median")
    return pd.DataFrame(
        {"person": orders["customer"], "day": day, "amount": orders["amount_minor"] / median}
    )


def _renewal(
    draw: Draw, person: int, gap_days: float, shape: float, leaving: float, first: float
) -> Iterator[Row]:
    """Buy again and again with gamma gaps until leaving."""
    amount, day = float(np.exp(draw.normal(3.2, 0.6))), first
    while day < DAYS:
        yield person, day, amount * float(np.exp(draw.normal(0, 0.3))), "usd"
        if draw.random() < leaving:
            return
        day += max(0.2, draw.gamma(shape, gap_days / shape))


def grocery(draw: Draw, people: int) -> Iterator[Row]:
    """Regular shoppers with a rhythm of their own, who stop from one month to the next."""
    for person in range(people):
        gap = float(np.exp(draw.normal(3.0, 0.7)))
        life = draw.exponential(240)
        first = draw.uniform(-60, DAYS - 60)
        for row in _renewal(draw, person, gap, 5.0, 0.0, first):
            if row[1] > first + life:
                break
            yield row


def apparel(draw: Draw, people: int) -> Iterator[Row]:
    """Two or three purchases a year, in bursts at the turn of the seasons."""
    for person in range(people):
        rate, leaving = draw.gamma(0.9, 2.6 / 0.9), draw.beta(1, 6)
        day = draw.uniform(0, DAYS - 60)
        while day < DAYS:
            yield person, day, float(np.exp(draw.normal(4, 0.7))), "usd"
            if draw.random() < leaving:
                break
            day += draw.exponential(365 / max(rate, 0.05))
            turn = np.round((day - 75) / 182.5) * 182.5 + 75
            day = max(day * 0.4 + turn * 0.6 + draw.normal(0, 10), day - 60)


def seasonal(draw: Draw, people: int) -> Iterator[Row]:
    """Four times as much before Christmas, and some people buy only then."""
    for person in range(people):
        rate, leaving, is_giver = draw.gamma(0.6, 3 / 0.6), draw.beta(1, 8), draw.random() < 0.35
        for day in np.sort(draw.uniform(0, DAYS, draw.poisson(rate * 3 * DAYS / 365))):
            is_high = (day % 365) > 315 and (day % 365) < 358
            if draw.random() < (1.0 if is_high else 0.05 if is_giver else 0.25):
                yield person, float(day), float(np.exp(draw.normal(3.5, 0.5))), "usd"
                if draw.random() < leaving:
                    break


def usual(draw: Draw, people: int) -> Iterator[Row]:
    """The law of the BG/NBD itself."""
    for person in range(people):
        gap = 7 / max(draw.gamma(0.6, 0.12 / 0.6), 1e-4)
        yield from _renewal(draw, person, gap, 1.0, draw.beta(0.8, 4), draw.uniform(0, DAYS * 0.9))


def once(draw: Draw, people: int) -> Iterator[Row]:
    """Nine of ten buy once and never again; newcomers all the time."""
    for person in range(people):
        comes_back = draw.random() < 0.1
        yield from _renewal(
            draw, person, 60, 1.0, 0.1 if comes_back else 1.0, draw.uniform(0, DAYS)
        )


def long_gaps(draw: Draw, people: int) -> Iterator[Row]:
    """About one purchase a year, at a distance that hardly varies."""
    for person in range(people):
        gap = float(draw.choice([180, 270, 365]))
        yield from _renewal(draw, person, gap, 30.0, 0.15, draw.uniform(0, DAYS * 0.8))


def members(draw: Draw, people: int) -> Iterator[Row]:
    """Subscriptions only: a charge every month until somebody leaves, some by the year."""
    for person in range(people):
        period = 365.0 if draw.random() < 0.2 else 30.4
        leaving, day = (0.4 if period > 100 else draw.beta(1, 12)), draw.uniform(0, DAYS)
        while day < DAYS:
            yield person, day, 90.0 if period > 100 else 9.0, "usd"
            if draw.random() < leaving:
                break
            day += period


def currencies(draw: Draw, people: int) -> Iterator[Row]:
    """Buyers in eight currencies, whose amounts cannot be compared, and not all alike."""
    units = {
        "usd": 1.0,
        "eur": 0.9,
        "gbp": 0.8,
        "inr": 83.0,
        "brl": 5.0,
        "cny": 7.2,
        "mxn": 17.0,
        "zar": 18.0,
    }
    for person in range(people):
        name = str(draw.choice(list(units)))
        gap = (20 if name in ("usd", "cny") else 60) / max(draw.gamma(0.8, 1 / 0.8), 0.02)
        for one, day, amount, _ in _renewal(draw, person, gap, 1.0, 0.12, draw.uniform(0, DAYS)):
            yield one, day, amount * units[name], name


def launches(draw: Draw, people: int) -> Iterator[Row]:
    """People buy in the week of a launch, every ten weeks, or hardly at all."""
    dates = np.arange(30, DAYS, 70)
    for person in range(people):
        keen, joined, leaving = draw.beta(0.6, 2), draw.uniform(-200, DAYS - 30), draw.beta(1, 9)
        for launch in dates[dates > joined]:
            if draw.random() < keen:
                yield person, float(launch + draw.exponential(4)), 40.0, "usd"
                if draw.random() < leaving:
                    break
            if draw.random() < keen * 0.1:
                yield person, float(launch + draw.uniform(8, 68)), 15.0, "usd"


def growing(draw: Draw, people: int) -> Iterator[Row]:
    """Most people came in the last few months, and nobody is known for long."""
    for person in range(people):
        first = DAYS * float(draw.random() ** 0.25)
        yield from _renewal(draw, person, draw.gamma(1.5, 30), 1.0, draw.beta(1, 5), first)


SETS = {
    "regular rhythms": MadeUp(grocery, 1500),
    "clothes": MadeUp(apparel, 600, 180),
    "seasonal": MadeUp(seasonal, 1500),
    "60 customers": MadeUp(usual, 60, seeds=24),
    "120 customers": MadeUp(usual, 120, seeds=16),
    "300 customers": MadeUp(usual, 300, seeds=12),
    "2000 customers": MadeUp(usual, 2000),
    "one-off buyers": MadeUp(once, 2000),
    "long gaps": MadeUp(long_gaps, 800),
    "subscriptions only": MadeUp(members, 800),
    "many currencies": MadeUp(currencies, 1000),
    "launches": MadeUp(launches, 1200),
    "new and growing": MadeUp(growing, 1000),
}
