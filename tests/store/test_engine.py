from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from kpay.errors import DiskProblem, StoreCorrupt
from kpay.models import Fact, Order, SyncCursor, Traffic
from kpay.store.backup import copy_database
from kpay.store.dialect import insert_missing, table_of, upsert_rows
from kpay.store.engine import Store, create_file
from kpay.store.upgrade import upgrade

FACT = table_of(Fact)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    path = tmp_path / "kpay.db"
    create_file(path)
    upgrade(path, tmp_path / "backups")
    return Store(path)


INCREMENT = """
import sys
from pathlib import Path
from sqlalchemy import select
from kpay.models import Fact
from kpay.store.dialect import table_of
from kpay.store.engine import Store
store, fact = Store(Path(sys.argv[1])), table_of(Fact)
for _ in range(60):
    with store.writing() as connection:
        value = int(connection.execute(select(fact.c.value)).scalar_one())
        connection.execute(fact.update().values(value=str(value + 1)))
"""


def test_two_writers_lose_no_increment(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(FACT.insert().values(name="count", value="0"))
    command = [sys.executable, "-c", INCREMENT, str(store.path)]
    writers = [subprocess.Popen(command) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    with store.reading() as connection:
        assert connection.execute(select(FACT.c.value)).scalar_one() == "120"


def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    def half_done() -> None:
        with store.writing() as connection:
            connection.execute(FACT.insert().values(name="a", value="1"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    with store.reading() as connection:
        assert connection.execute(select(func.count()).select_from(FACT)).scalar_one() == 0


def test_a_reading_transaction_cannot_write(store: Store) -> None:
    with pytest.raises(DiskProblem, match="readonly"), store.reading() as connection:
        connection.execute(FACT.insert().values(name="a", value="1"))


def test_the_file_is_private_and_set_up_to_survive(store: Store) -> None:
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    with store.writing() as connection:

        def ask(name: str) -> object:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

        assert ask("journal_mode") == "wal"
        assert ask("synchronous") == 2
        assert ask("foreign_keys") == 1
        assert ask("busy_timeout") == 10_000
        assert ask("trusted_schema") == 0


def test_every_table_is_strict_and_checks_its_amounts(store: Store) -> None:
    with store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT name, strict FROM pragma_table_list").all()
    ours = [row for row in rows if not row.name.startswith(("sqlite_", "alembic_"))]
    assert ours
    assert all(row.strict for row in ours)
    wrong = {
        "source": "import",
        "external_id": "1",
        "currency": "USD",
        "gross_minor": 1,
        "total_minor": 1,
        "ordered_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    with pytest.raises((IntegrityError, sqlite3.IntegrityError)):
        write(store, Order, wrong, key=["source", "account", "livemode", "external_id"])


def write(store: Store, model: type, row: dict[str, object], *, key: list[str]) -> None:
    with store.writing() as connection:
        insert_missing(connection, model, [row], key=key)


def test_an_upsert_writes_only_what_differs(store: Store) -> None:
    row = {"account": "a", "livemode": False, "resource": "charges", "starting_after": "x"}
    key = ["account", "livemode", "resource"]
    with store.writing() as connection:
        assert upsert_rows(connection, SyncCursor, [row], key=key) == 1
        assert upsert_rows(connection, SyncCursor, [row], key=key) == 0
        assert upsert_rows(connection, SyncCursor, [row | {"starting_after": None}], key=key) == 1
        assert insert_missing(connection, SyncCursor, [row], key=key) == 0


def test_many_rows_come_back_as_they_were_written(store: Store) -> None:
    key = ["account", "livemode", "resource"]
    moments = [None, NOON, NOON]
    blank = {"account": "a", "target_at": None, "starting_after": "x"}
    rows = [
        {**blank, "resource": f"r{n}", "livemode": n == 1, "watermark_at": moments[n]}
        for n in range(3)
    ]
    lacking = {"account": "a", "livemode": True, "resource": "r4"}
    with store.writing() as connection:
        assert upsert_rows(connection, SyncCursor, rows, key=key) == 3
        changed = [{**rows[0], "watermark_at": NOON}, *rows[1:]]
        assert upsert_rows(connection, SyncCursor, changed, key=key) == 1
        with pytest.raises(KeyError, match="watermark_at"):
            upsert_rows(connection, SyncCursor, [rows[0], lacking], key=key)
        kept = connection.execute(select(table_of(SyncCursor)).order_by("resource")).mappings()
        assert [dict(row) for row in kept] == changed


def test_a_naive_time_has_no_place(store: Store) -> None:
    naive = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    row = {"account": "a", "livemode": False, "resource": "x", "watermark_at": naive}
    with pytest.raises(Exception, match="no time zone"):
        write(store, SyncCursor, row, key=["account", "livemode", "resource"])


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "kpay.db"
    path.write_bytes(b"this is not a database, only text" * 200)
    with pytest.raises(StoreCorrupt, match="not a healthy database"):
        upgrade(path, tmp_path / "backups")


def test_a_copy_of_a_live_store_is_whole(store: Store, tmp_path: Path) -> None:
    days = [
        {"day": datetime(2026, 1, 1, tzinfo=UTC).date(), "source": str(number), "content": ""}
        for number in range(500)
    ]
    with store.writing() as connection:
        insert_missing(connection, Traffic, days, key=["day", "source", "content"])
    target = tmp_path / "copies" / "one.db"
    copy_database(store.path, target)
    with Store(target).reading() as connection:
        assert (
            connection.execute(select(func.count()).select_from(table_of(Traffic))).scalar_one()
            == 500
        )
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(target.parent) == ["one.db"]
