"""Copying a live database without tearing it: SQLite's backup API, checked, then renamed."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from kpay.errors import StoreCorrupt
from kpay.store.engine import translated


def copy_database(source: Path, target: Path) -> None:
    """Write a consistent, verified 0600 copy of `source` to `target`, or nothing at all."""
    part = target.with_name(target.name + ".part")
    with translated(target):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT, 0o600))
        try:
            _copy_and_check(source, part)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)


def _copy_and_check(source: Path, part: Path) -> None:
    uri = f"file:{source}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as old, closing(sqlite3.connect(part)) as new:
        old.backup(new)
        (verdict,) = new.execute("PRAGMA quick_check").fetchone()
        if verdict != "ok":
            raise StoreCorrupt(f"the copy of {source} is not healthy ({verdict})", "kpay doctor")
