"""Counting what the customers asked about have done, by how long ago."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpay.ml.frames import Flags, Floats, Ints
from kpay.ml.history import Marks


def places(customers: Ints, owner: Ints) -> tuple[Ints, Flags]:
    """Return where each owner stands among customers in ascending order, and who is among them."""
    if not len(customers):
        return np.zeros(len(owner), dtype=np.int64), np.zeros(len(owner), dtype=bool)
    place = np.minimum(np.searchsorted(customers, owner), len(customers) - 1)
    return np.asarray(place), np.asarray(customers[place] == owner)


@dataclass(frozen=True, slots=True)
class Acts:
    """Marks of the customers asked about; `ago` is 0 on the last known day. In the order of days."""

    size: int  # customers asked about
    who: Ints  # place among them
    ago: Ints
    content: Ints
    value: Floats

    @classmethod
    def of(cls, marks: Marks, customers: Ints, cutoff: int) -> Acts:
        """Return the marks of these customers, seen from day `cutoff`."""
        who, is_asked = places(customers, marks.customer)
        kept = np.flatnonzero(is_asked)
        kept = kept[np.argsort(marks.day[kept], kind="stable")]
        ago = cutoff - 1 - marks.day[kept]
        return cls(len(customers), who[kept], ago, marks.content[kept], marks.value[kept])

    def where(self, keep: Flags) -> Acts:
        """Return some of the marks."""
        return Acts(self.size, self.who[keep], self.ago[keep], self.content[keep], self.value[keep])

    def within(self, days: int) -> Acts:
        """Return the marks of the last days."""
        return self.where(self.ago < days)

    def counts(self) -> Floats:
        """Return how many marks each customer has."""
        return np.bincount(self.who, minlength=self.size).astype(float)

    def sums(self) -> Floats:
        """Return the sum of each customer's values."""
        return np.bincount(self.who, self.value, minlength=self.size).astype(float)

    def means(self) -> Floats:
        """Return the mean of each customer's values, NaN without any."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.sums() / self.counts())

    def days_since(self) -> Floats:
        """Return the days since each customer's last mark, NaN without any."""
        return self._newest(self.ago.astype(float))

    def last_values(self) -> Floats:
        """Return the value of each customer's last mark, NaN without any."""
        return self._newest(self.value)

    def _newest(self, value: Floats) -> Floats:
        newest = np.full(self.size, np.nan)
        newest[self.who] = value  # in day order, so the last one stays
        return newest

    def pieces(self) -> Floats:
        """Return with how many different pieces each customer has a mark."""
        named = self.where(self.content >= 0)
        if not len(named.content):
            return np.zeros(self.size)
        pieces = int(named.content.max()) + 1
        pairs = np.unique(named.who * pieces + named.content)
        return np.bincount(pairs // pieces, minlength=self.size).astype(float)


def unknown(columns: tuple[str, ...], size: int) -> dict[str, Floats]:
    """Return columns of which nothing is known."""
    return {name: np.full(size, np.nan) for name in columns}
