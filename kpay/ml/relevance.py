"""How much a mail about a piece of content concerns each person; 1 is the usual mail.

Learned from the creator's own clicks: a log-linear rate over four traits of a person and a piece.
A trait compares what a person did with what anybody would have done in the same place (who bought
three pieces bought some by chance), spread over pieces that are alike in kind and tags.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml import rates
from kpay.ml.frames import Flags, Floats, Ints

TRAITS: Final = ("affinity", "popularity", "asked", "passed_over")
PRIOR: Final = np.array([0.5, 0.5, 0.45, -0.35])  # weights of the traits before any click
PRIOR_DEVIATION: Final = np.array([0.25, 0.25, 0.25, 0.25])
LEVEL_DEVIATION: Final = 3.0  # the usual rate of clicks is left to the clicks
USUAL_ACTS: Final = 1.0  # acts that a person's own are weighed against
USUAL_CLICKS: Final = 8.0  # clicks that a piece's own are weighed against
LEAST: Final = 0.05
MOST: Final = 3.0
ALL: Final = slice(None)


@dataclass(frozen=True, slots=True)
class Known:
    """What some people did: one row a person, one column a piece.

    `bought` is 1 for what they have, `clicked` and `mailed` count, `asked` is the share of a piece's
    tags among the topics they ticked; `has_asked` tells (a person) whether they ticked any.
    """

    bought: Floats
    clicked: Floats
    mailed: Floats
    asked: Floats
    has_asked: Flags


@dataclass(frozen=True, slots=True)
class Pieces:
    """What everybody did with each piece, and how alike pieces are (1 on the diagonal)."""

    likeness: Floats  # shape (pieces, pieces)
    sold: Floats
    clicked: Floats
    mailed: Floats

    @property
    def popularity(self) -> Floats:
        """Clicks on mails about each piece against what as many usual mails would have had."""
        usual = self.clicked.sum() / max(float(self.mailed.sum()), 1.0)
        return np.asarray((self.clicked + USUAL_CLICKS) / (self.mailed * usual + USUAL_CLICKS))

    def traits(self, known: Known, wanted: Ints | slice = ALL) -> Floats:
        """Return the traits for the wanted pieces, shape (people, wanted pieces, traits)."""
        popularity = self.popularity
        affinity = self._affinity(known, popularity, wanted)
        asked = known.asked[:, wanted]
        passed_over = known.has_asked[:, None] & (asked == 0)
        return np.stack(
            [
                np.log(affinity),
                np.broadcast_to(np.log(popularity[wanted]), affinity.shape),
                asked,
                passed_over.astype(float),
            ],
            axis=2,
        )

    def _affinity(self, known: Known, popularity: Floats, wanted: Ints | slice) -> Floats:
        """Return a person's acts round each piece over those expected of anybody, shrunken to 1."""
        share = (self.sold + 0.5) / (self.sold + 0.5).sum()
        mailed = known.mailed * popularity
        total = mailed.sum(axis=1, keepdims=True)
        click_share = np.divide(mailed, total, out=np.zeros_like(mailed), where=total > 0)
        acts = known.bought + known.clicked
        expected = known.bought.sum(axis=1, keepdims=True) * share
        expected = expected + known.clicked.sum(axis=1, keepdims=True) * click_share
        near = self.likeness[:, wanted]
        return np.asarray((USUAL_ACTS + acts @ near) / (USUAL_ACTS + expected @ near))


@dataclass(frozen=True, slots=True)
class Relevance:
    """Learned weights of the traits; `level` makes the mails so far 1 on average."""

    weights: Floats
    level: float
    clicks: int

    def of(self, traits: Floats) -> Floats:
        """Return the relevance of each row of traits."""
        return np.asarray(np.clip(np.exp(traits @ self.weights) / self.level, LEAST, MOST))


def learn(traits: Floats, clicked: Floats) -> Relevance:
    """Learn from past mails: the traits of each, shape (mails, traits), and whether it was clicked."""
    if not len(traits):
        return Relevance(PRIOR, 1.0, 0)
    columns = np.column_stack([np.ones(len(traits)), traits])
    usual = float(np.log(clicked.mean() + 1e-3))
    found = rates.fit(
        columns,
        clicked,
        np.concatenate([[usual], PRIOR]),
        np.concatenate([[LEVEL_DEVIATION], PRIOR_DEVIATION]),
    )
    weights = found.weights[1:]
    return Relevance(weights, float(np.exp(traits @ weights).mean()), int(clicked.sum()))
