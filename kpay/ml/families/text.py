"""What people bought, looked at, wrote and asked for, as text, against what is left on sale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.families.family import Family
from kpay.ml.families.shelf import Shelf, has_pages, in_portions, texts_of
from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History
from kpay.ml.text import Meanings, Space

COLUMNS: Final = (
    "text_match",
    "text_best",
    "text_top_3",
    "text_newest",
    "text_pull",
    "text_breadth",
)
MOST_WORDS: Final = 300  # of people, newest first, that the space is fitted on beside the pieces
SAID_WEIGHT: Final = 0.5  # of a text beside a purchase


def read(known: History, customers: Ints, cutoff: int) -> dict[str, Floats]:
    """Return how alike what somebody turned to is to what they could still buy.

    Texts are directions in a space fitted on what was known at the cutoff; every column is a likeness
    (a cosine), so that it means the same in each such space.
    """
    told = Told.of(known, cutoff)
    return in_portions(known, customers, cutoff, lambda shelf: _read(shelf, told))


@dataclass(frozen=True, slots=True)
class Told:
    """The space of the texts known at a cutoff, and every piece in it."""

    space: Space | Meanings
    pieces: Floats

    @classmethod
    def of(cls, known: History, cutoff: int) -> Told:
        """Take the given meanings, else fit on the pieces published and on what people wrote last."""
        pieces = known.pieces.texts(cutoff)
        space = known.meanings or Space.fit(_documents(known, pieces, cutoff))
        return cls(space, space.of(pieces))

    def profile(self, shelf: Shelf) -> Floats:
        """Return the sum of what each customer turned to, wrote and asked for."""
        return shelf.interest @ self.pieces[shelf.pieces] + _said(shelf, self.space)


def _documents(known: History, pieces: tuple[str, ...], cutoff: int) -> list[str]:
    shown = np.flatnonzero(known.pieces.known(cutoff))
    newest = np.argsort(known.words.day, kind="stable")[::-1][:MOST_WORDS]
    return [*(pieces[at] for at in shown), *(known.words.text[at] for at in newest)]


def _read(shelf: Shelf, told: Told) -> dict[str, Floats]:
    profile = told.profile(shelf)
    match = matches(shelf, told, profile)
    left = shelf.is_free
    count = np.maximum(left.sum(axis=1), 1)
    ranked = -np.sort(-np.where(left, match, 0.0), axis=1)
    return {
        "text_match": (match * left).sum(axis=1) / count,
        "text_best": ranked[:, :1].sum(axis=1),
        "text_top_3": ranked[:, :3].sum(axis=1) / 3,
        "text_newest": _newest(shelf, match),
        "text_pull": (np.maximum(match, 0.0) * left) @ shelf.popularity,
        "text_breadth": _breadth(profile, shelf.interest),
    }


def matches(shelf: Shelf, told: Told, profile: Floats) -> Floats:
    """Return the cosine of each piece with what somebody turned to beside it, (customers, pieces).

    Having looked at the piece itself is not held for likeness: that is what visits tell.
    """
    vectors = told.pieces[shelf.pieces]
    own = shelf.interest * (vectors**2).sum(axis=1)
    toward = profile @ vectors.T
    length = (profile**2).sum(axis=1, keepdims=True) - shelf.interest * (2 * toward - own)
    return np.asarray((toward - own) / np.sqrt(np.maximum(length, 1e-12)))


def _said(shelf: Shelf, space: Space | Meanings) -> Floats:
    """Return the sum of what somebody wrote and of what they asked for."""
    said = np.zeros((len(shelf.customers), space.directions))
    for words in (shelf.known.words, shelf.known.wishes):
        who, texts = texts_of(words, shelf.customers)
        different = sorted(set(texts))
        place = {text: at for at, text in enumerate(different)}
        vectors = space.of(different)
        np.add.at(said, who, SAID_WEIGHT * vectors[[place[text] for text in texts]])
    return said


def _newest(shelf: Shelf, match: Floats) -> Floats:
    """Return the match of the youngest piece that could still be bought, NaN without one."""
    if not len(shelf.pieces):
        return np.full(len(shelf.customers), np.nan)
    age = np.where(shelf.is_free, shelf.age_days.astype(float), np.inf)
    youngest = age.argmin(axis=1)
    rows = np.arange(len(age))
    return np.where(np.isinf(age[rows, youngest]), np.nan, match[rows, youngest])


def _breadth(profile: Floats, interest: Floats) -> Floats:
    """Return 0 where everything somebody turned to is alike, towards 1 where nothing is."""
    weight = interest.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = np.sqrt((profile**2).sum(axis=1)) / weight
    return np.where(weight > 0, 1.0 - np.minimum(alike, 1.0), np.nan)


TEXT: Final = Family("text", COLUMNS, has_pages, read)
