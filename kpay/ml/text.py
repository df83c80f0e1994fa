"""Likeness of texts in any script: character n-grams, weighted by rarity, reduced to what they share."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kpay.ml.frames import Floats, Ints

Hashes: TypeAlias = NDArray[np.uint64]

SHORTEST, LONGEST = 2, 4
WORD_END: Final = " "
BUCKETS: Final = 2**17
LONGEST_TEXT: Final = 20_000  # characters that are read of a text
MOST_DOCUMENTS: Final = 500  # that a space is fitted on
MOST_DIRECTIONS: Final = 256
KEPT_SHARE: Final = 0.999  # of the squared singular values: fewer cost what makes a piece itself
BETWEEN_WORDS: Final = re.compile(r"[\W_]+")
FIRST_IDEOGRAPH: Final = 0x2E80
MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)


def ngrams(text: str) -> Counter[str]:
    """Count the n-grams of each word, two to four characters, word ends included.

    A script without spaces is one long word, whose n-grams serve as its words.
    """
    counted: Counter[str] = Counter()
    for word in text.casefold().split():
        padded = f"{WORD_END}{word}{WORD_END}"
        for size in range(SHORTEST, LONGEST + 1):
            counted.update(padded[at : at + size] for at in range(len(padded) - size + 1))
    return counted


def likeness(texts: Sequence[str]) -> Floats:
    """Return the cosine of tf-idf vectors, (n, n), with a zero diagonal."""
    counts = [ngrams(text) for text in texts]
    column = {gram: at for at, gram in enumerate(sorted(set().union(*counts)))}
    rows, columns, values = [], [], []
    frequency = Counter(gram for counted in counts for gram in counted)
    for row, counted in enumerate(counts):
        for gram, count in counted.items():
            rows.append(row)
            columns.append(column[gram])
            values.append(
                (1 + np.log(count)) * (1 + np.log((1 + len(texts)) / (1 + frequency[gram])))
            )
    table = sparse.csr_matrix((values, (rows, columns)), shape=(len(texts), max(1, len(column))))
    length = np.sqrt(np.asarray(table.multiply(table).sum(axis=1))).ravel()
    unit = sparse.diags(1 / np.maximum(length, 1e-12)) @ table
    cosine = np.asarray((unit @ unit.T).todense())
    np.fill_diagonal(cosine, 0.0)
    return cosine


@lru_cache(maxsize=20_000)
def hashed_ngrams(text: str) -> tuple[Ints, Floats]:
    """Return the buckets of a text's n-grams, ascending, and one plus the log of each one's count.

    N-grams are of two to four characters of each word with its ends; a sign that is a word by itself,
    as in Chinese, counts too. The hash is a fixed mixing of code points, the same on every machine.
    """
    words = BETWEEN_WORDS.sub(WORD_END, text[:LONGEST_TEXT].casefold()).strip()
    padded = f"{WORD_END}{words}{WORD_END}".encode("utf-32-le")
    letters = np.frombuffer(padded, dtype=np.uint32).astype(np.uint64)
    found = np.concatenate([_hashed(letters, size) for size in range(1, LONGEST + 1)])
    buckets, counts = np.unique(found % np.uint64(BUCKETS), return_counts=True)
    return buckets.astype(np.int64), 1.0 + np.log(counts)


def _hashed(letters: Hashes, size: int) -> Hashes:
    """Return the hash of every n-gram of a size that spans no space between its ends."""
    starts = max(len(letters) - size + 1, 0)
    mixed = np.full(starts, size, dtype=np.uint64)
    is_word = np.ones(starts, dtype=bool) if size > 1 else letters >= FIRST_IDEOGRAPH
    for at in range(size):
        letter = letters[at : at + starts]
        mixed = (mixed ^ letter) * MULTIPLIER
        mixed ^= mixed >> np.uint64(29)
        if 0 < at < size - 1 or at == 1:
            is_word &= letter != ord(WORD_END)
    return mixed[is_word]


def hashed_table(texts: Sequence[str]) -> sparse.csr_matrix:
    """Return the hashed n-grams of texts, one row each, (n, BUCKETS)."""
    rows = [hashed_ngrams(text) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    buckets = np.concatenate([buckets for buckets, _ in rows]) if rows else np.zeros(0, np.int64)
    counts = np.concatenate([counts for _, counts in rows]) if rows else np.zeros(0)
    return sparse.csr_matrix((counts, buckets, ends), shape=(len(rows), BUCKETS))


@dataclass(frozen=True, slots=True)
class Weighting:
    """How rare each n-gram is among some documents; what nearly all of them hold counts nothing."""

    rarity: Floats

    @classmethod
    def fit(cls, documents: Sequence[str]) -> Weighting:
        """Count in how many documents each n-gram stands.

        One that stands in none is the rarest: a text that is mostly new shares little with any.
        """
        table = hashed_table(documents)
        holding = np.minimum(np.bincount(table.indices, minlength=BUCKETS), len(documents))
        return cls(np.log((1.0 + len(documents)) / (0.5 + holding)))

    def of(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return texts as tf-idf rows of length one, (n, BUCKETS)."""
        table = hashed_table(texts)
        weights = table.data * self.rarity[table.indices]
        rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
        length = np.sqrt(np.bincount(rows, weights**2, minlength=table.shape[0]))
        scaled = weights / np.maximum(length, 1e-12)[rows]
        return sparse.csr_matrix((scaled, table.indices, table.indptr), shape=table.shape)


