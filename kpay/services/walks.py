"""One pass over one of the provider's lists: how far down, from where, and what it has shown.

Lists are newest first. A walk has a lower edge (the watermark less a look-back, inclusive) and, when
it was cut off earlier, a place to go on from. The watermark becomes the newest creation time that
the walk began with, and only when the walk is whole.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from kpay.domain.enums import Reread
from kpay.domain.records import BalanceRecord
from kpay.domain.resources import Resource
from kpay.services.provided import Packed
from kpay.store.provider import Cursor

# Late rows: objects appear in lists a little after their creation time.
LOOKBACK = timedelta(hours=1)


class Shown:
    """Which objects a walk showed, in eight bytes each.

    Two ids in 10^9 pairs of accounts might share their eight bytes; then a deletion is not noticed.
    """

    def __init__(self) -> None:
        self._marks = array("Q")
        self._is_sorted = True

    def add(self, external_ids: Iterable[str]) -> None:
        """Remember what a page showed."""
        self._marks.extend(map(_mark, external_ids))
        self._is_sorted = False

    def __contains__(self, external_id: str) -> bool:
        if not self._is_sorted:
            self._marks = array("Q", sorted(self._marks))
            self._is_sorted = True
        mark = _mark(external_id)
        place = bisect_left(self._marks, mark)
        return place < len(self._marks) and self._marks[place] == mark


def _mark(external_id: str) -> int:
    return int.from_bytes(blake2b(external_id.encode(), digest_size=8).digest())


@dataclass
class Walk:
    """A pass over a list; `lower` is inclusive, None means back to the first object.

    `reason` is why it goes down below the look-back, `is_again` whether the list was read before and
    is read for what is new. With `shown`, it remembers what it saw.
    """

    resource: Resource
    lower: datetime | None
    watermark: datetime | None
    target: datetime | None = None
    starting_after: str | None = None
    is_resumed: bool = False
    is_again: bool = False
    reason: Reread = Reread.LOOKBACK
    shown: Shown | None = None
    restarts: int = 0
    pages: int = 0
    net: Counter[str] = field(default_factory=Counter)

    @property
    def is_whole(self) -> bool:
        """Say whether this walk sees every object of the list."""
        return self.lower is None and not self.is_resumed

    def parameters(self) -> dict[str, Any]:
        """Return what the next page is asked with."""
        asked = self.resource.list_parameters()
        if self.lower is not None and self.resource.has_created_filter:
            asked["created"] = {"gte": int(self.lower.timestamp())}
        if self.starting_after:
            asked["starting_after"] = self.starting_after
        return asked

    def note(self, packed: Sequence[Packed]) -> None:
        """Move on behind a page, and remember what a whole walk has to know."""
        self.pages += 1
        if packed and self.target is None:
            newest = max(one.created or 0 for one in packed)
            self.target = datetime.fromtimestamp(newest, UTC) if newest else None
        if packed:
            self.starting_after = packed[-1].id
        if self.shown is not None:
            self.shown.add(one.id for one in packed)
        for one in packed:
            if isinstance(one.record, BalanceRecord):
                self.net[one.record.currency] += one.record.net_minor

    def reread(self, packed: Sequence[Packed]) -> Reread | None:
        """Say why the page that comes next was read if nothing new was to be expected on it."""
        if not self.is_again or not self.pages:
            return None
        made = [one.created for one in packed if one.created is not None]
        if not made or self.watermark is None:
            return None if self.resource.has_created_filter else self.reason
        if max(made) > self.watermark.timestamp():
            return None
        is_beyond = min(made) < (self.watermark - LOOKBACK).timestamp()
        return self.reason if is_beyond else Reread.LOOKBACK

    def is_known(self, created: int | None) -> bool:
        """Say whether an object was there when the list was last read."""
        return bool(
            self.is_again and created and self.watermark and created <= self.watermark.timestamp()
        )

    def unfinished(self) -> Cursor:
        """Return the cursor from which a stopped walk goes on."""
        return Cursor(self.watermark, self.target, self.starting_after)

    def finished(self) -> Cursor:
        """Return the cursor of a whole walk."""
        known = [one for one in (self.watermark, self.target) if one is not None]
        return Cursor(max(known, default=None), None, None)

    def from_the_top(self) -> Walk:
        """Return this walk begun anew, where the place to go on from is gone."""
        return replace(
            self,
            target=None,
            starting_after=None,
            is_resumed=False,
            shown=Shown() if self.shown is not None else None,
            restarts=self.restarts + 1,
            pages=0,
            net=Counter(),
        )

    def following(self) -> Walk | None:
        """Return the walk over what is newer than a cut one began with, which it has not seen."""
        if not self.is_resumed:
            return None
        mark = self.finished().watermark_at
        return Walk(self.resource, mark - LOOKBACK if mark else None, mark, is_again=True)


def first_walk(
    resource: Resource,
    cursor: Cursor | None,
    *,
    is_full: bool,
    edge: datetime | None = None,
    reason: Reread = Reread.LOOKBACK,
    remembers: bool = False,
) -> Walk:
    """Return the walk that a list needs now; `edge` asks to go back at least that far, for `reason`.

    `remembers` is for a walk after which what it did not show counts as deleted.
    """
    known = cursor or Cursor()
    mark = known.watermark_at
    lower = mark - LOOKBACK if mark else None
    if is_full or not resource.has_created_filter:
        again = cursor is not None and not is_full
        shown = Shown() if remembers else None
        return Walk(resource, None, mark, is_again=again, shown=shown)
    if known.starting_after:
        return Walk(resource, lower, mark, known.target_at, known.starting_after, is_resumed=True)
    if lower is None:
        return Walk(resource, None, None)
    if edge is not None and edge < lower:
        return Walk(resource, edge, mark, is_again=True, reason=reason)
    return Walk(resource, lower, mark, is_again=True)
