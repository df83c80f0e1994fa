"""What recommending starts from: the shelf, who has what of it, and how alike its pieces are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from scipy import sparse

from kpay.ml import text
from kpay.ml.frames import Flags, Floats, Ints

UNKNOWN_DAYS: Final = np.inf
PRICE_STEP: Final = 0.7  # of the logarithm: prices a factor of two apart are about half alike
TEXT_WEIGHT: Final = 0.5  # beside tags, kind and price, which say the same with less noise
LONGEST_TEXT: Final = 600  # characters: title, summary and tags stand first, then the body begins


def _no_floats() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Content that can be recommended, one entry each; `is_sellable` is False for what is archived.

    `text` is what a piece says of itself (empty when nothing is known but a product code), `price`
    is NaN and `shown_days` infinite where unknown, `after` are the places of what comes before it.
    `compared` is how alike the pieces are, once that was found out.
    """

    content: tuple[str, ...]
    title: tuple[str, ...]
    kind: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...]
    is_sellable: Flags
    text: tuple[str, ...] = ()
    price: Floats = field(default_factory=_no_floats)
    shown_days: Floats = field(default_factory=_no_floats)
    after: tuple[tuple[int, ...], ...] = ()
    compared: Floats | None = None

    def __len__(self) -> int:
        return len(self.content)

    @property
    def is_described(self) -> bool:
        """Whether anything but names of products is known."""
        return any(self.text) or any(self.tags)

    @property
    def days_on_show(self) -> Floats:
        """Return for how many days each piece has been published; infinite where unknown."""
        known = len(self.shown_days) == len(self)
        return self.shown_days if known else np.full(len(self), UNKNOWN_DAYS)

    def only(self, kept: Ints) -> Catalogue:
        """Return the pieces at some places; what comes before what is left out."""
        return Catalogue(
            content=tuple(self.content[place] for place in kept),
            title=tuple(self.title[place] for place in kept),
            kind=tuple(self.kind[place] for place in kept),
            tags=tuple(self.tags[place] for place in kept),
            is_sellable=self.is_sellable[kept],
            text=tuple(self.text[place] for place in kept) if self.text else (),
            price=self.price[kept] if len(self.price) else self.price,
            shown_days=self.days_on_show[kept],
            compared=None if self.compared is None else self.compared[np.ix_(kept, kept)],
        )

    def alike(self) -> Catalogue:
        """Return the same shelf with its pieces compared, which takes time and is done once."""
        return self if self.compared is not None else replace(self, compared=alikeness(self))


@dataclass(frozen=True, slots=True)
class Owned:
    """Who has what: indices of customers and content, one row a pair.

    `age_days` is how many days ago it was last acquired, `first_days` (the same when left out) how
    many days ago first.
    """

    customer: Ints
    content: Ints
    age_days: Floats
    first_days: Floats = field(default_factory=_no_floats)

    @property
    def known_days(self) -> Floats:
        """Return how many days ago each thing was first acquired."""
        return self.first_days if len(self.first_days) == len(self.age_days) else self.age_days

    def counts(self, size: int) -> Floats:
        """Return how many people have each of `size` things."""
        return np.bincount(self.content, minlength=size).astype(float)

    def sums(self, values: Floats, size: int) -> Floats:
        """Return the sum of one value a row by content."""
        return np.bincount(self.content, values, minlength=size).astype(float)

    def where(self, kept: Flags) -> Owned:
        """Return some of the rows."""
        first = self.known_days[kept]
        return Owned(self.customer[kept], self.content[kept], self.age_days[kept], first)

    def together(self, size: int) -> Ints:
        """Return how many people have both of two pieces, (size, size)."""
        people = int(self.customer.max()) + 1 if len(self.customer) else 0
        has = self.table(np.ones(len(self.customer)), (people, size))
        return np.asarray((has.T @ has).todense()).astype(np.int64)

    def table(self, values: Floats, shape: tuple[int, int]) -> sparse.csr_matrix:
        """Return a value for each pair as a sparse table (customers, contents)."""
        return sparse.csr_matrix((values, (self.customer, self.content)), shape=shape)


def nothing_taken() -> Owned:
    """Return no pairs."""
    none = np.zeros(0, dtype=np.int64)
    return Owned(none, none, np.zeros(0))


def alikeness(catalogue: Catalogue) -> Floats:
    """Return how alike two pieces are, (n, n), 1 on the diagonal: the weighted mean of what is known.

    Text by the cosine of its n-grams, tags by the share they have in common, kind by being the same,
    price by its distance on a logarithmic scale. Zero off the diagonal when nothing is described.
    """
    size = len(catalogue)
    if not catalogue.is_described:
        return np.eye(size)
    said = catalogue.text or catalogue.title
    looks = [(TEXT_WEIGHT, _near_texts([words[:LONGEST_TEXT] for words in said]))]
    if any(catalogue.tags):
        looks.append((1.0, _shared_tags(catalogue.tags)))
    if len(set(catalogue.kind)) > 1:
        kinds = np.unique(np.array(catalogue.kind, dtype=str), return_inverse=True)[1]
        looks.append((1.0, (kinds[:, None] == kinds).astype(float)))
    if len(catalogue.price) and np.isfinite(catalogue.price).any():
        looks.append((1.0, _near_prices(catalogue.price)))
    weights = sum(weight for weight, _ in looks)
    alike = np.asarray(sum(weight * look for weight, look in looks) / weights)
    np.fill_diagonal(alike, 1.0)
    return alike


def _near_texts(texts: list[str]) -> Floats:
    """Return the cosine of the hashed n-grams, weighted by rarity."""
    rows = text.Weighting.fit(texts).of(texts)
    return np.asarray((rows @ rows.T).todense())


def _shared_tags(tags: tuple[tuple[str, ...], ...]) -> Floats:
    """Return the cosine of the sets of tags."""
    place = {tag: at for at, tag in enumerate(sorted({tag for mine in tags for tag in mine}))}
    table = np.zeros((len(tags), len(place)))
    for row, mine in enumerate(tags):
        table[row, [place[tag] for tag in mine]] = 1.0
    table /= np.maximum(np.sqrt(table.sum(axis=1, keepdims=True)), 1.0)
    return np.asarray(table @ table.T)


def _near_prices(price: Floats) -> Floats:
    """Return exp(-d^2 / 2 step^2) for the distance d of the logarithms; 0 where unknown."""
    known = np.isfinite(price) & (price > 0)
    scale = np.log(np.where(known, price, 1.0)) / PRICE_STEP
    near = np.exp(-((scale[:, None] - scale) ** 2) / 2)
    return np.asarray(near * known[:, None] * known)
