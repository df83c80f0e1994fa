"""The cohorts report: who stays of each month's subscribers, and who buys again of its buyers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kpay.domain.cohorts import Cohort, pooled_share
from kpay.domain.document import (
    Block,
    Cell,
    Column,
    Document,
    Figure,
    Figures,
    HeatMap,
    Kind,
    Metric,
    Table,
    Text,
)
from kpay.domain.money import Money
from kpay.domain.period import Period
from kpay.domain.reports.scope import Scope

LOOKED_AT: Final = (1, 3, 6, 12)
SMALL: Final = 20


@dataclass(frozen=True)
class CohortsReport:
    """Cohorts in the base currency, the oldest first; currencies `apart` have no rate to it."""

    scope: Scope
    period: Period
    currency: str
    subscribers: tuple[Cohort, ...]
    buyers: tuple[Cohort, ...]
    apart: tuple[str, ...]

    def to_document(self) -> Document:
        """Show both kinds of cohorts as heat maps and tables."""
        has_any = bool(self.subscribers or self.buyers)
        payload = {
            "currency": self.currency,
            "cohorts": _payloads(self.subscribers, _subscriber_payload),
            "purchase_cohorts": _payloads(self.buyers, _buyer_payload),
            "all_cohorts": {
                name: metric.value
                for name, metric in self.metrics().items()
                if name.endswith("_share")
            },
            "apart": list(self.apart),
            **self.scope.head(self.period),
        }
        return Document(
            "kpay.report.cohorts/1",
            "Cohorts",
            tuple(self._blocks()) if has_any else (Text("Nobody has paid in these months."),),
            payload,
            subtitle=self.scope.subtitle(self.period),
            next_steps=() if has_any else ("kpay sync",),
            metrics=self.metrics(),
        )

    def metrics(self) -> dict[str, Metric]:
        """Return shares over all cohorts old enough, and the sizes of the newest ones."""
        found = {}
        for k in LOOKED_AT:
            found[f"retained_{k}m_share"] = Metric(pooled_share(self.subscribers, k))
            found[f"repeated_{k}m_share"] = Metric(pooled_share(self.buyers, k))
        found["subscriber_cohort"] = Metric(_newest_size(self.subscribers))
        found["buyer_cohort"] = Metric(_newest_size(self.buyers))
        return found

    def _blocks(self) -> list[Block]:
        blocks: list[Block] = [self._figures()]
        if self.subscribers:
            blocks += self._subscriber_blocks()
        if self.buyers:
            blocks += self._buyer_blocks()
        if any(one.size < SMALL for one in (*self.subscribers, *self.buyers)):
            blocks.append(
                Text(f"Of fewer than {SMALL} people, one is 5 % or more: read such rows with care.")
            )
        if self.apart:
            codes = ", ".join(code.upper() for code in self.apart)
            blocks.append(
                Text(f"{codes} is not in these sums: no rate to {self.currency.upper()} is known.")
            )
        return blocks

    def _figures(self) -> Figures:
        metrics = self.metrics()
        figures = [
            Figure(
                f"Still paying after {_months(k)}", metrics[f"retained_{k}m_share"].value, "share"
            )
            for k in LOOKED_AT
            if self.subscribers
        ]
        figures += [
            Figure(f"Bought again in {_months(k)}", metrics[f"repeated_{k}m_share"].value, "share")
            for k in LOOKED_AT
            if self.buyers
        ]
        return Figures(tuple(figures), title="All cohorts that are old enough")

    def _subscriber_blocks(self) -> list[Block]:
        of = self.subscribers
        name = self.currency.upper()
        note = (
            "By the month of the first recurring payment; at the end of the month, k months later."
        )
        return [
            _heat("Subscribers who still pay", of, Cohort.people_share, note),
            _heat("Recurring revenue that is left", of, Cohort.revenue_share, note),
            self._table(f"MRR of each cohort ({name})", of, lambda one, k: one.revenue_minor[k]),
        ]

    def _buyer_blocks(self) -> list[Block]:
        of = self.buyers
        name = self.currency.upper()
        note = (
            "By the month of the first order; those who had bought again by the end of the month, "
            "k months later. Orders of people whom nobody knows are left out."
        )
        return [
            _heat("Buyers who bought again", of, Cohort.people_share, note),
            self._table(
                f"Revenue per customer so far ({name})",
                of,
                Cohort.per_customer_minor,
                "Orders without tax less refunds, since the first order; other currencies at the rate "
                "of the month.",
            ),
        ]

    def _table(
        self,
        title: str,
        cohorts: Sequence[Cohort],
        minor_at: Callable[[Cohort, int], int | None],
        note: str = "",
    ) -> Table:
        width = _width(cohorts)
        columns = (
            Column("Cohort"),
            Column("Size", "count"),
            *(Column(str(k), "money") for k in range(width)),
        )
        rows = []
        for one in cohorts:
            cells: list[Cell] = [f"{one.first_day:%Y-%m}", one.size]
            for k in range(width):
                minor = minor_at(one, k)
                cells.append(None if minor is None else Money(minor, self.currency))
            rows.append(tuple(cells))
        return Table(columns, tuple(rows), title=title, note=note)


def _width(cohorts: Sequence[Cohort]) -> int:
    """Return how many months the oldest cohort has seen."""
    return max((sum(cell is not None for cell in one.people) for one in cohorts), default=0)


def _payloads(
    cohorts: Sequence[Cohort], payload: Callable[[Cohort, int], dict[str, Any]]
) -> list[dict[str, Any]]:
    width = _width(cohorts)
    return [payload(one, width) for one in cohorts]


def _heat(
    title: str,
    cohorts: Sequence[Cohort],
    share_at: Callable[[Cohort, int], float | None],
    note: str,
) -> HeatMap:
    width = _width(cohorts)
    shares = [[share_at(one, k) for k in range(width)] for one in cohorts]
    kind: Kind = "share"
    return HeatMap(
        title,
        tuple(f"{one.first_day:%Y-%m} ({one.size:,})" for one in cohorts),
        tuple(str(k) for k in range(width)),
        tuple(tuple(None if share is None else min(1.0, max(0.0, share)) for share in row)
              for row in shares),
        tuple(tuple(row) for row in shares),
        kind,
        note,
    )  # fmt: skip


def _months(count: int) -> str:
    return "a month" if count == 1 else f"{count} months"


def _newest_size(cohorts: Sequence[Cohort]) -> int | None:
    """Return how many began in the newest month that is over."""
    whole = [one for one in cohorts if one.people[0] is not None]
    return whole[-1].size if whole else None


def _subscriber_payload(one: Cohort, width: int) -> dict[str, Any]:
    return {
        "cohort": f"{one.first_day:%Y-%m}",
        "size": one.size,
        "retained": list(one.people[:width]),
        "retained_share": [one.people_share(k) for k in range(width)],
        "revenue_minor": list(one.revenue_minor[:width]),
        "revenue_share": [one.revenue_share(k) for k in range(width)],
    }


def _buyer_payload(one: Cohort, width: int) -> dict[str, Any]:
    return {
        "cohort": f"{one.first_day:%Y-%m}",
        "size": one.size,
        "repeated": list(one.people[:width]),
        "repeated_share": [one.people_share(k) for k in range(width)],
        "revenue_minor": list(one.revenue_minor[:width]),
        "revenue_per_customer_minor": [one.per_customer_minor(k) for k in range(width)],
    }
