"""What each person likes, read from all they bought and looked at.

A person takes a piece with a chance proportional to its pull times exp(x'a), where x is what the piece
is (tags, kind, price, words) and a, their taste, is normal around 0. One Newton step from nobody's
taste gives a = (nC + 1 / v)^-1 sum(x - m): m is what everybody took in those days, so that what was on
show, new or in season then explains itself, C the covariance of x over all that was taken, n the
number of signs. How far tastes differ in each respect, v, is learned from how much more alike two
different things are that one person took than chance has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from kpay.ml import text
from kpay.ml.frames import Floats, Ints
from kpay.ml.recommend_shelf import LONGEST_TEXT, Catalogue, Owned

SEASON_SIGNS: Final = 150  # signs over which what everybody took is averaged
MOST_SEASONS: Final = 200
SHELF_SIGNS: Final = 10.0
USUAL_VARIANCE: Final = 0.25  # of a taste, before anything is known: the logarithm of its strength
USUAL_PAIRS: Final = 200.0  # so many pairs of signs weigh as much as that
MOST_VARIANCE: Final = 2.0
WORD_AXES: Final = 16


@dataclass(frozen=True, slots=True)
class Season:
    """What everybody took, by how many days ago: `means` (seasons, features) after each edge."""

    edges: Floats
    means: Floats

    @classmethod
    def learn(cls, features: Floats, taken: Owned) -> Season:
        """Average over so many signs at a time; a few more stand for the shelf itself."""
        count = len(taken.content)
        shelf = SHELF_SIGNS * features.sum(axis=0, keepdims=True) / max(len(features), 1)
        seasons = int(np.clip(count // SEASON_SIGNS, 1, MOST_SEASONS))
        edges = np.unique(np.sort(taken.age_days)[np.arange(1, seasons) * count // seasons])
        season = np.searchsorted(edges, taken.age_days, side="right")
        table = sparse.csr_matrix(
            (np.ones(count), (season, taken.content)), (len(edges) + 1, len(features))
        )
        totals = np.asarray(table.sum(axis=1)) + SHELF_SIGNS
        return cls(edges, np.asarray(table @ features + shelf) / totals)

    def surprise(self, features: Floats, content: Ints, age_days: Floats) -> Floats:
        """Return what sets each thing taken apart from what everybody took then, (signs, features)."""
        season = np.searchsorted(self.edges, age_days, side="right")
        return np.asarray(features[content] - self.means[season])


@dataclass(frozen=True, slots=True)
class Taste:
    """What a piece is, scaled by how far tastes differ in it, and what everybody took of it when."""

    features: Floats  # (pieces, features)
    bought: Season
    looked: Season
    spread: Floats  # eigenvalues of the covariance of what was taken, and its eigenvectors
    axes: Floats

    def appeal(self, people: int, signs: Sequence[tuple[Season, Owned]]) -> Floats:
        """Return the logarithm of how much more each piece appeals to each person, (people, pieces)."""
        total, count = np.zeros((people, self.features.shape[1])), np.zeros(people)
        for season, taken in signs:
            apart = season.surprise(self.features, taken.content, taken.age_days)
            total += by_person(taken.customer, people) @ apart
            count += np.bincount(taken.customer, minlength=people)
        taste = (total @ self.axes) / (count[:, None] * self.spread + 1.0)
        return np.asarray((taste @ self.axes.T) @ self.features.T)


def learn(catalogue: Catalogue, owned: Owned, looks: Owned) -> Taste:
    """Learn from all that was bought and looked at how far tastes differ, and in what."""
    respects = described(catalogue)
    scales = [np.sqrt(variance(respect, (owned, looks))) for respect in respects]
    scaled = [scale * respect for scale, respect in zip(scales, respects, strict=True)]
    features = np.hstack([np.zeros((len(catalogue), 1)), *scaled])
    seasons = [Season.learn(features, taken) for taken in (owned, looks)]
    apart = np.vstack(
        [
            season.surprise(features, taken.content, taken.age_days)
            for season, taken in zip(seasons, (owned, looks), strict=True)
        ]
    )
    spread, axes = np.linalg.eigh(apart.T @ apart / max(len(apart), 1))
    return Taste(features, seasons[0], seasons[1], np.maximum(spread, 0.0), axes)


def described(catalogue: Catalogue) -> list[Floats]:
    """Return what a piece is in each respect: tags (shares), kind, logarithm of the price, words."""
    respects = []
    if any(catalogue.tags):
        table = np.array([[tag in mine for tag in _tags(catalogue)] for mine in catalogue.tags])
        respects.append(table / np.maximum(table.sum(axis=1, keepdims=True), 1.0))
    if len(set(catalogue.kind)) > 1:
        respects.append(np.array(catalogue.kind)[:, None] == np.unique(catalogue.kind))
    if len(catalogue.price):
        known = np.isfinite(catalogue.price) & (catalogue.price > 0)
        price = np.log(np.where(known, catalogue.price, 1.0))
        middle = price[known].mean() if known.any() else 0.0
        respects.append(np.where(known, price - middle, 0.0)[:, None])
    respects = [respect.astype(float) for respect in respects]
    words = _words(catalogue)
    if respects and words.size:
        plain = np.hstack(respects)
        words = words - plain @ np.linalg.lstsq(plain, words, rcond=None)[0]
    return [*respects, words] if words.size else respects


def variance(respect: Floats, signs: Sequence[Owned]) -> float:
    """Return how far tastes differ in one respect: the variance of a taste, by moments.

    Of two signs of one person about two pieces the expected product of the surprises is v tr(C^2),
    less what two different pieces of a short shelf have to differ.
    A person's pairs weigh by 1 / signs, so that a few people do not decide.
    """
    product, pairs, square = 0.0, 0.0, 0.0
    for taken in signs:
        if not len(taken.content):
            continue
        apart = Season.learn(respect, taken).surprise(respect, taken.content, taken.age_days)
        people = int(taken.customer.max()) + 1
        count = np.bincount(taken.customer, minlength=people).astype(float)
        cells, place, times = np.unique(
            taken.customer * len(respect) + taken.content, return_inverse=True, return_counts=True
        )
        same = ((by_person(place.ravel(), len(cells)) @ apart) ** 2).sum(axis=1)
        who = cells // len(respect)
        together = ((by_person(taken.customer, people) @ apart) ** 2).sum(axis=1)
        weight = 1 / np.maximum(count, 1.0)
        mine = float(weight @ count**2 - weight[who] @ times**2.0)
        product += float(weight @ together - weight[who] @ same)
        product += mine * _apartness(respect, taken.content)
        covariance = apart.T @ apart / len(apart)
        square += mine * float((covariance**2).sum())
        pairs += mine
    if not pairs or square <= 0:
        return USUAL_VARIANCE
    each = square / pairs
    found = (product + USUAL_PAIRS * USUAL_VARIANCE * each) / (square + USUAL_PAIRS * each)
    return float(np.clip(found, 0.0, MOST_VARIANCE))


def _apartness(respect: Floats, content: Ints) -> float:
    """Return by how much two different pieces are less alike than chance has it, tastes aside."""
    share = np.bincount(content, minlength=len(respect)) / len(content)
    apart = respect - share @ respect
    same = share**2
    return float(same @ (apart**2).sum(axis=1) / max(1 - same.sum(), 1e-9))


def by_person(customer: Ints, people: int) -> sparse.csr_matrix:
    """Return the table that sums rows by person, (people, rows)."""
    rows = np.arange(len(customer))
    return sparse.csr_matrix((np.ones(len(customer)), (customer, rows)), (people, len(customer)))


def _tags(catalogue: Catalogue) -> list[str]:
    return sorted({tag for mine in catalogue.tags for tag in mine})


def _words(catalogue: Catalogue) -> Floats:
    """Return the main axes of the texts, (pieces, axes); none without texts."""
    said = [words[:LONGEST_TEXT] for words in catalogue.text]
    if not any(said):
        return np.zeros((len(said), 0))
    table = text.Weighting.fit(said).of(said)
    table = table[:, np.flatnonzero(table.getnnz(axis=0))]
    axes = min(WORD_AXES, len(said) - 1, table.shape[1])
    if axes < 1:
        return np.zeros((len(said), 0))
    left, sizes, _ = randomized_svd(table, axes, random_state=0)
    return np.asarray(left * sizes)
