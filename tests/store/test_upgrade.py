"""Upgrading a store with rows in it, from every schema so far, and through one that rebuilds a parent."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, insert, inspect
from sqlmodel import SQLModel

import kpay.models  # noqa: F401 - registers the tables
from kpay.errors import StoreCorrupt, StoreTooNew
from kpay.store.engine import create_file, make_engine
from kpay.store.health import integrity_problems
from kpay.store.schema import is_newest, newest_revision, store_revision
from kpay.store.upgrade import (
    MIGRATIONS,
    alembic_config,
    head_revision,
    upgrade,
)

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()
]

REBUILDS_A_PARENT = '''
"""rebuild a table that others point at"""
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "test", "{head}", None, None
def upgrade():
    with op.batch_alter_table("orders", recreate="always") as batch:
        batch.add_column(sa.Column("note", sa.Text(), nullable=True))
'''

LOSES_ROWS = '''
"""lose rows"""
from alembic import op
revision, down_revision, branch_labels, depends_on = "test", "{head}", None, None
def upgrade():
    op.execute("DELETE FROM line_item")
'''


def store_at(path: Path, revision: str) -> Path:
    create_file(path)
    upgrade(path, path.parent / "backups", to=revision)
    return path


def fill(path: Path) -> dict[str, int]:
    """Put a row into every table, parents first, whatever the schema; return the row counts."""
    with make_engine(path, "write").connect() as connection, connection.begin():
        metadata = MetaData()
        metadata.reflect(connection)
        tables = [table for table in metadata.sorted_tables if table.name != "alembic_version"]
        for table in tables:
            connection.execute(insert(table).values(row_for(table)))
    return {table.name: 1 for table in tables}


def row_for(table: Table) -> dict[str, object]:
    special: dict[str, object] = {
        "currency": "usd", "base": "usd", "status": "paid", "state": "queued", "kind": "article", "interval": "month",
        "campaign_id": 1, "holdout_share": 0.1, "propensity": 0.5, "run": "r", "pricing": "fixed",
    }  # fmt: skip
    by_table = {
        ("orders", "kind"): "one_time", ("content", "status"): "draft", ("campaign", "state"): "draft",
        ("subscriber", "status"): "subscribed", ("delivery", "kind"): "campaign",
        ("mail_notice", "kind"): "hard_bounce",
    }  # fmt: skip
    row: dict[str, object] = {}
    for column in table.columns:
        if column.nullable and column.name != "campaign_id":
            continue
        kind = str(column.type)
        default = {"TEXT": "2026-01-01T00:00:00Z", "BLOB": b"x", "REAL": 0.5}.get(kind, 0)
        value = special.get(column.name, default)
        row[column.name] = by_table.get((table.name, column.name), value)
        if column.foreign_keys and kind == "INTEGER":
            row[column.name] = 1
        if column.primary_key and kind == "INTEGER" and column.name == "id":
            row[column.name] = 1
    return row


def counts(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as store:
        names = [
            name for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        return {
            name: store.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in names
            if name != "alembic_version" and not name.startswith("sqlite_")
        }


@pytest.mark.parametrize("revision", REVISIONS)
def test_rows_of_every_schema_survive_the_upgrade(tmp_path: Path, revision: str) -> None:
    path = store_at(tmp_path / "kpay.db", revision)
    before = fill(path)
    upgrade(path, tmp_path / "backups")
    assert store_revision(path) == head_revision()
    assert counts(path) | before == counts(path)
    assert integrity_problems(path) == []


def test_the_migrations_make_what_the_models_say(tmp_path: Path) -> None:
    path = store_at(tmp_path / "kpay.db", "head")
    config = alembic_config()
    with make_engine(path, "migrate").connect() as connection, connection.begin():
        config.attributes["connection"] = connection
        command.check(config)
        found = set(inspect(connection).get_table_names()) - {"alembic_version"}
    assert found == set(SQLModel.metadata.tables)


def with_migration(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "versions"
    folder.mkdir()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "test_next.py").write_text(text.replace("{head}", head_revision()), encoding="utf-8")
    return folder


def test_rebuilding_a_parent_keeps_its_children_and_makes_a_backup_first(tmp_path: Path) -> None:
    path = store_at(tmp_path / "kpay.db", "head")
    before = fill(path)
    config = alembic_config(with_migration(tmp_path, REBUILDS_A_PARENT))
    backup = upgrade(path, tmp_path / "backups", config=config)
    assert counts(path) == before
    assert backup is not None
    assert counts(backup) == before
    assert store_revision(backup) == head_revision()


def test_a_migration_that_loses_rows_is_undone(tmp_path: Path) -> None:
    path = store_at(tmp_path / "kpay.db", "head")
    before = fill(path)
    with pytest.raises(StoreCorrupt, match="line_item"):
        upgrade(
            path, tmp_path / "backups", config=alembic_config(with_migration(tmp_path, LOSES_ROWS))
        )
    assert counts(path) == before
    assert store_revision(path) == head_revision()


def test_the_store_of_a_newer_kpay_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = store_at(tmp_path / "kpay.db", "head")
    with closing(sqlite3.connect(path)) as store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
        store.commit()
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="9999"):
        upgrade(path, tmp_path / "backups")
    assert path.read_bytes() == before
    assert not (tmp_path / "backups").exists()


def test_upgrading_twice_does_nothing(tmp_path: Path) -> None:
    path = store_at(tmp_path / "kpay.db", "head")
    assert upgrade(path, tmp_path / "backups") is None
    assert not (tmp_path / "backups").exists()


def test_the_newest_schema_is_known_without_alembic(tmp_path: Path) -> None:
    assert newest_revision() == head_revision()
    path = tmp_path / "kpay.db"
    create_file(path)
    assert not is_newest(path)
    assert is_newest(store_at(path, "head"))


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kpay.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE recipe (name TEXT)")
        theirs.commit()
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="another program"):
        upgrade(path, tmp_path / "backups")
    assert path.read_bytes() == before


def test_the_people_of_an_old_plan_become_rows(tmp_path: Path) -> None:
    path = store_at(tmp_path / "kpay.db", "0007")
    plan = {
        "wording": {"campaign": "bread", "subject": "Bread"},
        "letter": "digest",
        "people": [["ana@example.com", None, True, {"name": "Ana"}]],
    }
    with closing(sqlite3.connect(path)) as store:
        store.execute(
            "INSERT INTO campaign (id, name, state, created_at) VALUES (1, 'bread', 'planned', ?)",
            ("2026-01-01T00:00:00Z",),
        )
        store.execute(
            "INSERT INTO campaign_plan (campaign_id, hash, source, holdout_share, figures, recipients,"
            " planned_at) VALUES (1, 'h', 's', 0.1, '{}', ?, '2026-01-01T00:00:00Z')",
            (zlib.compress(json.dumps(plan).encode()),),
        )
        store.commit()
    upgrade(path, tmp_path / "backups")
    with closing(sqlite3.connect(path)) as store:
        people = store.execute("SELECT email, is_held_out, context FROM plan_recipient").fetchall()
        digests = store.execute("SELECT letter_digest, hash FROM campaign_plan").fetchall()
    assert people == [("ana@example.com", 1, '{"name": "Ana"}')]
    assert digests == [("digest", "h")]
