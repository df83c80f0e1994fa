"""The MRR report: movements and rates of each month, as figures, tables and payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from kpay.domain.document import Block, Cell, Chart, Column, Document, Figure, Figures, Table, Text
from kpay.domain.money import Money, exponent
from kpay.domain.period import Period
from kpay.domain.reports.mrr_rates import Rates, month_payload, share
from kpay.domain.reports.scope import Scope
from kpay.domain.subscriptions import MonthOfMrr

MOVEMENTS = (
    ("start_minor", "Start"),
    ("new_minor", "New"),
    ("expansion_minor", "Expansion"),
    ("reactivation_minor", "Back"),
    ("contraction_minor", "Contraction"),
    ("churn_minor", "Churn"),
    ("fx_minor", "FX"),
    ("end_minor", "End"),
)


@dataclass(frozen=True)
class MrrReport:
    """MRR month by month in the base currency; `apart` holds currencies that have no rate.

    `shown` are the months that were asked for; the others are there for what looks back.
    """

    scope: Scope
    period: Period
    currency: str
    months: tuple[MonthOfMrr, ...]
    apart: Mapping[str, tuple[MonthOfMrr, ...]]
    shown: tuple[date, ...]

    def to_document(self) -> Document:
        """Show figures of the newest month, the movements, the rates, and the line of MRR."""
        lists = [self._listed(self.months), *map(self._listed, self.apart.values())]
        payload = {
            "currency": self.currency,
            "months": [month_payload(*pair) for pair in lists[0]],
            "apart": {
                code: [month_payload(*pair) for pair in listed]
                for code, listed in zip(self.apart, lists[1:], strict=True)
            },
            **self.scope.head(self.period),
        }
        return Document(
            "kpay.report.mrr/1",
            "Monthly recurring revenue",
            tuple(self._blocks(lists)),
            payload,
            subtitle=self.scope.subtitle(self.period),
            next_steps=() if any(lists) else ("kpay sync",),
        )

    def _listed(self, months: Sequence[MonthOfMrr]) -> list[tuple[MonthOfMrr, Rates]]:
        return [
            (month, Rates.of(months[max(0, index - 2) : index + 1]))
            for index, month in enumerate(months)
            if month.first_day in self.shown
        ]

    def _blocks(self, lists: Sequence[Sequence[tuple[MonthOfMrr, Rates]]]) -> list[Block]:
        if not any(lists):
            return [Text("No subscription has paid in these months.")]
        blocks: list[Block] = []
        for code, listed in zip((self.currency, *self.apart), lists, strict=True):
            if listed:
                blocks += [*_month_blocks(code, listed)]
        if self.apart:
            codes = ", ".join(code.upper() for code in self.apart)
            blocks.append(
                Text(f"{codes} stands apart: no rate to {self.currency.upper()} is known.")
            )
        return blocks


def _month_blocks(code: str, listed: Sequence[tuple[MonthOfMrr, Rates]]) -> list[Block]:
    name = code.upper()
    labels = tuple(f"{month.first_day:%Y-%m}" for month, _ in listed)
    worth = tuple(month.end_minor / 10 ** exponent(code) for month, _ in listed)
    return [
        _figures(code, listed),
        Chart(f"MRR at the end of each month ({name})", labels, worth, style="bars"),
        _movement_table(code, [month for month, _ in listed]),
        _rate_table(code, listed),
    ]


def _figures(code: str, listed: Sequence[tuple[MonthOfMrr, Rates]]) -> Figures:
    month, rates = listed[-1]
    growth = share(month.end_minor - month.start_minor, month.start_minor)
    line = tuple(float(each.end_minor) for each, _ in listed)
    people = tuple(float(each.subscribers_end) for each, _ in listed)
    more = share(month.subscribers_end - month.subscribers_start, month.subscribers_start)
    since = "in the month"
    ltv = rates.ltv_3m_minor
    return Figures(
        (
            Figure("MRR", Money(month.end_minor, code), "money", growth, since, line),
            Figure("Subscribers", month.subscribers_end, "count", more, since, people),
            Figure("Per subscriber", _money(rates.arpu_minor, code), "money"),
            Figure("Revenue churn", rates.gross_churn_share, "share"),
            Figure("Customer churn", rates.logo_churn_share, "share"),
            Figure("Lifetime value", _money(ltv, code), "money"),
        ),
        title=f"{month.first_day:%B %Y}, {code.upper()}",
    )


def _money(minor: int | None, code: str) -> Money | None:
    return None if minor is None else Money(minor, code)


def _movement_table(code: str, months: Sequence[MonthOfMrr]) -> Table:
    columns = (
        Column(f"Month ({code.upper()})"),
        *(Column(heading, "money") for _, heading in MOVEMENTS),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            f"{month.first_day:%Y-%m}",
            *(Money(_signed(month, name), code) for name, _ in MOVEMENTS),
        )
        for month in months
    )
    return Table(columns, rows, title=f"Movements ({code.upper()})")


def _signed(month: MonthOfMrr, name: str) -> int:
    minor = int(getattr(month, name))
    return -minor if name in ("contraction_minor", "churn_minor") else minor


def _rate_table(code: str, listed: Sequence[tuple[MonthOfMrr, Rates]]) -> Table:
    columns = (
        Column(f"Month ({code.upper()})"),
        Column("Subscribers", "count"),
        Column("Per subscriber", "money"),
        Column("Gross churn", "share"),
        Column("Net churn", "share"),
        Column("Customers lost", "share"),
        Column("Involuntary", "money"),
        Column("Quick ratio", "number"),
        Column("LTV", "money"),
    )
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            f"{month.first_day:%Y-%m}",
            month.subscribers_end,
            _money(rates.arpu_minor, code),
            rates.gross_churn_share,
            rates.net_churn_share,
            rates.logo_churn_share,
            Money(month.churn_involuntary_minor, code),
            rates.quick_ratio,
            _money(rates.ltv_minor, code),
        )
        for month, rates in listed
    )
    note = "Churn is a share of what the month began with; a dash is not defined."
    return Table(columns, rows, title=f"Rates ({code.upper()})", note=note)
