"""Recommending to each person what they have not got, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from kpay.domain.address import normal_email
from kpay.domain.document import Column, Document, Table
from kpay.domain.enums import ContentStatus
from kpay.errors import NotFound, Refused
from kpay.ml import recommend as ml
from kpay.ml.frames import Frame, Ints
from kpay.ml.recommend import Catalogue, Owned, Suggestion
from kpay.services.vantage import vantage
from kpay.store import learning
from kpay.store.engine import Store
from kpay.store.frames import holdings

SHOWN_PEOPLE = 20
FREE = "free"


@dataclass(frozen=True, slots=True)
class Recommended:
    """What one person may want next, best first."""

    email: str
    items: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True)
class Recommendations:
    """Recommendations for some people, as of a day."""

    as_of: str
    rows: tuple[Recommended, ...]
    titles: dict[str, str]

    def to_document(self, *, whole: bool) -> Document:
        """Return the recommendations; people see the first twenty persons unless `whole`."""
        has_any = any(person.items for person in self.rows)
        return Document(
            schema="kpay.recommend/1",
            title=self._title() if has_any else self._nothing(),
            subtitle=f"as of {self.as_of}",
            blocks=(self._table(whole),) if has_any else (),
            payload=self._payload(),
            next_steps=("kpay campaign new what-next --for upsell",)
            if has_any
            else ("kpay publish", "kpay content list"),
        )

    def _table(self, whole: bool) -> Table:
        shown = self.rows if whole else self.rows[:SHOWN_PEOPLE]
        rest = len(self.rows) - len(shown)
        return Table(
            (Column("email"), Column("content"), Column("score", "number"), Column("because")),
            tuple(
                (person.email, item.content, item.score, item.because)
                for person in shown
                for item in person.items
            ),
            note=f"and {rest:,} more people; kpay recommend --all lists them" if rest else "",
        )

    def _payload(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of,
            "rows": [
                {"email": person.email, "items": [self._item(item) for item in person.items]}
                for person in self.rows
            ],
        }

    def _item(self, item: Suggestion) -> dict[str, Any]:
        return {
            "content": item.content,
            "title": self.titles[item.content],
            "score": item.score,
            "because": item.because,
        }

    def _nothing(self) -> str:
        who = f"{self.rows[0].email} has" if len(self.rows) == 1 else "Everyone has"
        return f"{who} all that is on sale; there is nothing to recommend"

    def _title(self) -> str:
        who = self.rows[0].email if len(self.rows) == 1 else f"{len(self.rows):,} people"
        return f"What {who} may want next"


def recommend(
    store: Store, email: str | None, count: int, *, now: datetime, timezone: str
) -> Recommendations:
    """Recommend to one address, or to every customer and subscriber.

    Raises Refused while nothing is published or sold, NotFound for an unknown address.
    """
    with store.reading() as connection:
        seen_from = vantage(connection, None, now, timezone)
        pieces = learning.pieces(connection, seen_from.moment)
        had = holdings(connection, seen_from.moment)
        emails = learning.emails(connection)
        listed = learning.listed_emails(connection)
    people = _people(email, emails, listed)
    catalogue = catalogue_of(pieces)
    if not catalogue.is_sellable.any():
        raise Refused("nothing is on sale, so there is nothing to recommend", "kpay publish")
    place = {slug: at for at, slug in enumerate(catalogue.content)}
    known = had[had["content"].isin(place)]
    sets = with_bundles(_content_sets(known), pieces)
    model = ml.fit(catalogue, _owned(known, place, seen_from.moment), known["customer"].nunique())
    has = [_indices(sets.get(customer, set()), place) for _, customer in people]
    rows = tuple(
        Recommended(address, tuple(items))
        for (address, _), items in zip(people, model.suggest(has, count), strict=True)
    )
    titles = dict(zip(catalogue.content, catalogue.title, strict=True))
    return Recommendations(seen_from.day.isoformat(), rows, titles)


def _people(
    email: str | None, emails: dict[int, str], listed: list[str]
) -> list[tuple[str, int | None]]:
    """Return addresses with their customer, customers first; one address when one is named."""
    customer_of: dict[str, int | None] = {address: who for who, address in emails.items()}
    for address in listed:
        customer_of.setdefault(address, None)
    if email is None:
        return list(customer_of.items())
    address = normal_email(email)
    if address not in customer_of:
        raise NotFound("customer or subscriber", email, "kpay recommend --all")
    return [(address, customer_of[address])]


def catalogue_of(pieces: list[dict[str, Any]]) -> Catalogue:
    """Return what can be recommended: published and not free."""
    return Catalogue(
        content=tuple(piece["slug"] for piece in pieces),
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
    )


def _content_sets(known: Frame) -> dict[int | None, set[str]]:
    return {int(who): set(part) for who, part in known.groupby("customer")["content"]}


def with_bundles(
    sets: dict[int | None, set[str]], pieces: list[dict[str, Any]]
) -> dict[int | None, set[str]]:
    """Add what a bundle holds to its owner's things, and a bundle to who has all that it holds."""
    bundles = {piece["slug"]: set(piece["includes"]) for piece in pieces if piece["includes"]}
    wider = {}
    for who, owned in sets.items():
        inside = set().union(*(bundles[slug] for slug in owned & bundles.keys()))
        everything = owned | inside
        complete = {slug for slug, parts in bundles.items() if parts <= everything}
        wider[who] = everything | complete
    return wider


def _indices(owned: set[str], place: dict[str, int]) -> Ints:
    return np.array(sorted(place[slug] for slug in owned if slug in place), dtype=np.int64)


def _owned(known: Frame, place: dict[str, int], moment: datetime) -> Owned:
    _, index = np.unique(known["customer"].to_numpy(np.int64), return_inverse=True)
    age = (moment - known["at"]).dt.total_seconds().to_numpy(float) / 86_400
    content = np.array([place[slug] for slug in known["content"]], dtype=np.int64)
    return Owned(index, content, age)
