"""Which schema a store has and which is the newest, without importing alembic.

Every command asks this; alembic, which costs a third of a second, is needed only when they differ.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from kpay.errors import StoreCorrupt
from kpay.store.engine import translated

VERSIONS = Path(__file__).parent / "migrations" / "versions"


def newest_revision() -> str:
    """Return the newest schema that this kpay knows: the number that the last file begins with."""
    return max(_revisions())


def is_from_a_newer_kpay(revision: str) -> bool:
    """Say whether a store's schema is one that this kpay has never heard of."""
    return revision not in _revisions()


def _revisions() -> set[str]:
    return {path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py")}


def store_revision(path: Path) -> str | None:
    """Return the schema of a store, or None when it is empty.

    Raises StoreCorrupt for what is no database, or is another program's.
    """
    with translated(path), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        found = store.execute(
            "SELECT count(*) FROM sqlite_schema WHERE name = 'alembic_version'"
        ).fetchone()
        if not found[0]:
            _refuse_foreign(store, path)
            return None
        row = store.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


def _refuse_foreign(store: sqlite3.Connection, path: Path) -> None:
    """An empty file will become a store; one with tables of its own belongs to somebody."""
    (tables,) = store.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").fetchone()
    if tables:
        raise StoreCorrupt(
            f"{path} is another program's database, not a kpay store", f"mv {path} {path}.other"
        )


def is_newest(path: Path) -> bool:
    """Say whether a store has the newest schema."""
    return store_revision(path) == newest_revision()
