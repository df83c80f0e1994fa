"""Asking SQLite whether the file is whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def integrity_problems(path: Path) -> list[str]:
    """Return what SQLite finds wrong with the file; an empty list means it is healthy."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            found += [f"dangling {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if found == ["ok"] else found
