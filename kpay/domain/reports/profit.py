"""The profit report: what is left after costs by month, and what a new customer costs and brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kpay.domain.base_takings import InBase
from kpay.domain.document import (
    Block,
    Cell,
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Metric,
    Table,
    Text,
)
from kpay.domain.money import Money, exponent
from kpay.domain.period import Period
from kpay.domain.profit import Acquisition, ProfitMonth
from kpay.domain.reports.scope import Scope, is_whole_month, month_label

MARKETING_RULE = (
    "Marketing is every cost whose kind has a word for it (ads, advertising, marketing, promotion, "
    "sponsoring, affiliates, influencers, SEO, campaign) or that names a campaign."
)
MONTHLY_RULE = (
    "CAC is marketing for each customer whose first order lies in these days; payback is CAC divided by "
    "the net revenue of a customer in a month in which they pay."
)
SUMS = ("net_revenue", "other_income", "costs", "profit", "marketing")


@dataclass(frozen=True)
class ProfitReport:
    """Profit of a period in the base currency, month by month and in all.

    `apart` are costs and income in currencies without a rate, which are not inside.
    """

    scope: Scope
    period: Period
    base: InBase
    months: tuple[ProfitMonth, ...]
    total: ProfitMonth
    acquisition: Acquisition
    apart: Mapping[str, Mapping[str, int]]

    def to_document(self) -> Document:
        """Show what is left, by month, then what a customer costs and brings."""
        return Document(
            "kpay.report.profit/1",
            "Profit",
            tuple(self._blocks()),
            self._payload(),
            subtitle=self.scope.subtitle(self.period),
            next_steps=self._next_steps(),
            metrics=self._metrics(),
        )

    def _next_steps(self) -> tuple[str, ...]:
        missing = [] if self.total.costs else ["kpay import costs FILE"]
        missing += ["kpay import fx FILE"] if self.apart or self.base.apart else []
        return tuple(missing)

    @property
    def _code(self) -> str:
        return self.scope.base_currency

    @property
    def _known(self) -> Period:
        return self.scope.known(self.period)

    def _label(self, one: ProfitMonth) -> str:
        return month_label(one.first_day, self._known)

    def _blocks(self) -> list[Block]:
        labels = tuple(self._label(one) for one in self.months)
        worth = tuple(one.profit_minor / 10 ** exponent(self._code) for one in self.months)
        blocks: list[Block] = [self._figures()]
        if not self.total.costs:
            blocks.append(
                Text("No cost is known in these days, so profit is all of it.", "warning")
            )
        chart = Chart(f"Profit ({self._code.upper()})", labels, worth, style="bars")
        blocks += [chart, self._by_month(), *self._by_kind(), self._customers()]
        sentences = [*self.base.sentences(), *self._apart_in_words()]
        return blocks + [Text(sentence) for sentence in sentences]

    def _figures(self) -> Figures:
        total, won = self.total, self.acquisition
        line = tuple(float(one.profit_minor) for one in self.months)
        return Figures(
            (
                Figure("Profit", self._money(total.profit_minor), "money", line=line),
                Figure("Margin", total.margin_share, "share"),
                Figure("Net revenue", self._money(total.net_revenue_minor), "money"),
                Figure("Costs", self._money(total.costs_minor), "money"),
                Figure("Cost of a new customer", self._money(won.cac_minor), "money"),
                Figure("Payback, months", won.payback_months, "number"),
                Figure("LTV : CAC", won.ltv_mrr_cac or won.ltv_observed_cac, "number"),
            ),
            title=f"In {self._code.upper()}",
        )

    def _money(self, minor: int | None) -> Money | None:
        return None if minor is None else Money(minor, self._code)

    def _by_month(self) -> Table:
        columns = (
            Column(f"Month ({self._code.upper()})"),
            Column("Net revenue", "money"),
            Column("Other income", "money"),
            Column("Costs", "money"),
            Column("Profit", "money"),
            Column("Margin", "share"),
        )
        rows = [(self._label(one), *self._cells(one)) for one in self.months]
        together = ("Together", *self._cells(self.total))
        return Table(columns, (*rows, together), title="Profit by month")

    def _cells(self, one: ProfitMonth) -> tuple[Cell, ...]:
        return (
            self._money(one.net_revenue_minor),
            self._money(one.other_income_minor),
            self._money(-one.costs_minor),
            self._money(one.profit_minor),
            one.margin_share,
        )

    def _by_kind(self) -> list[Table]:
        columns = (Column("Month"), Column("Kind of cost"), Column("Amount", "money"))
        rows: list[tuple[Cell, ...]] = [
            (self._label(one), kind, self._money(minor))
            for one in self.months
            for kind, minor in one.costs.items()
        ]
        if not rows:
            return []
        return [Table(columns, tuple(rows), title="Costs by month and kind", note=MARKETING_RULE)]

    def _customers(self) -> Table:
        won, why = self.acquisition, self.acquisition.reasons()
        observed = won.observed.each_minor
        rows: list[tuple[Cell, ...]] = [
            ("Marketing", self._money(won.marketing_minor), None),
            ("New customers", won.new_customers, None),
            ("Cost of a new customer (CAC)", self._money(won.cac_minor), why.get("cac")),
            ("Net revenue of a customer and month", self._money(won.monthly_minor), None),
            ("Payback, paying months", won.payback_months, why.get("payback_months")),
            ("LTV by the MRR report", self._money(won.ltv_mrr_minor), why.get("ltv_mrr")),
            ("LTV by the MRR report : CAC", won.ltv_mrr_cac, why.get("ltv_mrr_cac")),
            ("Brought in the first 12 months", self._money(observed), why.get("ltv_observed")),
            ("Brought in 12 months : CAC", won.ltv_observed_cac, why.get("ltv_observed_cac")),
        ]
        columns = (Column("Figure"), Column("Value", "number"), Column("Why there is none"))
        told = tuple((label, value, reason or "") for label, value, reason in rows)
        return Table(columns, told, title="What a customer costs and brings", note=MONTHLY_RULE)

    def _apart_in_words(self) -> list[str]:
        found = []
        for code, sums in self.apart.items():
            costs, income = (Money(sums[name], code) for name in ("costs", "other_income"))
            base = self._code.upper()
            found.append(
                f"Costs of {costs} and other income of {income} stand apart: no rate from "
                f"{code.upper()} to {base} is known."
            )
        return found

    def _metrics(self) -> dict[str, Metric]:
        total, won, code = self.total, self.acquisition, self._code
        money = {name: Metric(getattr(total, f"{name}_minor"), code) for name in SUMS}
        return {
            **money,
            "margin_share": Metric(total.margin_share),
            "new_customers": Metric(won.new_customers),
            "cac": Metric(won.cac_minor, code),
            "payback_months": Metric(won.payback_months),
            "ltv_mrr_cac": Metric(won.ltv_mrr_cac),
            "ltv_observed": Metric(won.observed.each_minor, code),
            "ltv_observed_cac": Metric(won.ltv_observed_cac),
        }

    def _payload(self) -> dict[str, Any]:
        won = self.acquisition
        return {
            **self.scope.head(self.period),
            "currency": self._code,
            "total": _sums(self.total),
            "months": [
                {
                    "month": f"{one.first_day:%Y-%m}",
                    "is_partial": not is_whole_month(one.first_day, self._known),
                    **_sums(one),
                }
                for one in self.months
            ],
            "converted": {code: rates.to_json() for code, rates in self.base.converted.items()},
            "apart": {
                code: {f"{name}_minor": minor for name, minor in sums.items()}
                for code, sums in self.apart.items()
            },
            "revenue_apart": list(self.base.apart),
            "customers": {
                "marketing_minor": won.marketing_minor,
                "new_customers": won.new_customers,
                "cac_minor": won.cac_minor,
                "customer_months": won.customer_months,
                "monthly_minor": won.monthly_minor,
                "payback_months": won.payback_months,
                "ltv_mrr_minor": won.ltv_mrr_minor,
                "ltv_mrr_cac": won.ltv_mrr_cac,
                "observed_customers": won.observed.customers,
                "ltv_observed_minor": won.observed.each_minor,
                "ltv_observed_cac": won.ltv_observed_cac,
                "why_not": won.reasons(),
            },
        }


def _sums(one: ProfitMonth) -> dict[str, Any]:
    money = {f"{name}_minor": getattr(one, f"{name}_minor") for name in SUMS}
    costs = {kind: {"amount_minor": minor} for kind, minor in one.costs.items()}
    return {**money, "margin_share": one.margin_share, "costs_by_kind": costs}
