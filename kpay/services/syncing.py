"""`kpay sync`: everything the payment provider knows, taken into the store.

1. whose account is it, 2. what do events say has changed, 3. walk every list down to where the last
walk began, 4. read the older objects that changed, 5. derive orders and all else from what is new.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from kpay.domain.checkout import Account
from kpay.domain.enums import ResourceStatus
from kpay.domain.resources import BY_NAME, EVENTS, RESOURCES, Resource
from kpay.domain.sync_report import NetPair, SyncReport, Tally
from kpay.domain.verified import Verified
from kpay.errors import UsageProblem
from kpay.ports import PaymentSource
from kpay.services.accounts import settle
from kpay.services.changes import has_gap
from kpay.services.deriving import (
    Derived,
    derive,
    derive_everything,
    is_underived,
    mirror_underived,
)
from kpay.services.housekeeping import undisturbed
from kpay.services.intake import Intake
from kpay.services.reading import Reading
from kpay.services.verifying import verify
from kpay.services.walking import Advance
from kpay.services.walks import Walk
from kpay.store import billing, orders
from kpay.store.engine import Store
from kpay.store.provider import Cursor

GAP = "Stripe tells of changes for 30 days and the last sync is longer ago: everything {} again."


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


def _unheard(*_: object) -> None:
    return None


@undisturbed()
def sync(
    store: Store,
    source: PaymentSource,
    *,
    now: datetime,
    last_success: datetime | None = None,
    wish: SyncWish | None = None,
    advance: Advance = _unheard,
    announce: Callable[[str], None] = _unheard,
) -> SyncReport:
    """Bring the store up to the provider; safe to stop and to run again at any time.

    `last_success` is when changes were last known, whatever was new; `announce` is told at once that
    everything has to be read. Raises Refused for another account's key or an object of the other mode,
    CredentialsMissing for a refused key, RemoteProblem when nobody answers. A list that cannot be read
    makes the report partial, never silent.
    """
    wish = wish or SyncWish()
    resources = wish.resources()
    began, asked_before = time.monotonic(), source.requests
    account = settle(store, source)
    intake = Intake(store, account, source.api_version)
    is_gap = not wish.is_full and _is_gap(intake, last_success, now)
    is_full = wish.is_full or is_gap
    if is_gap:
        announce(GAP.format("is read"))
    with store.reading() as connection:
        was_underived = is_underived(connection, account)
    reading = Reading(source, intake, advance)
    with store.kept_open():
        reading.read(resources, is_full=is_full, now=now)
        derived, new_orders = _derive(store, account, is_full=is_full, was_underived=was_underived)
        knows_changes = not wish.only and reading.remember_changes(is_full=is_full)
        checked = _check(store, source, account, now, advance) if wish.with_check else None
    return SyncReport(
        account=account,
        tallies=_tallies(intake, resources),
        net=_net(store, account, reading.finished, checked),
        requests=source.requests - asked_before,
        rereads=dict(reading.rereads),
        seconds=time.monotonic() - began,
        new_orders=new_orders,
        entitlements=derived.entitlements,
        is_full=is_full,
        knows_changes=knows_changes,
        checked=checked,
        notes=_notes(intake, is_gap=is_gap),
    )


def _is_gap(intake: Intake, last_success: datetime | None, now: datetime) -> bool:
    since = intake.cursors.get(EVENTS.name, Cursor()).watermark_at
    return has_gap(since, last_success, now)


def _derive(
    store: Store, account: Account, *, is_full: bool, was_underived: bool
) -> tuple[Derived, int]:
    """Derive from what is new, with what an earlier run or an older kpay left to do; count new orders."""
    with store.reading() as connection:
        if not is_full and not is_underived(connection, account):
            return Derived(), 0
    with store.writing() as connection:
        before = orders.count_all(connection, account)
        if is_full:
            derived = derive_everything(connection, account)
        else:
            if was_underived:
                mirror_underived(connection, account)
            derived = derive(connection, account)
        return derived, orders.count_all(connection, account) - before


def _check(
    store: Store, source: PaymentSource, account: Account, now: datetime, advance: Advance
) -> Verified:
    return verify(
        store,
        source,
        account,
        began_at=now,
        advance=lambda steps: advance(steps, "movements compared"),
    )


def _tallies(intake: Intake, resources: tuple[Resource, ...]) -> dict[str, Tally]:
    """Return how each list was read; events only where they could not be."""
    tallies = {one.name: intake.tally(one.name) for one in resources}
    events = intake.tally(EVENTS.name)
    return tallies if events.status is ResourceStatus.OK else {**tallies, EVENTS.name: events}


def _notes(intake: Intake, *, is_gap: bool) -> tuple[str, ...]:
    notes: tuple[str, ...] = (GAP.format("was read"),) if is_gap else ()
    if intake.tally(EVENTS.name).status is not ResourceStatus.OK:
        notes += ("Without events, changes of older objects are not seen.",)
    return notes


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
