"""Imported payments and refunds in the store: orders with one line, and their share of the balance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, select, update

from kpay.domain.address import is_plausible
from kpay.domain.enums import OrderKind, OrderStatus
from kpay.models.billing import BalanceTransaction
from kpay.models.sales import LineItem, Order, Refund
from kpay.store import imported_people
from kpay.store.dialect import among, table_of, update_many, upsert_rows
from kpay.store.imported_orders import SOURCE, Piece
from kpay.store.imported_people import ELSEWHERE

ORDERS = table_of(Order)
LINES = table_of(LineItem)
REFUNDS = table_of(Refund)
BALANCE = table_of(BalanceTransaction)
ORDER_KEY = ["source", "account", "livemode", "external_id"]
BALANCE_KEY = ["account", "livemode", "external_id"]
OURS = {"account": ELSEWHERE.id, "livemode": ELSEWHERE.livemode}


class Payment(NamedTuple):
    """A payment as a file has it; amounts in minor units, tax inside the gross."""

    payment_id: str
    at: datetime
    customer: str
    subscription: str | None
    product: str
    currency: str
    gross_minor: int
    tax_minor: int
    fee_minor: int | None
    succeeded: bool
    country: str | None


class GivenBack(NamedTuple):
    """A refund as a file has it; without `tax_minor` the payment's share of tax is inside it."""

    refund_id: str
    payment_id: str
    at: datetime
    currency: str
    gross_minor: int
    tax_minor: int | None
    note: str


class Paid(NamedTuple):
    """The order of a payment, for what refers to it."""

    order_id: int
    currency: str
    total_minor: int
    is_paid: bool
    subscription: str | None


def payments(connection: Connection, names: Iterable[str] | None = None) -> dict[str, Payment]:
    """Return imported payments by their id, oldest first; without names, all of them."""
    columns = ORDERS.c
    booked = and_(
        BALANCE.c.source_external_id == columns.charge_id,
        BALANCE.c.account == columns.account,
        BALANCE.c.kind == "charge",
    )
    query = (
        select(ORDERS, LINES.c.product, BALANCE.c.fee_minor)
        .outerjoin(LINES, LINES.c.order_id == columns.id)
        .outerjoin(BALANCE, booked)
        .where(columns.source == SOURCE, columns.charge_id.is_not(None))
        .order_by(columns.ordered_at, columns.external_id)
    )
    if names is not None:
        query = query.where(among(columns.external_id, names))
    rows = list(connection.execute(query))
    nameless = {row.customer_id for row in rows if not row.email and row.customer_id}
    called = imported_people.called(connection, nameless)
    return {row.external_id: _payment(row, called) for row in rows}


def _payment(row: Any, called: Mapping[int, str]) -> Payment:
    return Payment(
        row.external_id,
        row.ordered_at,
        row.email or called.get(row.customer_id, ""),
        row.subscription_id,
        row.product or "",
        row.currency,
        row.total_minor,
        row.tax_minor,
        row.fee_minor,
        row.status == OrderStatus.PAID.value,
        row.country,
    )


def of_other_imports(connection: Connection, names: Iterable[str]) -> set[str]:
    """Return which ids are those of orders that `kpay import orders` brought."""
    columns = ORDERS.c
    query = select(columns.external_id).where(
        columns.source == SOURCE, columns.charge_id.is_(None), among(columns.external_id, names)
    )
    return set(connection.scalars(query))


def save_payments(
    connection: Connection,
    found: Sequence[Payment],
    people: Mapping[str, int],
    pieces: Mapping[str, Piece],
) -> list[int]:
    """Write payments as orders with a line, and what they moved on the balance; return the orders."""
    rows = [_order_row(one, people[one.customer]) for one in found]
    upsert_rows(connection, Order, rows, key=ORDER_KEY)
    paid = orders_of(connection, [one.payment_id for one in found])
    lines = [_line_row(one, paid[one.payment_id].order_id, pieces) for one in found]
    upsert_rows(connection, LineItem, lines, key=["order_id", "position"])
    booked = [row for one in found if (row := _charge_row(one)) is not None]
    upsert_rows(connection, BalanceTransaction, booked, key=BALANCE_KEY)
    kept = {row["external_id"] for row in booked}
    gone = {_charge_name(one) for one in found} - kept
    connection.execute(
        delete(BALANCE).where(BALANCE.c.account == ELSEWHERE.id, among(BALANCE.c.external_id, gone))
    )
    return [one.order_id for one in paid.values()]


def orders_of(connection: Connection, names: Iterable[str]) -> dict[str, Paid]:
    """Return the order of each imported payment that is there."""
    columns = ORDERS.c
    query = select(
        columns.external_id,
        columns.id,
        columns.currency,
        columns.total_minor,
        columns.status == OrderStatus.PAID.value,
        columns.subscription_id,
    ).where(
        columns.source == SOURCE, columns.charge_id.is_not(None), among(columns.external_id, names)
    )
    return {name: Paid(*row) for name, *row in connection.execute(query)}


