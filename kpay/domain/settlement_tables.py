"""The bank's side of the revenue report, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kpay.domain.document import Cell, Column, Table
from kpay.domain.money import Money
from kpay.domain.settlement import SIDES, BankSide, Conversion

HEADINGS: Final = {
    "taken": "Taken",
    "refunds": "Refunds",
    "disputes": "Disputes",
    "fees": "Fees",
    "other": "Other",
    "net": "Net",
    "paid_out": "Paid out",
}
TAKEN_AWAY: Final = frozenset({"refunds", "disputes", "fees"})


def settlement_tables(
    bank: Mapping[str, BankSide], conversions: Sequence[Conversion]
) -> tuple[Table, ...]:
    """Return what the bank sees by currency, and what was sold in other currencies than settled."""
    tables = (_sides(bank), _converted(conversions))
    return tuple(table for table in tables if table.rows)


def _sides(bank: Mapping[str, BankSide]) -> Table:
    columns = (Column("Settled in"), *(Column(HEADINGS[name], "money") for name in SIDES))
    rows: list[tuple[Cell, ...]] = []
    for code, side in bank.items():
        signed = ((name, getattr(side, f"{name}_minor")) for name in SIDES)
        money = (Money(-minor if name in TAKEN_AWAY else minor, code) for name, minor in signed)
        rows.append((code.upper(), *money))
    return Table(columns, tuple(rows), title="What the bank sees")


def _converted(conversions: Sequence[Conversion]) -> Table:
    columns = (
        Column("Sold in"),
        Column("Settled in"),
        Column("Orders", "count"),
        Column("Sold", "money"),
        Column("Settled", "money"),
    )
    rows = tuple(
        (
            one.sold.upper(),
            one.settled.upper(),
            one.orders,
            Money(one.sold_minor, one.sold),
            Money(one.settled_minor, one.settled),
        )
        for one in conversions
    )
    note = "Fees stand in the currency that was settled; two currencies are never added."
    return Table(columns, rows, title="Sold in one currency, settled in another", note=note)
