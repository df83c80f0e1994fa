"""Taking provider objects into the store: only what is new or changed is written, with its cursor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kpay.domain.checkout import Account, RawObject
from kpay.domain.resources import BY_KIND
from kpay.domain.sync_report import Tally
from kpay.services.deriving import (
    Derived,
    derive,
    derive_everything,
    is_underived,
    mark_underived,
)
from kpay.services.provided import Packed, Touched, pack, row_of
from kpay.store import customers, provider
from kpay.store.engine import Store
from kpay.store.provider import Cursor


class Intake:
    """What one run takes in; counts by resource, and remembers what was touched.

    With `touches_all`, what is as before counts as touched too, so that all is derived anew.
    """

    def __init__(
        self, store: Store, account: Account, api_version: str, *, touches_all: bool = False
    ) -> None:
        self.store = store
        self.account = account
        self.touched = Touched()
        self.tallies: dict[str, Tally] = {}
        self._api_version = api_version
        self._touches_all = touches_all
        self._taken: dict[str, dict[str, bytes]] = {}
        with store.reading() as connection:
            self._kept = provider.count_by_kind(connection, account)
            self.cursors = provider.cursors(connection, account)

    def tally(self, resource: str) -> Tally:
        """Return the counts of a resource."""
        return self.tallies.setdefault(resource, Tally())

    def take(self, packed: Iterable[Packed], cursors: Mapping[str, Cursor]) -> None:
        """Keep what is new or changed, and move cursors in the same transaction.

        Objects that are as before are counted and not written; an unfinished walk's cursor moves only
        with what it brought.
        """
        latest = {(one.kind, one.id): one for one in packed}
        changed = self._changed(list(latest.values()))
        if self._touches_all:
            for one in latest.values():
                self.touched.add(one.kind, one.id, one.record)
        if not changed:
            return
        rows = [row_of(self.account, self._api_version, one) for one in changed]
        with self.store.writing() as connection:
            mark_underived(connection)
            provider.save_objects(connection, rows)
            for resource, cursor in cursors.items():
                provider.save_cursor(connection, self.account, resource, cursor)
        for one in changed:
            self._taken[one.kind][one.id] = one.digest
            self.touched.add(one.kind, one.id, one.record)

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
            if kind == "customer":
                customers.mark_deleted(connection, self.account, gone)
        self.tally(BY_KIND[kind].name).updated += marked

    def _changed(self, packed: Sequence[Packed]) -> list[Packed]:
        by_kind: dict[str, list[Packed]] = {}
        for one in packed:
            by_kind.setdefault(one.kind, []).append(one)
        changed = []
        for kind, members in by_kind.items():
            known = self._digests(kind, [one.id for one in members])
            tally = self.tally(BY_KIND[kind].name)
            tally.seen += len(members)
            new = [one for one in members if one.id not in known]
            other = [one for one in members if known.get(one.id, one.digest) != one.digest]
            tally.created += len(new)
            tally.updated += len(other)
            tally.unchanged += len(members) - len(new) - len(other)
            changed += [*new, *other]
        return changed

    def _digests(self, kind: str, ids: list[str]) -> dict[str, bytes]:
        """Return the digests that stand for some objects; the store is asked for what was there before."""
        taken = self._taken.setdefault(kind, {})
        known = {one: taken[one] for one in ids if one in taken}
        earlier = [one for one in ids if one not in known]
        if earlier and self._kept.get(kind):
            with self.store.reading() as connection:
                known |= provider.digests(connection, self.account, kind, earlier)
        return known


def keep(store: Store, account: Account, api_version: str, raws: Iterable[RawObject]) -> Derived:
    """Keep a few objects that a call answered with, and derive from them, in one transaction."""
    packed = [pack(raw) for raw in raws]
    touched = Touched()
    with store.writing() as connection:
        for one in packed:
            known = provider.digests(connection, account, one.kind, [one.id])
            if known.get(one.id) != one.digest:
                provider.save_objects(connection, [row_of(account, api_version, one)])
                touched.add(one.kind, one.id, one.record)
        if is_underived(connection):
            return derive_everything(connection, account)
        return derive(connection, account, touched) if touched.count else Derived()
