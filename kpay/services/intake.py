"""Taking provider objects into the store: only what is new or changed is written, with its cursor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from kpay.domain.checkout import Account, RawObject
from kpay.domain.resources import BY_KIND
from kpay.domain.sync_report import Tally
from kpay.services.deriving import DERIVED_FROM, NUMBERED, Derived, derive
from kpay.services.mirroring import mirror
from kpay.services.provided import Packed, pack, row_of
from kpay.store import customers, mirrors, provider, underived
from kpay.store.engine import Store
from kpay.store.provider import Cursor


class Intake:
    """What one run takes in, counted by resource."""

    def __init__(self, store: Store, account: Account, api_version: str) -> None:
        self.store = store
        self.account = account
        self.tallies: dict[str, Tally] = {}
        self._api_version = api_version
        with store.reading() as connection:
            self.cursors = provider.cursors(connection, account)
            self._kinds_before = provider.kinds(connection, account)

    def tally(self, resource: str) -> Tally:
        """Return the counts of a resource."""
        return self.tallies.setdefault(resource, Tally())

    def take(self, packed: Iterable[Packed], cursors: Mapping[str, Cursor]) -> None:
        """Keep what is new or changed, and move cursors in the same transaction.

        Objects that are as before are counted and not written; an unfinished walk's cursor moves only
        with what it brought.
        """
        by_kind: dict[str, dict[str, Packed]] = {}
        for one in packed:
            by_kind.setdefault(one.kind, {})[one.id] = one
        changed = self._changed(by_kind)
        if not changed:
            return
        with self.store.writing() as connection:
            for kind, members in changed.items():
                written = keep_objects(connection, self.account, self._api_version, members)
                if kind not in self._kinds_before:
                    self._count(kind, seen=len(members), created=written)
            for resource, cursor in cursors.items():
                provider.save_cursor(connection, self.account, resource, cursor)

    def finish(self, resource: str, cursor: Cursor) -> None:
        """Move the cursor at the end of a walk, when it stands elsewhere."""
        with self.store.reading() as connection:
            standing = provider.cursors(connection, self.account).get(resource)
        if standing != cursor:
            with self.store.writing() as connection:
                provider.save_cursor(connection, self.account, resource, cursor)

    def drop(self, kind: str, gone: Sequence[str]) -> None:
        """Mark objects that the provider no longer has."""
        if not gone:
            return
        with self.store.writing() as connection:
            marked = provider.mark_deleted(connection, self.account, kind, gone)
            mirrors.mark_gone(connection, self.account, kind, gone)
            if kind == "customer":
                customers.mark_deleted(connection, self.account, gone)
        self.tally(BY_KIND[kind].name).updated += marked

    def _changed(self, by_kind: Mapping[str, Mapping[str, Packed]]) -> dict[str, list[Packed]]:
        """Return what is not kept as it is; of a kind that was not kept before, everything."""
        changed = {}
        with self.store.reading() as connection:
            for kind, members in by_kind.items():
                if kind not in self._kinds_before:
                    changed[kind] = list(members.values())
                    continue
                known = provider.digests(connection, self.account, kind, members)
                news = [one for one in members.values() if known.get(one.id) != one.digest]
                created = sum(one.id not in known for one in news)
                updated = len(news) - created
                self._count(kind, seen=len(members), created=created, updated=updated)
                if news:
                    changed[kind] = news
        return changed

    def _count(self, kind: str, *, seen: int, created: int, updated: int = 0) -> None:
        tally = self.tally(BY_KIND[kind].name)
        tally.seen += seen
        tally.created += created
        tally.updated += updated
        tally.unchanged += seen - created - updated


def keep_objects(
    connection: Connection, account: Account, api_version: str, packed: Sequence[Packed]
) -> int:
    """Keep objects with the rows that mirror them, and note that they are to be derived from.

    Returns how many are not kept as they were.
    """
    rows = [row_of(account, api_version, one) for one in packed]
    written = provider.save_objects(connection, rows)
    mirror(connection, account, (one.record for one in packed if one.kind not in NUMBERED))
    reaching = [(one.kind, one.id) for one in packed if one.kind in DERIVED_FROM]
    underived.add(connection, account, reaching)
    return written


def keep(store: Store, account: Account, api_version: str, raws: Iterable[RawObject]) -> Derived:
    """Keep a few objects that a call answered with, and derive from them, in one transaction."""
    packed = [pack(raw) for raw in raws]
    with store.writing() as connection:
        news = [
            one
            for one in packed
            if provider.digests(connection, account, one.kind, [one.id]).get(one.id) != one.digest
        ]
        keep_objects(connection, account, api_version, news)
        return derive(connection, account)
