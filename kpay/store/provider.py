"""Provider objects as they came, found by id or by what they hang on, and how far lists were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    func,
    literal_column,
    select,
    update,
)

from kpay.domain.checkout import Account
from kpay.models import BalanceTransaction, Charge, ProviderObject, SyncCursor
from kpay.store.dialect import among, listing, table_of, upsert_rows

IDS_A_QUERY = 5000
OBJECT_KEY = ("account", "livemode", "object", "external_id")
CURSOR_KEY = ("account", "livemode", "resource")
_objects = table_of(ProviderObject)
_cursors = table_of(SyncCursor)
_balance = table_of(BalanceTransaction)
_charges = table_of(Charge)
_row_number: ColumnElement[int] = literal_column("provider_object.rowid", Integer)


def _of(account: Account, kind: str) -> ColumnElement[bool]:
    return and_(
        _objects.c.account == account.id,
        _objects.c.livemode == account.livemode,
        _objects.c.object == kind,
    )


def digests(
    connection: Connection, account: Account, kind: str, ids: Iterable[str]
) -> dict[str, bytes]:
    """Return the digest of each of the objects that are kept and not marked deleted."""
    query = select(_objects.c.external_id, _objects.c.digest).where(
        _of(account, kind), among(_objects.c.external_id, ids), _objects.c.is_deleted.is_(False)
    )
    return dict(connection.execute(query).all())


def kinds(connection: Connection, account: Account) -> set[str]:
    """Return the kinds of which objects are kept."""
    query = (
        select(_objects.c.object)
        .distinct()
        .where(_objects.c.account == account.id, _objects.c.livemode == account.livemode)
    )
    return set(connection.scalars(query).all())


def save_objects(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Keep objects; return how many rows were written."""
    return upsert_rows(connection, ProviderObject, rows, key=list(OBJECT_KEY))


def mark_deleted(connection: Connection, account: Account, kind: str, ids: Iterable[str]) -> int:
    """Mark objects that the provider no longer has; what was kept of them stays."""
    marked = 0
    statement = (
        update(_objects)
        .where(
            _of(account, kind),
            among(_objects.c.external_id, ids),
            _objects.c.is_deleted.is_(False),
        )
        .values(is_deleted=True)
    )
    marked += connection.execute(statement).rowcount
    return marked


def payloads(
    connection: Connection, account: Account, kind: str, ids: Sequence[str]
) -> dict[str, bytes]:
    """Return the compressed JSON of some objects."""
    query = select(_objects.c.external_id, _objects.c.payload).where(
        _of(account, kind), among(_objects.c.external_id, ids)
    )
    return dict(connection.execute(query).all())


def hanging_on(
    connection: Connection, account: Account, kind: str, parents: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield (parent id, id) of the objects of a kind that belong to one of `parents`."""
    wanted = listing(parents)
    query = (
        select(_objects.c.belongs_to, _objects.c.external_id)
        .join_from(wanted, _objects, _objects.c.belongs_to == wanted.c.value)
        .where(_of(account, kind))
        .order_by(_objects.c.created_at, _objects.c.external_id)
    )
    for row in connection.execute(query).all():
        yield row.belongs_to, row.external_id


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a list was read; `target_at` and `starting_after` belong to an unfinished walk.

    Of events, `target_at` is when a whole read of everything else began.
    """

    watermark_at: datetime | None = None
    target_at: datetime | None = None
    starting_after: str | None = None


def cursors(connection: Connection, account: Account) -> dict[str, Cursor]:
    """Return the cursor of each resource that was read before."""
    query = select(_cursors).where(
        _cursors.c.account == account.id, _cursors.c.livemode == account.livemode
    )
    return {
        row.resource: Cursor(row.watermark_at, row.target_at, row.starting_after)
        for row in connection.execute(query)
    }


def save_cursor(connection: Connection, account: Account, resource: str, cursor: Cursor) -> None:
    """Move the cursor of a resource; nothing is written when it stands there already."""
    row = {
        "account": account.id,
        "livemode": account.livemode,
        "resource": resource,
        "watermark_at": cursor.watermark_at,
        "target_at": cursor.target_at,
        "starting_after": cursor.starting_after,
    }
    upsert_rows(connection, SyncCursor, [row], key=list(CURSOR_KEY))


def due_pending(
    connection: Connection, account: Account, now: datetime
) -> list[tuple[str, datetime]]:
    """Return id and time of the movements that are kept as pending but are available by now.

    Becoming available is no event at the provider, so these have to be read again.
    """
    query = select(_balance.c.external_id, _balance.c.created_at).where(
        _balance.c.account == account.id,
        _balance.c.livemode == account.livemode,
        _balance.c.status == "pending",
        _balance.c.available_at <= now,
    )
    return [(row.external_id, row.created_at) for row in connection.execute(query)]


def charges_without_movement(
    connection: Connection, account: Account, since: datetime
) -> list[tuple[str, datetime]]:
    """Return id and time of the sales since a moment whose movement of the balance is not known yet.

    The provider may make it after the charge, and tells of that by no event either.
    """
    query = select(_charges.c.external_id, _charges.c.created_at).where(
        _charges.c.account == account.id,
        _charges.c.livemode == account.livemode,
        _charges.c.status == "succeeded",
        _charges.c.balance_transaction_external_id.is_(None),
        _charges.c.created_at >= since,
    )
    return [(row.external_id, row.created_at) for row in connection.execute(query)]


def count_between(
    connection: Connection, account: Account, kind: str, since: datetime, until: datetime
) -> int:
    """Return how many objects of a kind are kept that were made in [since, until)."""
    query = select(func.count()).where(
        _of(account, kind), _objects.c.created_at >= since, _objects.c.created_at < until
    )
    return connection.scalar(query) or 0


def newest_row(connection: Connection) -> int:
    """Return the number of the row that was kept last; what is kept from now on has a higher one."""
    return connection.scalar(select(func.max(_row_number)).select_from(_objects)) or 0


def living_up_to(connection: Connection, account: Account, kind: str, newest: int) -> Iterator[str]:
    """Yield the ids of objects that are not marked deleted and were kept up to a row number."""
    query = select(_objects.c.external_id).where(
        _of(account, kind), _objects.c.is_deleted.is_(False), _row_number <= newest
    )
    yield from connection.scalars(query.execution_options(yield_per=IDS_A_QUERY))


def some_ids(connection: Connection, account: Account, kind: str, count: int) -> list[str]:
    """Return the ids of a few objects of a kind that are kept and not marked deleted."""
    query = select(_objects.c.external_id).where(
        _of(account, kind), _objects.c.is_deleted.is_(False)
    )
    return list(connection.scalars(query.limit(count)))
