"""Importing orders: lines gathered into orders, customers found by address, orders replaced whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from kpay.domain.entitlements import contents_granted
from kpay.domain.imported_orders import ImportedOrder
from kpay.domain.importing import Circumstances, RowCounts
from kpay.services.entitling import BY_ORDER, entitle_by_orders
from kpay.store import catalog, entitlements
from kpay.store import imported_orders as stored


def import_orders(
    connection: Connection,
    orders: Sequence[ImportedOrder],
    circumstances: Circumstances,
    advance: Callable[[int], None],
) -> RowCounts:
    """Write orders and the rights to content that they grant; one that is as the store has it stays."""
    writing = None if circumstances.is_rehearsal else _Writing(connection, orders)
    counts = RowCounts()
    for start in range(0, len(orders), stored.ORDERS_AT_ONCE):
        some = orders[start : start + stored.ORDERS_AT_ONCE]
        new, changed, counted = stored.compare_orders(connection, some)
        if writing is not None:
            writing.write(new, changed)
        counts += counted
        advance(sum(len(order.lines) for order in some))
    if writing is not None:
        writing.entitle()
    return counts


class _Writing:
    """The orders being written in one transaction, and those of them that grant rights."""

    def __init__(self, connection: Connection, orders: Sequence[ImportedOrder]) -> None:
        self._connection = connection
        self._pieces = stored.pieces_by_slug(connection)
        self._customers = stored.customers_by_email(connection, orders)
        self._touched: list[int] = []

    def write(
        self, new: Sequence[ImportedOrder], changed: Sequence[tuple[int, ImportedOrder]]
    ) -> None:
        self._touched += stored.insert_orders(self._connection, new, self._customers, self._pieces)
        stored.replace_orders(self._connection, changed, self._customers, self._pieces)
        self._touched += [order_id for order_id, _ in changed]
        self._end_rights(changed)

    def entitle(self) -> None:
        if self._pieces and self._touched:
            entitle_by_orders(self._connection, self._touched)

    def _end_rights(self, changed: Sequence[tuple[int, ImportedOrder]]) -> None:
        """End what a replaced order granted to somebody else, or for something it no longer holds."""
        orders = {order.order_id: order for _, order in changed}
        included = catalog.included(self._connection) if changed else {}
        for right in entitlements.granted_by(self._connection, BY_ORDER, orders):
            order = orders[right.source_id]
            sold = [self._pieces.get(line.product, stored.NOT_PUBLISHED) for line in order.lines]
            granted = {
                content
                for piece in sold
                if piece.content_id is not None
                for content in contents_granted(piece.content_id, included)
            }
            is_same_person = right.customer_id == self._customers[order.email]
            if right.ended_at is None and not (is_same_person and right.content_id in granted):
                entitlements.end(self._connection, right.id, order.ordered_at, "order_changed")


def totals_of(orders: Sequence[ImportedOrder]) -> dict[str, Any]:
    """Return the number of orders and the gross of each currency, in minor units, for the answer."""
    gross: Counter[str] = Counter()
    for order in orders:
        gross[order.currency] += order.gross_minor
    return {
        "orders": len(orders),
        "gross_by_currency": {
            code: {"gross_minor": minor} for code, minor in sorted(gross.items())
        },
    }
