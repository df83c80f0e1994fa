"""What feedback is about: a handful of topics, each named by words that people used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from warnings import catch_warnings, simplefilter

import numpy as np
from scipy import sparse
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from kpay.ml.frames import Ints

FEWEST_TEXTS: Final = 12
FEWEST_HOLDING: Final = 2  # texts that a term must stand in
MOST_HOLDING: Final = 0.5  # of the texts: what everybody says is no topic
MOST_TERMS: Final = 1_000
MOST_TOPICS: Final = 6
TEXTS_A_TOPIC: Final = 8
TERMS_IN_A_NAME: Final = 3
WORD: Final = re.compile(r"[^\W\d_]{3,}")
IDEOGRAPHS: Final = re.compile(r"[\u3400-\u9fff]+")
LONGEST_IDEOGRAPHS: Final = 4
EMPTY_WORDS: Final = frozenset(
    """
    about after again all also and any are because been before being but can could did does doing
    down each even for from get got had has have having her here him his how into its itself just
    like made make many more most much myself not now off only other our out over own really same
    she should some such than that the their them then there these they this those through too
    under until very was way were what when where which while who why will with would you your
    """.split()
)
EMPTY_IDEOGRAPHS: Final = frozenset(
    "的了是我你他她它们在和也都就很太还有没不这那个一吗呢吧啊对为与及把被让给着过到说看"
)


@dataclass(frozen=True, slots=True)
class Topic:
    """Words that people use together, and the texts (by place) that are mostly about them."""

    terms: tuple[str, ...]
    texts: tuple[int, ...]

    @property
    def name(self) -> str:
        """The topic in the words that people used for it."""
        return ", ".join(self.terms)


def topics(texts: Sequence[str]) -> list[Topic]:
    """Return the topics of texts, the largest first; none while there are fewer than FEWEST_TEXTS.

    Non-negative factors of term frequencies weighted by rarity (Lee and Seung 1999), from the start
    that Boutsidis and Gallopoulos (2008) give, so that equal texts have equal topics. A text belongs
    to its strongest topic, or to none where it uses none of the terms.
    """
    told = [text for text in texts if text.strip()]
    if len(told) < FEWEST_TEXTS:
        return []
    terms, table = _terms(texts)
    count = min(MOST_TOPICS, max(2, len(told) // TEXTS_A_TOPIC), len(terms))
    if count < 2:
        return []
    model = NMF(count, init="nndsvd", random_state=0, max_iter=500, tol=1e-3)
    with catch_warnings():
        simplefilter("ignore", ConvergenceWarning)  # a few rounds more would rename nothing
        strength = model.fit_transform(table)
    strongest = np.where(strength.max(axis=1) > 0, strength.argmax(axis=1), -1)
    found = [_topic(terms, table, np.flatnonzero(strongest == at)) for at in range(count)]
    return sorted((one for one in found if one.texts), key=lambda one: (-len(one.texts), one.name))


def _topic(terms: list[str], table: sparse.csr_matrix, members: Ints) -> Topic:
    """Name a topic by the terms that most of its texts use and few others do."""
    holding = np.bincount(table.indices, minlength=len(terms))
    inside = np.bincount(table[members].indices, minlength=len(terms))
    telling = inside**2 / holding
    chosen: list[str] = []
    for at in np.argsort(-telling, kind="stable"):
        term = terms[at]
        if telling[at] <= 0 or len(chosen) == TERMS_IN_A_NAME:
            break
        if not any(_overlap(term, other) for other in chosen):
            chosen.append(term)
    return Topic(tuple(chosen), tuple(int(place) for place in members))


def _overlap(term: str, other: str) -> bool:
    """Say whether two terms are parts of the same words: a run of ideographs shares two of them."""
    if not (IDEOGRAPHS.fullmatch(term) and IDEOGRAPHS.fullmatch(other)):
        return term in other or other in term
    return any(term[at : at + 2] in other for at in range(len(term) - 1))


def _terms(texts: Sequence[str]) -> tuple[list[str], sparse.csr_matrix]:
    """Return the terms that tell texts apart, and their weights, (texts, terms)."""
    counts = [Counter(_words(text)) for text in texts]
    holding = Counter(term for counted in counts for term in counted)
    limit = max(FEWEST_HOLDING, MOST_HOLDING * len(texts))
    usable = {term: n for term, n in holding.items() if FEWEST_HOLDING <= n <= limit}
    usable = {term: n for term, n in usable.items() if not _is_part(term, n, usable)}
    ranked = sorted(usable, key=lambda term: (-usable[term], term))[:MOST_TERMS]
    column = {term: at for at, term in enumerate(ranked)}
    cells = [
        (row, column[term], (1.0 + np.log(n)) * np.log((1 + len(texts)) / holding[term]))
        for row, counted in enumerate(counts)
        for term, n in counted.items()
        if term in column
    ]
    rows, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
    shape = (len(texts), len(ranked))
    return ranked, sparse.csr_matrix((values, (rows, columns)), shape=shape, dtype=float)


def _is_part(term: str, count: int, usable: dict[str, int]) -> bool:
    """Say whether a run of ideographs nearly always stands inside one longer run."""
    if not IDEOGRAPHS.fullmatch(term) or len(term) == LONGEST_IDEOGRAPHS:
        return False
    longer = (n for other, n in usable.items() if len(other) == len(term) + 1 and term in other)
    return max(longer, default=0) >= 0.8 * count


def _words(text: str) -> list[str]:
    """Return the words of a text, and the runs of two to four ideographs in it."""
    plain = text.casefold()
    found = [word for word in WORD.findall(IDEOGRAPHS.sub(" ", plain)) if word not in EMPTY_WORDS]
    for run in IDEOGRAPHS.findall(plain):
        for size in range(2, LONGEST_IDEOGRAPHS + 1):
            parts = (run[at : at + size] for at in range(len(run) - size + 1))
            found += [part for part in parts if not EMPTY_IDEOGRAPHS & {part[0], part[-1]}]
    return found
