"""Moments are numbered by the span they lie in, and wide ranges are read as they are stored."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column, Integer, MetaData, Select, Table, create_engine, event, func, select
from sqlalchemy.dialects import sqlite
from sqlmodel import SQLModel

from kpay.models.types import Instant
from kpay.store.figures.cohorts import given_back
from kpay.store.figures.spans import WIDE, span_of, within

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = Table(
    "moment",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("at", Instant(), index=True),
    Column("amount_minor", Integer),
)


def days(count: int) -> list[datetime]:
    return [START + timedelta(days=number) for number in range(count)]


@pytest.mark.parametrize("spans", [1, 2, 3, 7, 40])
def test_a_moment_is_numbered_by_its_span_whatever_their_count(spans: int) -> None:
    edges = days(spans + 1)
    half_days = [START + timedelta(hours=12 * number) for number in range(-2, 2 * spans + 4)]
    at = MOMENTS.c.at
    with create_engine("sqlite://").begin() as connection:
        MOMENTS.metadata.create_all(connection)
        connection.execute(MOMENTS.insert(), [{"at": moment} for moment in half_days])
        found = connection.execute(select(at, span_of(at, edges)).where(within(at, edges))).all()
    expected = [one for one in half_days if edges[0] <= one < edges[-1]]
    assert sorted(map(tuple, found)) == [(one, bisect_right(edges, one) - 1) for one in expected]


def test_a_wide_range_is_read_in_stored_order_and_a_narrow_one_along_its_index() -> None:
    assert "USING INDEX" in _plan(START + WIDE)
    assert "USING INDEX" not in _plan(START + WIDE + timedelta(days=1))


def test_forty_spans_take_six_comparisons() -> None:
    told = str(select(span_of(MOMENTS.c.at, days(41))).compile(dialect=sqlite.dialect()))
    deepest = depth = 0
    for word in told.split():
        depth += (word == "CASE") - (word == "END")
        deepest = max(deepest, depth)
    assert deepest == 6


def _plan(end: datetime) -> str:
    query: Select[tuple[int]] = select(func.sum(MOMENTS.c.amount_minor)).where(
        within(MOMENTS.c.at, (START, end))
    )
    with create_engine("sqlite://").begin() as connection:
        MOMENTS.metadata.create_all(connection)
        told = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {told}")
        return " ".join(str(row) for row in rows)


def test_refunds_that_failed_are_sought_from_the_refunds_and_not_from_all_orders() -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        SQLModel.metadata.create_all(connection)
        asked: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append(told[2]))
        given_back(connection, START)
        plans = [
            str(list(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", _places(one))))
            for one in list(asked)
        ]
    assert len(plans) == 2
    assert not any("ix_orders_ordered_at" in plan for plan in plans)


def _places(statement: str) -> tuple[int, ...]:
    return (0,) * statement.count("?")
