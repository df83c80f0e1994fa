"""Launches: what past ones brought beside usual days, usual days without them, and planned ones.

A launch's size is counted in usual days: 3 means as much on top as three usual days bring. Sizes of
past launches tell the next one's; what a plan names by its own factors is taken at its word, with
the spread by which plans miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.arrays import Flags, Floats

SPANS: Final = {"launch": 7, "campaign": 14}  # days in which most of an occasion's sales fall
USUAL_DECAY_DAYS: Final = 2.5
WEEK: Final = 7
NEAR_DAYS: Final = 28
FEWEST_USUAL: Final = 2
LOOKED_AT_DAYS: Final = 180
RARE_SHARE: Final = 0.25
PLANNED_SHARE: Final = 0.5
MOST_LEARNED: Final = 8
PRIOR_SIZE: Final = 3.0  # usual days, where no launch of this shop is known
PRIOR_WEIGHT: Final = 1.0
PRIOR_SPREAD: Final = 0.6  # of the log of actual over planned
PRIOR_SPREAD_WEIGHT: Final = 3.0
UNKNOWN_SPREAD: Final = 1.0
SEEN_WEIGHT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Occasion:
    """A launch or campaign that began on a day (numbered from the ledger's first, may lie before it)."""

    name: str
    kind: str
    day: int

    @property
    def span(self) -> int:
        """How many days it is looked at."""
        return SPANS[self.kind]


@dataclass(frozen=True, slots=True)
class Factors:
    """A plan's own figures, R = N p q C, each with the log spread that its range states."""

    reach: float
    click: float
    purchase: float
    value: float
    spread: float
    has_ranges: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """An occasion to come; without factors it is sized by past ones."""

    occasion: Occasion
    factors: Factors | None = None


@dataclass(frozen=True, slots=True)
class Sizes:
    """What occasions of a kind bring: the mean in usual days and its error, the spread, the decay."""

    kind: str
    mean: float
    error: float
    spread: float
    decay: Floats
    learned_from: int


def touched(days: int, occasions: Sequence[Occasion], *, is_planned: bool) -> Flags:
    """Return the days of occasions; none where they are so frequent that they are the usual.

    Where the next ones are planned by date, they may take up to half of the last 180 days.
    """
    mask = np.zeros(days, dtype=bool)
    for one in occasions:
        mask[max(one.day, 0) : max(one.day + one.span, 0)] = True
    most = PLANNED_SHARE if is_planned else RARE_SHARE
    is_usual = days > 0 and mask[-LOOKED_AT_DAYS:].mean() > most
    return np.zeros(days, dtype=bool) if is_usual else mask


def as_usual(values: Floats, mask: Flags) -> Floats:
    """Return the values with marked days told as the mean of the same weekdays nearby, unmarked.

    Up to four weeks before and after are looked at, so that growth stays in; a day without at least
    two such days stays as it is.
    """
    told = np.array(values, dtype=float)
    for day in np.flatnonzero(mask).tolist():
        weeks = day + np.arange(-NEAR_DAYS, NEAR_DAYS + 1, WEEK)
        near = weeks[(weeks >= 0) & (weeks < len(values))]
        near = near[~mask[near]]
        if len(near) >= FEWEST_USUAL:
            told[day] = values[near].mean()
    return told


def sizes(values: Floats, usual: Floats, occasions: Sequence[Occasion], kind: str) -> Sizes:
    """Learn from the occasions of a kind that are over; without any, the usual prior."""
    span, days = SPANS[kind], len(values)
    over = [one for one in occasions if one.kind == kind and 0 <= one.day <= days - span]
    levels = [_level(usual, one) for one in over[-MOST_LEARNED:]]
    pairs = zip(over[-MOST_LEARNED:], levels, strict=True)
    known = [_excess(values, usual, one, level) for one, level in pairs if level > 0]
    prior_decay = np.exp(-np.arange(span) / USUAL_DECAY_DAYS)
    prior_decay /= prior_decay.sum()
    if not known:
        return Sizes(kind, PRIOR_SIZE, 0.0, UNKNOWN_SPREAD, prior_decay, 0)
    each = np.array([excess.sum() for excess in known])
    worth = np.array([level for level in levels if level > 0])
    mean = max(
        float(each @ worth / worth.sum()), 0.0
    )  # what came in all, so that late ones count more
    noise = _noise(usual, span)
    variance = max(float(each.var(ddof=1)) - noise**2, 0.0) if len(each) > 1 else 0.0
    seen = np.log1p(variance / mean**2) if mean > 0.1 else PRIOR_SPREAD**2
    weight = max(len(each) - 1, 0)
    spread = np.sqrt(
        (PRIOR_SPREAD_WEIGHT * PRIOR_SPREAD**2 + weight * min(seen, 1.5**2))
        / (PRIOR_SPREAD_WEIGHT + weight)
    )
    error = float(np.hypot(np.sqrt(variance), noise) / np.sqrt(len(each)))
    return Sizes(kind, mean, error, float(spread), _decay(known, prior_decay), len(each))


def _level(usual: Floats, one: Occasion) -> float:
    """Return what a usual day brought around an occasion."""
    return float(usual[max(one.day - NEAR_DAYS, 0) : one.day + one.span].mean())


def _excess(values: Floats, usual: Floats, one: Occasion, level: float) -> Floats:
    """Return what each day of an occasion brought beyond a usual day, in usual days."""
    days = slice(one.day, one.day + one.span)
    return np.asarray((values[days] - usual[days]) / level)


def _noise(usual: Floats, span: int) -> float:
    """Return by how many usual days as many days as an occasion has differ by chance."""
    recent = usual[-LOOKED_AT_DAYS:]
    level = float(recent.mean()) if len(recent) else 0.0
    return float(recent.std() / level * np.sqrt(span)) if level > 0 else 0.0


def _decay(known: Sequence[Floats], prior: Floats) -> Floats:
    summed = np.clip(np.sum(known, axis=0), 0.0, None)
    share = summed / summed.sum() if summed.sum() > 0 else prior
    weight = len(known) / (len(known) + 2.0)
    return np.asarray(weight * share + (1 - weight) * prior)


def running(
    values: Floats, usual: Floats, occasions: Sequence[Occasion], learned: Sizes, horizon: int
) -> Floats:
    """Return what occasions that began before the last day still bring, by day, in usual days."""
    still = np.zeros(horizon)
    days = len(values)
    for one in occasions:
        seen_days = days - one.day
        if one.kind != learned.kind or not 0 < seen_days < one.span or one.day < 0:
            continue
        level = float(usual[max(one.day - NEAR_DAYS, 0) :].mean())
        seen = float((values[one.day :] - usual[one.day :]).sum()) / level if level > 0 else 0.0
        passed = float(learned.decay[:seen_days].sum())
        size = max(SEEN_WEIGHT * learned.mean + seen, 0.0) / (SEEN_WEIGHT + passed)
        rest = learned.decay[seen_days:][:horizon]
        still[: len(rest)] += size * rest
    return still


def planned(
    plan: Sequence[Planned],
    learned: dict[str, Sizes],
    level: float,
    ahead: range,
    *,
    draws: int = 0,
    generator: np.random.Generator | None = None,
) -> Floats:
    """Return what planned occasions bring on each day: paths, or without draws one expectation.

    `level` is what a usual day ahead brings, in minor units.
    """
    paths = np.zeros((max(draws, 1), len(ahead)))
    for one in plan:
        size = learned[one.occasion.kind]
        total = _totals(one, size, level, len(paths), generator)
        offset = one.occasion.day - ahead.start
        share = size.decay[: max(len(ahead) - offset, 0)]
        if 0 <= offset < len(ahead):
            paths[:, offset : offset + len(share)] += total[:, None] * share
    return paths


def _totals(
    one: Planned, size: Sizes, level: float, count: int, generator: np.random.Generator | None
) -> Floats:
    """Return what one planned occasion brings in all, a draw each."""
    if one.factors is None:
        if generator is None:
            return np.full(count, size.mean * level)
        mean = np.clip(generator.normal(size.mean, size.error, count), 0.0, None)
        return np.asarray(mean * level * _lognormal(size.spread, count, generator))
    found = one.factors
    orders = found.reach * found.click * found.purchase
    if generator is None:
        return np.full(count, orders * found.value)
    spread = found.spread if found.has_ranges else float(np.hypot(found.spread, PRIOR_SPREAD))
    expected = np.minimum(orders * _lognormal(spread, count, generator), 1e12)
    return np.asarray(generator.poisson(expected) * found.value)


def _lognormal(spread: float, count: int, generator: np.random.Generator) -> Floats:
    """Return factors with mean 1."""
    return np.asarray(np.exp(generator.normal(-(spread**2) / 2, spread, count)))
