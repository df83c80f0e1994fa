"""Opening the one SQLite file, with the settings that keep it whole.

SQLAlchemy's default SQLite engine begins late and reads uncommitted state across statements: two
writers lost half of their increments with it. The hooks below make every transaction a real one.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from kpay.errors import Busy, DiskProblem, StoreCorrupt
from kpay.store.lock import held

APPLICATION_ID = 0x6B706179  # "kpay"
BUSY_TIMEOUT_MS = 10_000
LOCK_WAIT_S = 30.0
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=67108864",
)
DISK_ERRNOS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.EFBIG,
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
}
Mode = Literal["read", "write", "migrate"]


def make_engine(path: Path, mode: Mode) -> Engine:
    """Return an engine for one purpose: read (query_only), write (BEGIN IMMEDIATE), migrate (FKs off)."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(pragma)
        connection.execute(f"PRAGMA foreign_keys={'OFF' if mode == 'migrate' else 'ON'}")
        connection.execute(f"PRAGMA query_only={'ON' if mode == 'read' else 'OFF'}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if mode == "read" else "BEGIN IMMEDIATE")

    return engine


class Store:
    """The store of one business: reading and writing transactions on one file."""

    def __init__(self, path: Path, *, who: str = "kpay") -> None:
        self.path = path
        self.who = who
        self._reader = make_engine(path, "read")
        self._writer = make_engine(path, "write")
        self._kept: dict[tuple[Engine, int], Connection] = {}

    @property
    def lock_path(self) -> Path:
        """The file whose flock every write transaction holds."""
        return self.path.with_name("store.lock")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store and cannot write."""
        with translated(self.path), self._connected(self._reader) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One write transaction: committed when the block ends, rolled back when it raises."""
        with (
            translated(self.path),
            held(self.lock_path, who=self.who, wait_s=LOCK_WAIT_S),
            self._connected(self._writer) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keep the file open for a run of many small transactions of this thread.

        Opening it, and tidying up behind the last one to close it, takes longer than most of them.
        """
        with (
            translated(self.path),
            self._reader.connect() as reader,
            self._writer.connect() as writer,
        ):
            thread = threading.get_ident()
            self._kept = {(self._reader, thread): reader, (self._writer, thread): writer}
            try:
                yield
            finally:
                self._kept = {}

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        """A connection for one transaction: the one that is kept open, unless it is in use."""
        kept = self._kept.get((engine, threading.get_ident()))
        if kept is not None and not kept.in_transaction():
            yield kept
        else:
            with engine.connect() as connection:
                yield connection

    def close(self) -> None:
        """Let go of the file."""
        self._reader.dispose()
        self._writer.dispose()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into kpay's own errors."""
    try:
        yield
    except DatabaseError as error:
        raise translate(error.orig or error, path) from error
    except sqlite3.DatabaseError as error:
        raise translate(error, path) from error
    except OSError as error:
        if error.errno not in DISK_ERRNOS:
            raise
        raise _disk(error, path) from error


def translate(error: BaseException, path: Path) -> Exception:
    """Return the kpay error for one of SQLite's, or the error itself when it means a bug."""
    text = str(error)
    if any(sign in text for sign in ("malformed", "not a database", "file is encrypted")):
        return StoreCorrupt(
            f"{path} is not a healthy database ({text})", "kpay doctor", path=str(path)
        )
    if any(
        sign in text for sign in ("disk is full", "disk I/O error", "readonly", "unable to open")
    ):
        return DiskProblem(
            f"{path} cannot be written or read ({text}); nothing was half written",
            f"df -h {path.parent}",
            path=str(path),
        )
    if "locked" in text or "busy" in text:
        return Busy(f"another program is using {path}", "kpay doctor")
    return error if isinstance(error, Exception) else RuntimeError(text)


def _disk(error: OSError, path: Path) -> DiskProblem:
    return DiskProblem(
        f"{error.filename or path}: {error.strerror}; nothing was half written",
        f"df -h {path.parent}",
    )


def create_file(path: Path) -> None:
    """Create an empty 0600 file in a 0700 folder, if there is none."""
    with translated(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
