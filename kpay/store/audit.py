"""The audit trail: entries that are added and never changed, and the key that seals them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from kpay.domain.audit import Deed
from kpay.errors import SettingsInvalid
from kpay.files import lasting_key
from kpay.models import AuditEntry
from kpay.store.dialect import table_of

KEY_FILE = "audit.key"
_entries = table_of(AuditEntry)


def key(connection: Connection) -> str:
    """Return the key beside the store, made for the first entry.

    Raises SettingsInvalid where there are entries and the key that sealed them is gone.
    """
    path = Path(str(connection.engine.url.database)).with_name(KEY_FILE)
    if not path.exists() and count(connection):
        raise SettingsInvalid(
            f"{path} is missing, and the audit trail was sealed with it: bring it back from a backup",
            f"ls -l {path.parent}",
        )
    return lasting_key(path)


def add(connection: Connection, deed: Deed) -> None:
    """Add an entry."""
    connection.execute(
        insert(_entries).values(
            id=deed.id,
            at=deed.at,
            action=deed.action,
            subject=deed.subject,
            detail=dict(deed.detail),
            chain=deed.chain,
        )
    )


def count(connection: Connection) -> int:
    """Return how many entries there are."""
    return int(connection.execute(select(func.count()).select_from(_entries)).scalar_one())


def last(connection: Connection) -> Deed | None:
    """Return the newest entry."""
    return next(iter(newest(connection, 1)), None)


def newest(connection: Connection, limit: int) -> list[Deed]:
    """Return the newest entries, newest first."""
    query = select(_entries).order_by(_entries.c.id.desc()).limit(limit)
    return [Deed(*row) for row in connection.execute(query)]


def oldest_first(connection: Connection) -> Iterator[Deed]:
    """Yield every entry in the order in which they were added."""
    for row in connection.execute(select(_entries).order_by(_entries.c.id)):
        yield Deed(*row)
