"""Whether store and provider agree, movement by movement and payout by payout, to the cent.

The provider's movements are read page by page and each is looked up in the store; only a bit a row
is remembered of what was seen, so that memory stays flat however long the history is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kpay.domain.checkout import Account, RawObject
from kpay.domain.records_cash import BalanceRecord, read_balance
from kpay.domain.resources import BY_NAME
from kpay.domain.verified import Differences, Movement, Sums, Verified
from kpay.errors import RemoteProblem, ResourceForbidden, ResourceUnsupported
from kpay.ports import PaymentSource
from kpay.services.verifying_payouts import Advance, PayoutCheck, listed
from kpay.store import verification
from kpay.store.engine import Store

MOVEMENTS = BY_NAME["balance_transactions"]
SLACK = timedelta(hours=1)  # by which the provider's clock may be behind ours


def _no_progress(_count: int) -> None:
    return None


def verify(
    store: Store,
    source: PaymentSource,
    account: Account,
    *,
    began_at: datetime | None = None,
    advance: Advance = _no_progress,
) -> Verified:
    """List all movements of the balance again, and each payout's, and compare them with the store.

    Movements that were made after the sync `began_at` and are newer than all in the store came while
    it was reading: they are counted in a note, and the next sync brings them.
    """
    differences = Differences()
    check = _MovementCheck(store, account, differences, began_at)
    try:
        for page in listed(source, MOVEMENTS, {}):
            check.compare(page)
            advance(len(page))
    except (ResourceForbidden, ResourceUnsupported) as refusal:
        return _unread(refusal)
    check.name_what_was_not_seen()
    payouts = PayoutCheck(store, source, account, differences, advance)
    payouts.compare()
    with store.reading() as connection:
        here = verification.sums_by_currency(connection, account)
    return Verified(
        here=here,
        there=dict(sorted(check.there.items())),
        payouts=payouts.sums(),
        differences=differences.told(),
        notes=(*check.notes(), *payouts.notes()),
    )


def _unread(refusal: RemoteProblem) -> Verified:
    return Verified({}, {}, differences=(f"balance_transactions: {refusal.message}",))


@dataclass
class _MovementCheck:
    """Compares pages of the provider's movements with the store's rows."""

    store: Store
    account: Account
    differences: Differences
    began_at: datetime | None
    there: dict[str, Sums] = field(default_factory=dict)
    newer: int = 0
    seen: verification.RowNumbers = field(default_factory=verification.RowNumbers)

    def __post_init__(self) -> None:
        with self.store.reading() as connection:
            self._newest_at = verification.newest_movement_at(connection, self.account)

    def compare(self, page: Sequence[RawObject]) -> None:
        """Look up one page's movements and note how they differ."""
        with self.store.reading() as connection:
            known = verification.movements(connection, self.account, [raw["id"] for raw in page])
        for record in map(read_balance, page):
            there = _movement(record)
            number, here = known.get(record.id, (0, None))
            if here is None and self._is_newer(record):
                self.newer += 1
                continue
            self.there.setdefault(there.currency, Sums()).add(there)
            self.seen.add(number)
            if here is None:
                self.differences.add(
                    f"{there.id} ({there.net_text}) is at Stripe but not in the store"
                )
            elif (told := here.difference(there)) is not None:
                self.differences.add(told)

    def _is_newer(self, record: BalanceRecord) -> bool:
        if self.began_at is None or record.created_at < self.began_at - SLACK:
            return False
        return self._newest_at is None or record.created_at > self._newest_at

    def name_what_was_not_seen(self) -> None:
        """Name the movements of the store that the provider did not list."""
        with self.store.reading() as connection:
            for one in verification.movements_outside(connection, self.account, self.seen):
                self.differences.add(f"{one.id} ({one.net_text}) is in the store but not at Stripe")

    def notes(self) -> tuple[str, ...]:
        """Return what is worth saying and no difference."""
        if not self.newer:
            return ()
        is_one = self.newer == 1
        came, them = ("1 movement", "it") if is_one else (f"{self.newer:,} movements", "them")
        return (f"{came} came while this sync was reading; the next one brings {them}.",)


def _movement(record: BalanceRecord) -> Movement:
    return Movement(
        record.id,
        record.kind,
        record.amount_minor,
        record.fee_minor,
        record.net_minor,
        record.currency,
        record.status,
    )
