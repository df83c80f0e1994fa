"""The audit trail: nothing is unsaid without being noticed."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kpay.errors import SettingsInvalid
from kpay.services import auditing
from kpay.store.engine import Store
from tests.fakes.stores import new_store, rows

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def note(store: Store, count: int = 3) -> None:
    for number in range(count):
        with store.writing() as connection:
            auditing.note(
                connection,
                "refund.asked",
                f"order ch_{number}",
                {"amount_minor": number, "currency": "jpy"},
                at=NOW + timedelta(days=number),
            )


def tamper(store: Store, *statements: str) -> None:
    """Do what only somebody with the file itself can: take the guards away and rewrite."""
    connection = sqlite3.connect(store.path)
    connection.execute("DROP TRIGGER audit_entry_no_update")
    connection.execute("DROP TRIGGER audit_entry_no_delete")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_deeds_are_listed_newest_first_and_their_chain_holds(store: Store) -> None:
    note(store)

    found = auditing.verify(store)

    assert (found.is_sound, found.entries) == (True, 3)
    [(head,)] = rows(store, "SELECT chain FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert found.head == head
    trail = auditing.trail(store, 2)
    assert [deed.subject for deed in trail.deeds] == ["order ch_2", "order ch_1"]
    assert trail.count == 3


def test_the_database_itself_refuses_to_rewrite_or_remove(store: Store) -> None:
    note(store)
    connection = sqlite3.connect(store.path)
    for statement in ("UPDATE audit_entry SET subject = 'x'", "DELETE FROM audit_entry"):
        with pytest.raises(sqlite3.DatabaseError, match="append-only"):
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE audit_entry SET detail = '{\"amount_minor\":9}' WHERE id = 2", 2),
        ("UPDATE audit_entry SET subject = 'order ch_9' WHERE id = 1", 1),
        ("UPDATE audit_entry SET at = '2026-10-02T09:00:01Z' WHERE id = 2", 2),
        ("UPDATE audit_entry SET action = 'refund.refused' WHERE id = 3", 3),
        ("DELETE FROM audit_entry WHERE id = 2", 3),
        ("DELETE FROM audit_entry WHERE id = 1", 2),
    ],
)
def test_the_first_entry_that_was_tampered_with_is_named(
    store: Store, statement: str, first_bad: int
) -> None:
    note(store)
    tamper(store, statement)

    found = auditing.verify(store)

    assert (found.is_sound, found.first_bad) == (False, first_bad)
    assert f"entry {first_bad} is not as it was written" in found.to_document().title


def test_entries_cut_off_at_the_end_are_noticed_by_a_head_kept_elsewhere(store: Store) -> None:
    note(store)
    older, newest = auditing.verify(store).head, None
    note(store, 1)
    newest = auditing.verify(store).head
    assert auditing.verify(store, older).is_sound
    tamper(store, "DELETE FROM audit_entry WHERE id = 4")

    assert auditing.verify(store).is_sound
    assert auditing.verify(store, older).is_sound
    cut = auditing.verify(store, newest)
    assert (cut.is_sound, cut.missing_head) == (False, newest)


def test_a_genuine_entry_of_another_history_does_not_fit(store: Store, tmp_path: Path) -> None:
    """A copy of the business went another way; its second entry is put in the place of ours."""
    note(store, 1)
    (tmp_path / "copy").mkdir()
    copy = Store(tmp_path / "copy" / "kpay.db")
    with (
        closing(sqlite3.connect(store.path)) as ours,
        closing(sqlite3.connect(copy.path)) as theirs,
    ):
        ours.backup(theirs)
    shutil.copy(store.path.with_name("audit.key"), copy.path.with_name("audit.key"))
    note(store, 3)
    with copy.writing() as connection:
        auditing.note(connection, "refund.asked", "order ch_9", {}, at=NOW)
    assert auditing.verify(copy).is_sound
    [(subject, at, detail, chain)] = rows(
        copy, "SELECT subject, at, detail, chain FROM audit_entry WHERE id = 2"
    )
    tamper(
        store,
        f"UPDATE audit_entry SET subject = '{subject}', at = '{at}', detail = '{detail}', "
        f"chain = '{chain}' WHERE id = 2",
    )

    assert auditing.verify(store).first_bad == 3


def test_a_chain_written_anew_with_another_key_does_not_pass(store: Store) -> None:
    note(store)
    key = store.path.with_name("audit.key")
    key.write_text("0" * 64)

    assert auditing.verify(store).first_bad == 1


def test_a_deed_is_kept_if_and_only_if_what_it_tells_of_is(store: Store) -> None:
    def begin_and_break_off() -> None:
        with store.writing() as connection:
            auditing.note(connection, "refund.asked", "order ch_1", {}, at=NOW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin_and_break_off()

    assert auditing.verify(store).entries == 0


def test_the_key_is_the_owner_s_alone(store: Store) -> None:
    note(store, 1)

    key = store.path.with_name("audit.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text() not in store.path.read_bytes().decode("latin-1")


def test_without_its_key_the_trail_neither_grows_nor_passes(store: Store) -> None:
    note(store, 1)
    store.path.with_name("audit.key").unlink()

    with pytest.raises(SettingsInvalid, match=r"audit\.key is missing"):
        auditing.verify(store)
    with pytest.raises(SettingsInvalid):
        note(store, 1)
    assert not store.path.with_name("audit.key").exists()


def test_an_empty_trail_is_sound(store: Store) -> None:
    found = auditing.verify(store)

    assert (found.is_sound, found.entries) == (True, 0)
    assert "Nothing has been audited yet" in found.to_document().title
