"""Segments: named predicates over people, as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, select

from kpay.models import Segment
from kpay.store.dialect import table_of, upsert_rows

SEGMENT = table_of(Segment)


def listed(connection: Connection) -> Sequence[RowMapping]:
    """Return every segment, by name."""
    return connection.execute(select(SEGMENT).order_by(SEGMENT.c.name)).mappings().all()


def predicates(connection: Connection) -> dict[str, str]:
    """Return the predicate of each segment by its name."""
    return {row["name"]: row["predicate"] for row in listed(connection)}


def keep(connection: Connection, name: str, predicate: str, now: datetime) -> bool:
    """Keep a segment, or what it says now; say whether anything was written."""
    row = {"name": name, "predicate": predicate}
    known = connection.execute(select(SEGMENT).where(SEGMENT.c.name == name)).mappings().first()
    created_at = now if known is None else known["created_at"]
    return bool(upsert_rows(connection, Segment, [{**row, "created_at": created_at}], key=["name"]))


def remove(connection: Connection, name: str) -> bool:
    """Forget a segment; say whether there was one."""
    return connection.execute(delete(SEGMENT).where(SEGMENT.c.name == name)).rowcount == 1
