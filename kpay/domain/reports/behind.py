"""What is behind a figure: the rows that add up to it, each with whom and what it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpay.domain.document import Cell, Column, Document, Kind, Table, Text
from kpay.domain.money import Money
from kpay.domain.period import Period, instant_text
from kpay.domain.reports.scope import Scope


@dataclass(frozen=True, slots=True)
class BehindRow:
    """One thing that a figure is made of; `provider` is the id it has where it came from.

    `amount` is in the unit of the figure (minor units for money, 1 for something counted), signed as
    it enters the sum.
    """

    at: datetime | None
    customer: str
    what: str
    amount: int
    provider: str


@dataclass(frozen=True)
class Behind:
    """A figure of a period and the rows that add up to it; `currency` is None for a count."""

    metric: str
    scope: Scope
    period: Period
    value: int
    rows: tuple[BehindRow, ...]
    currency: str | None = None
    note: str = ""

    def to_document(self) -> Document:
        """List the rows, oldest first, and their sum beside the figure."""
        kind: Kind = "money" if self.currency else "count"
        columns = (
            Column("When", "instant"),
            Column("Customer"),
            Column("What"),
            Column("Amount", kind),
            Column("Provider's id"),
        )
        rows: Sequence[tuple[Cell, ...]] = [
            (row.at, row.customer, row.what, self._cell(row.amount), row.provider)
            for row in self.rows
        ]
        total = sum(row.amount for row in self.rows)
        last: tuple[Cell, ...] = (None, "", "Together", self._cell(total), "")
        notes = [Text(self.note)] if self.note else []
        return Document(
            "kpay.report.explain/1",
            f"Behind {self.metric}",
            (Table(columns, (*rows, last)), *notes),
            self._payload(total),
            subtitle=self.scope.subtitle(self.period),
        )

    def _cell(self, amount: int) -> Money | int:
        return Money(amount, self.currency) if self.currency else amount

    def _payload(self, total: int) -> dict[str, Any]:
        unit = "_minor" if self.currency else ""
        return {
            **self.scope.head(self.period),
            "metric": self.metric,
            "currency": self.currency,
            f"value{unit}": self.value,
            f"rows_total{unit}": total,
            "rows": [
                {
                    "at": instant_text(row.at) if row.at else None,
                    "customer": row.customer,
                    "what": row.what,
                    f"amount{unit}": row.amount,
                    "provider": row.provider,
                }
                for row in self.rows
            ],
        }
