"""Writing what the store holds in the columns that an import reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection

from kpay.domain.csv_cells import escaped
from kpay.domain.document import Document
from kpay.domain.enums import ImportKind
from kpay.domain.exported_orders import refunds_on_lines, shared_out
from kpay.domain.import_book_values import PaymentKind, PaymentStatus
from kpay.domain.import_columns import AMOUNTS, COLUMNS, Field, Holds, field_names
from kpay.domain.money import format_major
from kpay.domain.period import instant_text
from kpay.store import exports, imported_payments
from kpay.store.engine import Store

TEXTS: Final = (Holds.TEXT, Holds.EMAIL, Holds.CUSTOMER, Holds.TAGS)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """The rows of a kind: values by field, amounts in minor units."""

    kind: ImportKind
    rows: Sequence[Row]

    def to_csv(self) -> str:
        """Return a CSV file that `kpay import` reads back; text cannot become a formula."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(field_names(self.kind))
        writers = [_cell_writer(field) for field in COLUMNS[self.kind]]
        writer.writerows([write(row) for write in writers] for row in self.rows)
        return out.getvalue()

    def to_document(self) -> Document:
        """Return the JSON object: amounts in minor units, times in RFC 3339."""
        rows = list(self.plain_rows())
        payload = {"kind": self.kind.value, "count": len(rows), "rows": rows}
        return Document("kpay.export/1", f"{len(rows):,} {self.kind}", payload=payload)

    def plain_rows(self) -> Iterator[dict[str, Any]]:
        """Yield rows of plain values: amounts are called `..._minor`, tags are lists."""
        for row in self.rows:
            yield {_plain_name(field): _plain(row[field.name]) for field in COLUMNS[self.kind]}


def export(store: Store, kind: ImportKind) -> Export:
    """Return everything of a kind, in a fixed order."""
    with store.reading() as connection:
        read = READERS.get(kind)
        found = read(connection) if read else exports.rows(connection, kind)
        return Export(kind, [_in_fields(kind, row) for row in found])


def _in_fields(kind: ImportKind, row: Row) -> Row:
    column_of = CALLED.get(kind, {})
    return {name: row[column_of.get(name, name)] for name in field_names(kind)}


def _orders(connection: Connection) -> Iterator[Row]:
    refunds = exports.refunds_by_order(connection)
    lines = exports.order_lines(connection)
    for order_id, of_order in groupby(lines, key=lambda line: line["id"]):
        yield from _order(list(of_order), refunds.get(order_id, []))


def _order(lines: Sequence[Row], refunds: Sequence[tuple[str, int, datetime]]) -> Iterator[Row]:
    first = lines[0]
    known = [line["line_minor"] for line in lines if line["line_minor"] is not None]
    amounts = shared_out(first["total_minor"], known or [first["total_minor"]])
    refunded = refunds_on_lines(first["order_id"], refunds, amounts)
    for line, amount, back in zip(lines, amounts, refunded, strict=True):
        yield {
            **line,
            "email": line["email"] or line["customer_email"],
            "amount": amount,
            "product": line["product"] or line["line_name"],
            "refunded": back.amount_minor or None,
            "refunded_at": back.refunded_at,
        }


def _payments(connection: Connection) -> Iterator[Row]:
    """Yield imported payments; those of a provider are what `kpay sync` reads."""
    for one in imported_payments.payments(connection).values():
        of_subscription = one.subscription is not None
        yield {
            **one._asdict(),
            "kind": PaymentKind.SUBSCRIPTION if of_subscription else PaymentKind.ONE_TIME,
            "status": PaymentStatus.SUCCEEDED if one.succeeded else PaymentStatus.FAILED,
        }


def _refunds(connection: Connection) -> Iterator[Row]:
    for one in imported_payments.refunds(connection).values():
        yield one._asdict()


READERS: Final[Mapping[ImportKind, Callable[[Connection], Iterator[Row]]]] = {
    ImportKind.ORDERS: _orders,
    ImportKind.PAYMENTS: _payments,
    ImportKind.REFUNDS: _refunds,
}
CALLED: Final[Mapping[ImportKind, Mapping[str, str]]] = {
    ImportKind.COSTS: {"amount": "amount_minor"},
    ImportKind.INCOME: {"amount": "amount_minor"},
    ImportKind.PLANS: {"price_ex_tax": "amount_minor"},
    ImportKind.SUBSCRIPTIONS: {"ts_utc": "happened_at", "sub_id": "subscription"},
    ImportKind.PAYMENTS: {
        "ts": "at",
        "sub_id": "subscription",
        "gross": "gross_minor",
        "tax": "tax_minor",
        "fee": "fee_minor",
    },
    ImportKind.REFUNDS: {"ts_utc": "at", "gross": "gross_minor", "tax": "tax_minor"},
    ImportKind.FX: {"month": "first_day"},
}
"""What a field is called in the store, where it has another name there."""


def _cell_writer(field: Field) -> Callable[[Row], str]:
    name = field.name
    if field.holds in AMOUNTS:
        return lambda row: "" if row[name] is None else format_major(row[name], row["currency"])
    if field.holds is Holds.MONTH:
        return lambda row: f"{row[name]:%Y-%m}"
    if field.holds is Holds.PERCENT:
        return lambda row: f"{row[name]:.12g}"
    if field.holds in TEXTS:
        return lambda row: escaped(_text(row[name]))
    return lambda row: _text(row[name])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, list):
        return ";".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _plain_name(field: Field) -> str:
    return f"{field.name}_minor" if field.holds in AMOUNTS else field.name


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else value


def columns_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn rows into columns; no rows make no columns."""
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns
