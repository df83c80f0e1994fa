"""What only SQLite has of SQL: the upsert, and a list as one parameter.

Another database would change this file and engine.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Table,
    TableValuedAlias,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import SQLModel

ROWS_A_STATEMENT = 2000

Rows = Sequence[Mapping[str, Any]]
Item = TypeVar("Item")


def table_of(model: type[SQLModel]) -> Table:
    """Return the Core table of a model, for bulk statements."""
    table: Table = model.__table__  # type: ignore[attr-defined]
    return table


def among(column: ColumnElement[Any], values: Iterable[int | str]) -> ColumnElement[bool]:
    """Build the condition that a column holds one of any number of values.

    They travel as one parameter: a place for each would have the statement written, compiled and
    parsed anew for every count of them, which took longer than finding the rows.
    """
    return column.in_(select(listing(values).c.value))


def listing(values: Iterable[int | str]) -> TableValuedAlias:
    """Return any number of values as a table with one column, `value`, to be joined with others.

    A join looks up each value by the index that names most of what is asked; `among` leaves the choice
    open, which is right where the column is the end of a key.
    """
    return func.json_each(json.dumps(sorted(values))).table_valued("value", name="listed")


def named(column: ColumnElement[Any], parameter: str = "values") -> ColumnElement[bool]:
    """Build the condition of `among` once, for a statement that is executed with `listed(values)`.

    Writing a statement anew costs more than SQLite needs to find a few rows.
    """
    values = func.json_each(bindparam(parameter)).table_valued("value", name=f"listed_{parameter}")
    return column.in_(select(values.c.value))


def listed(values: Iterable[int | str]) -> str:
    """Return values as the one parameter that `named` waits for."""
    return json.dumps(list(values))


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
    columns = tuple(name for name in rows[0] if name not in key)
    return _write(connection, model, rows, key=tuple(key), columns=columns)


def insert_missing(
    connection: Connection, model: type[SQLModel], rows: Rows, *, key: Sequence[str]
) -> int:
    """Insert the rows whose key is not there yet; return how many."""
    return _write(connection, model, rows, key=tuple(key), columns=()) if rows else 0


class _Prepared(NamedTuple):
    """A statement's text, and for each of its places the row's column and how its type is written."""

    text: str
    places: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def values_of(self, rows: Rows) -> list[tuple[Any, ...]]:
        """Return what the driver is given for each row; raises KeyError for a row that lacks a column."""
        columns = [_prepared_column([row[name] for row in rows], how) for name, how in self.places]
        return list(zip(*columns, strict=True))


def _prepared_column(values: list[Any], prepare: Callable[[Any], Any] | None) -> list[Any]:
    """Prepare values for a column; one that all rows share is prepared once."""
    if prepare is None:
        return values
    if values.count(values[0]) == len(values):
        return [prepare(values[0])] * len(values)
    return [prepare(value) for value in values]


@lru_cache(maxsize=256)
def _prepared(
    dialect: Dialect,
    table: Table,
    names: tuple[str, ...],
    key: tuple[str, ...],
    columns: tuple[str, ...],
) -> _Prepared | None:
    """Return the statement made ready, or None where the table fills in columns of its own accord."""
    statement = upsert(table, key=key, columns=columns)
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    order = compiled.positiontup or []
    if set(order) != set(names):
        return None
    types = ((name, table.c[name].type.dialect_impl(dialect)) for name in order)
    return _Prepared(
        str(compiled), tuple((name, kind.bind_processor(dialect)) for name, kind in types)
    )


def _write(
    connection: Connection,
    model: type[SQLModel],
    rows: Rows,
    *,
    key: tuple[str, ...],
    columns: tuple[str, ...],
) -> int:
    """Write rows; return how many the statement did not leave as they were.

    Values are prepared column by column: the library makes two dictionaries of each row instead,
    which takes longer than SQLite needs to write it.
    """
    table = table_of(model)
    prepared = _prepared(connection.dialect, table, tuple(rows[0]), key, columns)
    written = 0
    for chunk in chunks(rows, ROWS_A_STATEMENT):
        if prepared is None:
            statement = upsert(table, key=key, columns=columns)
            written += connection.execute(statement, [dict(row) for row in chunk]).rowcount
        else:
            values = prepared.values_of(chunk)
            written += connection.exec_driver_sql(prepared.text, values).rowcount
    return written


def plain_rows(connection: Connection, query: Executable) -> list[tuple[Any, ...]]:
    """Return rows as the driver has them, for a query whose columns need no conversion.

    A million rows of the library's own class take longer than reading them.
    """
    with connection.execute(query) as result:
        cursor = result.cursor
        return [] if cursor is None else list(cursor.fetchall())


def update_many(connection: Connection, statement: Update, rows: Rows) -> None:
    """Run an update once for each row of values, whose names are all the parameters it has."""
    if rows:
        prepared = _prepared_update(connection.dialect, statement)
        connection.exec_driver_sql(prepared.text, prepared.values_of(rows))


@lru_cache(maxsize=64)
def _prepared_update(dialect: Dialect, statement: Update) -> _Prepared:
    compiled = statement.compile(dialect=dialect)
    types = ((name, compiled.binds[name].type) for name in compiled.positiontup or ())
    return _Prepared(
        str(compiled),
        tuple((name, kind.dialect_impl(dialect).bind_processor(dialect)) for name, kind in types),
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
