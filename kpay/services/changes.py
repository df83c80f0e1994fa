"""What changed at the provider since the last sync, told by its events.

An event's own copy of the object is never trusted: it has the shape of the API version of its day,
and events come in any order, and late. It only says which objects have to be read again. Each event is
acted on once: those of the last hour, which is listed again every time, are remembered.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kpay.domain.checkout import Account, RawObject
from kpay.domain.enums import Reread
from kpay.domain.records_base import moment
from kpay.domain.resources import BY_KIND, EVENTS, EVENTS_KEPT_DAYS
from kpay.ports import PaymentSource
from kpay.services.walking import refuse_other_mode
from kpay.services.walks import LOOKBACK
from kpay.store import provider, seen_events
from kpay.store.engine import Store
from kpay.store.provider import Cursor

# How late an event may be told after a whole read began; reading an hour of them cost a busy account
# half as many requests as all its objects.
TOLD_WITHIN = timedelta(minutes=5)


@dataclass
class Changes:
    """The objects that events named, by list, with when each was made; and the events themselves.

    A deleted object has no creation time here: no list shows it, so it is always asked for singly.
    What happened before `covered_before` was followed by a whole read and names nothing anew.
    """

    named: dict[str, dict[str, datetime | None]] = field(default_factory=lambda: defaultdict(dict))
    happened: dict[str, datetime] = field(default_factory=dict)
    newest: datetime | None = None
    covered_before: datetime | None = None

    def listed(self, event: RawObject) -> None:
        """Note that an event was told."""
        at = moment(event.get("created"))
        if at is not None:
            self.happened[event["id"]] = at
            self.newest = max(at, self.newest or at)

    def act_on(self, event: RawObject) -> None:
        """Note the object that an event is about."""
        told = (event.get("data") or {}).get("object") or {}
        resource = BY_KIND.get(told.get("object") or "")
        if resource is None or not told.get("id"):
            return
        is_gone = str(event.get("type")).endswith(".deleted") and resource.kind != "subscription"
        known = self.named[resource.name]
        if is_gone or known.get(told["id"], told) is not None:
            known[told["id"]] = None if is_gone else moment(told.get("created"))

    def to_remember(self) -> dict[str, datetime]:
        """Return the events that the next sync will be told again."""
        if self.newest is None:
            return {}
        since = max(self.newest - LOOKBACK, self.covered_before or self.newest - LOOKBACK)
        return {name: at for name, at in self.happened.items() if at >= since}

    def place(self) -> Cursor:
        """Return where the next sync goes on; what lies below its look-back need not be told apart."""
        covered = self.covered_before
        if covered and self.newest and covered < self.newest - LOOKBACK:
            covered = None
        return Cursor(self.newest, covered)

    def is_news(self, event: RawObject, seen: Set[str]) -> bool:
        """Say whether an event has to be acted on."""
        at = moment(event.get("created"))
        is_covered = at is not None and self.covered_before is not None and at < self.covered_before
        return event["id"] not in seen and not is_covered


def read_changes(
    source: PaymentSource,
    account: Account,
    cursor: Cursor,
    seen: Set[str],
    rereads: Counter[Reread],
) -> Changes:
    """Read the events since a cursor, an hour earlier to be safe; those in `seen` name nothing anew."""
    since = cursor.watermark_at
    changes = Changes(newest=since, covered_before=cursor.target_at)
    asked: dict[str, Any] = EVENTS.list_parameters()
    if since is not None:
        asked["created"] = {"gte": int((since - LOOKBACK).timestamp())}
    while True:
        page = source.page(EVENTS.path, asked)
        refuse_other_mode(account, page.objects)
        if "starting_after" in asked and not any(_is_newer(one, since) for one in page.objects):
            rereads[Reread.LOOKBACK] += 1
        for event in page.objects:
            changes.listed(event)
            if changes.is_news(event, seen):
                changes.act_on(event)
        if not page.has_more or not page.objects:
            return changes
        asked["starting_after"] = page.objects[-1]["id"]


def read_newest(source: PaymentSource, account: Account) -> Changes:
    """Return where a whole read begins: what happened before needs no look, for all is about to be read.

    An event can be told a little late, so those of the last minutes are remembered one by one.
    """
    changes = Changes()
    asked: dict[str, Any] = EVENTS.list_parameters()
    while True:
        page = source.page(EVENTS.path, asked)
        refuse_other_mode(account, page.objects)
        for event in page.objects:
            changes.listed(event)
        if changes.newest is None:
            return changes
        changes.covered_before = changes.newest - TOLD_WITHIN
        oldest = moment(page.objects[-1].get("created")) if page.objects else None
        if not page.has_more or oldest is None or oldest < changes.covered_before:
            return changes
        asked["starting_after"] = page.objects[-1]["id"]


def _is_newer(event: RawObject, since: datetime | None) -> bool:
    at = moment(event.get("created"))
    return since is None or (at is not None and at > since)


def has_gap(since: datetime | None, last_success: datetime | None, now: datetime) -> bool:
    """Say whether events may have been lost: the provider keeps them for thirty days."""
    known = max((at for at in (since, last_success) if at), default=None)
    return known is not None and now - known > timedelta(days=EVENTS_KEPT_DAYS - 1)


def events_read(store: Store, account: Account, cursors: Mapping[str, Cursor]) -> set[str]:
    """Return the ids of the events that were acted on and will be told again."""
    if EVENTS.name not in cursors:
        return set()
    with store.reading() as connection:
        return seen_events.ids(connection, account)


def remember_changes(store: Store, account: Account, changes: Changes) -> None:
    """Note up to which event changes are known, or will be once a first sync is through."""
    cursor, happened = changes.place(), changes.to_remember()
    if changes.newest is None:
        return
    with store.reading() as connection:
        standing = provider.cursors(connection, account).get(EVENTS.name)
        if standing == cursor and seen_events.ids(connection, account) == happened.keys():
            return
    with store.writing() as connection:
        provider.save_cursor(connection, account, EVENTS.name, cursor)
        seen_events.remember(connection, account, happened)
