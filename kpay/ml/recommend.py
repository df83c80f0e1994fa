"""What each customer is likely to want next, and why.

EASE (Steck, "Embarrassingly Shallow Autoencoders", 2019): item-to-item weights in closed form from
who owns what. Added to it are what sells lately, which carries newcomers, and likeness of title, tags
and kind, which carries new content. What somebody has is never recommended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml import text
from kpay.ml.frames import Flags, Floats, Ints

RIDGE: Final = 250.0
RIDGE_SHARE: Final = 0.05  # of the owned pairs, for a small business
LEAST_RIDGE: Final = 5.0
HALF_LIFE_DAYS: Final = 30.0
POPULARITY_WEIGHT: Final = 0.2
LIKENESS_WEIGHT: Final = 0.1
MOST_WOVEN: Final = 2_500  # items in the inverse, the most owned ones
CUSTOMERS_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Content that can be recommended, one entry each; `is_sellable` is False for what is archived."""

    content: tuple[str, ...]
    title: tuple[str, ...]
    kind: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...]
    is_sellable: Flags


@dataclass(frozen=True, slots=True)
class Owned:
    """Who has what: indices of customers and content, and how many days ago it was acquired."""

    customer: Ints
    content: Ints
    age_days: Floats


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One recommended content, its score (higher is better, comparable for one customer) and reason."""

    content: str
    score: float
    because: str


@dataclass(frozen=True, slots=True)
class Recommender:
    """Item-to-item weights, recent popularity (both standardised when used) and likeness."""

    catalogue: Catalogue
    weights: Floats
    popularity: Floats
    likeness: Floats

    def suggest(self, has: Sequence[Ints], count: int) -> list[list[Suggestion]]:
        """Return up to `count` suggestions for each customer, given the content each one has."""
        suggestions: list[list[Suggestion]] = []
        for start in range(0, len(has), CUSTOMERS_AT_ONCE):
            part = has[start : start + CUSTOMERS_AT_ONCE]
            scores, parts = self._scores(part)
            best = np.argsort(-scores, axis=1, kind="stable")[:, :count]
            for row, owned in enumerate(part):
                chosen = [int(item) for item in best[row] if np.isfinite(scores[row, item])]
                suggestions.append(
                    [
                        Suggestion(
                            self.catalogue.content[item],
                            round(float(scores[row, item]), 4),
                            self._reason(owned, item, parts[:, row, item]),
                        )
                        for item in chosen
                    ]
                )
        return suggestions

    def _scores(self, has: Sequence[Ints]) -> tuple[Floats, Floats]:
        """Return scores (customers, items), -inf where not allowed, and their three parts."""
        owned = np.zeros((len(has), len(self.catalogue.content)))
        for row, items in enumerate(has):
            owned[row, items] = 1.0
        allowed = (owned == 0) & self.catalogue.is_sellable
        near = owned @ self.likeness / np.maximum(owned.sum(axis=1, keepdims=True), 1.0)
        lately = np.broadcast_to(self.popularity, owned.shape)
        parts = np.array(
            [
                _standard(owned @ self.weights, allowed),
                POPULARITY_WEIGHT * _standard(lately, allowed),
                LIKENESS_WEIGHT * _standard(near, allowed),
            ]
        )
        return np.where(allowed, parts.sum(axis=0), -np.inf), parts

    def _reason(self, owned: Ints, item: int, parts: Floats) -> str:
        """Name the part that speaks most for an item, with the owned content behind it."""
        strongest = int(np.argmax(parts))
        if strongest == 0 and parts[0] > 0:
            source = owned[int(np.argmax(self.weights[owned, item]))]
            return f'buyers of "{self.catalogue.title[source]}" also bought it'
        if strongest == 2 and parts[2] > 0:
            source = owned[int(np.argmax(self.likeness[owned, item]))]
            shared = [t for t in self.catalogue.tags[item] if t in self.catalogue.tags[source]]
            like = f'like "{self.catalogue.title[source]}"'
            return f"about {', '.join(shared)}, {like}" if shared else like
        return "popular this month" if self.popularity[item] > 0 else "new here"


def _standard(score: Floats, allowed: Flags) -> Floats:
    """Scale each row to mean 0 and deviation 1 over what is allowed; a flat row is all 0."""
    count = np.maximum(allowed.sum(axis=1, keepdims=True), 1)
    mean = np.where(allowed, score, 0.0).sum(axis=1, keepdims=True) / count
    centred = np.where(allowed, score - mean, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=1, keepdims=True) / count)
    flat = deviation <= 1e-9 * np.maximum(np.abs(mean), 1e-9)
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, deviation))


def fit(catalogue: Catalogue, owned: Owned, customers: int) -> Recommender:
    """Learn from who has what; works from an empty shop on."""
    size = len(catalogue.content)
    fresh = 0.5 ** (np.maximum(owned.age_days, 0.0) / HALF_LIFE_DAYS)
    described = [
        " ".join((title, kind, *tags))
        for title, kind, tags in zip(catalogue.title, catalogue.kind, catalogue.tags, strict=True)
    ]
    return Recommender(
        catalogue,
        ease(owned, customers, size),
        np.bincount(owned.content, fresh, minlength=size).astype(float),
        text.likeness(described) if size else np.zeros((0, 0)),
    )


def ease(owned: Owned, customers: int, size: int) -> Floats:
    """Return item-to-item weights (size, size), the diagonal zero: -P / diag(P), P = (X'X + rI)^-1."""
    counts = np.bincount(owned.content, minlength=size)
    woven = np.sort(np.argsort(-counts, kind="stable")[:MOST_WOVEN])
    place = np.full(size, -1)
    place[woven] = np.arange(len(woven))
    inside = place[owned.content] >= 0
    has = np.zeros((customers, len(woven)))
    has[owned.customer[inside], place[owned.content[inside]]] = 1.0
    ridge = float(np.clip(RIDGE_SHARE * has.sum(), LEAST_RIDGE, RIDGE))
    inverse = np.linalg.inv(has.T @ has + ridge * np.eye(len(woven)))
    inner = -inverse / np.diag(inverse)
    np.fill_diagonal(inner, 0.0)
    weights = np.zeros((size, size))
    weights[np.ix_(woven, woven)] = inner
    return weights