def tell_first_from_later(connection: Connection, subscriptions: Iterable[str]) -> None:
    """Let the first payment of each subscription that came be its start, and later ones renewals."""
    columns = ORDERS.c
    query = (
        select(columns.id, columns.subscription_id, columns.status, columns.kind)
        .where(columns.source == SOURCE, among(columns.subscription_id, subscriptions))
        .order_by(columns.ordered_at, columns.external_id)
    )
    begun: set[str] = set()
    changed = []
    for row in connection.execute(query):
        is_later = row.subscription_id in begun
        kind = (OrderKind.RENEWAL if is_later else OrderKind.SUBSCRIPTION_START).value
        if row.status == OrderStatus.PAID.value:
            begun.add(row.subscription_id)
        if kind != row.kind:
            changed.append({"which": row.id, "new_kind": kind})
    statement = update(ORDERS).where(columns.id == bindparam("which"))
    update_many(connection, statement.values(kind=bindparam("new_kind")), changed)


def refunds(connection: Connection, names: Iterable[str] | None = None) -> dict[str, GivenBack]:
    """Return imported refunds of payments by their id, oldest first; without names, all of them."""
    columns = REFUNDS.c
    query = (
        select(REFUNDS)
        .where(columns.source == SOURCE, columns.charge_id.is_not(None))
        .order_by(columns.refunded_at, columns.external_id)
    )
    if names is not None:
        query = query.where(among(columns.external_id, names))
    return {
        row.external_id: GivenBack(
            row.external_id,
            row.charge_id,
            row.refunded_at,
            row.currency,
            row.amount_minor,
            row.tax_minor,
            row.reason or "",
        )
        for row in connection.execute(query)
    }


def given_back(connection: Connection, payments: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return what was given back of some payments: minor units by refund."""
    columns = REFUNDS.c
    query = select(columns.charge_id, columns.external_id, columns.amount_minor).where(
        columns.source == SOURCE, among(columns.charge_id, payments)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for payment, refund, minor in connection.execute(query):
        found[payment][refund] = minor
    return found


def save_refunds(
    connection: Connection, found: Sequence[GivenBack], paid: Mapping[str, Paid]
) -> None:
    """Write refunds, and what they took from the balance."""
    rows = [_refund_row(one, paid[one.payment_id].order_id) for one in found]
    upsert_rows(connection, Refund, rows, key=ORDER_KEY)
    booked = [_refund_movement(one) for one in found]
    upsert_rows(connection, BalanceTransaction, booked, key=BALANCE_KEY)


def _order_row(one: Payment, customer_id: int) -> dict[str, Any]:
    of_subscription = one.subscription is not None
    kind = OrderKind.SUBSCRIPTION_START if of_subscription else OrderKind.ONE_TIME
    return OURS | {
        "source": SOURCE,
        "external_id": one.payment_id,
        "customer_id": customer_id,
        "email": one.customer if is_plausible(one.customer) else None,
        "ordered_at": one.at,
        "currency": one.currency,
        "gross_minor": one.gross_minor,
        "discount_minor": 0,
        "tax_minor": one.tax_minor,
        "total_minor": one.gross_minor,
        "status": (OrderStatus.PAID if one.succeeded else OrderStatus.FAILED).value,
        "kind": kind.value,
        "country": one.country,
        "charge_id": one.payment_id,
        "subscription_id": one.subscription,
        "tracking": {},
    }


def _line_row(one: Payment, order_id: int, pieces: Mapping[str, Piece]) -> dict[str, Any]:
    piece = pieces.get(one.product, Piece(None, ""))
    return {
        "order_id": order_id,
        "position": 0,
        "content_id": piece.content_id,
        "product": one.product,
        "name": piece.title or one.product,
        "quantity": 1,
        "amount_minor": one.gross_minor,
    }


def _charge_name(one: Payment) -> str:
    return f"charge:{one.payment_id}"


def _charge_row(one: Payment) -> dict[str, Any] | None:
    if one.fee_minor is None or not one.succeeded:
        return None
    return _movement(
        _charge_name(one), "charge", one.payment_id, one.gross_minor, one.fee_minor
    ) | {"currency": one.currency, "created_at": one.at}


def _refund_movement(one: GivenBack) -> dict[str, Any]:
    return _movement(f"refund:{one.refund_id}", "refund", one.refund_id, -one.gross_minor, 0) | {
        "currency": one.currency,
        "created_at": one.at,
    }


def _movement(
    name: str, kind: str, source: str, amount_minor: int, fee_minor: int
) -> dict[str, Any]:
    return OURS | {
        "external_id": name,
        "kind": kind,
        "amount_minor": amount_minor,
        "fee_minor": fee_minor,
        "net_minor": amount_minor - fee_minor,
        "source_external_id": source,
        "status": "available",
    }


def _refund_row(one: GivenBack, order_id: int) -> dict[str, Any]:
    return OURS | {
        "source": SOURCE,
        "external_id": one.refund_id,
        "order_id": order_id,
        "charge_id": one.payment_id,
        "amount_minor": one.gross_minor,
        "currency": one.currency,
        "status": "succeeded",
        "reason": one.note or None,
        "balance_transaction_external_id": f"refund:{one.refund_id}",
        "tax_minor": one.tax_minor,
        "refunded_at": one.at,
    }
