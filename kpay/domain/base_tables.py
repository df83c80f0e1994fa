"""The base currency's view of revenue, as a table."""

from __future__ import annotations

from typing import Final

from kpay.domain.base_takings import KEYS, BaseTakings, InBase
from kpay.domain.document import Cell, Column, Table, Text
from kpay.domain.money import Money
from kpay.domain.period import Period
from kpay.domain.reports.scope import month_label

HEADINGS: Final = {
    "gross_sales": "Sales",
    "one_time_sales": "One-time",
    "subscription_sales": "Subscriptions",
    "refunds": "Refunds",
    "disputes": "Disputes",
    "fees": "Fees",
    "net_revenue": "Net revenue",
    "tax_collected": "Tax",
}
TAKEN_AWAY: Final = frozenset({"refunds", "disputes", "fees"})


def base_table(base: InBase, known: Period) -> tuple[Table | Text, ...]:
    """Return the months in the base currency where others were converted; and which stand apart."""
    if not base.converted:
        return tuple(Text(sentence) for sentence in base.sentences())
    code = base.currency.upper()
    columns = (
        Column(f"Month (in {code})"),
        *(Column(HEADINGS[key], "money") for key in KEYS),
        Column("Failed payments", "count"),
        Column("Paying customers", "count"),
    )
    rows = [(month_label(day, known), *_cells(each, base.currency)) for day, each in base.months]
    rows.append(("Together", *_cells(base.total, base.currency)))
    note = " ".join((*base.sentences(), "Sales and refunds are without tax."))
    return (Table(columns, tuple(rows), title=f"All in {code}", note=note),)


def _cells(sums: BaseTakings, code: str) -> tuple[Cell, ...]:
    money = (Money(_signed(key, int(getattr(sums, f"{key}_minor"))), code) for key in KEYS)
    return (*money, sums.failed_payments, sums.paying_customers)


def _signed(key: str, minor: int) -> int:
    return -minor if key in TAKEN_AWAY else minor
