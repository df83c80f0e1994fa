"""What each customer is likely to want next, and why.

Four parts, each standardised over what a person can be offered and weighted by a mix that the shop's
own backtest chose: EASE on who has what, what is rising lately, what sells lately, and kinship: how well
the content suits the person's taste. What comes next in the creator's own order goes first. What somebody has is never recommended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from scipy import sparse

from kpay.ml import recommend_parts as parts
from kpay.ml import recommend_taste
from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.recommend_reasons import Reasons, Strength
from kpay.ml.recommend_shelf import Catalogue, Owned, alikeness, nothing_taken
from kpay.ml.recommend_taste import Taste

CELLS_AT_ONCE: Final = 1_000_000  # people x pieces in one table
WISH_WEIGHT: Final = 2.0  # of the topics that somebody chose when they joined the list
WISH_SIGNS: Final = 10.0  # purchases and looks after which a wish counts half
SEQUEL_LEAD: Final = 3.0  # in standard deviations: what the creator says comes next goes first
LAST_LAG: Final = 10.0  # what is offered only when nothing else is left
LEAST_POPULARITY: Final = 1e-9
VARIETY: Final = 0.2  # what a piece loses for being just like one above it in the list
POOL: Final = 4  # lists are made out of so many times as many pieces


@dataclass(frozen=True, slots=True)
class Mix:
    """The weights of the parts; `is_proven` says that a backtest found it better than popularity."""

    ease: float = 1.0
    rising: float = 0.1
    popularity: float = 0.0
    kindred: float = 0.0
    is_proven: bool = True


BY_SALES: Final = Mix()
BY_SALES_AND_CONTENT: Final = Mix(ease=0.5, popularity=1.0, kindred=1.0)
"""Usual where the content is described; measured on simulated shops of 12 to 150 pieces."""
POPULARITY_ONLY: Final = Mix(ease=0.0, rising=0.0, popularity=1.0, kindred=0.01, is_proven=False)
"""Without proof: what sells; kinship only decides between what sells alike."""


def _nothing() -> Ints:
    return np.zeros(0, dtype=np.int64)


def _no_days() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class Reader:
    """One person: what they have and since how many days, and which topics they chose.

    `looked` is what they looked at, a page each time, `looked_days` how many days ago. `barred` is not offered at all, `last` only when nothing else is left.
    """

    owned: Ints
    age_days: Floats
    topics: frozenset[str] = frozenset()
    barred: Ints = field(default_factory=_nothing)
    last: Ints = field(default_factory=_nothing)
    looked: Ints = field(default_factory=_nothing)
    looked_days: Floats = field(default_factory=_no_days)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One recommended content, its score (higher is better, comparable for one customer) and reason."""

    content: str
    score: float
    because: str


@dataclass(frozen=True, slots=True)
class Parts:
    """What speaks for each piece and person, (people, pieces), each row of mean 0 and deviation 1."""

    allowed: Flags
    ease: Floats
    kindred: Floats
    popularity: Floats
    rising: Floats

    def mixed(self, mix: Mix) -> Floats:
        """Return the weighted sum."""
        return (
            mix.ease * self.ease
            + mix.kindred * self.kindred
            + mix.popularity * self.popularity
            + mix.rising * self.rising
        )


