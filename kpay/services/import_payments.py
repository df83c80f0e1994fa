"""Importing payments and refunds: orders with their fees, and money that went back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection

from kpay.domain.import_book_values import PaymentKind, PaymentStatus
from kpay.domain.importing import BadRow, Circumstances, RowCounts
from kpay.services.deriving_imported import derive_imported
from kpay.services.entitling import entitle_by_orders
from kpay.services.import_books import Misfits, Row, told_otherwise
from kpay.store import imported_orders, imported_people
from kpay.store import imported_payments as stored
from kpay.store.imported_payments import GivenBack, Paid, Payment

Record = Mapping[str, Any]
Told = TypeVar("Told", Payment, GivenBack)


def check_payments(connection: Connection, rows: Sequence[Row]) -> Misfits:
    """Return the payments that contradict themselves, one another, or an order that was imported."""
    names = {row.values["payment_id"] for row in rows}
    others = stored.of_other_imports(connection, names)
    bad = told_otherwise(rows, "payment_id")
    for row in rows:
        name = row.values["payment_id"]
        if name in others:
            why = f"{name!r} is an order that kpay import orders brought"
            bad.append(BadRow(row.line, "payment_id", why))
        bad += [BadRow(row.line, *wrong) for wrong in _contradictions(row.values)]
    return Misfits(tuple(bad))


def _contradictions(values: Record) -> list[tuple[str, str]]:
    found = []
    kind, subscription = values.get("kind"), values.get("sub_id")
    if kind == PaymentKind.SUBSCRIPTION and not subscription:
        found.append(("sub_id", "is empty, but the payment is of a subscription"))
    if kind == PaymentKind.ONE_TIME and subscription:
        found.append(("sub_id", f"is {subscription!r}, but the payment is one_time"))
    if (values.get("tax") or 0) > values["gross"]:
        found.append(("tax", "is more than the gross: it is inside it"))
    return found


def import_payments(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write payments; one that is known with other values is replaced."""
    told = [_payment(row) for row in rows]
    before = stored.payments(connection, {one.payment_id for one in told})
    counts, moved = _compared(told, {one.payment_id: one for one in told}, before)
    if moved and not circumstances.is_rehearsal:
        _write_payments(connection, moved, [before[name] for name in moved if name in before])
    return counts


def _write_payments(
    connection: Connection, moved: Mapping[str, Payment], replaced: Sequence[Payment]
) -> None:
    some = list(moved.values())
    people = imported_people.meet(
        connection, (imported_people.Named(one.customer, one.at, one.country) for one in some)
    )
    pieces = imported_orders.pieces_by_slug(connection)
    touched = stored.save_payments(connection, some, people, pieces)
    subscriptions = {one.subscription for one in (*some, *replaced) if one.subscription}
    stored.tell_first_from_later(connection, subscriptions)
    entitle_by_orders(connection, touched)
    derive_imported(connection, subscriptions)


def check_refunds(connection: Connection, rows: Sequence[Row]) -> Misfits:
    """Return the refunds of no payment, in another currency than it, or of more than was paid."""
    paid = stored.orders_of(connection, {row.values["payment_id"] for row in rows})
    bad = told_otherwise(rows, "refund_id")
    for row in rows:
        bad += [BadRow(row.line, *wrong) for wrong in _wrong_refund(row.values, paid)]
    if not bad:
        bad = _too_much(connection, rows, paid)
    is_unknown = any(row.values["payment_id"] not in paid for row in rows)
    hint = "kpay import payments payments.csv   # the payments come before their refunds"
    return Misfits(tuple(bad), hint if is_unknown else None)


def _wrong_refund(values: Record, paid: Mapping[str, Paid]) -> list[tuple[str, str]]:
    payment = paid.get(values["payment_id"])
    if payment is None:
        return [("payment_id", f"{values['payment_id']!r} is no payment that was imported")]
    if not payment.is_paid:
        return [("payment_id", f"{values['payment_id']!r} failed: there is nothing to give back")]
    found = []
    if values["currency"] != payment.currency:
        was = payment.currency.upper()
        found.append(("currency", f"is {values['currency'].upper()}, but {was} was paid"))
    if (values.get("tax") or 0) > values["gross"]:
        found.append(("tax", "is more than the gross: it is inside it"))
    return found


def _too_much(
    connection: Connection, rows: Sequence[Row], paid: Mapping[str, Paid]
) -> list[BadRow]:
    """Return the first row of each payment with which more goes back than was paid."""
    back = stored.given_back(connection, paid)
    bad = []
    for row in rows:
        name = row.values["payment_id"]
        of_payment = back.setdefault(name, {})
        of_payment[row.values["refund_id"]] = row.values["gross"]
        if sum(of_payment.values()) > paid[name].total_minor:
            why = f"more than the payment {name!r} brought has gone back with it"
            bad.append(BadRow(row.line, "gross", why))
    return bad


def import_refunds(
    connection: Connection, rows: Sequence[Record], circumstances: Circumstances
) -> RowCounts:
    """Write refunds; one that is known with other values is replaced."""
    told = [_refund(row) for row in rows]
    before = stored.refunds(connection, {one.refund_id for one in told})
    counts, moved = _compared(told, {one.refund_id: one for one in told}, before)
    if moved and not circumstances.is_rehearsal:
        names = {one.payment_id for one in (*moved.values(), *before.values())}
        paid = stored.orders_of(connection, names)
        stored.save_refunds(connection, list(moved.values()), paid)
        entitle_by_orders(connection, (one.order_id for one in paid.values()))
        derive_imported(connection, {one.subscription for one in paid.values() if one.subscription})
    return counts


def _compared(
    told: Sequence[Told], by_name: Mapping[str, Told], before: Mapping[str, Told]
) -> tuple[RowCounts, dict[str, Told]]:
    """Return the rows by what they do to the store, and the new and the changed ones by name."""
    tally: dict[str, int] = defaultdict(int)
    moved: dict[str, Told] = {}
    for name, one in by_name.items():
        known = before.get(name)
        kind = "created" if known is None else "unchanged" if known == one else "updated"
        tally[kind] += 1
        if known != one:
            moved[name] = one
    tally["unchanged"] += len(told) - len(by_name)
    return RowCounts(**tally), moved


def _payment(row: Record) -> Payment:
    succeeded = row.get("status") != PaymentStatus.FAILED
    return Payment(
        row["payment_id"],
        row["ts"],
        row["customer"],
        row.get("sub_id"),
        row.get("product") or "",
        row["currency"],
        row["gross"],
        row.get("tax") or 0,
        row.get("fee") if succeeded else None,
        succeeded,
        row.get("country"),
    )


def _refund(row: Record) -> GivenBack:
    return GivenBack(
        row["refund_id"],
        row["payment_id"],
        row["ts_utc"],
        row["currency"],
        row["gross"],
        row.get("tax"),
        row.get("note") or "",
    )
