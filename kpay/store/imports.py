"""Imported rows beside what the store has: new rows are inserted, changed ones updated, others left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlmodel import SQLModel

from kpay.domain.importing import RowCounts
from kpay.store.dialect import ROWS_A_STATEMENT, chunks, insert_missing, table_of, upsert_rows

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A table that takes imported rows: its key, and the other columns with their value when new.

    A column of `blanks` whose imported value is None keeps what the store has.
    """

    model: type[SQLModel]
    key: tuple[str, ...]
    blanks: Mapping[str, Any]

    def key_of(self, record: Record) -> tuple[Any, ...]:
        """Return the values that say which row a record is."""
        return tuple(record[name] for name in self.key)


@dataclass(frozen=True, slots=True)
class Written:
    """What came of some rows: how many, and which of them were not there before."""

    counts: RowCounts
    created: tuple[Record, ...]


def write_rows(
    connection: Connection,
    target: Target,
    records: Sequence[tuple[Record, int]],
    *,
    is_rehearsal: bool,
) -> Written:
    """Write records, one for each key, each with the number of file rows that it stands for."""
    known = _known(connection, target, [record for record, _ in records])
    created: list[Record] = []
    updated: list[Record] = []
    tally = {"created": 0, "updated": 0, "unchanged": 0}
    for record, rows in records:
        old = known.get(target.key_of(record))
        row = _merged(target, record, old)
        if old is None:
            created.append(row)
            tally["created"] += rows
        elif row != old:
            updated.append(row)
            tally["updated"] += rows
        else:
            tally["unchanged"] += rows
    if not is_rehearsal:
        insert_missing(connection, target.model, created, key=target.key)
        upsert_rows(connection, target.model, updated, key=target.key)
    return Written(RowCounts(**tally), tuple(created))


def _merged(target: Target, record: Record, old: Record | None) -> Record:
    base = target.blanks if old is None else old
    said = {name: record[name] for name in target.key}
    for name in target.blanks:
        value = record.get(name)
        said[name] = base[name] if value is None else value
    return said


def _known(
    connection: Connection, target: Target, records: Sequence[Record]
) -> dict[tuple[Any, ...], Record]:
    table = table_of(target.model)
    names = (*target.key, *target.blanks)
    first = target.key[0]
    wanted = [{first: value} for value in dict.fromkeys(record[first] for record in records)]
    known: dict[tuple[Any, ...], Record] = {}
    for chunk in chunks(wanted, ROWS_A_STATEMENT):
        values = [record[first] for record in chunk]
        query = select(*(table.c[name] for name in names)).where(table.c[first].in_(values))
        for row in connection.execute(query).mappings():
            stored = {name: row[name] for name in names}
            known[target.key_of(stored)] = stored
    return known
