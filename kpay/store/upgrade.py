"""Bringing a store to the newest schema: backup, migrate, verify, or leave it as it was.

Alembic rebuilds a table by copying it. With foreign keys on, dropping the old one would empty its
children, so they are off while it runs and checked afterwards; no table may lose a row.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from kpay.errors import StoreCorrupt, StoreTooNew
from kpay.store.backup import copy_database
from kpay.store.engine import APPLICATION_ID, LOCK_WAIT_S, make_engine, translated
from kpay.store.lock import held
from kpay.store.schema import store_revision

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(versions: Path | None = None) -> Config:
    """Return alembic's settings; `versions` is another folder of migrations (for tests)."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(versions or MIGRATIONS / "versions"))
    return config


def head_revision(config: Config | None = None) -> str:
    """Return the newest schema that this kpay knows."""
    head = ScriptDirectory.from_config(config or alembic_config()).get_current_head()
    if head is None:
        raise RuntimeError("no migrations were found")
    return head


def _known_revisions(config: Config) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def upgrade(
    path: Path, backups: Path, *, to: str = "head", config: Config | None = None
) -> Path | None:
    """Migrate the store; return the backup that was made first, or None when there was nothing to do.

    Raises StoreTooNew for a schema that this kpay does not know, StoreCorrupt when rows were lost or a
    reference points nowhere; the store is then unchanged.
    """
    config = config or alembic_config()
    goal = head_revision(config) if to == "head" else to
    before = store_revision(path)
    if before == goal:
        return None
    if before is not None and before not in _known_revisions(config):
        raise StoreTooNew(str(path), before, goal)
    backup = _back_up(path, backups, before) if before else None
    with (
        translated(path),
        held(path.with_name("store.lock"), who="kpay upgrade", wait_s=LOCK_WAIT_S),
        make_engine(path, "migrate").connect() as connection,
        connection.begin(),
    ):
        _migrate(connection, config, goal)
    return backup


def _back_up(path: Path, backups: Path, revision: str) -> Path:
    target = backups / f"before-upgrade-from-{revision}.db"
    copy_database(path, target)
    return target


def _migrate(connection: Connection, config: Config, goal: str) -> None:
    counts = _row_counts(connection)
    config.attributes["connection"] = connection
    command.upgrade(config, goal)
    broken = connection.execute(text("PRAGMA foreign_key_check")).fetchall()
    after = _row_counts(connection)
    lost = [name for name, rows in counts.items() if name in after and after[name] < rows]
    if broken or lost:
        raise StoreCorrupt(
            f"the upgrade would have lost rows ({', '.join(lost) or broken[0][0]}); it was undone",
            "kpay doctor",
        )
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def _row_counts(connection: Connection) -> dict[str, int]:
    preparer = connection.dialect.identifier_preparer
    names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    counts: dict[str, int] = {}
    for name in names:
        query = text(f"SELECT count(*) FROM {preparer.quote(name)}")  # noqa: S608 - a quoted name
        counts[name] = connection.execute(query).scalar_one()
    return counts
