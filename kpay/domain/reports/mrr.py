"""The MRR report: movements and rates of each month, as figures, pictures, tables and payload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from kpay.domain.document import (
    Block,
    Chart,
    Document,
    Figure,
    Figures,
    Metric,
    Step,
    Text,
    Waterfall,
)
from kpay.domain.money import Money, exponent
from kpay.domain.mrr_policies import OWN, Policy
from kpay.domain.period import Period
from kpay.domain.reports.mrr_months import (
    MOVEMENTS,
    MonthLine,
    money,
    movement_table,
    rate_table,
    signed,
    standing_table,
)
from kpay.domain.reports.mrr_rates import Rates, share
from kpay.domain.reports.mrr_reconciled import Reconciliation
from kpay.domain.reports.scope import Scope
from kpay.domain.subscriptions import MonthOfMrr

MOST_MONTHS_IN_A_FALL: Final = 12


@dataclass(frozen=True)
class MrrReport:
    """MRR month by month in the base currency; `apart` holds currencies that have no rate.

    `shown` are the months that were asked for; the others are there for what looks back.
    """

    scope: Scope
    period: Period
    currency: str
    months: tuple[MonthLine, ...]
    apart: Mapping[str, tuple[MonthLine, ...]]
    shown: tuple[date, ...]
    policy: Policy = OWN
    reconciliation: Reconciliation | None = None

    def to_document(self) -> Document:
        """Show figures of the newest month, the movements, the rates, and the line of MRR."""
        lists = [self.listed, *map(self._listed, self.apart.values())]
        payload = {
            "currency": self.currency,
            "policy": self.policy.name.value,
            "months": [line.payload() for line in lists[0]],
            "apart": {
                code: [line.payload() for line in listed]
                for code, listed in zip(self.apart, lists[1:], strict=True)
            },
            "reconciliation": self.reconciliation.payload() if self.reconciliation else None,
            **self.scope.head(self.period),
        }
        return Document(
            "kpay.report.mrr/1",
            "Monthly recurring revenue",
            tuple(self._blocks(lists)),
            payload,
            subtitle=self.scope.subtitle(self.period),
            next_steps=() if any(lists) else ("kpay sync",),
            metrics=self.metrics(),
        )

    def metrics(self) -> dict[str, Metric]:
        """Return the figures of the newest month that is over; without one none is defined."""
        line = self.newest_whole
        if line is not None:
            found = line.metrics(self.currency)
        else:
            empty = MonthLine(MonthOfMrr(date.min), Rates.of([MonthOfMrr(date.min)]))
            named = empty.metrics(self.currency)
            found = {name: Metric(None, one.currency) for name, one in named.items()}
        return found | (self.reconciliation.metrics() if self.reconciliation else {})

    @property
    def newest_whole(self) -> MonthLine | None:
        """The newest shown month that is over."""
        return newest_whole(self.listed)

    @property
    def listed(self) -> list[MonthLine]:
        """The shown months in the base currency."""
        return self._listed(self.months)

    def _listed(self, months: Sequence[MonthLine]) -> list[MonthLine]:
        return [line for line in months if line.month.first_day in self.shown]

    def _blocks(self, lists: Sequence[Sequence[MonthLine]]) -> list[Block]:
        if not any(lists):
            return [Text("No subscription has paid in these months.")]
        blocks: list[Block] = []
        for code, listed in zip((self.currency, *self.apart), lists, strict=True):
            if listed:
                blocks += self._month_blocks(code, listed)
        if self.reconciliation:
            blocks += self.reconciliation.blocks()
        if self.apart:
            codes = ", ".join(code.upper() for code in self.apart)
            blocks.append(
                Text(f"{codes} stands apart: no rate to {self.currency.upper()} is known.")
            )
        return blocks

    def _month_blocks(self, code: str, listed: Sequence[MonthLine]) -> list[Block]:
        name = code.upper()
        labels = tuple(line.label for line in listed)
        worth = tuple(line.month.end_minor / 10 ** exponent(code) for line in listed)
        blocks: list[Block] = [
            self._figures(code, listed),
            Chart(f"MRR at the end of each month ({name})", labels, worth, style="bars"),
            _fall(code, listed[-MOST_MONTHS_IN_A_FALL:]),
            movement_table(code, listed),
            rate_table(code, listed),
            standing_table(code, listed),
        ]
        if listed[-1].month.is_partial:
            last = self.scope.as_of - timedelta(seconds=1)
            until = Period(last, self.scope.as_of, self.scope.timezone).first_day
            blocks.append(
                Text(
                    f"{listed[-1].month.first_day:%B} is not over: its movements are those up to "
                    f"{until}, and are no month's to compare with."
                )
            )
        return blocks

    def _figures(self, code: str, listed: Sequence[MonthLine]) -> Figures:
        """Show how it stands now, and the rates of the newest month that is over."""
        month, whole = listed[-1].month, newest_whole(listed)
        rates = whole.rates if whole else None
        since = f"since the start of {month.first_day:%B}"
        growth = share(month.end_minor - month.start_minor, month.start_minor)
        more = share(month.subscribers_end - month.subscribers_start, month.subscribers_start)
        line = tuple(float(each.month.end_minor) for each in listed)
        people = tuple(float(each.month.subscribers_end) for each in listed)
        during = f" ({whole.month.first_day:%b %Y})" if whole and whole is not listed[-1] else ""
        ltv = money(rates.ltv_3m_minor if rates else None, code)
        return Figures(
            (
                Figure("MRR", Money(month.end_minor, code), "money", growth, since, line),
                Figure("Subscribers", month.subscribers_end, "count", more, since, people),
                Figure("Per subscriber", money(listed[-1].rates.arpu_minor, code), "money"),
                Figure(
                    f"Revenue churn{during}", rates.gross_churn_share if rates else None, "share"
                ),
                Figure(
                    f"Customer churn{during}", rates.logo_churn_share if rates else None, "share"
                ),
                Figure("Lifetime value (3 months' churn)", ltv, "money"),
            ),
            title=f"{month.first_day:%B %Y}{' so far' if month.is_partial else ''}, {code.upper()}",
        )


def newest_whole(lines: Sequence[MonthLine]) -> MonthLine | None:
    """Return the newest of some months that is over."""
    return next((line for line in reversed(lines) if not line.month.is_partial), None)


def _fall(code: str, lines: Sequence[MonthLine]) -> Waterfall:
    """Lead from the start of the first month to the end of the last by the sums between them."""
    unit = 10 ** exponent(code)
    first, last = lines[0], lines[-1]
    steps = [Step(f"Start of {first.month.first_day:%Y-%m}", first.month.start_minor / unit, True)]
    for name, label in MOVEMENTS[1:-1]:
        moved = sum(signed(line.month, name) for line in lines)
        steps.append(Step(label, moved / unit))
    steps.append(Step(f"End of {last.label}", last.month.end_minor / unit, True))
    title = f"from {first.label} to {last.label}" if first is not last else f"in {last.label}"
    return Waterfall(f"MRR {title}", tuple(steps), unit=code.upper())
