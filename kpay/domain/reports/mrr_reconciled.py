"""kpay's figures of one month beside another tool's, with each difference named and its amount."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from kpay.domain.document import Block, Cell, Column, Kind, Metric, Table, Text
from kpay.domain.money import Money
from kpay.domain.mrr_policies import DOCUMENTED, Difference, Policy
from kpay.domain.reports.mrr_months import MonthLine
from kpay.domain.reports.mrr_rates import SHARE_DIGITS

FIGURES: Final = (
    ("mrr_end", "MRR at the end"),
    ("new", "New"),
    ("expansion", "Expansion"),
    ("reactivation", "Back"),
    ("contraction", "Contraction"),
    ("churn", "Churn"),
    ("fx", "FX"),
)
SHARES: Final = (
    ("gross_churn_share", "Gross revenue churn"),
    ("net_churn_share", "Net revenue churn"),
    ("logo_churn_share", "Customer churn"),
)
Number = int | float | None


@dataclass(frozen=True)
class Reconciliation:
    """A month by kpay's policy, and after each rule that another policy changes.

    `after` has one line for each of `differences`; the last is the month by the other's policy.
    """

    policy: Policy
    currency: str
    own: MonthLine
    differences: tuple[Difference, ...]
    after: tuple[MonthLine, ...]

    def steps(self, name: str) -> tuple[Number, list[Number], Number]:
        """Return kpay's figure, the change by each rule, and the other's figure."""
        values = [self._value(line, name) for line in (self.own, *self.after)]
        changes = [
            None if before is None or after is None else _tidy(after - before)
            for before, after in pairwise(values)
        ]
        return values[0], changes, values[-1]

    def _value(self, line: MonthLine, name: str) -> Number:
        return line.metrics(self.currency)[name].value

    def metrics(self) -> dict[str, Metric]:
        """Return what each rule does to the MRR at the month's end, by name."""
        _, changes, _ = self.steps("mrr_end")
        return {
            f"difference_{one.name}": Metric(change, self.currency)
            for one, change in zip(self.differences, changes, strict=True)
        }

    def payload(self) -> dict[str, Any]:
        """Return the object `reconciliation`."""
        return {
            "policy": self.policy.name.value,
            "documented": DOCUMENTED,
            "month": f"{self.own.month.first_day:%Y-%m}",
            "is_partial": self.own.month.is_partial,
            "differences": [
                {"name": one.name, "words": one.words, "explain": f"difference_{one.name}"}
                for one in self.differences
            ],
            "figures": [self._row_payload(name, "_minor") for name, _ in FIGURES],
            "shares": [self._row_payload(name, "") for name, _ in SHARES],
            "not_followed": list(self.policy.beyond),
        }

    def _row_payload(self, name: str, unit: str) -> dict[str, Any]:
        own, changes, theirs = self.steps(name)
        named = zip(self.differences, changes, strict=True)
        return {
            "metric": name,
            f"kpay{unit}": own,
            f"differences{unit}": {one.name: change for one, change in named},
            f"policy{unit}": theirs,
        }

    def blocks(self) -> Iterator[Block]:
        """Say whose rules these are, and lead from kpay's figures to theirs."""
        title = self.policy.title
        month = f"{self.own.month.first_day:%B %Y}{' so far' if self.own.month.is_partial else ''}"
        yield Text(
            f"These are {title}'s rules as documented in {DOCUMENTED}. "
            f"What leads from kpay's figures to {title}'s, {month}:"
        )
        yield self._table(FIGURES, "money", "Figure")
        yield self._table(SHARES, "share", "Share")
        for sentence in (*(one.words for one in self.differences), *self._not_followed()):
            yield Text(sentence)

    def _not_followed(self) -> Sequence[str]:
        return [f"Not followed: {sentence}" for sentence in self.policy.beyond]

    def _table(self, names: Sequence[tuple[str, str]], kind: Kind, heading: str) -> Table:
        columns = (
            Column(heading),
            Column("kpay", kind),
            *(Column(one.title, kind) for one in self.differences),
            Column(self.policy.title, kind),
        )
        rows: list[tuple[Cell, ...]] = []
        for name, label in names:
            own, changes, theirs = self.steps(name)
            rows.append((label, *(self._cell(one, kind) for one in (own, *changes, theirs))))
        title = f"From kpay to {self.policy.title}: {heading.lower()}s"
        return Table(columns, tuple(rows), title=title)

    def _cell(self, value: Number, kind: Kind) -> Cell:
        return Money(int(value), self.currency) if kind == "money" and value is not None else value


def _tidy(change: float) -> float:
    return round(change, SHARE_DIGITS) if isinstance(change, float) else change
