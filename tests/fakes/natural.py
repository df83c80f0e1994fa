"""What a store says about the business, in words that do not depend on the order of arrival.

Row numbers do depend on it: whoever came first has the smaller one. So a row is told by what it holds,
and what it points at by that row's own name: a customer by the address, an order by its charge.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any, Final

from kpay.store.engine import Store

CONVERSATION: Final = frozenset(
    {"sync_cursor", "seen_event", "underived", "fact", "alembic_version"}
)
"""How far the provider was read: not the business, and different after other syncs."""

NAMES: Final = {
    "customer": "email",
    "content": "slug",
    "orders": "external_id",
    "campaign": "name",
    "entitlement": "source_id",
}


def natural(store: Store) -> dict[str, Counter[tuple[Any, ...]]]:
    """Return the rows of every table of the business, without row numbers."""
    with closing(sqlite3.connect(f"file:{store.path}?mode=ro", uri=True)) as connection:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        names = {name for (name,) in connection.execute(query)} - CONVERSATION
        return {name: _rows(connection, name) for name in sorted(names)}


def _rows(connection: sqlite3.Connection, table: str) -> Counter[tuple[Any, ...]]:
    columns = [(row[1], row[2]) for row in connection.execute(f"PRAGMA table_info({table})")]
    points_at = {row[3]: row[2] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}
    chosen = [
        _named(name, points_at.get(name))
        for name, kind in columns
        if (name, kind) != ("id", "INTEGER")
    ]
    return Counter(connection.execute(f"SELECT {', '.join(chosen)} FROM {table} AS here"))


def _named(column: str, table: str | None) -> str:
    if table not in NAMES:
        return f"here.{column}"
    name = NAMES[table]
    return f"(SELECT there.{name} FROM {table} AS there WHERE there.id = here.{column})"
