"""Groups of customers who buy alike: k-means on how, what and when they buy, not on how much of it.

As many groups as come out again when they are learned from other halves of the customers, as long as
one more still explains something; none where not even two do. A share of few purchases is drawn towards everybody's, so one purchase on a Sunday
makes no weekend buyer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.domain.behaviours import KIND, Difference, name_of
from kpay.ml.frames import Flags, Floats, Ints, Purchases, median_days
from kpay.ml.history import History, Marks

FEWEST_CUSTOMERS: Final = 100
MOST_LEARNED_FROM: Final = 3_000
MOST_GROUPS: Final = 6
SMALLEST_SHARE: Final = 0.05
STABLE: Final = 0.75
"""Adjusted Rand index between two halves' groupings; 0 is chance, 1 the same groups."""
WORTH_A_GROUP: Final = 0.06
"""The least share of all differences between customers that one more group explains."""
HALVINGS: Final = 6
RESTARTS: Final = 3
STEPS: Final = 40
FURTHEST: Final = 3.0
DRAWN_TO_MEAN: Final = 2.0  # purchases that everybody's share counts for
SHARES_SPREAD: Final = 0.6
"""What counts as one deviation of a share, in those of a single purchase: habits differ less than luck."""
LAUNCH_DAYS: Final = 7
SATURDAY: Final = 5
RAREST_KIND: Final = 0.05


@dataclass(frozen=True, slots=True)
class Behaviours:
    """Groups with their names and what sets them apart, and each customer's (index into names)."""

    customer: Ints
    group: Ints
    names: tuple[str, ...]
    differences: tuple[tuple[Difference, ...], ...]
    stability: float


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of each customer's way of buying: `plain` as told, `standard` as compared."""

    customer: Ints
    plain: Mapping[str, Floats]
    standard: Mapping[str, Floats]

    @property
    def matrix(self) -> Floats:
        """All traits side by side; the kinds of content together weigh as much as one."""
        kinds = sum(name.startswith(KIND) for name in self.standard)
        weight = [1 / np.sqrt(kinds) if name.startswith(KIND) else 1.0 for name in self.standard]
        return np.asarray(np.column_stack(list(self.standard.values())) * np.array(weight))


