"""The catalogue: how much of it is left to buy, how new it is, and how well it fits."""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.families.family import Family
from kpay.ml.families.shelf import Shelf, has_pages, in_portions, texts_of
from kpay.ml.frames import Floats, Ints, Purchases, median_days
from kpay.ml.history import History

COLUMNS: Final = (
    "shelf_owned",
    "shelf_owned_share",
    "shelf_left",
    "shelf_left_pull",
    "shelf_launch_days",
    "shelf_launches_30",
    "shelf_new_days",
    "shelf_tags_match",
    "shelf_tags_best",
    "shelf_tags_pull",
    "shelf_kind_match",
    "shelf_price_fit",
)
FEW_TAGS: Final = 1.0  # how much of an interest is taken for granted in every tag


def read(known: History, customers: Ints, cutoff: int) -> dict[str, Floats]:
    """Return what is left on sale for each customer, and how well it fits what they turned to.

    A match is the mean share of somebody's interest that a piece's tags (or its kind) hold, relative to
    an even interest; a pull adds up matches by how popular the pieces are.
    """
    return in_portions(known, customers, cutoff, _read)


def _read(shelf: Shelf) -> dict[str, Floats]:
    left = shelf.is_free.astype(float)
    pull = shelf.popularity
    return {
        "shelf_owned": shelf.owned.sum(axis=1).astype(float),
        "shelf_owned_share": shelf.owned.sum(axis=1) / max(len(shelf.pieces), 1),
        "shelf_left": left.sum(axis=1),
        "shelf_left_pull": left @ pull,
        **_launches(shelf),
        **_matches(shelf, left, pull),
        "shelf_price_fit": _price_fit(shelf, left),
    }


def _launches(shelf: Shelf) -> dict[str, Floats]:
    """Return the days since the last launch, how many there were, and since one is still unowned."""
    size, ages = len(shelf.customers), shelf.age_days
    on_sale = ages[shelf.on_sale]
    newest = float(on_sale.min()) if len(on_sale) else np.nan
    unowned = np.where(shelf.is_free, ages.astype(float), np.inf)
    youngest = unowned.min(axis=1) if len(ages) else np.full(size, np.inf)
    return {
        "shelf_launch_days": np.full(size, newest),
        "shelf_launches_30": np.full(size, float((on_sale < 30).sum())),
        "shelf_new_days": np.where(np.isinf(youngest), np.nan, youngest),
    }


def _matches(shelf: Shelf, left: Floats, pull: Floats) -> dict[str, Floats]:
    tags, kinds = tag_matches(shelf), kind_matches(shelf)
    count = np.maximum(left.sum(axis=1), 1.0)
    return {
        "shelf_tags_match": (tags * left).sum(axis=1) / count,
        "shelf_tags_best": np.where(left > 0, tags, 0.0).max(axis=1, initial=0.0),
        "shelf_tags_pull": (tags * left) @ pull,
        "shelf_kind_match": (kinds * left).sum(axis=1) / count,
    }


def tag_matches(shelf: Shelf) -> Floats:
    """Return how much of somebody's interest lies in each piece's tags.

    1 is an even share of it, and what a piece without tags gets.
    """
    tags = _tag_table(shelf)
    count = tags.sum(axis=1)
    liked = _relative(shelf.interest @ tags + _asked(shelf, tags))
    return np.where(count > 0, liked @ (tags / np.maximum(count, 1.0)[:, None]).T, 1.0)


def kind_matches(shelf: Shelf) -> Floats:
    """Return how much of somebody's interest lies in each piece's kind; 1 is an even share."""
    kinds = _kind_table(shelf)
    return np.asarray(_relative(shelf.interest @ kinds) @ kinds.T)


def _relative(interest: Floats) -> Floats:
    """Return interest relative to the even share, leaning on it while little is known."""
    if not interest.shape[1]:
        return interest
    smoothed = interest + FEW_TAGS
    return np.asarray(smoothed / smoothed.mean(axis=1, keepdims=True))


def _tag_table(shelf: Shelf) -> Floats:
    """Return which piece has which tag, (pieces, tags)."""
    tags = [shelf.known.pieces.tags[piece] for piece in shelf.pieces]
    return _one_hot([set(of_piece) for of_piece in tags])


def _kind_table(shelf: Shelf) -> Floats:
    return _one_hot([{shelf.known.pieces.kind[piece]} for piece in shelf.pieces])


def _one_hot(members: list[set[str]]) -> Floats:
    names = sorted(set().union(*members))
    column = {name: at for at, name in enumerate(names)}
    table = np.zeros((len(members), len(names)))
    for row, of_piece in enumerate(members):
        table[row, [column[name] for name in of_piece]] = 1.0
    return table


def _asked(shelf: Shelf, tags: Floats) -> Floats:
    """Return which tags somebody asked for when they joined the list."""
    names = sorted({tag for piece in shelf.pieces for tag in shelf.known.pieces.tags[piece]})
    asked = np.zeros((len(shelf.customers), tags.shape[1]))
    who, texts = texts_of(shelf.known.wishes, shelf.customers)
    named = {text: [at for at, name in enumerate(names) if name in text] for text in set(texts)}
    for person, text in zip(who.tolist(), texts, strict=True):
        asked[person, named[text]] = 1.0
    return asked


def _price_fit(shelf: Shelf, left: Floats) -> Floats:
    """Return the log of what is left, by its price, to what the customer usually pays; NaN for neither."""
    dear = dearness(shelf)
    is_priced = np.isfinite(dear) & (left > 0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(is_priced, dear, 0.0).sum(axis=1) / is_priced.sum(axis=1))


def dearness(shelf: Shelf) -> Floats:
    """Return the log of each piece's price to what each customer usually pays; NaN where unknown."""
    unit = median_days(shelf.known.purchases)
    pieces = shelf.known.pieces
    of_piece = np.append(unit, 0.0)[pieces.currency[shelf.pieces]]
    usual = _usual_amount(shelf.known.purchases, unit)[shelf.customers]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(pieces.price_minor[shelf.pieces] / of_piece)[None, :] - np.log(usual)[:, None]
    return np.where(np.isfinite(logs), logs, np.nan)


def _usual_amount(bought: Purchases, unit: Floats) -> Floats:
    """Return the mean that each customer paid on a day, in multiples of the currency's unit."""
    size = len(bought.customer_ids)
    amount = bought.amount_minor / np.maximum(unit[bought.currency], 1.0)
    total = np.bincount(bought.customer, amount, minlength=size)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / np.bincount(bought.customer, minlength=size))


CATALOGUE: Final = Family("catalogue", COLUMNS, has_pages, read)