@dataclass(frozen=True, slots=True)
class Space:
    """The directions in which some documents differ."""

    weighting: Weighting
    documents: sparse.csr_matrix
    turn: Floats  # from cosines with the documents to coordinates

    @classmethod
    def fit(cls, documents: Sequence[str]) -> Space:
        """Fit on documents: rarity by all of them, directions by at most MOST_DOCUMENTS of them.

        The directions are the singular vectors of the tf-idf rows, by way of the documents' cosines,
        so that equal documents give equal bytes; as many as hold KEPT_SHARE of the variance.
        """
        weighting = Weighting.fit(documents)
        chosen = np.unique(np.linspace(0, len(documents) - 1, MOST_DOCUMENTS).astype(int))
        sample = weighting.of([documents[at] for at in chosen] if documents else [])
        values, vectors = np.linalg.eigh((sample @ sample.T).toarray())
        order = np.argsort(-values, kind="stable")[:MOST_DIRECTIONS]
        held = np.cumsum(values[order]) / max(float(values.sum()), 1e-12)
        kept = order[: int(np.searchsorted(held, KEPT_SHARE)) + 1]
        kept = kept[values[kept] > 1e-9]
        return cls(weighting, sample, vectors[:, kept] / np.sqrt(values[kept]))

    @property
    def directions(self) -> int:
        """How many coordinates a text has."""
        return int(self.turn.shape[1])

    def of(self, texts: Sequence[str]) -> Floats:
        """Return texts as unit vectors, (n, directions); nothing in common with anything is zeros."""
        rows = self.weighting.of(texts)
        return unit(np.asarray((rows @ self.documents.T) @ self.turn))


@dataclass(frozen=True, slots=True)
class Meanings:
    """Texts with the vectors that another model gave them; `model` names it by its weights."""

    model: str
    texts: tuple[str, ...]  # ascending, each once
    vectors: Floats  # one row for each text

    @property
    def directions(self) -> int:
        """How many coordinates a text has."""
        return int(self.vectors.shape[1])

    def of(self, texts: Sequence[str]) -> Floats:
        """Return texts as unit vectors, (n, directions); one that is not among them is zeros."""
        rows = np.zeros((len(texts), self.directions))
        for row, text in enumerate(texts):
            at = bisect_left(self.texts, text)
            if self.texts[at : at + 1] == (text,):
                rows[row] = self.vectors[at]
        return unit(rows)


def unit(rows: Floats) -> Floats:
    """Return rows scaled to length one; a row of zeros stays."""
    length = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(length, 1e-12))
