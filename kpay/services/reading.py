"""What one sync reads: changes, lists, what has to be read again; and what is gone from the lists."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from kpay.domain.enums import Reread, ResourceStatus
from kpay.domain.resources import BY_NAME, EVENTS, EVENTS_KEPT_DAYS, Resource
from kpay.errors import RemoteProblem
from kpay.ports import PaymentSource
from kpay.services.changes import (
    Changes,
    events_read,
    read_changes,
    read_newest,
    remember_changes,
)
from kpay.services.intake import Intake
from kpay.services.rereading import Owed, Plan, plan, reread
from kpay.services.walking import Advance, Walker, note_refusal
from kpay.services.walks import Walk, first_walk
from kpay.store import provider
from kpay.store.provider import Cursor

MOVEMENTS, CHARGES = BY_NAME["balance_transactions"], BY_NAME["charges"]
log = logging.getLogger(__name__)


class Reading:
    """One run's reading; `rereads` counts the requests that only look again at what is known."""

    def __init__(self, source: PaymentSource, intake: Intake, advance: Advance) -> None:
        self.source = source
        self.intake = intake
        self.advance = advance
        self.rereads: Counter[Reread] = Counter()
        self.finished: Mapping[str, Walk] = {}
        self._changes: Changes | None = None
        self._is_whole = True

    def read(self, resources: Sequence[Resource], *, is_full: bool, now: datetime) -> None:
        """Walk the lists and read again what is owed; after a whole walk, mark what is gone."""
        with self.intake.store.reading() as connection:
            newest_row = provider.newest_row(connection)
        self._changes = self._changes_told(is_full=is_full)
        owed = {} if is_full else self._owed(now)
        plans = {one.name: self._plan(one, owed.get(one.name, Owed())) for one in resources}
        walker = Walker(self.source, self.intake, self.advance, self.rereads)
        walker.run([self._first_walk(one, plans[one.name], is_full=is_full) for one in resources])
        self.finished = walker.finished
        self._read_singly(plans)
        self._sweep(newest_row)

    def remember_changes(self, *, is_full: bool) -> bool:
        """Move on in the provider's events and say so, unless what they may be about was not read.

        After everything else was read, a list that the key may no longer read does not hold them up: how
        far it was read is forgotten, so that it will be read whole once it may be.
        """
        if self._changes is None or not self._is_whole:
            return False
        holes = self._holes()
        if holes and not (is_full and set(holes.values()) == {ResourceStatus.FORBIDDEN}):
            return False
        for name in holes:
            self.intake.finish(name, Cursor())
        remember_changes(self.intake.store, self.intake.account, self._changes)
        return True

    def _changes_told(self, *, is_full: bool) -> Changes | None:
        """Return what changed; a whole read needs no list of changes, only where the next begins.

        The first sync marks that at once: if it breaks off, the next one reads what changed since.
        """
        store, account = self.intake.store, self.intake.account
        is_first = not self.intake.cursors
        cursor = self.intake.cursors.get(EVENTS.name, Cursor())
        since = cursor.watermark_at
        log.info("reading %s", "everything" if is_full else f"what is new since {since}")
        try:
            if not is_full and not is_first:
                seen = events_read(store, account, self.intake.cursors)
                return read_changes(self.source, account, cursor, seen, self.rereads)
            changes = read_newest(self.source, account)
        except RemoteProblem as problem:
            note_refusal(self.intake, EVENTS, problem)
            return None
        if is_first:
            remember_changes(store, account, changes)
        return changes

    def _owed(self, now: datetime) -> Mapping[str, Owed]:
        """Return what has to be read again, by list: what events named, and what no event tells of."""
        account = self.intake.account
        owed: dict[str, Owed] = defaultdict(Owed)
        for name, made in (self._changes.named if self._changes else {}).items():
            owed[name].add(made.items(), Reread.CHANGED)
        since = now - timedelta(days=EVENTS_KEPT_DAYS)
        with self.intake.store.reading() as connection:
            due = provider.due_pending(connection, account, now)
            bare = provider.charges_without_movement(connection, account, since)
        owed[MOVEMENTS.name].add(due, Reread.PENDING)
        owed[CHARGES.name].add(bare, Reread.PENDING)
        return owed

    def _plan(self, resource: Resource, owed: Owed) -> Plan:
        def count_between(since: datetime, until: datetime) -> int:
            with self.intake.store.reading() as connection:
                return provider.count_between(
                    connection, self.intake.account, resource.kind, since, until
                )

        return plan(resource, self.intake.cursors.get(resource.name), owed, count_between)

    def _first_walk(self, resource: Resource, chosen: Plan, *, is_full: bool) -> Walk:
        remembers = False
        if is_full or not resource.has_created_filter:
            with self.intake.store.reading() as connection:
                kept = provider.some_ids(connection, self.intake.account, resource.kind, 1)
            remembers = bool(kept)
        return first_walk(
            resource,
            self.intake.cursors.get(resource.name),
            is_full=is_full,
            edge=chosen.edge,
            reason=chosen.reason,
            remembers=remembers,
        )

    def _read_singly(self, plans: Mapping[str, Plan]) -> None:
        """Read what the walks did not see; a list that was refused is not asked again for each."""
        wanted = []
        for name, chosen in plans.items():
            if self.intake.tally(name).status is ResourceStatus.OK:
                wanted += [(BY_NAME[name], external_id) for external_id, _ in chosen.singly]
                self.rereads.update(why for _, why in chosen.singly)
        if wanted:
            self._is_whole = reread(self.source, self.intake, wanted, self.advance)

    def _sweep(self, newest_row: int) -> None:
        """Mark as deleted what was kept before and what a whole, unbroken walk did not show."""
        for walk in self.finished.values():
            shown, kind = walk.shown, walk.resource.kind
            if shown is None or not walk.is_whole:
                continue
            with self.intake.store.reading() as connection:
                living = provider.living_up_to(connection, self.intake.account, kind, newest_row)
                gone = [external_id for external_id in living if external_id not in shown]
            self.intake.drop(kind, gone)

    def _holes(self) -> dict[str, ResourceStatus]:
        """Return the lists that broke off, or had been read before and may not be read any more."""
        unread = (Cursor(), None)
        return {
            name: tally.status
            for name, tally in self.intake.tallies.items()
            if tally.status is ResourceStatus.PARTIAL
            or (
                tally.status is ResourceStatus.FORBIDDEN
                and self.intake.cursors.get(name) not in unread
            )
        }
