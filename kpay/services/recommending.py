"""Recommending to each person what they have not got, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kpay.domain.address import normal_email
from kpay.domain.document import Block, Column, Document, Table
from kpay.errors import NotFound, Refused
from kpay.ml import recommend as ml
from kpay.ml.recommend import Suggestion
from kpay.ml.recommend_backtest import backtest
from kpay.services.recommend_input import Shelf, people_of, read_shelf, reader
from kpay.services.vantage import vantage
from kpay.store.engine import Store

SHOWN_PEOPLE: Final = 20
PERSONAL, POPULAR = "personal", "popularity"


@dataclass(frozen=True, slots=True)
class Recommended:
    """What one person may want next, best first, and what they began and have not finished."""

    email: str
    items: tuple[Suggestion, ...]
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recommendations:
    """Recommendations for some people, as of a day.

    `basis` is "personal" where the shop's own past shows that it beats popularity, else "popularity".
    """

    as_of: str
    rows: tuple[Recommended, ...]
    titles: Mapping[str, str]
    basis: str

    def to_document(self, *, whole: bool) -> Document:
        """Return the recommendations; people see the first twenty persons unless `whole`."""
        has_any = any(person.items for person in self.rows)
        return Document(
            schema="kpay.recommend/1",
            title=self._title() if has_any else self._nothing(),
            subtitle=self._subtitle(),
            blocks=self._blocks(whole) if has_any else (),
            payload=self._payload(),
            next_steps=("kpay campaign new what-next --for upsell", "kpay recommend --evaluate")
            if has_any
            else ("kpay publish", "kpay content list"),
        )

    def _subtitle(self) -> str:
        said = f"as of {self.as_of}"
        if self.basis == PERSONAL:
            return said
        return f"{said}; no signal yet that beats popularity, so what sells best comes first"

    def _blocks(self, whole: bool) -> tuple[Block, ...]:
        shown = self.rows if whole else self.rows[:SHOWN_PEOPLE]
        rest = len(self.rows) - len(shown)
        suggested = Table(
            (Column("email"), Column("content"), Column("score", "number"), Column("because")),
            tuple(
                (person.email, item.content, item.score, item.because)
                for person in shown
                for item in person.items
            ),
            note=f"and {rest:,} more people; kpay recommend --all lists them" if rest else "",
        )
        begun = tuple((person.email, slug) for person in shown for slug in person.unfinished)
        if not begun:
            return (suggested,)
        return (suggested, Table((Column("email"), Column("begun and not finished")), begun))

    def _payload(self) -> dict[str, Any]:
        return {
            "as_of": self.as_of,
            "basis": self.basis,
            "rows": [
                {
                    "email": person.email,
                    "items": [self._item(item) for item in person.items],
                    "unfinished": list(person.unfinished),
                }
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
    store: Store,
    email: str | None,
    count: int,
    *,
    now: datetime,
    timezone: str,
    among: Collection[str] | None = None,
) -> Recommendations:
    """Recommend to one address, or to every customer and subscriber (those `among` some, if given).

    Raises Refused while nothing is published or sold, NotFound for an unknown address.
    """
    with store.reading() as connection:
        seen_from = vantage(connection, None, now, timezone)
        known = read_shelf(connection, seen_from.moment, now)
        everybody = people_of(connection)
    people = _asked(everybody, email, among)
    if not known.catalogue.is_sellable.any():
        raise Refused("nothing is on sale, so there is nothing to recommend", "kpay publish")
    catalogue = known.catalogue.alike()
    mix = backtest(catalogue, known.owned, known.looks).mix
    model = ml.fit(catalogue, known.owned, known.customers, mix, looks=known.looks)
    readers = [reader(known, address, customer) for address, customer in people.items()]
    found = model.suggest(readers, count)
    rows = tuple(
        Recommended(address, tuple(items), _unfinished(known, customer))
        for (address, customer), items in zip(people.items(), found, strict=True)
    )
    titles = dict(zip(catalogue.content, catalogue.title, strict=True))
    basis = PERSONAL if mix.is_proven else POPULAR
    return Recommendations(seen_from.day.isoformat(), rows, titles, basis)


def _asked(
    everybody: Mapping[str, int | None], email: str | None, among: Collection[str] | None
) -> dict[str, int | None]:
    if email is None:
        wanted = everybody if among is None else set(among)
        return {address: who for address, who in everybody.items() if address in wanted}
    address = normal_email(email)
    if address not in everybody:
        raise NotFound("customer or subscriber", email, "kpay recommend --all")
    return {address: everybody[address]}


def _unfinished(known: Shelf, customer: int | None) -> tuple[str, ...]:
    """Return what somebody began, has and did not finish."""
    if customer is None:
        return ()
    has = known.has.get(customer, set())
    return tuple(slug for slug in known.unfinished.get(customer, ()) if slug in has)
