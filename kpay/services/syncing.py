"""`kpay sync`: everything the payment provider knows, taken into the store.

1. whose account is it, 2. what do events say has changed, 3. walk every list down to where the last
walk began, 4. read the older objects that changed, 5. derive orders and all else from what is new.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from kpay.domain.checkout import Account
from kpay.domain.enums import ResourceStatus
from kpay.domain.resources import BY_NAME, EVENTS, RESOURCES, Resource
from kpay.domain.sync_report import NetPair, SyncReport
from kpay.errors import UsageProblem
from kpay.ports import PaymentSource
from kpay.services.accounts import pin_account, pinned_account, refuse_other
from kpay.services.changes import (
    Changes,
    has_gap,
    move_events_cursor,
    newest_event,
    read_changes,
    reread,
    try_events,
)
from kpay.services.deriving import Derived, derive, derive_everything, is_underived
from kpay.services.intake import Intake
from kpay.services.verifying import Verified, verify
from kpay.services.walking import Walk, Walker, first_walk
from kpay.store import billing, orders, provider
from kpay.store.engine import Store
from kpay.store.provider import Cursor

log = logging.getLogger(__name__)

GAP_NOTE = "Stripe tells of changes for 30 days and the last sync is longer ago: everything was read again."


@dataclass(frozen=True, slots=True)
class SyncWish:
    """What to sync: all again (`is_full`), some lists only, with a check of the money at the end."""

    is_full: bool = False
    only: tuple[str, ...] = ()
    with_check: bool = False

    def resources(self) -> tuple[Resource, ...]:
        """Return the lists to read; raise UsageProblem for a name there is none of."""
        for name in self.only:
            if name not in BY_NAME:
                close = get_close_matches(name, BY_NAME, n=1)
                meant = f" (did you mean {close[0]}?)" if close else ""
                raise UsageProblem(
                    f"there is no resource called {name!r}{meant}; there are {', '.join(BY_NAME)}",
                    f"kpay sync --only {close[0] if close else 'charges'}",
                )
        return tuple(one for one in RESOURCES if not self.only or one.name in self.only)


def _no_progress(_steps: int) -> None:
    return None


def sync(
    store: Store,
    source: PaymentSource,
    *,
    now: datetime,
    last_success: datetime | None = None,
    wish: SyncWish | None = None,
    advance: Callable[[int], None] = _no_progress,
) -> SyncReport:
    """Bring the store up to the provider; safe to stop and to run again at any time.

    Raises Refused for another account's key, CredentialsMissing for a refused one, RemoteProblem when
    nobody answers. A list that cannot be read makes the report partial, never silent.
    """
    wish = wish or SyncWish()
    resources = wish.resources()
    began = time.monotonic()
    account = _pinned(store, source.account())
    intake = Intake(store, account, source.api_version, touches_all=wish.is_full)
    run = _Run(store, source, intake, advance)
    derived, walks, notes = run.read(resources, wish, now, last_success)
    checked = verify(store, source, account) if wish.with_check else None
    return SyncReport(
        account=account,
        tallies={one.name: run.intake.tally(one.name) for one in resources},
        net=_net(store, account, walks, checked),
        requests=source.requests,
        seconds=time.monotonic() - began,
        new_orders=run.new_orders,
        entitlements=derived.entitlements,
        is_full=wish.is_full or bool(notes),
        differences=checked.differences if checked else (),
        is_verified=checked is not None,
        notes=notes,
    )


def _pinned(store: Store, account: Account) -> Account:
    """Make sure that this is the business's account, writing only the first time."""
    with store.reading() as connection:
        pinned = pinned_account(connection)
    if pinned is None:
        with store.writing() as connection:
            pin_account(connection, account)
    elif pinned != account:
        refuse_other(pinned, account)
    return account


