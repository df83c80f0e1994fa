"""The past of a shop cut at some day: what was known then, and what people bought next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kpay.ml import recommend
from kpay.ml import recommend_rivals as rivals
from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.recommend import Parts, Reader
from kpay.ml.recommend_parts import lately
from kpay.ml.recommend_shelf import Catalogue, Owned, nothing_taken

TOP: Final = 10
WINDOWS: Final = 4
LONGEST_HORIZON_DAYS: Final = 90
SHORTEST_HORIZON_DAYS: Final = 14
MOST_TESTED: Final = 500  # at one cutoff
MOST_ITEMS: Final = 500
MOST_PEOPLE: Final = 20_000
POPULARITIES: Final = ("popularity", "popularity of the last month")
RIVALS: Final = (*POPULARITIES, "item-kNN", "EASE alone")


@dataclass(frozen=True, slots=True)
class Window:
    """One cutoff: the parts for whoever is tested, what they bought next, and the rivals' scores.

    `known_share` is how much of all that is known today was known there.
    """

    cutoff_days: int  # before the end of what is known
    known_share: float
    customer: Ints
    parts: Parts
    wanted: Flags
    rival: dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Ranked:
    """NDCG@10 and recall@10 of each tested person, and the pieces that are in anybody's first ten."""

    ndcg: Floats
    recall: Floats
    shown: Ints


def ranked(score: Floats, window: Window) -> Ranked:
    """Rank by a score (people, pieces) and hold the first ten against what was wanted.

    NDCG: discount 1 / log2(rank + 1), over the best list possible (Jarvelin and Kekalainen 2002).
    Recall: the share of what was wanted, of ten things at most.
    """
    score = np.where(window.parts.allowed, score, -np.inf)
    deep = min(TOP, score.shape[1])
    first = np.argpartition(-score, deep - 1, axis=1)[:, :deep]
    order = np.argsort(-np.take_along_axis(score, first, axis=1), axis=1, kind="stable")
    first = np.take_along_axis(first, order, axis=1)
    hit = np.take_along_axis(window.wanted, first, axis=1)
    discount = 1 / np.log2(np.arange(2, deep + 2))
    wanted = np.minimum(window.wanted.sum(axis=1), deep)
    ideal = np.cumsum(discount)[wanted - 1]
    return Ranked((hit @ discount) / ideal, hit.sum(axis=1) / wanted, np.unique(first))


