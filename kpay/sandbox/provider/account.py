"""The provider's account: every shelf, the clock, and the feed of events."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kpay.sandbox.provider.shapes import SHAPES
from kpay.sandbox.provider.shelves import Json, Shelf, identifier

EVENT_LIFE_S: Final = 30 * 86_400


@dataclass(frozen=True, slots=True)
class SoldLine:
    """The one line of a checkout, kept apart because lists show it only when asked."""

    price_id: str
    description: str
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    currency: str


class Account:
    """Everything the provider knows; `now` is its clock in Unix seconds."""

    def __init__(self, seed: int, now: int) -> None:
        self.seed = seed
        self.now = now
        self.account_id = identifier("acct", 16, seed, "account")
        self.shelves = {
            resource: Shelf(kind, prefix, shape, seed)
            for resource, (kind, prefix, shape) in SHAPES.items()
        }
        self.sold: dict[str, SoldLine] = {}
        self.linked: dict[str, list[tuple[str, int]]] = {}
        self.payout_of: dict[str, str] = {}
        self._by_prefix = {shelf.prefix: shelf for shelf in self.shelves.values()}
        self._events_since = 0
        self._events_at: dict[tuple[str, str, int], int] = {}

    def __getitem__(self, resource: str) -> Shelf:
        return self.shelves[resource]

    def shelf_of(self, object_id: str) -> Shelf | None:
        """Return the shelf an id belongs to by its prefix, or None for a foreign id."""
        shelf = self._by_prefix.get(object_id.rsplit("_", 1)[0])
        return shelf if shelf is not None and object_id in shelf else None

    def id_for(self, prefix: str, *parts: object) -> str:
        """Return the id of something that has no shelf of its own."""
        return identifier(prefix, 24, self.seed, *parts)

    def remember_events_since(self, second: int) -> None:
        """Make no events before a time: by the end of the run they would be forgotten."""
        self._events_since = second

    def forget_old_events(self) -> None:
        """Drop the events that are older than 30 days, as the provider does."""
        self._events_since = self.now - EVENT_LIFE_S
        self["events"].discard_before(self._events_since)

    def emit(
        self, kind: str, resource: str, object_id: str, at: int, before: Json | None = None
    ) -> None:
        """Add an event that shows the object as it now is; `before` holds changed fields."""
        if at < self._events_since:
            return
        contents: Json = {"object": self[resource].whole(object_id)}
        if before is not None:
            contents["previous_attributes"] = before
        earlier = self._events_at.get((kind, object_id, at), 0)
        self._events_at[kind, object_id, at] = earlier + 1
        event_id = identifier("evt", 24, self.seed, kind, object_id, at, earlier)
        self["events"].add({"created": at, "type": kind, "data": contents}, event_id)

    def objects(self) -> Iterator[bytes]:
        """Return every object as JSON, shelf by shelf, oldest first."""
        for resource in sorted(self.shelves):
            shelf = self.shelves[resource]
            yield from (shelf.written(object_id) for object_id in shelf.ids())

    def digest(self) -> str:
        """Return the SHA-256 of all objects: equal digests mean that nothing changed."""
        sum_of_all = hashlib.sha256()
        for text in self.objects():
            sum_of_all.update(text)
        return sum_of_all.hexdigest()
