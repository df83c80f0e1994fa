"""What recommending reads from the store: the shelf, who has what of it, and who the readers are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from kpay.domain import progress
from kpay.domain.enums import ContentStatus
from kpay.ml.frames import Floats, Frame, Ints
from kpay.ml.recommend import Reader
from kpay.ml.recommend_shelf import Catalogue, Owned
from kpay.store import attention, learning, shelf
from kpay.store.frames import possessions

FREE: Final = "free"
DAY_S: Final = 86_400

Pieces = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The shelf as of a moment, with who has what; `ages` are days by customer and place.

    `looks` are visits and clicks, people numbered as in `owned` and on, `seen` the same by address.
    """

    pieces: Pieces
    catalogue: Catalogue
    owned: Owned
    customers: int
    has: Mapping[int, set[str]]
    ages: Mapping[int, Mapping[str, float]]
    currencies: Mapping[int, set[str]]
    topics: Mapping[str, Collection[str]]
    unfinished: Mapping[int, list[str]]
    looks: Owned
    seen: Mapping[str, tuple[Ints, Floats]]

    @property
    def place(self) -> dict[str, int]:
        """Return where each piece stands."""
        return {slug: at for at, slug in enumerate(self.catalogue.content)}


def read_shelf(connection: Connection, moment: datetime, now: datetime) -> Shelf:
    """Read what was known before a moment to learn from, and what everybody has by now."""
    pieces = shelf.pieces(connection, moment)
    catalogue = catalogue_of(pieces, moment)
    place = {slug: at for at, slug in enumerate(catalogue.content)}
    had = possessions(connection, max(moment, now))
    had = had[had["content"].isin(place)]
    sets: dict[int, set[str]] = {
        int(who): set(part) for who, part in had.groupby("customer")["content"]
    }
    known = had[had["first_at"] < moment]
    for customer, slug in shelf.memberships(connection):
        sets.setdefault(customer, set()).add(slug)
    owned = _owned(known, place, moment)
    ages: dict[int, dict[str, float]] = defaultdict(dict)
    rows = zip(known["customer"], known["content"], owned.age_days, strict=True)
    for who, slug, age in rows:
        ages[int(who)][slug] = float(age)
    happened = shelf.happenings(connection, progress.KINDS, moment)
    return Shelf(
        pieces,
        catalogue,
        owned,
        known["customer"].nunique(),
        with_bundles(sets, pieces),
        ages,
        shelf.paying_currencies(connection, moment),
        attention.topics(connection),
        progress.unfinished(happened),
        *_looks(connection, place, known, moment),
    )


def _looks(
    connection: Connection, place: Mapping[str, int], known: Frame, moment: datetime
) -> tuple[Owned, dict[str, tuple[Ints, Floats]]]:
    """Read who looked at what before a moment, whether they have bought anything or not."""
    today = attention.julian_day(moment)
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for address, day, slug in attention.looks(connection, moment):
        if slug in place:
            found[address].append((place[slug], today - day))
    emails = learning.emails(connection)
    buyers = [emails.get(int(who), "") for who in np.unique(known["customer"])]
    number = {
        address: at for at, address in enumerate((*buyers, *sorted(found.keys() - {*buyers})))
    }
    rows = [(number[who], *look) for who, looks in found.items() for look in looks]
    who, what, days = np.array(rows, dtype=float).reshape(-1, 3).T
    seen = {
        address: (np.array([at for at, _ in looks]), np.array([ago for _, ago in looks]))
        for address, looks in found.items()
    }
    return Owned(who.astype(np.int64), what.astype(np.int64), days), seen


def catalogue_of(pieces: Pieces, moment: datetime | None = None) -> Catalogue:
    """Return what can be recommended: published and not free."""
    place = {piece["slug"]: at for at, piece in enumerate(pieces)}
    return Catalogue(
        content=tuple(place),
        title=tuple(piece["title"] for piece in pieces),
        kind=tuple(piece["kind"] for piece in pieces),
        tags=tuple(tuple(piece["tags"]) for piece in pieces),
        is_sellable=np.array(
            [
                piece["status"] == ContentStatus.PUBLISHED.value and piece["pricing"] != FREE
                for piece in pieces
            ],
            dtype=bool,
        ),
        text=tuple(piece["text"] for piece in pieces),
        price=_prices(pieces),
        shown_days=_days_shown(pieces, moment),
        after=tuple(
            tuple(place[slug] for slug in piece["after"] if slug in place) for piece in pieces
        ),
    )


