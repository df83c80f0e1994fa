"""What a subscription was for, from when until when, as its bills tell: plans are changed on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Bill:
    """What an order of a subscription was for, by content; credits for an old plan left out."""

    name: str
    at: datetime
    contents: frozenset[int]


@dataclass(frozen=True, slots=True)
class Tenure:
    """From when a subscription was for a piece; `until` is None while it is."""

    since: datetime
    until: datetime | None = None


def tenures(
    bills: Iterable[Bill], current: Collection[int], *, started_at: datetime, changed_at: datetime
) -> dict[int, Tenure]:
    """Return what a subscription is and was for.

    `current` is what it is for now; `changed_at` dates a change of plan that no bill shows yet. What
    was billed together with something current was not replaced by it, and is not told of.
    """
    ordered = sorted(bills, key=lambda bill: (bill.at, bill.name))
    found = {
        content: Tenure(_since(content, ordered, started_at, changed_at)) for content in current
    }
    billed = frozenset[int]().union(*(bill.contents for bill in ordered))
    for content in sorted(billed.difference(current)):
        last = max(place for place, bill in enumerate(ordered) if content in bill.contents)
        if ordered[last].contents.isdisjoint(current):
            until = ordered[last + 1].at if last + 1 < len(ordered) else changed_at
            found[content] = Tenure(_since(content, ordered, started_at, changed_at), until)
    return found


def _since(
    content: int, ordered: list[Bill], started_at: datetime, changed_at: datetime
) -> datetime:
    """Return when a piece came into a subscription: with its beginning, or with a later bill."""
    if not ordered or content in ordered[0].contents:
        return started_at
    return next((bill.at for bill in ordered if content in bill.contents), changed_at)


def widest(
    tenure_of: Mapping[int, Tenure], included: Mapping[int, Collection[int]]
) -> dict[int, Tenure]:
    """Spread the tenure of bundles over what they include; of several the one that lasts counts."""
    found: dict[int, Tenure] = {}
    for content, tenure in tenure_of.items():
        for piece in (content, *included.get(content, ())):
            known = found.get(piece)
            found[piece] = _together(known, tenure) if known else tenure
    return found


def _together(one: Tenure, other: Tenure) -> Tenure:
    is_open = one.until is None or other.until is None
    until = None if is_open else max(one.until or one.since, other.until or other.since)
    return Tenure(min(one.since, other.since), until)