class _Run:
    """One sync under way."""

    def __init__(
        self, store: Store, source: PaymentSource, intake: Intake, advance: Callable[[int], None]
    ) -> None:
        self.store = store
        self.source = source
        self.intake = intake
        self.advance = advance
        self.new_orders = 0

    def read(
        self,
        resources: Sequence[Resource],
        wish: SyncWish,
        now: datetime,
        last_success: datetime | None,
    ) -> tuple[Derived, Mapping[str, Walk], tuple[str, ...]]:
        """Walk, read again, derive; return what was derived, the finished walks, and notes."""
        account = self.intake.account
        with self.store.reading() as connection:
            was_underived = is_underived(connection)
            due = provider.oldest_due_pending(connection, account, now)
        since = self.intake.cursors.get(EVENTS.name, Cursor()).watermark_at
        is_gap = not wish.is_full and has_gap(since, last_success, now)
        is_full = wish.is_full or is_gap
        log.info("reading %s", "everything" if is_full else f"what is new since {since}")
        changes, refusal = try_events(lambda: self._changes(is_full, since))
        walks = [self._first_walk(one, changes, is_full, due) for one in resources]
        walker = Walker(self.source, self.intake, self.advance)
        walker.run(walks)
        is_read = self._read_older(walks, changes)
        self._sweep(walker.finished)
        derived = self._derive(is_everything=was_underived)
        if changes and is_read and not wish.only and not self._has_holes():
            move_events_cursor(self.intake, changes)
        notes: tuple[str, ...] = (GAP_NOTE,) if is_gap else ()
        notes += (f"Changes of older objects are not seen: {refusal}",) if refusal else ()
        return derived, walker.finished, notes

    def _changes(self, is_full: bool, since: datetime | None) -> Changes:
        """Return what changed; a whole read needs no list of changes, only where the next begins.

        The first sync marks that at once: if it breaks off, the next one reads what changed since.
        """
        is_first = not self.intake.cursors
        if not is_full and not is_first:
            return read_changes(self.source, since)
        changes = Changes(newest=newest_event(self.source))
        if is_first:
            move_events_cursor(self.intake, changes)
        return changes

    def _first_walk(
        self, resource: Resource, changes: Changes | None, is_full: bool, due: datetime | None
    ) -> Walk:
        edges = [changes.edge(resource) if changes else None]
        if resource.name == "balance_transactions":
            edges.append(due)
        edge = min((one for one in edges if one), default=None)
        cursor = self.intake.cursors.get(resource.name, Cursor())
        return first_walk(resource, cursor, is_full=is_full, edge=edge)

    def _read_older(self, walks: Sequence[Walk], changes: Changes | None) -> bool:
        wanted = [
            (walk.resource, external_id)
            for walk in walks
            for external_id in (changes.read_singly(walk) if changes else ())
        ]
        return reread(self.source, self.intake, wanted, self.advance) if wanted else True

    def _sweep(self, finished: Mapping[str, Walk]) -> None:
        """Mark as deleted what a whole walk of a list did not show any more."""
        for walk in finished.values():
            if walk.is_whole and walk.resource.omits_deleted:
                with self.store.reading() as connection:
                    kept = provider.living_ids(connection, self.intake.account, walk.resource.kind)
                self.intake.drop(walk.resource.kind, sorted(kept - walk.seen_ids))

    def _derive(self, *, is_everything: bool) -> Derived:
        account, touched = self.intake.account, self.intake.touched
        if not is_everything and not touched.count:
            return Derived()
        with self.store.writing() as connection:
            before = orders.count_all(connection, account)
            if is_everything:
                derived = derive_everything(connection, account)
            else:
                derived = derive(connection, account, touched)
            self.new_orders = orders.count_all(connection, account) - before
        return derived

    def _has_holes(self) -> bool:
        """Say whether a list was left unread that had been read before: its changes are still owed."""
        return any(
            tally.status is ResourceStatus.PARTIAL
            or (tally.status is ResourceStatus.FORBIDDEN and name in self.intake.cursors)
            for name, tally in self.intake.tallies.items()
        )


def _net(
    store: Store, account: Account, walks: Mapping[str, Walk], checked: Verified | None
) -> dict[str, NetPair]:
    """Return the sums of both sides; the provider's are known after a check or a whole walk."""
    with store.reading() as connection:
        kept = billing.net_by_currency(connection, account)
    walk = walks.get("balance_transactions")
    there: Mapping[str, int] | None = walk.net if walk and walk.is_whole else None
    if checked:
        there = checked.net_by_currency
    currencies = sorted(kept.keys() | (there or {}).keys())
    return {
        currency: NetPair(
            kept.get(currency, 0), there.get(currency, 0) if there is not None else None
        )
        for currency in currencies
    }