def behaviours(everything: History, cutoff: int, weekday: int) -> Behaviours | None:
    """Tell apart how people buy by what was known when day `cutoff` began.

    `weekday` is that of day 0 (Monday is 0). None where nothing comes out twice.
    """
    traits = traits_of(everything, cutoff, weekday)
    if len(traits.customer) < FEWEST_CUSTOMERS:
        return None
    matrix = traits.matrix
    learned = matrix[:: len(matrix) // MOST_LEARNED_FROM + 1]
    best = _count(learned)
    if best is None:
        return None
    group = _by_size(_nearest(matrix, _centres(learned, best[0], 0)), best[0])
    return _named(traits, group, *best)


def _count(matrix: Floats) -> tuple[int, float] | None:
    """Return how many groups there are, and how stable they are."""
    differences = _distances(matrix, matrix.mean(axis=0, keepdims=True)).sum()
    left, best = float(differences), None
    for count in range(2, MOST_GROUPS + 1):
        distances = _distances(matrix, _centres(matrix, count, 0))
        explained, left = left - float(distances.min(axis=1).sum()), distances.min(axis=1).sum()
        if explained < WORTH_A_GROUP * differences:
            break
        smallest = np.bincount(distances.argmin(axis=1), minlength=count).min()
        stability = _stability(matrix, count)
        if stability >= STABLE and smallest >= SMALLEST_SHARE * len(matrix):
            best = (count, stability)
    return best


def traits_of(everything: History, cutoff: int, weekday: int) -> Traits:
    """Return the traits of all customers known at a cutoff; those that nobody differs in are left out."""
    past = everything.before(cutoff)
    known = past.purchases
    customer, place = np.unique(known.customer, return_inverse=True)
    size = len(customer)
    times = np.bincount(place[known.opens_day], minlength=size).astype(float)
    is_weekend = (known.day[known.opens_day] + weekday) % 7 >= SATURDAY
    weekends = np.bincount(place[known.opens_day], is_weekend, minlength=size).astype(float)
    unit_minor = np.maximum(median_days(known)[known.currency], 1.0)
    value = np.bincount(place, known.amount_minor / unit_minor, minlength=size) / times
    basket = np.bincount(place, known.lines, minlength=size) / times
    plain = {"once": (times == 1).astype(float), "times": times, "value": value, "basket": basket}
    standard = {
        "once": _standard(plain["once"]),
        "times": _standard(np.log(times)),
        "value": _standard(np.log1p(value)),
        "basket": _standard(np.log(np.maximum(basket, 1.0))),
    }
    shares = {
        "weekend": (weekends, times),
        "steady": _steadiness(known, place, size),
        **_bought(past, customer),
        **_attention(past, customer),
    }
    for name, (part, whole) in shares.items():
        plain[name] = part / np.maximum(whole, 1.0)
        standard[name] = _share(part, whole, 0.0 if name.startswith(KIND) else DRAWN_TO_MEAN)
    differing = [name for name, column in standard.items() if size and np.ptp(column) > 0]
    return Traits(
        customer,
        {name: plain[name] for name in differing},
        {name: standard[name] for name in differing},
    )


def _standard(column: Floats) -> Floats:
    if not len(column):
        return column
    scale = column.std() if column.std() > 1e-9 else 1.0
    return np.asarray(np.clip((column - column.mean()) / scale, -FURTHEST, FURTHEST))


def _share(part: Floats, whole: Floats, drawn: float) -> Floats:
    """Return shares as deviations from everybody's, those of few purchases drawn towards it."""
    overall = part.sum() / max(float(whole.sum()), 1.0)
    share = (part + drawn * overall) / np.maximum(whole + drawn, 1.0)
    if not len(share):
        return np.zeros(0)
    scale = max(SHARES_SPREAD * float(np.sqrt(max(overall * (1 - overall), 0.0))), 1e-9)
    return np.asarray(np.clip((share - share.mean()) / scale, -FURTHEST, FURTHEST))


def _steadiness(known: Purchases, place: Ints, size: int) -> tuple[Floats, Floats]:
    """Return how regular the gaps are, 1 for a clock and 0 for chance, beside how many gaps there are."""
    opens = known.opens_day
    is_gap = np.diff(place[opens], prepend=-1) == 0
    gap = np.diff(known.day[opens], prepend=0)[is_gap].astype(float)
    owner = place[opens][is_gap]
    count = np.bincount(owner, minlength=size).astype(float)
    mean = np.bincount(owner, gap, minlength=size) / np.maximum(count, 1.0)
    square = np.bincount(owner, (gap - mean[owner]) ** 2, minlength=size) / np.maximum(count, 1.0)
    spread = np.sqrt(square) / np.maximum(mean, 1.0)
    regular = np.where(count >= 2, np.clip(1 - spread, 0, 1), 0.0)
    return np.asarray(regular * count), np.asarray(np.where(count >= 2, count, 0.0))


def _bought(past: History, customer: Ints) -> dict[str, tuple[Floats, Floats]]:
    """Return of each kind of content, and of what was just out, how many were bought, of how many."""
    bought, pieces = past.bought, past.pieces
    inside = np.flatnonzero((bought.content >= 0) & np.isin(bought.customer, customer))
    if not len(inside) or not len(pieces):
        return {}
    place = np.searchsorted(customer, bought.customer[inside])
    content, size = bought.content[inside], len(customer)
    whole = np.bincount(place, minlength=size).astype(float)
    kind = np.array(pieces.kind)[content]
    age = bought.day[inside] - pieces.first_day[content]
    just_out = np.bincount(place, age < LAUNCH_DAYS, minlength=size).astype(float)
    found = {"launch": (just_out, whole)}
    for name in sorted(set(kind.tolist()) - {""}):
        part = np.bincount(place, kind == name, minlength=size).astype(float)
        if part.sum() >= RAREST_KIND * whole.sum():
            found[KIND + name] = (part, whole)
    return found


def _attention(past: History, customer: Ints) -> dict[str, tuple[Floats, Floats]]:
    """Return memberships, and clicks beside the mails that could be clicked."""
    size, found = len(customer), {}
    member = np.isin(customer, past.spans.customer).astype(float)
    if member.any():
        found["member"] = (member, np.ones(size))
    mails = _counted(past.of("mail"), customer)
    if mails.any():
        clicks = np.minimum(_counted(past.of("click"), customer), mails)
        found["clicks"] = (clicks, mails)
    return found


def _counted(marks: Marks, customer: Ints) -> Floats:
    inside = np.isin(marks.customer, customer)
    place = np.searchsorted(customer, marks.customer[inside])
    return np.bincount(place, minlength=len(customer)).astype(float)


def _centres(matrix: Floats, count: int, seed: int) -> Floats:
    """Return the best of several k-means, (count, k)."""
    luck = np.random.default_rng([seed, count])
    tried = [_moved(matrix, _scattered(matrix, count, luck)) for _ in range(RESTARTS)]
    return min(tried, key=lambda centres: float(_distances(matrix, centres).min(axis=1).sum()))


def _scattered(matrix: Floats, count: int, luck: np.random.Generator) -> Floats:
    """Draw first centres far from each other (Arthur and Vassilvitskii, k-means++, 2007)."""
    centres = matrix[[int(luck.integers(len(matrix)))]]
    while len(centres) < count:
        away = _distances(matrix, centres).min(axis=1) + 1e-12
        drawn = int(np.searchsorted(np.cumsum(away), luck.random() * away.sum()))
        centres = np.vstack([centres, matrix[min(drawn, len(matrix) - 1)]])
    return centres


def _moved(matrix: Floats, centres: Floats) -> Floats:
    for _ in range(STEPS):
        near = _nearest(matrix, centres)
        size = np.bincount(near, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, near, matrix)
        moved = np.where(size[:, None] > 0, sums / np.maximum(size, 1)[:, None], centres)
        if np.allclose(moved, centres, atol=1e-9):
            break
        centres = moved
    return centres


def _distances(matrix: Floats, centres: Floats) -> Floats:
    squares = (matrix**2).sum(axis=1)[:, None] - 2 * matrix @ centres.T + (centres**2).sum(axis=1)
    return np.asarray(np.maximum(squares, 0.0))


def _nearest(matrix: Floats, centres: Floats) -> Ints:
    return np.asarray(_distances(matrix, centres).argmin(axis=1))


def _stability(matrix: Floats, count: int) -> float:
    """Return how much alike two halves' groupings of everybody are, on average."""
    found = []
    for number in range(HALVINGS):
        mixed = np.random.default_rng([number, 97]).permutation(len(matrix))
        halves = (mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :])
        first, second = (_nearest(matrix, _centres(matrix[rows], count, number)) for rows in halves)
        found.append(alike(first, second))
    return float(np.mean(found))


def alike(first: Ints, second: Ints) -> float:
    """Return the adjusted Rand index of two groupings (Hubert and Arabie, 1985)."""
    table = np.zeros((int(first.max()) + 1, int(second.max()) + 1))
    np.add.at(table, (first, second), 1.0)

    def pairs(counts: Floats) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    chance = rows * columns / max(pairs(np.array([len(first)])), 1.0)
    most = (rows + columns) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


def _by_size(group: Ints, count: int) -> Ints:
    order = np.argsort(-np.bincount(group, minlength=count), kind="stable")
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    return rank[group]


def _named(traits: Traits, group: Ints, count: int, stability: float) -> Behaviours:
    names: list[str] = []
    differences = []
    for number in range(count):
        found = tuple(_differences(traits, group == number))
        names.append(name_of(found, names))
        differences.append(found)
    return Behaviours(traits.customer, group, tuple(names), tuple(differences), stability)


def _differences(traits: Traits, inside: Flags) -> list[Difference]:
    return [
        Difference(
            name,
            float(column[inside].mean() - column.mean()),
            float(traits.plain[name][inside].mean()),
            float(traits.plain[name].mean()),
        )
        for name, column in traits.standard.items()
    ]
