"""Lines of an imported file gathered into orders: the rows with one order_id are one order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from kpay.domain.import_values import Complaint
from kpay.domain.money import LARGEST_MINOR


class ImportedLine(NamedTuple):
    """One line: `refunded_minor` of its amount went back at `refunded_at` (or with the order)."""

    line: int
    product: str
    quantity: int
    amount_minor: int
    refunded_minor: int
    refunded_at: datetime | None


@dataclass(slots=True)
class ImportedOrder:
    """One order as the file tells it; its time is the earliest of its lines."""

    order_id: str
    email: str
    currency: str
    ordered_at: datetime
    name: str = ""
    country: str | None = None
    lines: list[ImportedLine] = field(default_factory=list)

    @property
    def gross_minor(self) -> int:
        """The sum of the lines, in minor units."""
        return sum(line.amount_minor for line in self.lines)


class OrderGathering:
    """Gathers lines into orders, wherever in the file they stand.

    An order with one wrong line is left out whole: half an order would be a wrong amount of money.
    """

    def __init__(self) -> None:
        self._orders: dict[str, ImportedOrder] = {}
        self._first_bad: dict[str, int] = {}

    def add(self, line: int, values: Mapping[str, Any]) -> list[Complaint]:
        """Add one well-formed line; return what does not fit the order it belongs to."""
        order_id = values["order_id"]
        order = self._orders.get(order_id)
        if order is None:
            order = self._orders[order_id] = ImportedOrder(
                order_id, values["email"], values["currency"], values["ordered_at"]
            )
        imported = _line(line, values)
        order.lines.append(imported)
        _complete(order, values)
        complaints = _misfits(order, imported, values)
        if complaints:
            self.spoil(order_id, line)
        return complaints

    def spoil(self, order_id: str | None, line: int) -> None:
        """Remember that an order has a wrong line."""
        if order_id is not None:
            self._first_bad.setdefault(order_id, line)

    def whole_orders(self) -> list[ImportedOrder]:
        """Return the orders without a wrong line, in the order of their first line."""
        return [order for key, order in self._orders.items() if key not in self._first_bad]

    def too_large(self) -> Iterator[tuple[int, str]]:
        """Yield the last line of each order whose lines add up to more than kpay keeps, spoiling it."""
        for order in self.whole_orders():
            if order.gross_minor > LARGEST_MINOR:
                last = order.lines[-1].line
                self.spoil(order.order_id, last)
                yield last, "its order is larger than any amount kpay keeps"

    def lines_left_out(self) -> Iterator[tuple[int, int]]:
        """Yield each line of a spoiled order and the line that spoiled it."""
        for order_id, spoiled_by in self._first_bad.items():
            order = self._orders.get(order_id)
            for line in order.lines if order else ():
                yield line.line, spoiled_by


def _line(line: int, values: Mapping[str, Any]) -> ImportedLine:
    amount = values["amount"]
    refunded = values.get("refunded")
    refunded_minor = amount if refunded is True else int(refunded or 0)
    return ImportedLine(
        line,
        values.get("product") or "",
        values.get("quantity") or 1,
        amount,
        refunded_minor,
        values.get("refunded_at") if refunded_minor else None,
    )


def _complete(order: ImportedOrder, values: Mapping[str, Any]) -> None:
    if values["ordered_at"] < order.ordered_at:
        order.ordered_at = values["ordered_at"]
    if not order.name:
        order.name = values.get("name") or ""
    if order.country is None:
        order.country = values.get("country")


def _misfits(
    order: ImportedOrder, line: ImportedLine, values: Mapping[str, Any]
) -> list[Complaint]:
    if (
        values["currency"] == order.currency
        and values["email"] == order.email
        and line.refunded_minor <= line.amount_minor
    ):
        return []
    complaints = [
        (
            name,
            f"{values[name]!r}, but order {order.order_id!r} has {expected!r} on an earlier line",
        )
        for name, expected in (("currency", order.currency), ("email", order.email))
        if values[name] != expected
    ]
    if line.refunded_minor > line.amount_minor:
        complaints.append(("refunded", "is more than the amount of the line"))
    return complaints
