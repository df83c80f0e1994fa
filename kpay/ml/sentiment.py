"""How people felt who wrote: a small lexicon to begin with, then what the creator's own ratings teach."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.frames import Floats
from kpay.ml.lexicon import (
    CHINESE_COMPLAINT,
    CHINESE_NEGATIONS,
    CHINESE_PRAISE,
    COMPLAINT,
    NEGATIONS,
    PRAISE,
)
from kpay.ml.text import Weighting

FIVE_STARS: Final = 5.0
NEGATION_REACH: Final = 3  # words
RIDGE: Final = 1.0
LEXICON_WORTH: Final = 40  # rated texts that the lexicon weighs as much as
MOST_RATED: Final = 1_000  # the newest
WORD: Final = re.compile(r"[a-z']+")
CLAUSE_END: Final = re.compile(r"[.!?;\n]+")
BETWEEN: Final = re.compile(r"(?:很|太|那么|这么|特别|非常|十分)$")
_CHINESE: Final = {
    **dict.fromkeys(CHINESE_PRAISE, 1.0),
    **dict.fromkeys(CHINESE_COMPLAINT, -1.0),
}
CHINESE_WORD: Final = re.compile("|".join(sorted(_CHINESE, key=lambda word: (-len(word), word))))


def stretched(stars: Floats) -> Floats:
    """Return ratings as 0 to 1 on the creator's own scale: up to five stars, else up to ten.

    Five stars that never begin at nought begin at one. NaN stays.
    """
    given = stars[~np.isnan(stars)]
    if not len(given):
        return stars
    top = FIVE_STARS if given.max() <= FIVE_STARS else 2 * FIVE_STARS
    bottom = 1.0 if given.min() >= 1 and top == FIVE_STARS else 0.0
    return np.asarray((stars - bottom) / (top - bottom))


def by_lexicon(text: str) -> float:
    """Return -1 (complaint) to 1 (praise), 0 where no word says anything.

    A negation turns the words round that follow it closely.
    """
    plain = text.casefold().replace("\u2019", "'")
    found = [mood for clause in CLAUSE_END.split(plain) for mood in _english(clause)]
    found += _chinese(text)
    return sum(found) / (len(found) + 1.0)


def _english(clause: str) -> list[float]:
    words = WORD.findall(clause)
    found = []
    for at, word in enumerate(words):
        mood = 1.0 if word in PRAISE else -1.0 if word in COMPLAINT else 0.0
        if mood:
            is_turned = any(one in NEGATIONS for one in words[max(0, at - NEGATION_REACH) : at])
            found.append(-mood if is_turned else mood)
    return found


def _chinese(text: str) -> list[float]:
    found = []
    for match in CHINESE_WORD.finditer(text):
        mood = _CHINESE[match.group()]
        is_turned = BETWEEN.sub("", text[: match.start()]).endswith(CHINESE_NEGATIONS)
        found.append(-mood if is_turned else mood)
    return found


@dataclass(frozen=True, slots=True)
class Sentiment:
    """What ratings taught about texts, joined with the lexicon by how many ratings there are."""

    weighting: Weighting
    weights: Floats  # one for each bucket of n-grams
    usual: float
    rated: int

    @classmethod
    def fit(cls, texts: Sequence[str], stars: Floats) -> Sentiment:
        """Learn from texts in the order of time with their stars; those without stars teach nothing.

        Ridge regression of the stretched stars (as -1 to 1) on weighted n-grams, solved among the
        texts, of which the newest MOST_RATED count.
        """
        has_both = np.array([bool(text.strip()) for text in texts], dtype=bool) & ~np.isnan(stars)
        chosen = np.flatnonzero(has_both)[-MOST_RATED:]
        told = [texts[at] for at in chosen]
        mood = 2.0 * stretched(stars)[chosen] - 1.0
        weighting = Weighting.fit(told)
        rows = weighting.of(told)
        usual = float(mood.mean()) if len(mood) else 0.0
        alike = (rows @ rows.T).toarray() + RIDGE * np.eye(len(told))
        weights = rows.T @ np.linalg.solve(alike, mood - usual) if len(told) else np.zeros(0)
        return cls(weighting, np.asarray(weights), usual, len(told))

    def of(self, texts: Sequence[str]) -> Floats:
        """Return -1 (complaint) to 1 (praise) for each text."""
        said = np.array([by_lexicon(text) for text in texts], dtype=float)
        if not self.rated or not len(said):
            return said
        learned = np.clip(self.usual + self.weighting.of(texts) @ self.weights, -1.0, 1.0)
        share = self.rated / (self.rated + LEXICON_WORTH)
        return np.asarray(share * learned + (1.0 - share) * said)
