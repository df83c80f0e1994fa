"""The provider's objects, resource by resource, in the order they were made.

An object is kept as the few fields in which it differs from its resource's constant shape and is
written out as JSON when somebody asks, so a world of 100,000 objects stays small and quick to make.
"""

from __future__ import annotations

import json
from base64 import b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

Json = dict[str, Any]

_LETTERS_ONLY: Final = bytes.maketrans(b"+/", b"Zz")


def identifier(prefix: str, length: int, *parts: object) -> str:
    """Return an id such as `ch_4x...`, at most 32 letters long, that depends on the parts alone."""
    digest = blake2b(repr(parts).encode(), digest_size=24).digest()
    letters = b64encode(digest).translate(_LETTERS_ONLY).decode()
    return f"{prefix}_{letters[:length]}"


class Shelf:
    """All objects of one resource; `shape` holds the fields that hardly ever differ."""

    def __init__(self, kind: str, prefix: str, shape: Json, seed: int) -> None:
        self.kind = kind
        self.prefix = prefix
        self._shape = {"id": "", "object": kind, **shape}
        self._seed = seed
        self._facts: dict[str, Json] = {}
        self._places: dict[str, tuple[int, int]] = {}
        self._order: list[tuple[int, int, str]] = []
        self._written: dict[str, bytes] = {}
        self._views: dict[str, Json] = {}
        self._made = 0
        self.version = 0  # grows with every write

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, object_id: object) -> bool:
        return object_id in self._facts

    def next_id(self) -> str:
        """Return the id that the next object made will have unless it is given one."""
        return identifier(self.prefix, 24, self._seed, self.kind, self._made)

    def add(self, facts: Json, object_id: str | None = None) -> Json:
        """Put an object on the shelf; `facts` must hold `created`. Returns the facts, with id."""
        object_id = object_id or self.next_id()
        self.version += 1
        place = (facts["created"], self._made)
        self._made += 1
        facts["id"] = object_id
        self._facts[object_id] = facts
        self._places[object_id] = place
        entry = (*place, object_id)
        if self._order and entry < self._order[-1]:
            self._order.insert(bisect_left(self._order, entry), entry)
        else:
            self._order.append(entry)
        return facts

    def change(self, object_id: str, **changes: Any) -> Json:
        """Change fields of an object and return the values they had before."""
        self.version += 1
        facts = self._facts[object_id]
        before = {name: self.field(object_id, name) for name in changes}
        facts.update(changes)
        self._written.pop(object_id, None)
        self._views.pop(object_id, None)
        return before

    def replace(self, object_id: str, facts: Json) -> None:
        """Leave only a stub of an object, off the list, as Stripe does on deletion."""
        self.version += 1
        self._take_off(object_id)
        self._facts[object_id] = facts
        self._written[object_id] = json.dumps(facts, ensure_ascii=False).encode()

    def discard_before(self, created: int) -> None:
        """Forget all objects made before a time."""
        cut = bisect_left(self._order, (created, 0, ""))
        for *_, object_id in self._order[:cut]:
            del self._facts[object_id], self._places[object_id]
            self._written.pop(object_id, None)
        del self._order[:cut]

    def field(self, object_id: str, name: str) -> Any:
        """Return one field of an object."""
        facts = self._facts[object_id]
        return facts[name] if name in facts else self._shape.get(name)

    def whole(self, object_id: str) -> Json:
        """Return a fresh copy of an object as the API shows it."""
        whole: Json = json.loads(self.written(object_id))
        return whole

    def view(self, object_id: str) -> Json:
        """Return an object to be put inside many others; it is shared and must not be changed."""
        if object_id not in self._views:
            self._views[object_id] = self.whole(object_id)
        return self._views[object_id]

    def written(self, object_id: str) -> bytes:
        """Return an object as JSON bytes, written once for each version of it."""
        text = self._written.get(object_id)
        if text is None:
            whole = {**self._shape, **self._facts[object_id]}
            text = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
            self._written[object_id] = text
        return text

    def ids(self) -> Iterator[str]:
        """Return the ids on the list, oldest first."""
        return (object_id for *_, object_id in self._order)

    def newest_first(self, older_than: str | None, made: tuple[int, int]) -> Iterator[str]:
        """Return ids made in [made), newest first, from below `older_than` on."""
        return (
            self._order[at][2]
            for at in range(self._top(older_than, made) - 1, self._bottom(made) - 1, -1)
        )

    def oldest_first(self, newer_than: str, made: tuple[int, int]) -> Iterator[str]:
        """Return ids made in [made), oldest first, from above `newer_than` on."""
        start = bisect_right(self._order, (*self._places[newer_than], newer_than))
        stop = self._top(None, made)
        return (self._order[at][2] for at in range(max(start, self._bottom(made)), stop))

    def _top(self, older_than: str | None, made: tuple[int, int]) -> int:
        top = bisect_left(self._order, (made[1], -1, ""))
        if older_than is None:
            return top
        return min(top, bisect_left(self._order, (*self._places[older_than], older_than)))

    def _bottom(self, made: tuple[int, int]) -> int:
        return bisect_left(self._order, (made[0], -1, ""))

    def _take_off(self, object_id: str) -> None:
        entry = (*self._places[object_id], object_id)
        at = bisect_left(self._order, entry)
        if at < len(self._order) and self._order[at] == entry:
            del self._order[at]
