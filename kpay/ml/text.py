"""Likeness of short texts in any script: character n-grams, weighted by rarity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy import sparse

from kpay.ml.frames import Floats

SHORTEST, LONGEST = 2, 4
WORD_END: Final = " "


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
