"""The campaigns report: what each mail caused, whom it drove away, what it cost, and its ROI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kpay.domain.campaign_results import WINDOW_DAYS
from kpay.domain.document import Block, Cell, Column, Document, Kind, Metric, Table, Text
from kpay.domain.experiment import Interval
from kpay.domain.money import Money
from kpay.domain.period import Period
from kpay.domain.pooled_results import PooledResults
from kpay.domain.reports.campaign_row import CampaignRow, Earned, paid_off_words
from kpay.domain.reports.scope import Scope

METHOD = (
    f"Incremental net revenue is what the mailed paid beyond what the held-out did within {WINDOW_DAYS} "
    "days of the first message, whatever brought them, after tax, refunds, lost disputes and fees. ROI is "
    "(incremental net - cost) / cost, blank where no cost is known. Ranges hold the truth 95 times of 100."
)
SENT, MONEY = "count", "money"


@dataclass(frozen=True)
class CampaignsReport:
    """Campaigns by their first message, and all finished ones with a held-out group together.

    `mails_to_come` is how many mails a reader who stays will get in a year. `unsent` are costs whose
    campaign sent nothing in the period, by currency.
    """

    scope: Scope
    period: Period
    currency: str
    rows: tuple[CampaignRow, ...]
    pooled: PooledResults
    together: Earned
    mails_to_come: float
    unsent: Mapping[str, int]

    def to_document(self) -> Document:
        """Show each campaign, all together, and a verdict in words on each."""
        blocks: tuple[Block, ...] = (Text("No campaign began to go out in these days."),)
        if self.rows:
            blocks = (self._earned(), self._people(), *map(Text, self._sentences()))
        return Document(
            "kpay.report.campaigns/1",
            "Campaigns",
            blocks,
            self._payload(),
            subtitle=self.scope.subtitle(self.period),
            next_steps=self._next_steps(),
            metrics=self._metrics(),
        )

    def _payload(self) -> dict[str, Any]:
        return {
            **self.scope.head(self.period),
            "currency": self.currency,
            "window_days": WINDOW_DAYS,
            "campaigns": [row.to_json() for row in self.rows],
            "pooled": {
                "campaigns": [one.campaign for one in self.pooled.sends],
                **self.together.to_json(),
                "verdict": self.pooled.verdict,
            },
            "left_out": [
                {"campaign": name, "why": why} for name, why in self.pooled.left_out.items()
            ],
            "mails_to_come": round(self.mails_to_come, 2),
            "costs_without_campaign": [
                {"currency": code, "amount_minor": minor}
                for code, minor in sorted(self.unsent.items())
            ],
        }

    def _earned(self) -> Table:
        headings: tuple[tuple[str, Kind], ...] = (
            ("Campaign", "text"),
            ("First message", "day"),
            ("Incremental net", "money"),
            ("low 95 %", "money"),
            ("high 95 %", "money"),
            ("Cost", "money"),
            ("ROI", "share"),
            ("low 95 %", "share"),
            ("high 95 %", "share"),
        )
        rows: list[tuple[Cell, ...]] = [
            (row.results.campaign, row.results.since.date(), *self._money_cells(row.earned))
            for row in self.rows
        ]
        if len(self.pooled.sends) > 1:
            rows.append(("Together", None, *self._money_cells(self.together)))
        columns = tuple(Column(heading, kind) for heading, kind in headings)
        return Table(columns, tuple(rows), title="What was earned")

    def _money_cells(self, earned: Earned) -> tuple[Cell, ...]:
        cost = Money(earned.cost_minor, self.currency) if earned.cost_minor else None
        found = earned.return_on_cost
        roi = (found.estimate, found.low, found.high) if found else (None, None, None)
        return (*self._amounts(earned.incremental), cost, *roi)

    def _amounts(self, found: Interval | None) -> tuple[Cell, ...]:
        if found is None:
            return (None, None, None)
        values = (found.estimate, found.low, found.high)
        return tuple(Money(round(value), self.currency) for value in values)

    def _people(self) -> Table:
        headings: tuple[tuple[str, Kind], ...] = (
            ("Campaign", "text"),
            ("Sent", "count"),
            ("Held out", "count"),
            ("Left, mailed", "count"),
            ("Left, held out", "count"),
            ("Left because of it", "count"),
            ("Complaints", "count"),
            ("Cost of attention", "money"),
            ("low 95 %", "money"),
            ("high 95 %", "money"),
        )
        rows: list[tuple[Cell, ...]] = [
            (row.results.campaign, *self._people_cells(row.earned)) for row in self.rows
        ]
        if len(self.pooled.sends) > 1:
            rows.append(("Together", *self._people_cells(self.together)))
        columns = tuple(Column(heading, kind) for heading, kind in headings)
        return Table(columns, tuple(rows), title="Whom it drove away")

    def _people_cells(self, earned: Earned) -> tuple[Cell, ...]:
        caused = earned.caused_to_leave
        return (
            earned.sent,
            earned.net.held_out.people,
            earned.left.treated.buyers,
            earned.left.held_out.buyers,
            round(caused.estimate) if caused else None,
            earned.complained.treated.buyers,
            *self._amounts(earned.attention),
        )

    def _sentences(self) -> list[str]:
        each = [f"{row.results.campaign}: {row.verdict}" for row in self.rows]
        together = [f"Together: {self.pooled.verdict}"]
        found = self.together.return_on_cost
        if found is not None and len(self.pooled.sends) > 1:
            cost, code = self.together.cost_minor, self.currency
            together.append(f"Together: {paid_off_words(found, cost, code)}")
        return [*each, *together, METHOD, self._attention(), *self._costs()]

    def _attention(self) -> str:
        return (
            "Cost of attention: who leaves because of a mail misses about "
            f"{self.mails_to_come:.0f} mails of the coming year, each worth what a message earned on "
            "average. It is an estimate, and no part of the ROI."
        )

    def _costs(self) -> list[str]:
        other = sorted({code for row in self.rows for code in row.earned.costs} - {self.currency})
        said = [
            f"Costs in {code.upper()} are not turned into {self.currency.upper()}: campaigns with some "
            "have no ROI."
            for code in other
        ]
        sums = [str(Money(minor, code)) for code, minor in sorted(self.unsent.items())]
        if sums:
            said.append(
                f"{' and '.join(sums)} was spent on campaigns that sent nothing in these days."
            )
        return said

    def _next_steps(self) -> tuple[str, ...]:
        if not self.rows:
            return ("kpay campaign list",)
        if not any(row.earned.costs for row in self.rows):
            return ("kpay import costs FILE",)
        return ()

    def _metrics(self) -> dict[str, Metric]:
        found, code = self.together, self.currency
        net, roi, lost = found.incremental, found.return_on_cost, found.attention
        caused = found.caused_to_leave
        spent = sum(row.earned.cost_minor for row in self.rows)
        return {
            "incremental_net": Metric(round(net.estimate) if net else None, code),
            "roi": Metric(round(roi.estimate, 6) if roi else None),
            "unsubscribes_caused": Metric(round(caused.estimate, 6) if caused else None),
            "attention_cost": Metric(round(lost.estimate) if lost else None, code),
            "messages": Metric(sum(row.earned.sent for row in self.rows)),
            "campaign_cost": Metric(spent, code),
        }
