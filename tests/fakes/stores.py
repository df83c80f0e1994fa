"""A real store for a test, the content it sells, and what it holds as plain text."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import insert

from kpay.models import Content
from kpay.store.dialect import table_of
from kpay.store.engine import Store, create_file
from kpay.store.upgrade import upgrade


@cache
def _empty_store() -> bytes:
    """Migrate once for all tests of this process; a migration takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kpay.db"
        create_file(path)
        upgrade(path, Path(folder) / "backups")
        return path.read_bytes()


def new_store(folder: Path, *slugs: str, includes: dict[str, list[str]] | None = None) -> Store:
    """Make an empty store that knows some pieces of content."""
    path = folder / "kpay.db"
    create_file(path)
    path.write_bytes(_empty_store())
    store = Store(path)
    add_content(store, *slugs, includes=includes)
    return store


def add_content(store: Store, *slugs: str, includes: dict[str, list[str]] | None = None) -> None:
    """Publish pieces of content."""
    rows = [
        {
            "slug": slug,
            "kind": "bundle" if slug in (includes or {}) else "ebook",
            "title": slug.title(),
            "status": "published",
            "digest": slug,
            "file": f"content/{slug}.md",
            "includes": (includes or {}).get(slug, []),
            "created_at": datetime(2026, 1, 1, tzinfo=UTC),
            "pricing": "fixed",
            "amount_minor": 0,
            "summary": "",
            "language": "en",
            "tags": [],
            "trial_days": 0,
            "version": 1,
            "attachments": [],
        }
        for slug in slugs
    ]
    if rows:
        with store.writing() as connection:
            connection.execute(insert(table_of(Content)), rows)


def tables(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, sorted."""
    with sqlite3.connect(f"file:{store.path}?mode=ro", uri=True) as connection:
        names = [
            row[0]
            for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        found = {
            name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names
        }
    connection.close()
    return found


def digest(store: Store) -> str:
    """Return one text that changes when anything in the store does."""
    return hashlib.sha256(repr(sorted(tables(store).items())).encode()).hexdigest()


def rows(store: Store, query: str) -> list[tuple[object, ...]]:
    """Ask the file itself."""
    connection = sqlite3.connect(f"file:{store.path}?mode=ro", uri=True)
    try:
        return list(connection.execute(query))
    finally:
        connection.close()
