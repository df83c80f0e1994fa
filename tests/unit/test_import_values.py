"""Cells of imported rows: what is read, and what is said about what cannot be."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from kpay.domain.enums import ImportKind
from kpay.domain.import_columns import COLUMNS
from kpay.domain.import_values import (
    RowReader,
    read_amount,
    read_count,
    read_email,
    read_instant,
    read_rating,
    read_refund,
    read_tags,
    read_zone,
)
from kpay.domain.period import parse_day


def test_a_bare_date_is_its_midnight_in_the_creators_zone() -> None:
    assert read_instant("2026-07-01", "Europe/Berlin") == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert read_instant("2026-07-01T10:00:00+02:00", "UTC") == datetime(2026, 7, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "26-01-01", "0001-01-01", "9999-12-31T23:59:59-12:00"]
)
def test_a_time_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        read_instant(text, "UTC")


def test_an_amount_is_exact_and_never_negative() -> None:
    assert read_amount("1,250.10", "usd") == 125_010
    assert read_amount("500", "jpy") == 500
    assert read_amount("0", "usd") == 0
    for text in ("-1", "19,99", "1e3", "19.999", "NaN"):
        with pytest.raises(ValueError, match=re.escape(text)):
            read_amount(text, "usd")


def test_a_refund_is_an_amount_or_the_whole_line() -> None:
    assert read_refund("5.00", "usd") == 500
    assert read_refund("yes", "usd") is True
    assert read_refund("no", "usd") is False


def test_small_readers() -> None:
    assert read_email(" Ana@Example.COM ") == "ana@example.com"
    assert parse_day("2026-02-28") == date(2026, 2, 28)
    assert read_count("3", least=1) == 3
    assert read_rating("4.5") == 4.5
    assert read_tags("glazing; firing, glazing") == ("glazing", "firing")
    assert read_zone("Asia/Shanghai") == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_email, "not-an-address"),
        (read_email, "two@@example.com"),
        (parse_day, "2026-02-30"),
        (lambda text: read_count(text, least=1), "0"),
        (lambda text: read_count(text, least=1), "1.5"),
        (read_rating, "11"),
        (read_rating, "nan"),
        (read_zone, "Mars/Olympus"),
        (read_zone, "../etc"),
    ],
)
def test_a_wrong_cell_is_named(read, text: str) -> None:
    with pytest.raises(ValueError, match=text.replace(".", r"\.")):
        read(text)


def reader(*columns: str) -> RowReader:
    positions = {name: place for place, name in enumerate(columns)}
    return RowReader(COLUMNS[ImportKind.ORDERS], positions, "UTC")


ROW = ("order_id", "email", "ordered_at", "amount", "currency")


def test_every_wrong_cell_of_a_row_is_told_at_once() -> None:
    values, complaints = reader(*ROW).read(["", "nobody", "soon", "x", "usd"])
    assert [column for column, _ in complaints] == ["order_id", "email", "ordered_at", "amount"]
    assert values["currency"] == "usd"


def test_the_same_cell_is_wrong_every_time() -> None:
    rows = reader(*ROW)
    bad = ["1", "nobody", "2026-01-01", "1", "usd"]
    assert rows.read(bad)[1] == rows.read(bad)[1] != []


def test_an_amount_is_read_in_the_currency_of_its_own_row() -> None:
    rows = reader(*ROW)
    assert rows.read(["1", "a@b.co", "2026-01-01", "500", "jpy"])[0]["amount"] == 500
    assert rows.read(["2", "a@b.co", "2026-01-01", "500", "usd"])[0]["amount"] == 50_000
