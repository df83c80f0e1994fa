"""Bringing a CSV file into the store: all of it or nothing, and twice is once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from kpay.domain.enums import ImportKind
from kpay.domain.import_columns import COLUMNS
from kpay.domain.import_values import RowReader
from kpay.domain.imported_orders import OrderGathering
from kpay.domain.importing import STDIN, BadRow, Circumstances, ImportResult, RowCounts
from kpay.errors import InputInvalid, Problem
from kpay.services import import_orders, import_people, import_signals
from kpay.services.import_files import CsvFile, find_columns, open_csv
from kpay.store.engine import Store

ROWS_A_STEP = 2000

Record = dict[str, Any]
Write = Callable[[Connection, Sequence[Record], Circumstances], RowCounts]
Advance = Callable[[int], None]
AskConsent = Callable[[Connection, Sequence[str]], int]
"""Queues a question to those of some addresses who have not confirmed; returns how many."""

WRITERS: Mapping[ImportKind, Write] = {
    ImportKind.CUSTOMERS: import_people.import_customers,
    ImportKind.SUBSCRIBERS: import_people.import_subscribers,
    ImportKind.EVENTS: import_signals.import_events,
    ImportKind.TRAFFIC: import_signals.import_traffic,
    ImportKind.COSTS: import_signals.import_costs,
    ImportKind.FEEDBACK: import_signals.import_feedback,
}


class FileReading:
    """One pass over the rows of a file: typed records, orders as they gather, and what is wrong."""

    def __init__(
        self, kind: ImportKind, file: CsvFile, mapping: Mapping[str, str], zone: str
    ) -> None:
        positions, self.unused_columns = find_columns(file, kind, mapping)
        self._reader = RowReader(COLUMNS[kind], positions, zone)
        self._file = file
        self._is_orders = kind is ImportKind.ORDERS
        self._order_id_at = positions.get("order_id")
        self.gathering = OrderGathering()
        self.records: list[Record] = []
        self.bad: list[BadRow] = []
        self.rows = 0

    def read(self, advance: Advance) -> None:
        """Read every row."""
        width = len(self._file.header)
        for line, cells in self._file.rows():
            self.rows += 1
            if len(cells) != width:
                self._refuse_shape(line, cells, width)
            else:
                self._read_row(line, cells)
            if self.rows % ROWS_A_STEP == 0:
                advance(ROWS_A_STEP)
        for line, problem in self.gathering.too_large():
            self._refuse(line, [("amount", problem)])
        listed = {bad.line for bad in self.bad}
        self.bad += [
            BadRow(line, None, f"left out: line {spoiled_by} of the same order is wrong")
            for line, spoiled_by in self.gathering.lines_left_out()
            if line not in listed
        ]
        self.bad.sort(key=lambda bad: bad.line)

    def _read_row(self, line: int, cells: Sequence[str]) -> None:
        values, complaints = self._reader.read(cells)
        if complaints:
            self.gathering.spoil(values.get("order_id"), line)
        elif self._is_orders:
            complaints = self.gathering.add(line, values)
        else:
            self.records.append(values)
        if complaints:
            self._refuse(line, complaints)

    def _refuse_shape(self, line: int, cells: Sequence[str], width: int) -> None:
        if self._order_id_at is not None and self._order_id_at < len(cells):
            self.gathering.spoil(cells[self._order_id_at].strip(), line)
        self._refuse(line, [("", f"has {len(cells)} cells, the header has {width}")])

    def _refuse(self, line: int, complaints: Sequence[tuple[str, str]]) -> None:
        self.bad += [BadRow(line, column or None, problem) for column, problem in complaints]


def import_csv(
    store: Store,
    kind: ImportKind,
    source: bytes,
    *,
    name: str,
    circumstances: Circumstances,
    mapping: Mapping[str, str] | None = None,
    skips_bad: bool = False,
    advance: Advance = lambda _rows: None,
    ask_consent: AskConsent | None = None,
) -> ImportResult:
    """Import the bytes of a CSV file called `name`, in one transaction.

    Raises InputInvalid with every wrong row, and then nothing is imported, unless `skips_bad`.
    `mapping` gives fields to columns of the file. `advance` hears of rows read, and then written.
    With `ask_consent`, subscribers who come without proof of consent are asked for it.
    """
    started_s = time.perf_counter()
    reading = FileReading(kind, open_csv(source, name), mapping or {}, circumstances.timezone)
    reading.read(advance)
    if reading.bad and not skips_bad:
        raise _all_bad(kind, name, reading.bad)
    orders = reading.gathering.whole_orders()
    totals: dict[str, Any] = {}
    opened = store.reading() if circumstances.is_rehearsal else store.writing()
    with opened as connection:
        if kind is ImportKind.ORDERS:
            counts = import_orders.import_orders(connection, orders, circumstances, advance)
            totals = import_orders.totals_of(orders)
        else:
            counts = WRITERS[kind](connection, reading.records, circumstances)
        if ask_consent is not None and not circumstances.is_rehearsal:
            emails = [record["email"] for record in reading.records]
            totals = {"confirmations_queued": ask_consent(connection, emails)}
    return ImportResult(
        kind=kind.value,
        file=name,
        rows=reading.rows,
        counts=counts,
        bad=tuple(reading.bad),
        unused_columns=reading.unused_columns,
        totals=totals,
        seconds=time.perf_counter() - started_s,
        is_rehearsal=circumstances.is_rehearsal,
    )


def _all_bad(kind: ImportKind, name: str, bad: Sequence[BadRow]) -> InputInvalid:
    problems = [Problem(name, row.line, row.column, row.problem) for row in bad]
    shown = "FILE" if name == STDIN else name
    return InputInvalid(
        name,
        problems,
        f"kpay import {kind} {shown} --skip-bad   # or correct the file",
    )
