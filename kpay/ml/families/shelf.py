"""What stands on the shelf for each customer: what they own, what draws them, what they could buy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.families.acts import Acts
from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.history import History, Words

MOST_CELLS: Final = 4_000_000  # customers x pieces in one table
POPULAR_DAYS: Final = 90
INTEREST: Final = {"click": 0.5, "visit": 0.25, "lesson": 0.25}
"""How much an act says of its piece beside a purchase, which counts 1."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """The pieces known at a cutoff and the customers asked about; tables are customers x pieces."""

    known: History
    customers: Ints
    cutoff: int
    pieces: Ints  # which pieces of the history are known and have a page
    on_sale: Flags
    owned: Flags
    interest: Floats

    @property
    def is_free(self) -> Flags:
        """Which could be bought by whom: on sale and not owned."""
        return np.asarray(self.on_sale & ~self.owned)

    @property
    def popularity(self) -> Floats:
        """The share of recent buyers of each piece among all recent purchases of pieces here."""
        bought = self.known.bought
        recent = bought.content[bought.day >= self.cutoff - POPULAR_DAYS]
        counts = np.bincount(recent[recent >= 0], minlength=len(self.known.pieces))[self.pieces]
        return np.asarray((counts + 1.0) / (counts.sum() + len(self.pieces)))

    @property
    def age_days(self) -> Ints:
        """The days since each piece was published."""
        return np.asarray(self.cutoff - 1 - self.known.pieces.first_day[self.pieces])


def has_pages(known: History) -> bool:
    """Say whether there is a shelf: content with a kind, beside products that are names only."""
    return any(known.pieces.kind)


def is_shelved(known: History) -> Flags:
    """Say which pieces stand on the shelf: content with a page; without any, whatever was sold."""
    has_page = np.array([bool(kind) for kind in known.pieces.kind], dtype=bool)
    return np.asarray(has_page | ~has_page.any())


def shelves(known: History, customers: Ints, cutoff: int) -> Iterator[Shelf]:
    """Yield the shelf for portions of the customers, in order, so that a table stays small."""
    pieces = np.flatnonzero(is_shelved(known) & known.pieces.known(cutoff))
    on_sale = (known.pieces.on_sale(cutoff) & (known.pieces.price_minor > 0))[pieces]
    portion = max(1, MOST_CELLS // max(len(pieces), 1))
    for start in range(0, max(len(customers), 1), portion):
        asked = customers[start : start + portion]
        bought = _table(Acts.of(known.bought, asked, cutoff), pieces, len(known.pieces))
        interest = np.minimum(bought, 1.0)
        for kind, weight in INTEREST.items():
            done = _table(Acts.of(known.of(kind), asked, cutoff), pieces, len(known.pieces))
            interest += weight * np.log1p(done)
        yield Shelf(known, asked, cutoff, pieces, on_sale, bought > 0, interest)


def in_portions(
    known: History, customers: Ints, cutoff: int, read: Callable[[Shelf], dict[str, Floats]]
) -> dict[str, Floats]:
    """Return the columns of all portions joined."""
    parts = [read(shelf) for shelf in shelves(known, customers, cutoff)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _table(acts: Acts, pieces: Ints, every: int) -> Floats:
    place = np.full(every + 1, -1, dtype=np.int64)  # the last one is for acts about nothing
    place[pieces] = np.arange(len(pieces))
    column = place[acts.content]
    kept = column >= 0
    flat = acts.who[kept] * len(pieces) + column[kept]
    counted = np.bincount(flat, minlength=acts.size * len(pieces))
    return np.asarray(counted.reshape(acts.size, len(pieces)), dtype=float)


def texts_of(words: Words, customers: Ints) -> tuple[Ints, tuple[str, ...]]:
    """Return who said what, of the customers asked about."""
    place = np.minimum(np.searchsorted(customers, words.customer), max(len(customers) - 1, 0))
    kept = np.flatnonzero(customers[place] == words.customer) if len(customers) else place[:0]
    return np.asarray(place[kept]), tuple(words.text[index] for index in kept)
