"""Imported orders in the store: what is there already, and replacing an order whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, delete, insert, select, type_coerce, update

from kpay.domain.enums import OrderKind, OrderStatus
from kpay.domain.imported_orders import ImportedOrder
from kpay.domain.importing import RowCounts
from kpay.domain.period import instant_text
from kpay.models.catalog import Content
from kpay.models.people import Customer
from kpay.models.sales import LineItem, Order, Refund
from kpay.store.dialect import insert_missing, insert_tuples, table_of

SOURCE = "import"
ORDERS_AT_ONCE = 1000

CONTENT = table_of(Content)
ORDER = table_of(Order)
LINE = table_of(LineItem)
REFUND = table_of(Refund)
CUSTOMER = table_of(Customer)


class Piece(NamedTuple):
    """What a product text means when it is the slug of a piece of content."""

    content_id: int | None
    title: str


NOT_PUBLISHED = Piece(None, "")


class Stored(NamedTuple):
    """An imported order as the store has it, in the shape that `_wanted` gives."""

    order_id: int
    header: tuple[Any, ...]
    lines: list[tuple[Any, ...]]
    refunds: list[tuple[Any, ...]]


def pieces_by_slug(connection: Connection) -> dict[str, Piece]:
    """Return every piece of content under its slug."""
    query = select(CONTENT.c.slug, CONTENT.c.id, CONTENT.c.title)
    return {row.slug: Piece(row.id, row.title) for row in connection.execute(query)}


def customers_by_email(connection: Connection, orders: Iterable[ImportedOrder]) -> dict[str, int]:
    """Return the customer of every address, created where there is none; fill in missing names.

    A customer's name or country that is known already is never overwritten.
    """
    people: dict[str, dict[str, Any]] = {}
    for order in sorted(orders, key=lambda order: order.ordered_at):
        person = people.setdefault(
            order.email,
            {
                "email": order.email,
                "name": "",
                "country": None,
                "tags": [],
                "created_at": order.ordered_at,
            },
        )
        person["name"] = person["name"] or order.name
        person["country"] = person["country"] or order.country
    insert_missing(connection, Customer, list(people.values()), key=["email"])
    known = connection.execute(
        select(CUSTOMER.c.id, CUSTOMER.c.email, CUSTOMER.c.name, CUSTOMER.c.country)
    ).all()
    for row in known:
        _fill_in(connection, row.id, row.name, row.country, people.get(row.email))
    return {row.email: row.id for row in known}


def _fill_in(
    connection: Connection,
    customer_id: int,
    name: str,
    country: str | None,
    person: Mapping[str, Any] | None,
) -> None:
    if person is None:
        return
    better = {"name": name or person["name"], "country": country or person["country"]}
    if better != {"name": name, "country": country}:
        connection.execute(update(CUSTOMER).where(CUSTOMER.c.id == customer_id).values(better))


def compare_orders(
    connection: Connection, orders: Sequence[ImportedOrder]
) -> tuple[list[ImportedOrder], list[tuple[int, ImportedOrder]], RowCounts]:
    """Return the orders that are new, those that differ (with their row), and the rows counted.

    One that was imported as a payment stays: that knows its tax and its fee, which no order tells.
    """
    names = [order.order_id for order in orders]
    stored, payments = _stored(connection, names), _imported_payments(connection, names)
    new: list[ImportedOrder] = []
    changed: list[tuple[int, ImportedOrder]] = []
    created = updated = unchanged = 0
    for order in orders:
        known = stored.get(order.order_id)
        if order.order_id in payments:
            unchanged += len(order.lines)
        elif known is None:
            new.append(order)
            created += len(order.lines)
        elif known[1:] != (_header(order), _lines(order), _refunds(order)):
            changed.append((known.order_id, order))
            updated += len(order.lines)
        else:
            unchanged += len(order.lines)
    return new, changed, RowCounts(created, updated, unchanged)


def insert_orders(
    connection: Connection,
    orders: Sequence[ImportedOrder],
    customers: Mapping[str, int],
    pieces: Mapping[str, Piece],
) -> list[int]:
    """Insert orders that are not there yet, with their lines and refunds; return their ids."""
    if not orders:
        return []
    connection.execute(insert(ORDER), [_order_row(order, customers) for order in orders])
    ids = _order_ids(connection, [order.order_id for order in orders])
    _insert_parts(connection, [(ids[order.order_id], order) for order in orders], pieces)
    return list(ids.values())


def replace_orders(
    connection: Connection,
    orders: Sequence[tuple[int, ImportedOrder]],
    customers: Mapping[str, int],
    pieces: Mapping[str, Piece],
) -> None:
    """Write orders anew under the rows that they have: header, lines and refunds."""
    if not orders:
        return
    ids = [order_id for order_id, _ in orders]
    connection.execute(delete(LINE).where(LINE.c.order_id.in_(ids)))
    connection.execute(delete(REFUND).where(REFUND.c.order_id.in_(ids)))
    for order_id, order in orders:
        row = _order_row(order, customers)
        connection.execute(update(ORDER).where(ORDER.c.id == order_id).values(row))
    _insert_parts(connection, orders, pieces)


def _insert_parts(
    connection: Connection,
    orders: Sequence[tuple[int, ImportedOrder]],
    pieces: Mapping[str, Piece],
) -> None:
    lines = [line for order_id, order in orders for line in _line_rows(order_id, order, pieces)]
    insert_tuples(connection, LineItem, LINE_COLUMNS, lines)
    refunds = [
        _refund_row(order_id, order, refund)
        for order_id, order in orders
        for refund in _refunds(order)
    ]
    if refunds:
        connection.execute(insert(REFUND), refunds)


LINE_COLUMNS = ("order_id", "position", "content_id", "product", "name", "quantity", "amount_minor")


def _line_rows(
    order_id: int, order: ImportedOrder, pieces: Mapping[str, Piece]
) -> Iterator[tuple[int | str | None, ...]]:
    for position, line in enumerate(order.lines):
        piece = pieces.get(line.product, NOT_PUBLISHED)
        name = piece.title or line.product
        yield (
            order_id, position, piece.content_id, line.product, name, line.quantity, line.amount_minor,
        )  # fmt: skip


def _header(order: ImportedOrder) -> tuple[Any, ...]:
    return (
        order.email,
        instant_text(order.ordered_at),
        order.currency,
        order.gross_minor,
        order.country,
    )


def _lines(order: ImportedOrder) -> list[tuple[Any, ...]]:
    return [
        (position, line.product, line.quantity, line.amount_minor)
        for position, line in enumerate(order.lines)
    ]


def _refunds(order: ImportedOrder) -> list[tuple[Any, ...]]:
    return [
        (
            f"{order.order_id}:{position}",
            line.refunded_minor,
            instant_text(line.refunded_at or order.ordered_at),
        )
        for position, line in enumerate(order.lines)
        if line.refunded_minor
    ]


def _order_row(order: ImportedOrder, customers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "source": SOURCE,
        "account": "",
        "livemode": False,
        "external_id": order.order_id,
        "customer_id": customers[order.email],
        "email": order.email,
        "ordered_at": order.ordered_at,
        "currency": order.currency,
        "gross_minor": order.gross_minor,
        "discount_minor": 0,
        "tax_minor": 0,
        "total_minor": order.gross_minor,
        "status": OrderStatus.PAID.value,
        "kind": OrderKind.ONE_TIME.value,
        "country": order.country,
        "tracking": {},
    }


def _refund_row(order_id: int, order: ImportedOrder, refund: tuple[Any, ...]) -> dict[str, Any]:
    external_id, amount_minor, refunded_at = refund
    return {
        "source": SOURCE,
        "account": "",
        "livemode": False,
        "external_id": external_id,
        "order_id": order_id,
        "amount_minor": amount_minor,
        "currency": order.currency,
        "status": "succeeded",
        "refunded_at": datetime.fromisoformat(refunded_at),
    }


def _stored(connection: Connection, order_ids: Sequence[str]) -> dict[str, Stored]:
    found = {
        row.id: (row.external_id, Stored(row.id, tuple(row[2:]), [], []))
        for row in connection.execute(
            select(
                ORDER.c.id,
                ORDER.c.external_id,
                ORDER.c.email,
                type_coerce(
                    ORDER.c.ordered_at, Text
                ),  # as text: parsing a time costs more than all
                ORDER.c.currency,
                ORDER.c.gross_minor,
                ORDER.c.country,
            ).where(ORDER.c.source == SOURCE, ORDER.c.external_id.in_(order_ids))
        )
    }
    compared = ("order_id", "position", "product", "quantity", "amount_minor")
    lines = select(*(LINE.c[name] for name in compared)).order_by(LINE.c.order_id, LINE.c.position)
    for row in connection.execute(lines.where(LINE.c.order_id.in_(list(found)))):
        found[row.order_id][1].lines.append(tuple(row[1:]))
    refunds = select(
        REFUND.c.order_id,
        REFUND.c.external_id,
        REFUND.c.amount_minor,
        type_coerce(REFUND.c.refunded_at, Text),
    ).order_by(REFUND.c.id)
    for row in connection.execute(refunds.where(REFUND.c.order_id.in_(list(found)))):
        found[row.order_id][1].refunds.append(tuple(row[1:]))
    return dict(found.values())


def _imported_payments(connection: Connection, order_ids: Sequence[str]) -> set[str]:
    query = select(ORDER.c.external_id).where(
        ORDER.c.source == SOURCE,
        ORDER.c.charge_id.is_not(None),
        ORDER.c.external_id.in_(order_ids),
    )
    return set(connection.scalars(query))


def _order_ids(connection: Connection, external_ids: Sequence[str]) -> dict[str, int]:
    query = select(ORDER.c.external_id, ORDER.c.id).where(
        ORDER.c.source == SOURCE, ORDER.c.external_id.in_(external_ids)
    )
    return {row.external_id: row.id for row in connection.execute(query)}