def _prices(pieces: Pieces) -> Floats:
    """Return each price in multiples of the median price of its currency; NaN where there is none."""
    by_currency: dict[str, list[int]] = defaultdict(list)
    for piece in pieces:
        if piece["currency"] and piece["amount_minor"]:
            by_currency[piece["currency"]].append(piece["amount_minor"])
    median = {currency: float(np.median(amounts)) for currency, amounts in by_currency.items()}
    return np.array(
        [
            piece["amount_minor"] / median[piece["currency"]]
            if piece["currency"] in median and piece["amount_minor"]
            else np.nan
            for piece in pieces
        ],
        dtype=float,
    )


def _days_shown(pieces: Pieces, moment: datetime | None) -> Floats:
    def days(published_at: datetime | None) -> float:
        if moment is None or published_at is None:
            return float("inf")
        return max(0.0, (moment - published_at).total_seconds() / DAY_S)

    return np.array([days(piece["published_at"]) for piece in pieces], dtype=float)


def with_bundles(sets: Mapping[int, set[str]], pieces: Pieces) -> dict[int, set[str]]:
    """Add what a bundle holds to its owner's things, and a bundle to who has all that it holds."""
    bundles = {piece["slug"]: set(piece["includes"]) for piece in pieces if piece["includes"]}
    wider = {}
    for who, owned in sets.items():
        inside = set().union(*(bundles[slug] for slug in owned & bundles.keys()))
        everything = owned | inside
        complete = {slug for slug, parts in bundles.items() if parts <= everything}
        wider[who] = everything | complete
    return wider


def reader(known: Shelf, email: str, customer: int | None) -> Reader:
    """Return one person as the model sees them; who is no customer has nothing yet.

    What costs a currency they have never paid in, and what follows a course they have not finished,
    is left for when nothing else is.
    """
    place = known.place
    topics = frozenset(tag.casefold() for tag in known.topics.get(email, ()))
    looked, looked_days = known.seen.get(email, (np.zeros(0, dtype=np.int64), np.zeros(0)))
    if customer is None:
        none = np.zeros(0, dtype=np.int64), np.zeros(0)
        return Reader(*none, topics, looked=looked, looked_days=looked_days)
    slugs = sorted(
        (slug for slug in known.has.get(customer, ()) if slug in place), key=place.__getitem__
    )
    ages = known.ages.get(customer, {})
    return Reader(
        np.array([place[slug] for slug in slugs], dtype=np.int64),
        np.array([ages.get(slug, np.inf) for slug in slugs], dtype=float),
        topics,
        last=_last(known, customer, place),
        looked=looked,
        looked_days=looked_days,
    )


def _last(known: Shelf, customer: int, place: Mapping[str, int]) -> Ints:
    paid = known.currencies.get(customer, set())
    open_now = {place[slug] for slug in known.unfinished.get(customer, ()) if slug in place}
    return np.array(
        [
            at
            for at, (piece, before) in enumerate(
                zip(known.pieces, known.catalogue.after, strict=True)
            )
            if (paid and piece["currency"] and piece["currency"] not in paid)
            or not open_now.isdisjoint(before)
        ],
        dtype=np.int64,
    )


def people_of(connection: Connection) -> dict[str, int | None]:
    """Return every address with its customer, customers first; None for who is only on the list."""
    found: dict[str, int | None] = {
        address: who for who, address in learning.emails(connection).items()
    }
    for address in learning.listed_emails(connection):
        found.setdefault(address, None)
    return found


def _owned(known: Frame, place: Mapping[str, int], moment: datetime) -> Owned:
    _, index = np.unique(known["customer"].to_numpy(np.int64), return_inverse=True)

    def days(column: str) -> Floats:
        return np.asarray((moment - known[column]).dt.total_seconds().to_numpy(float) / DAY_S)

    content = np.array([place[slug] for slug in known["content"]], dtype=np.int64)
    return Owned(index.astype(np.int64), content, days("last_at"), days("first_at"))
