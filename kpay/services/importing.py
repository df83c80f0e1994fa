"""Bringing a CSV file into the store: all of it or nothing, and twice is once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from kpay.domain.enums import ImportKind
from kpay.domain.import_columns import COLUMNS
from kpay.domain.import_values import RowReader
from kpay.domain.imported_orders import OrderGathering
from kpay.domain.importing import STDIN, BadRow, Circumstances, ImportResult, RowCounts
from kpay.errors import InputInvalid, Problem
from kpay.services import (
    import_books,
    import_orders,
    import_payments,
    import_people,
    import_signals,
)
from kpay.services.import_books import Misfits, Row
from kpay.services.import_files import CsvFile, find_columns, open_csv, quoted_rates
from kpay.store.engine import Store

ROWS_A_STEP = 2000

Record = dict[str, Any]
Write = Callable[[Connection, Sequence[Record], Circumstances], RowCounts]
Check = Callable[[Connection, Sequence[Row]], Misfits]
"""Says which well-formed rows do not go together with the others, or with what the store has."""
Advance = Callable[[int], None]
AskConsent = Callable[[Connection, Sequence[str]], int]
"""Queues a question to those of some addresses who have not confirmed; returns how many."""

WRITERS: Mapping[ImportKind, Write] = {
    ImportKind.CUSTOMERS: import_people.import_customers,
    ImportKind.SUBSCRIBERS: import_people.import_subscribers,
    ImportKind.EVENTS: import_signals.import_events,
    ImportKind.TRAFFIC: import_signals.import_traffic,
    ImportKind.COSTS: import_signals.import_costs,
    ImportKind.INCOME: import_books.import_income,
    ImportKind.FEEDBACK: import_signals.import_feedback,
    ImportKind.PLANS: import_books.import_plans,
    ImportKind.SUBSCRIPTIONS: import_books.import_subscriptions,
    ImportKind.PAYMENTS: import_payments.import_payments,
    ImportKind.REFUNDS: import_payments.import_refunds,
    ImportKind.FX: import_books.import_rates,
}

CHECKS: Mapping[ImportKind, Check] = {
    ImportKind.SUBSCRIPTIONS: import_books.check_subscriptions,
    ImportKind.PLANS: import_books.check_plans,
    ImportKind.PAYMENTS: import_payments.check_payments,
    ImportKind.REFUNDS: import_payments.check_refunds,
    ImportKind.FX: import_books.check_rates,
}

WHOLE: Mapping[ImportKind, str] = {
    ImportKind.ORDERS: "order_id",
    ImportKind.SUBSCRIPTIONS: "sub_id",
}
"""What is imported whole or not at all, where several rows tell of it."""


class FileReading:
    """One pass over the rows of a file: typed records, orders as they gather, and what is wrong."""

    def __init__(
        self, kind: ImportKind, file: CsvFile, mapping: Mapping[str, str], zone: str
    ) -> None:
        quoted = quoted_rates(file, mapping) if kind is ImportKind.FX else None
        named = mapping if quoted is None else {**mapping, quoted.column: "rate"}
        positions, self.unused_columns = find_columns(file, kind, named)
        self._said_by_header = {} if quoted is None else {"base": quoted.base}
        self._reader = RowReader(COLUMNS[kind], positions, zone)
        self.kind, self.name = kind, file.name
        self._file = file
        self._is_orders = kind is ImportKind.ORDERS
        self._whole = WHOLE.get(kind, "")
        self._whole_at = positions.get(self._whole)
        self.gathering = OrderGathering()
        self.records: list[Row] = []
        self._spoiled: dict[str, int] = {}
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
            BadRow(line, None, f"left out: line {spoiled_by} of the same {word} is wrong")
            for line, spoiled_by, word in self._left_out()
            if line not in listed
        ]
        self.bad.sort(key=lambda bad: bad.line)

    def _left_out(self) -> Iterator[tuple[int, int, str]]:
        """Yield the good rows of what has a wrong one: each line, the wrong one, and of what it is."""
        for line, spoiled_by in self.gathering.lines_left_out():
            yield line, spoiled_by, "order"
        spoiled = self._spoiled
        for row in self.records if spoiled else ():
            spoiled_by = spoiled.get(row.values.get(self._whole, ""), 0)
            if spoiled_by:
                yield row.line, spoiled_by, "subscription"
        self.records = [row for row in self.records if row.values.get(self._whole) not in spoiled]

    def _spoil(self, name: str | None, line: int) -> None:
        if self._is_orders:
            self.gathering.spoil(name, line)
        elif name is not None:
            self._spoiled.setdefault(name, line)

    def _read_row(self, line: int, cells: Sequence[str]) -> None:
        values, complaints = self._reader.read(cells)
        if complaints:
            self._spoil(values.get(self._whole), line)
        elif self._is_orders:
            complaints = self.gathering.add(line, values)
        else:
            self.records.append(Row(line, {**values, **self._said_by_header}))
        if complaints:
            self._refuse(line, complaints)

    def _refuse_shape(self, line: int, cells: Sequence[str], width: int) -> None:
        if self._whole_at is not None and self._whole_at < len(cells):
            self._spoil(cells[self._whole_at].strip(), line)
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
    totals: dict[str, Any] = {}
    opened = store.reading() if circumstances.is_rehearsal else store.writing()
    with opened as connection:
        rows = _fitting(connection, reading, skips_bad=skips_bad)
        if kind is ImportKind.ORDERS:
            orders = reading.gathering.whole_orders()
            counts = import_orders.import_orders(connection, orders, circumstances, advance)
            totals = import_orders.totals_of(orders)
        else:
            counts = WRITERS[kind](connection, rows, circumstances)
        if ask_consent is not None and not circumstances.is_rehearsal:
            emails = [row["email"] for row in rows]
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


def _fitting(connection: Connection, reading: FileReading, *, skips_bad: bool) -> list[Record]:
    """Return the records to write; raise InputInvalid with every wrong row unless they are skipped."""
    check = CHECKS.get(reading.kind)
    misfits = check(connection, reading.records) if check else Misfits()
    reading.bad = sorted({*reading.bad, *misfits.bad}, key=lambda bad: (bad.line, bad.column or ""))
    if reading.bad and not skips_bad:
        raise _all_bad(reading, misfits.hint)
    left_out = {bad.line for bad in misfits.bad}
    return [dict(row.values) for row in reading.records if row.line not in left_out]


def _all_bad(reading: FileReading, hint: str | None) -> InputInvalid:
    name, kind = reading.name, reading.kind
    problems = [Problem(name, row.line, row.column, row.problem) for row in reading.bad]
    shown = "FILE" if name == STDIN else name
    skipping = f"kpay import {kind} {shown} --skip-bad   # or correct the file"
    return InputInvalid(name, problems, hint or skipping)