@dataclass(frozen=True, slots=True)
class Recommender:
    """What was learned: item-to-item weights, tastes, and what sells lately."""

    catalogue: Catalogue
    mix: Mix
    ease: Floats
    taste: Taste
    popularity: Floats
    rising: Floats
    alike: Floats
    reasons: Reasons

    def suggest(self, readers: Sequence[Reader], count: int) -> list[list[Suggestion]]:
        """Return up to `count` suggestions for each person, the best first."""
        suggestions: list[list[Suggestion]] = []
        at_once = max(1, CELLS_AT_ONCE // max(1, len(self.catalogue)))
        for start in range(0, len(readers), at_once):
            suggestions += self._suggest(readers[start : start + at_once], count)
        return suggestions

    def _suggest(self, readers: Sequence[Reader], count: int) -> list[list[Suggestion]]:
        found = self.parts(readers)
        sequel, in_time = self._in_order(readers)
        wish = WISH_WEIGHT * self.wishes(readers, found.allowed)
        total = found.mixed(self.mix) + wish + SEQUEL_LEAD * sequel
        for row, reader in enumerate(readers):
            total[row, reader.last] -= LAST_LAG
        total = np.where(found.allowed & in_time, total, -np.inf)
        return [
            [
                Suggestion(
                    self.catalogue.content[item],
                    round(float(total[row, item]), 4),
                    self.reasons.next_after(reader.owned, item)
                    if sequel[row, item]
                    else self.reasons.strongest(
                        reader.owned, reader.topics, item, self._strength(found, wish, row, item)
                    ),
                )
                for item in chosen
            ]
            for row, (reader, chosen) in enumerate(
                zip(readers, self.varied(total, count), strict=True)
            )
        ]

    def parts(self, readers: Sequence[Reader]) -> Parts:
        """Return what speaks for each piece; what nobody has yet has no EASE."""
        allowed = self._lacks(readers) & self.catalogue.is_sellable
        for row, reader in enumerate(readers):
            allowed[row, reader.barred] = False
        sold = self.reasons.counts > 0
        bought, looked = taken_by(readers)
        taste = self.taste.appeal(
            len(readers), ((self.taste.bought, bought), (self.taste.looked, looked))
        )
        kin = parts.standard(taste, allowed)
        woven = parts.standard(self._interest(bought, len(readers)) @ self.ease, allowed & sold)
        everybody = np.ones((len(readers), 1))
        selling = parts.standard(everybody * np.log(self.popularity + LEAST_POPULARITY), allowed)
        return Parts(
            allowed,
            woven,
            kin,
            selling,
            parts.standard(everybody * self.rising, allowed),
        )

    def varied(self, total: Floats, count: int) -> list[list[int]]:
        """Choose the best of each row, each choice lowering what is much like it."""
        wide = min(count * POOL, total.shape[1])
        if not wide:
            return [[] for _ in total]
        pool = np.sort(np.argpartition(-total, wide - 1, axis=1)[:, :wide], axis=1)
        rows = np.arange(len(total))
        left = np.take_along_axis(total, pool, axis=1)
        nearest = np.zeros_like(left)
        chosen = []
        for _ in range(min(count, wide)):
            best = np.argmax(left - VARIETY * nearest, axis=1)
            items = pool[rows, best]
            chosen.append(np.where(np.isfinite(left[rows, best]), items, -1))
            left[rows, best] = -np.inf
            if self.catalogue.is_described:
                nearest = np.maximum(nearest, self.alike[items[:, None], pool])
        table = np.array(chosen, dtype=np.int64).reshape(-1, len(total)).T
        return [[int(item) for item in row if item >= 0] for row in table]

    def _interest(self, bought: Owned, people: int) -> sparse.csr_matrix:
        """Return how much what each person has still says about them."""
        return bought.table(parts.interest(bought.age_days), (people, len(self.catalogue)))

    def _lacks(self, readers: Sequence[Reader]) -> Flags:
        lacks = np.ones((len(readers), len(self.catalogue)), dtype=bool)
        for row, reader in enumerate(readers):
            lacks[row, reader.owned] = False
        return lacks

    def _in_order(self, readers: Sequence[Reader]) -> tuple[Flags, Flags]:
        """Return what comes right after what each person has, and what is not too early for them.

        What can no longer be had is not asked for first.
        """
        has = ~self._lacks(readers)
        sequel, in_time = np.zeros_like(has), np.ones_like(has)
        for item, before in enumerate(self.catalogue.after):
            if before:
                places = np.array(before)
                gone = ~self.catalogue.is_sellable[places]
                in_time[:, item] = (has[:, places] | gone).all(axis=1)
                sequel[:, item] = in_time[:, item] & has[:, places].any(axis=1)
        return sequel, in_time

    def wishes(self, readers: Sequence[Reader], allowed: Flags) -> Floats:
        """Return how many of a piece's tags each person chose as a topic, standardised.

        What they did since tells more, so it fades with every sign.
        """
        wished = np.zeros((len(readers), len(self.catalogue)))
        for row, reader in enumerate(readers):
            if reader.topics:
                wished[row] = [
                    sum(tag.casefold() in reader.topics for tag in tags)
                    for tags in self.catalogue.tags
                ]
        signs = np.array([[len(reader.owned) + len(reader.looked)] for reader in readers])
        return parts.standard(wished, allowed) / (1 + signs.reshape(-1, 1) / WISH_SIGNS)

    def _strength(self, found: Parts, wish: Floats, row: int, item: int) -> Strength:
        # What can be counted is said before what can only be likened.
        counted = max(self.mix.ease, self.mix.kindred) if self.mix.ease else 0.0
        return Strength(
            float(counted * found.ease[row, item]),
            float(self.mix.kindred * found.kindred[row, item]),
            float(wish[row, item]),
            float(self.mix.popularity * found.popularity[row, item]),
        )


def taken_by(readers: Sequence[Reader]) -> tuple[Owned, Owned]:
    """Return what each reader has, and what each looked at, by their place in the list."""
    return (
        _rows([(reader.owned, reader.age_days) for reader in readers]),
        _rows([(reader.looked, reader.looked_days) for reader in readers]),
    )


def _rows(taken: Sequence[tuple[Ints, Floats]]) -> Owned:
    return Owned(
        np.repeat(np.arange(len(taken)), [len(items) for items, _ in taken]),
        np.concatenate([_nothing(), *(items for items, _ in taken)]),
        np.concatenate([_no_days(), *(days for _, days in taken)]),
    )


def usual_mix(catalogue: Catalogue) -> Mix:
    """Return the mix to begin with."""
    return BY_SALES_AND_CONTENT if catalogue.is_described else BY_SALES


def fit(
    catalogue: Catalogue,
    owned: Owned,
    customers: int,
    mix: Mix | None = None,
    *,
    looks: Owned | None = None,
) -> Recommender:
    """Learn from who has what and who looked at what; works from an empty shop on."""
    size = len(catalogue)
    mix = mix or usual_mix(catalogue)
    alike = catalogue.compared if catalogue.compared is not None else alikeness(catalogue)
    popularity = parts.popularity(owned, catalogue, alike)
    weights = parts.ease(owned, customers, size)
    return Recommender(
        catalogue,
        mix,
        weights,
        recommend_taste.learn(catalogue, owned, looks or nothing_taken()),
        popularity,
        parts.rising(owned, size),
        alike,
        Reasons.learn(catalogue, owned, weights, alike),
    )
