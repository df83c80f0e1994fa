"""The revenue report: from gross to net per currency, by month, as figures, tables and payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kpay.domain.base_tables import base_table
from kpay.domain.base_takings import InBase
from kpay.domain.document import Block, Cell, Chart, Column, Document, Metric, Table, Text
from kpay.domain.money import Money, exponent
from kpay.domain.period import Period
from kpay.domain.reports.scope import Scope, is_whole_month, month_label
from kpay.domain.revenue import KEYS, Takings
from kpay.domain.settlement import BankSide, Conversion
from kpay.domain.settlement_tables import settlement_tables

HEADINGS = {
    "gross": "Gross",
    "discounts": "Discounts",
    "tax": "Tax",
    "refunds": "Refunds",
    "disputes": "Disputes",
    "fees": "Fees",
    "net": "Net",
}
TAKEN_AWAY = frozenset(KEYS) - {"gross", "net"}
BASE_METRICS = (
    "gross_sales",
    "one_time_sales",
    "subscription_sales",
    "net_revenue",
    "tax_collected",
)
BASE_COUNTS = ("failed_payments", "paying_customers")


@dataclass(frozen=True)
class RevenueReport:
    """Takings of a period: in all, by month, and for a line; and what the bank's side says.

    `orders_without_fee` are paid orders whose fee is not known, so that net is before their fees;
    `currency` is whose figures go by name, where it is not the main one.
    """

    scope: Scope
    period: Period
    totals: Mapping[str, Takings]
    months: tuple[tuple[date, Mapping[str, Takings]], ...]
    line: tuple[tuple[str, Mapping[str, Takings]], ...]
    bank: Mapping[str, BankSide]
    base: InBase
    orders_without_fee: int = 0
    conversions: tuple[Conversion, ...] = ()
    currency: str = ""

    def to_document(self) -> Document:
        """Show gross to net of each currency, then month by month."""
        if not self.totals:
            blocks: list[Block] = [Text("Nothing was sold in these days.")]
            steps: tuple[str, ...] = ("kpay sync", "kpay import orders FILE")
        else:
            blocks = [
                self._gross_to_net(),
                *self._charts(),
                *self._by_month(),
                *base_table(self.base, self._known),
                *settlement_tables(self.bank, self.conversions),
                *self._notes(),
            ]
            steps = ("kpay import fx FILE",) if self.base.apart else ()
        return Document(
            "kpay.report.revenue/1",
            "Revenue",
            tuple(blocks),
            self._payload(),
            subtitle=self.scope.subtitle(self.period),
            next_steps=steps,
            metrics=self._metrics(),
        )

    @property
    def main_currency(self) -> str:
        """The base currency, or where nothing moved in it, the one with most orders."""
        if self.currency:
            return self.currency
        if not self.totals or self.base.currency in self.totals:
            return self.base.currency
        return max(self.totals, key=lambda code: self.totals[code].orders)

    def _metrics(self) -> dict[str, Metric]:
        """Figures of the main currency, and those that are told in the base currency."""
        main, total = self.main_currency, self.base.total
        own = self.totals.get(main, Takings())
        found = {key: Metric(getattr(own, f"{key}_minor"), main) for key in (*KEYS, "payouts")}
        found |= {"orders": Metric(own.orders), "customers": Metric(own.customers)}
        for key in BASE_METRICS:
            found[key] = Metric(getattr(total, f"{key}_minor"), self.base.currency)
        counts = {name: Metric(getattr(total, name)) for name in BASE_COUNTS}
        return found | counts

    @property
    def _known(self) -> Period:
        return self.scope.known(self.period)

    def _payload(self) -> dict[str, Any]:
        partial = self._partial()
        return {
            **self.scope.head(self.period),
            "currencies": {code: sums.to_json() for code, sums in self.totals.items()},
            "months": [
                {
                    "month": f"{month:%Y-%m}",
                    "is_partial": month in partial,
                    "currencies": {code: sums.to_json() for code, sums in each.items()},
                }
                for month, each in self.months
            ],
            "in_base": self.base.to_json(partial),
            "bank": {code: side.to_json() for code, side in self.bank.items()},
            "conversions": [one.to_json() for one in self.conversions],
            "orders_without_fee": self.orders_without_fee,
        }

    def _partial(self) -> frozenset[date]:
        """The months of which a part lies outside, or has not come yet."""
        return frozenset(day for day, _ in self.months if not is_whole_month(day, self._known))

    def _gross_to_net(self) -> Table:
        columns = (Column("Figure"), *(Column(code.upper(), "money") for code in self.totals))
        rows: list[tuple[Cell, ...]] = [
            (HEADINGS[key], *(_signed(sums, key, code) for code, sums in self.totals.items()))
            for key in KEYS
        ]
        counts: list[tuple[Cell, ...]] = [
            ("Orders", *(sums.orders for sums in self.totals.values())),
            ("Customers", *(sums.customers for sums in self.totals.values())),
        ]
        return Table(columns, (*rows, *counts), title="From gross to net")

    def _charts(self) -> list[Chart]:
        labels = tuple(label for label, _ in self.line)
        return [
            Chart(
                f"Net ({code.upper()})",
                labels,
                tuple(
                    each.get(code, Takings()).net_minor / 10 ** exponent(code)
                    for _, each in self.line
                ),
                style="bars",
            )
            for code in self.totals
        ]

    def _by_month(self) -> list[Table]:
        columns = (
            *(Column(HEADINGS[key], "money") for key in KEYS),
            Column("Orders", "count"),
            Column("Customers", "count"),
        )
        kinds = (
            Column("One-time sales", "money"),
            Column("Subscription sales", "money"),
            Column("Failed payments", "count"),
            Column("Paid out", "money"),
        )
        labelled = [(month_label(day, self._known), each) for day, each in self.months]
        tables: list[Table] = []
        for code in self.totals:
            month = Column(f"Month ({code.upper()})")
            rows = tuple(_month_row(label, each, code) for label, each in labelled)
            tables.append(Table((month, *columns), rows, title=f"By month ({code.upper()})"))
            rows = tuple(_kinds_row(label, each, code) for label, each in labelled)
            title, note = f"Kinds of sales ({code.upper()})", "Sales are without tax."
            tables.append(Table((month, *kinds), rows, title=title, note=note))
        return tables

    def _notes(self) -> list[Text]:
        if not self.orders_without_fee:
            return []
        count = f"{self.orders_without_fee:,}"
        plural = "order has" if self.orders_without_fee == 1 else "orders have"
        return [Text(f"{count} {plural} no fee on record; net is before it.")]


def _signed(sums: Takings, key: str, code: str) -> Money:
    minor = int(getattr(sums, f"{key}_minor"))
    return Money(-minor if key in TAKEN_AWAY else minor, code)


def _month_row(label: str, each: Mapping[str, Takings], code: str) -> tuple[Cell, ...]:
    sums = each.get(code, Takings())
    money = (_signed(sums, key, code) for key in KEYS)
    return (label, *money, sums.orders, sums.customers)


def _kinds_row(label: str, each: Mapping[str, Takings], code: str) -> tuple[Cell, ...]:
    sums = each.get(code, Takings())
    return (
        label,
        Money(sums.one_time_sales_minor, code),
        Money(sums.subscription_sales_minor, code),
        sums.failed_payments,
        Money(sums.payouts_minor, code),
    )