def horizon(owned: Owned) -> int:
    """Return for how many days to look ahead: a part of the history, 14 to 90 days."""
    span = float(owned.known_days.max()) if len(owned.customer) else 0.0
    return int(np.clip(span // (WINDOWS + 1), SHORTEST_HORIZON_DAYS, LONGEST_HORIZON_DAYS))


def windows(
    catalogue: Catalogue, owned: Owned, horizon_days: int, looks: Owned | None = None
) -> Iterator[Window]:
    """Yield the cutoffs one, two, three and four horizons before the end, those with buyers."""
    catalogue, owned, looks = _smaller(catalogue, owned, looks or nothing_taken())
    catalogue = catalogue.alike()
    for number in range(1, WINDOWS + 1):
        window = window_at(catalogue, owned, number * horizon_days, horizon_days, looks=looks)
        if window is not None:
            yield window


def window_at(
    catalogue: Catalogue,
    owned: Owned,
    cutoff_days: int,
    horizon_days: int,
    *,
    looks: Owned | None = None,
    most_tested: int = MOST_TESTED,
) -> Window | None:
    """Return one cutoff, or None when nobody who was known bought anything new within its horizon."""
    known = owned.where(owned.known_days > cutoff_days)
    shown = catalogue.days_on_show
    is_there = (shown > cutoff_days) & np.isfinite(shown)
    is_there |= known.counts(len(catalogue)) > 0
    is_next = (owned.known_days <= cutoff_days) & (owned.known_days > cutoff_days - horizon_days)
    is_next &= is_there[owned.content] & np.isin(owned.customer, known.customer)
    tested = evenly(np.unique(owned.customer[is_next]), most_tested)
    if not len(tested):
        return None
    before = _aged(known, cutoff_days)
    then = np.maximum(shown - cutoff_days, 0.0)
    past = replace(catalogue, is_sellable=is_there, shown_days=then, after=())
    seen = looks_before(looks or nothing_taken(), cutoff_days)
    learned = recommend.fit(past, before, int(owned.customer.max()) + 1, looks=seen)
    wanted = np.zeros((len(tested), len(catalogue)), dtype=bool)
    asked = is_next & np.isin(owned.customer, tested)
    wanted[np.searchsorted(tested, owned.customer[asked]), owned.content[asked]] = True
    parts = learned.parts(readers_of(before, tested, seen))
    share = len(known.customer) / len(owned.customer)
    rival = _rival_scores(before, tested, len(catalogue))
    return Window(cutoff_days, share, tested, parts, wanted, rival)


def readers_of(owned: Owned, customers: Ints, looks: Owned | None = None) -> list[Reader]:
    """Return what each of some customers has and looked at."""
    seen = _by_customer(looks or nothing_taken(), customers)
    return [
        Reader(has, since, looked=looked, looked_days=when)
        for (has, since), (looked, when) in zip(_by_customer(owned, customers), seen, strict=True)
    ]


def looks_before(looks: Owned, cutoff_days: int) -> Owned:
    """Return what had been looked at by a cutoff, as it looked then."""
    seen = looks.where(looks.age_days > cutoff_days)
    return Owned(seen.customer, seen.content, seen.age_days - cutoff_days)


def _by_customer(taken: Owned, customers: Ints) -> list[tuple[Ints, Floats]]:
    order = np.lexsort((taken.content, taken.customer))
    who, what, age = taken.customer[order], taken.content[order], taken.age_days[order]
    first, last = np.searchsorted(who, customers), np.searchsorted(who, customers, side="right")
    return [(what[one:end], age[one:end]) for one, end in zip(first, last, strict=True)]


def evenly(values: Ints, most: int) -> Ints:
    """Return at most so many of some values, evenly spread."""
    if len(values) <= most:
        return values
    return np.asarray(values[np.linspace(0, len(values) - 1, most).astype(np.int64)])


def _aged(known: Owned, cutoff_days: int) -> Owned:
    """Return what was known as it looked at the cutoff; what was got again later had not been yet."""
    first = known.known_days - cutoff_days
    age = np.where(known.age_days > cutoff_days, known.age_days - cutoff_days, first)
    return Owned(known.customer, known.content, age, first)


def _smaller(catalogue: Catalogue, owned: Owned, looks: Owned) -> tuple[Catalogue, Owned, Owned]:
    """Return a sample of a big shop: some of its customers, its best-selling and newest pieces."""
    people = np.unique(owned.customer)
    if len(people) > MOST_PEOPLE:
        people = evenly(people, MOST_PEOPLE)
        owned = owned.where(np.isin(owned.customer, people))
    looks = looks.where(np.isin(looks.customer, people))
    if len(catalogue) <= MOST_ITEMS:
        return catalogue, owned, looks
    order = np.lexsort((catalogue.days_on_show, -owned.counts(len(catalogue))))
    items = np.sort(order[:MOST_ITEMS])
    place = np.full(len(catalogue), -1)
    place[items] = np.arange(len(items))
    owned, looks = (taken.where(place[taken.content] >= 0) for taken in (owned, looks))
    owned, looks = (replace(taken, content=place[taken.content]) for taken in (owned, looks))
    return catalogue.only(items), owned, looks


def _rival_scores(before: Owned, tested: Ints, size: int) -> dict[str, Floats]:
    people = max(int(before.customer.max()), int(tested.max())) + 1
    table = before.table(np.ones(len(before.customer)), (people, size))
    has, everybody = np.asarray(table[tested].todense()), np.asarray((table.T @ table).todense())
    fresh = before.sums(lately(before.known_days), size)
    column = np.ones((len(tested), 1))
    scores = (
        column * before.counts(size),
        column * fresh,
        has @ rivals.item_neighbours(everybody),
        has @ rivals.ease_alone(everybody),
    )
    return dict(zip(RIVALS, scores, strict=True))
