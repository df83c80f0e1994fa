"""The store's side of a comparison with the provider: movements of the balance, and payouts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, and_, func, select, update

from kpay.domain.checkout import Account
from kpay.domain.verified import Movement, Sums
from kpay.models import BalanceTransaction, Payout
from kpay.store.dialect import chunks, table_of

ROWS_AT_ONCE = 5000
_balance = table_of(BalanceTransaction)
_payouts = table_of(Payout)


def _ours(table: Table, account: Account) -> Any:
    return and_(table.c.account == account.id, table.c.livemode == account.livemode)


def _movement(row: Any) -> Movement:
    return Movement(
        row.external_id,
        row.kind,
        row.amount_minor,
        row.fee_minor,
        row.net_minor,
        row.currency,
        row.status,
    )


def newest_movement_at(connection: Connection, account: Account) -> datetime | None:
    """Return when the newest movement was made."""
    query = select(func.max(_balance.c.created_at)).where(_ours(_balance, account))
    found: datetime | None = connection.execute(query).scalar_one()
    return found


def sums_by_currency(connection: Connection, account: Account) -> dict[str, Sums]:
    """Return the sums of all movements of each currency."""
    columns = _balance.c
    query = (
        select(
            columns.currency,
            func.count(),
            func.sum(columns.amount_minor),
            func.sum(columns.fee_minor),
            func.sum(columns.net_minor),
        )
        .where(_ours(_balance, account))
        .group_by(columns.currency)
        .order_by(columns.currency)
    )
    return {row[0]: Sums(*row[1:]) for row in connection.execute(query)}


def movements(
    connection: Connection, account: Account, external_ids: Sequence[str]
) -> dict[str, tuple[int, Movement]]:
    """Return movements by their id, each with the number of its row."""
    query = select(_balance).where(
        _ours(_balance, account), _balance.c.external_id.in_(external_ids)
    )
    return {row.external_id: (row.id, _movement(row)) for row in connection.execute(query)}


class RowNumbers:
    """A set of row numbers, a bit each: two hundred thousand take 25 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> None:
        """Put a number into the set."""
        place, bit = divmod(number, 8)
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 4096 - len(self._bits)))
        self._bits[place] |= 1 << bit

    def __contains__(self, number: int) -> bool:
        place, bit = divmod(number, 8)
        return place < len(self._bits) and bool(self._bits[place] >> bit & 1)


def movements_outside(
    connection: Connection, account: Account, seen: RowNumbers
) -> Iterator[Movement]:
    """Yield the movements whose row is not in the set, a few thousand in memory at a time."""
    last = 0
    while True:
        query = (
            select(_balance)
            .where(_ours(_balance, account), _balance.c.id > last)
            .order_by(_balance.c.id)
            .limit(ROWS_AT_ONCE)
        )
        found = list(connection.execute(query))
        yield from (_movement(row) for row in found if row.id not in seen)
        if len(found) < ROWS_AT_ONCE:
            return
        last = found[-1].id


def payouts(connection: Connection, account: Account) -> dict[str, Any]:
    """Return every payout by its id."""
    query = select(_payouts).where(_ours(_payouts, account))
    return {row.external_id: row for row in connection.execute(query)}


def moved_by(connection: Connection, account: Account, payout_ids: Sequence[str]) -> dict[str, int]:
    """Return what payouts themselves moved: below zero when money left, zero when it came back."""
    columns = _balance.c
    found: dict[str, int] = {}
    for some in chunks(payout_ids, ROWS_AT_ONCE):
        query = (
            select(columns.source_external_id, func.sum(columns.amount_minor))
            .where(_ours(_balance, account), columns.source_external_id.in_(some))
            .group_by(columns.source_external_id)
        )
        found |= {payout: int(minor) for payout, minor in connection.execute(query)}
    return found


def brought_by(connection: Connection, account: Account) -> dict[str, int]:
    """Return the net of the movements tied to each payout, the payout's own apart."""
    columns = _balance.c
    query = (
        select(columns.payout_external_id, func.sum(columns.net_minor))
        .where(
            _ours(_balance, account),
            columns.payout_external_id.is_not(None),
            columns.source_external_id.is_distinct_from(columns.payout_external_id),
        )
        .group_by(columns.payout_external_id)
    )
    return {payout: int(minor) for payout, minor in connection.execute(query)}


def ties(connection: Connection, account: Account, external_ids: Sequence[str]) -> dict[str, str]:
    """Return the payout of each movement of which it is known."""
    found: dict[str, str] = {}
    for some in chunks(external_ids, ROWS_AT_ONCE):
        query = select(_balance.c.external_id, _balance.c.payout_external_id).where(
            _ours(_balance, account),
            _balance.c.external_id.in_(some),
            _balance.c.payout_external_id.is_not(None),
        )
        found |= {row.external_id: row.payout_external_id for row in connection.execute(query)}
    return found


def tie(connection: Connection, account: Account, payout: str, movement_ids: Sequence[str]) -> None:
    """Remember which payout brought movements to the bank."""
    for some in chunks(movement_ids, ROWS_AT_ONCE):
        connection.execute(
            update(_balance)
            .where(_ours(_balance, account), _balance.c.external_id.in_(some))
            .values(payout_external_id=payout)
        )
