"""One piece, for the model of who will buy it: how near each customer is to it."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
from scipy import sparse

from kpay.ml.families.acts import Acts, unknown
from kpay.ml.families.catalogue import dearness, kind_matches, tag_matches
from kpay.ml.families.family import Family
from kpay.ml.families.shelf import Shelf, in_portions, is_shelved
from kpay.ml.families.text import Told, matches
from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History

COLUMNS: Final = (
    "piece_text_match",
    "piece_tags_match",
    "piece_kind_match",
    "piece_dearness",
    "piece_bought_with",
    "piece_popularity",
    "piece_age_days",
    "piece_visits_90",
    "piece_visit_days",
    "piece_clicks_90",
    "piece_click_days",
    "piece_mailed_days",
)


def toward(slug: str) -> Family:
    """Return the family about one piece; its columns are NaN before the piece is known."""
    return Family("piece", COLUMNS, partial(_is_shelved, slug), partial(_toward, slug))


def _is_shelved(slug: str, known: History) -> bool:
    return slug in known.pieces.slug and bool(is_shelved(known)[known.pieces.slug.index(slug)])


def _toward(slug: str, known: History, customers: Ints, cutoff: int) -> dict[str, Floats]:
    piece = known.pieces.slug.index(slug)
    if not known.pieces.known(cutoff)[piece]:
        return unknown(COLUMNS, len(customers))
    told, near = Told.of(known, cutoff), _bought_with(known, piece)
    matched = in_portions(
        known, customers, cutoff, lambda shelf: _matched(shelf, told, near, piece)
    )
    return matched | _acts(known, customers, cutoff, piece)


def _matched(shelf: Shelf, told: Told, near: Floats, piece: int) -> dict[str, Floats]:
    at = int(np.searchsorted(shelf.pieces, piece))
    size = len(shelf.customers)
    return {
        "piece_text_match": matches(shelf, told, told.profile(shelf))[:, at],
        "piece_tags_match": tag_matches(shelf)[:, at],
        "piece_kind_match": kind_matches(shelf)[:, at],
        "piece_dearness": dearness(shelf)[:, at],
        "piece_bought_with": shelf.owned @ near[shelf.pieces],
        "piece_popularity": np.full(size, shelf.popularity[at]),
        "piece_age_days": np.full(size, float(shelf.age_days[at])),
    }


def _bought_with(known: History, piece: int) -> Floats:
    """Return the cosine between the buyers of each piece and the buyers of this one."""
    bought, size = known.bought, len(known.pieces)
    named = bought.content >= 0
    pairs = np.unique(bought.customer[named] * size + bought.content[named])
    shape = (len(known.purchases.customer_ids), size)
    owners = sparse.csr_matrix((np.ones(len(pairs)), (pairs // size, pairs % size)), shape=shape)
    both = np.asarray((owners.T @ owners[:, [piece]]).todense()).ravel()
    count = np.bincount(pairs % size, minlength=size)
    return np.asarray(both / np.sqrt(np.maximum(count * count[piece], 1)))


def _acts(known: History, customers: Ints, cutoff: int, piece: int) -> dict[str, Floats]:
    visits, clicks, mails = (
        _about(Acts.of(known.of(kind), customers, cutoff), piece)
        for kind in ("visit", "click", "mail")
    )
    return {
        "piece_visits_90": visits.within(90).counts(),
        "piece_visit_days": visits.days_since(),
        "piece_clicks_90": clicks.within(90).counts(),
        "piece_click_days": clicks.days_since(),
        "piece_mailed_days": mails.days_since(),
    }


def _about(acts: Acts, piece: int) -> Acts:
    return acts.where(acts.content == piece)
