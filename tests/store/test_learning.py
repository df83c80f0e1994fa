"""Frames and repositories of what is learned, on a real store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpay.errors import DiskProblem, ModelDamaged, ModelForeign, ModelGone, ModelOutdated
from kpay.ml.frames import check_orders
from kpay.models import Content, Customer, LineItem, Order
from kpay.store import frames, learning, model_files
from kpay.store.dialect import insert_missing
from kpay.store.engine import Store, create_file
from kpay.store.model_files import Head
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


def run(name: str, as_of: date, **other: Any) -> dict[str, Any]:
    return {
        "run": name,
        "target": "purchase",
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


def champions(connection: Any) -> set[str]:
    return {row["run"] for row in learning.all_runs(connection) if row["is_champion"]}


def test_the_newest_run_not_after_a_day_is_found_of_its_target_alone(store: Store) -> None:
    with store.writing() as connection:
        assert learning.keep_run(connection, run("march", date(2026, 3, 1)))
        assert learning.keep_run(connection, run("may", date(2026, 5, 1)))
        assert learning.keep_run(connection, run("april", date(2026, 4, 1)))
        assert not learning.keep_run(connection, run("april", date(2026, 4, 1)))
        learning.keep_run(connection, run("refunds", date(2026, 4, 2), target="refund"))
    with store.reading() as connection:
        found = learning.newest_run(connection, date(2026, 4, 30))
        assert found is not None
        assert found["run"] == "april"
        assert learning.newest_run(connection, date(2026, 2, 1)) is None
        assert champions(connection) == set()
        assert learning.champion(connection) is None


def test_each_target_and_horizon_has_one_champion_and_goes_back_to_the_one_before(
    store: Store,
) -> None:
    rows = {
        "first": run("first", date(2026, 3, 1)),
        "second": run("second", date(2026, 4, 1)),
        "month": run("month", date(2026, 4, 1), horizon_days=30),
        "refunds": run("refunds", date(2026, 4, 1), target="refund"),
    }
    with store.writing() as connection:
        for day, row in enumerate(rows.values()):
            learning.keep_run(connection, row)
            learning.promote(connection, row, NOON + timedelta(days=day))
        assert champions(connection) == {"second", "month", "refunds"}
        last = learning.champion(connection)
        assert last is not None
        assert last["run"] == "month"
        before = learning.promoted_before(connection, rows["second"])
        assert before is not None
        learning.give_back(connection, rows["second"], before)
        assert champions(connection) == {"first", "month", "refunds"}
        assert learning.promoted_before(connection, rows["first"]) is None


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


def head(name: str = "run", **other: str) -> Head:
    said = {"target": "purchase", "account": "", "columns_digest": "abc", **other}
    return Head(name, **said)


def test_a_model_file_is_whole_private_and_checked(tmp_path: Path) -> None:
    checksum = model_files.write_model(tmp_path, head(), {"b": 1, "a": [0.1]})
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert model_files.read_model(tmp_path, head(), checksum) == {"a": [0.1], "b": 1}
    assert model_files.is_whole(tmp_path, "run", checksum)
    with pytest.raises(ModelDamaged, match="checksum"):
        model_files.read_model(tmp_path, head(), "other")
    file.write_bytes(b"\xff\xfe")
    assert not model_files.is_whole(tmp_path, "run", checksum)
    with pytest.raises(ModelDamaged, match="checksum"):
        model_files.read_model(tmp_path, head(), checksum)
    with pytest.raises(ModelGone, match="is gone"):
        model_files.read_model(tmp_path, head("none"), checksum)


def test_the_whole_file_of_another_model_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    checksum = model_files.write_model(tmp_path, head(), {"a": 1})
    model_files.write_model(tmp_path, head("theirs", account="acct_2/LIVE"), {"a": 1})
    shutil.copy(tmp_path / "theirs.json", tmp_path / "run.json")
    with pytest.raises(ModelForeign, match="the model theirs of account acct_2/LIVE"):
        model_files.read_model(tmp_path, head(), checksum)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("[" * 100_000, ModelOutdated),
        ("[1]", ModelOutdated),
        ('{"propensity": {}, "amounts": {}}', ModelOutdated),  # how models were written once
        ('{"kpay_model": 3, "model": {}}', ModelOutdated),
        ('{"kpay_model": {"format": 99}, "model": {}}', ModelOutdated),
        ('{"kpay_model": {"format": 2, "run": "other"}, "model": {}}', ModelForeign),
    ],
)
def test_a_file_with_the_right_checksum_and_the_wrong_head_is_refused(
    tmp_path: Path, text: str, refusal: type[Exception]
) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(refusal):
        model_files.read_model(tmp_path, head(), model_files.checksum_of(text.encode()))


def test_a_head_and_a_body_of_different_models_are_refused(tmp_path: Path) -> None:
    model_files.write_model(tmp_path, head(), {"a": 1})
    file = tmp_path / "run.json"
    text = file.read_text().replace('"a": 1', '"a": 2')
    file.write_text(text)
    with pytest.raises(ModelDamaged, match="do not belong together"):
        model_files.read_model(tmp_path, head(), model_files.checksum_of(text.encode()))


def test_a_model_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    blocked = tmp_path / "models"
    blocked.mkdir()
    (blocked / "run.json").mkdir()
    with pytest.raises(DiskProblem, match="cannot be written"):
        model_files.write_model(blocked, head(), {})
    assert [path.name for path in blocked.iterdir()] == ["run.json"]
