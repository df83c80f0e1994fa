"""Importing orders: lines gathered into orders, customers found by address, orders replaced whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from kpay.domain.imported_orders import ImportedOrder
from kpay.domain.importing import Circumstances, RowCounts
from kpay.store import imported_orders as stored


def import_orders(
    connection: Connection,
    orders: Sequence[ImportedOrder],
    circumstances: Circumstances,
    advance: Callable[[int], None],
) -> RowCounts:
    """Write orders; one that is as the store has it is left alone."""
    pieces = stored.pieces_by_slug(connection)
    customers: dict[str, int] = {}
    if not circumstances.is_rehearsal:
        customers = stored.customers_by_email(connection, orders)
    counts = RowCounts()
    for start in range(0, len(orders), stored.ORDERS_AT_ONCE):
        some = orders[start : start + stored.ORDERS_AT_ONCE]
        new, changed, counted = stored.compare_orders(connection, some, pieces)
        if not circumstances.is_rehearsal:
            stored.insert_orders(connection, new, customers, pieces)
            stored.replace_orders(connection, changed, customers, pieces)
        counts += counted
        advance(sum(len(order.lines) for order in some))
    return counts


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
