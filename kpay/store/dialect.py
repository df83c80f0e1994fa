"""What only SQLite has of SQL: the upsert. Another database would change this file and engine.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, or_
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.dml import Insert
from sqlmodel import SQLModel

ROWS_A_STATEMENT = 2000

Rows = Sequence[Mapping[str, Any]]
Item = TypeVar("Item")


def table_of(model: type[SQLModel]) -> Table:
    """Return the Core table of a model, for bulk statements."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def upsert(table: Table, *, key: Sequence[str], columns: Sequence[str]) -> Insert:
    """Build an insert that, where the key exists, writes `columns` only if one of them differs.

    A row that would not change is not written, so the driver's row count says what moved.
    """
    statement = insert(table)
    new = statement.excluded
    if not columns:
        return statement.on_conflict_do_nothing(index_elements=list(key))
    return statement.on_conflict_do_update(
        index_elements=list(key),
        set_={name: new[name] for name in columns},
        where=or_(*(table.c[name].is_distinct_from(new[name]) for name in columns)),
    )


def upsert_rows(
    connection: Connection, model: type[SQLModel], rows: Rows, *, key: Sequence[str]
) -> int:
    """Upsert rows that all have the same columns, one row per key; return how many were written."""
    if not rows:
        return 0
    names = list(rows[0])
    statement = upsert(
        table_of(model), key=key, columns=[name for name in names if name not in key]
    )
    written = 0
    for chunk in chunks(rows, ROWS_A_STATEMENT):
        written += connection.execute(statement, [dict(row) for row in chunk]).rowcount
    return written


def insert_missing(
    connection: Connection, model: type[SQLModel], rows: Rows, *, key: Sequence[str]
) -> int:
    """Insert the rows whose key is not there yet; return how many."""
    if not rows:
        return 0
    statement = upsert(table_of(model), key=key, columns=())
    return sum(
        connection.execute(statement, [dict(row) for row in chunk]).rowcount
        for chunk in chunks(rows, ROWS_A_STATEMENT)
    )


def insert_tuples(
    connection: Connection,
    model: type[SQLModel],
    columns: Sequence[str],
    rows: Sequence[tuple[int | str | None, ...]],
) -> None:
    """Insert rows whose values need no conversion, `columns` in the table's own order.

    For the longest imports: preparing each value for its type costs as much as writing it.
    """
    if not rows:
        return
    compiled = insert(table_of(model)).compile(
        dialect=connection.dialect, column_keys=list(columns)
    )
    if list(compiled.positiontup or ()) != list(columns):
        raise ValueError(f"{columns} are not in the order of {model.__name__}")
    connection.exec_driver_sql(str(compiled), list(rows))


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Cut a sequence into runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
