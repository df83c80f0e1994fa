"""Frames and repositories of what is learned, on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpay.errors import DiskProblem, Refused
from kpay.ml.frames import check_orders
from kpay.models import Content, Customer, LineItem, Order
from kpay.store import frames, learning, model_files
from kpay.store.dialect import insert_missing
from kpay.store.engine import Store, create_file
from kpay.store.upgrade import upgrade

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    path = tmp_path / "kpay.db"
    create_file(path)
    upgrade(path, tmp_path / "backups")
    found = Store(path)
    yield found
    found.close()


def order(number: int, **other: Any) -> dict[str, Any]:
    total = other.pop("total_minor", 900)
    return {
        "id": number,
        "source": "import",
        "external_id": f"o{number}",
        "customer_id": 1,
        "ordered_at": NOON,
        "currency": "usd",
        "gross_minor": total,
        "total_minor": total,
        "status": "paid",
        **other,
    }


def fill(store: Store, orders: list[dict[str, Any]], lines: list[dict[str, Any]]) -> None:
    customers = [
        {"id": who, "email": f"c{who}@example.com", "name": "", "created_at": NOON}
        for who in (1, 2)
    ]
    piece = {
        "id": 5, "slug": "bread", "kind": "ebook", "title": "Bread", "digest": "d", "file": "f",
        "status": "published", "created_at": NOON,
    }  # fmt: skip
    with store.writing() as connection:
        insert_missing(connection, Customer, customers, key=["id"])
        insert_missing(connection, Content, [piece], key=["id"])
        for row in orders:
            insert_missing(connection, Order, [row], key=["id"])
        for row in lines:
            insert_missing(connection, LineItem, [row], key=["order_id", "position"])


def test_order_lines_keep_the_contract_of_the_models_even_when_empty(store: Store) -> None:
    with store.reading() as connection:
        empty = frames.order_lines(connection, NOON)
    check_orders(empty)
    assert empty.empty


def test_what_was_paid_for_an_order_is_counted_once_whatever_its_lines(store: Store) -> None:
    fill(
        store,
        [
            order(1, total_minor=1500),
            order(2, total_minor=700, ordered_at=NOON + timedelta(days=1)),
        ],
        [
            {"order_id": 1, "position": 0, "content_id": 5, "amount_minor": 1000},
            {"order_id": 1, "position": 1, "product": "loose", "amount_minor": 1000},
        ],
    )
    with store.reading() as connection:
        lines = frames.order_lines(connection, NOON + timedelta(days=30))
    check_orders(lines)
    assert lines["amount_minor"].tolist() == [1500, 0, 700]
    assert lines["content"].tolist() == ["bread", "loose", ""]
    assert lines["at"].tolist()[0] == NOON


def test_only_paid_orders_of_known_people_before_the_moment_are_read(store: Store) -> None:
    later = NOON + timedelta(seconds=1)
    fill(
        store,
        [
            order(1),
            order(2, status="failed"),
            order(3, customer_id=None),
            order(4, ordered_at=later),
        ],
        [],
    )
    with store.reading() as connection:
        assert frames.order_lines(connection, later)["order"].tolist() == [1]


def test_days_of_takings_are_the_creators_and_empty_ones_are_zero(store: Store) -> None:
    night = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # already 2 March in Berlin
    fill(
        store,
        [
            order(1),
            order(2, ordered_at=night),
            order(3, currency="eur"),
            order(4, customer_id=None),
        ],
        [],
    )
    with store.reading() as connection:
        berlin = frames.daily_takings(connection, "usd", date(2026, 3, 4), "Europe/Berlin")
        utc = frames.daily_takings(connection, "usd", date(2026, 3, 2), "UTC")
        none = frames.daily_takings(connection, "gbp", date(2026, 3, 2), "UTC")
    assert berlin["amount_minor"].tolist() == [1800, 900, 0, 0]
    assert utc["amount_minor"].tolist() == [2700, 0]
    assert none.empty


def run(name: str, as_of: date, **other: Any) -> dict[str, Any]:
    return {
        "run": name,
        "as_of": as_of,
        "horizon_days": 90,
        "rung": "rule",
        "customers": 1,
        "buyers": 0,
        "checksum": "c",
        "card": {"why": "few"},
        "trained_at": NOON,
        **other,
    }


def test_the_newest_run_not_after_a_day_is_found_and_is_the_champion(store: Store) -> None:
    with store.writing() as connection:
        assert learning.keep_run(connection, run("march", date(2026, 3, 1)))
        assert learning.keep_run(connection, run("may", date(2026, 5, 1)))
        assert learning.keep_run(connection, run("april", date(2026, 4, 1)))
        assert not learning.keep_run(connection, run("april", date(2026, 4, 1)))
    with store.reading() as connection:
        found = learning.newest_run(connection, date(2026, 4, 30))
        assert found is not None
        assert found["run"] == "april"
        assert learning.newest_run(connection, date(2026, 2, 1)) is None
        champions = [row["run"] for row in learning.all_runs(connection) if row["is_champion"]]
    assert champions == ["may"]


def test_scores_that_did_not_change_are_not_written(store: Store) -> None:
    fill(store, [], [])
    score = {
        "run": "march", "as_of": date(2026, 3, 1), "customer_id": 1, "propensity": 0.123457,
        "expected_value_minor": 5, "currency": "usd", "decile": 1,
    }  # fmt: skip
    with store.writing() as connection:
        learning.keep_run(connection, run("march", date(2026, 3, 1)))
        assert learning.keep_scores(connection, [score]) == 1
        assert learning.keep_scores(connection, [score]) == 0
        assert learning.keep_scores(connection, [{**score, "decile": 2}]) == 1


def test_a_model_file_is_whole_private_and_checked(tmp_path: Path) -> None:
    checksum = model_files.write_model(tmp_path, "run", {"b": 1, "a": [0.1]})
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert model_files.read_model(tmp_path, "run", checksum) == {"a": [0.1], "b": 1}
    assert model_files.is_whole(tmp_path, "run", checksum)
    with pytest.raises(Refused, match="checksum"):
        model_files.read_model(tmp_path, "run", "other")
    file.write_bytes(b"\xff\xfe")
    assert not model_files.is_whole(tmp_path, "run", checksum)
    with pytest.raises(Refused, match="checksum"):
        model_files.read_model(tmp_path, "run", checksum)
    with pytest.raises(Refused, match="is gone"):
        model_files.read_model(tmp_path, "none", checksum)


def test_a_model_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    blocked = tmp_path / "models"
    blocked.mkdir()
    (blocked / "run.json").mkdir()
    with pytest.raises(DiskProblem, match="cannot be written"):
        model_files.write_model(blocked, "run", {})
    assert [path.name for path in blocked.iterdir()] == ["run.json"]
