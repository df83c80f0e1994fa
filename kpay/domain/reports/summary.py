"""The summary report: the first figures to look at, each beside the same days before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpay.domain.document import (
    Block,
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
from kpay.domain.period import Period, instant_text, local_day
from kpay.domain.reports.measured import Measured, RecentOrder, Seller
from kpay.domain.reports.scope import Scope, before_in_words
from kpay.domain.revenue import Takings


@dataclass(frozen=True)
class Summary:
    """Five to seven figures of one currency, what sold best, the newest orders, other currencies."""

    scope: Scope
    period: Period
    before: Period
    year_before: Period
    currency: str
    figures: tuple[Measured, ...]
    labels: tuple[str, ...]
    sellers: tuple[Seller, ...]
    recent: tuple[RecentOrder, ...]
    others: Mapping[str, Takings]
    last_sale_at: datetime | None

    def to_document(self) -> Document:
        """Show the figures first, then what is behind them."""
        blocks: list[Block] = [*self._silence(), self._figures()]
        blocks += [self._chart()] if any(self.figures[0].line) else []
        blocks += [table for table in self._tables() if table.rows]
        return Document(
            "kpay.report.summary/1",
            "Summary",
            tuple(blocks),
            self._payload(),
            subtitle=self.scope.subtitle(self.period),
            next_steps=self._next_steps(),
            metrics=self._metrics(),
        )

    def _metrics(self) -> dict[str, Metric]:
        """Name the figures and their changes, and how many days ago the provider was read."""
        found: dict[str, Metric] = {}
        for measured in self.figures:
            found[measured.name] = Metric(measured.now, measured.currency)
            found[f"{measured.name}_change_share"] = Metric(measured.change)
            found[f"{measured.name}_year_change_share"] = Metric(measured.year_change)
        found["days_since_sync"] = Metric(self.scope.days_since_sync)
        found["days_since_sale"] = Metric(
            (self.scope.as_of - self.last_sale_at).days if self.last_sale_at else None
        )
        return found

    def _is_silent(self) -> bool:
        return not any(figure.now for figure in self.figures if figure.name == "orders")

    def _silence(self) -> list[Text]:
        if not self._is_silent():
            return []
        if self.last_sale_at is None:
            return [Text("No sale is known yet.", "warning")]
        day = local_day(self.last_sale_at, self.scope.timezone)
        return [Text(f"Nothing was sold in these days; the newest sale was on {day}.", "warning")]

    def _next_steps(self) -> tuple[str, ...]:
        if self.last_sale_at is None:
            return ("kpay sync", "kpay import orders FILE")
        if self._is_silent():
            day = local_day(self.last_sale_at, self.scope.timezone)
            return (f"kpay report --month {day:%Y-%m}",)
        return ("kpay report revenue", "kpay report mrr")

    def _figures(self) -> Figures:
        return Figures(
            tuple(
                Figure(
                    measured.label,
                    measured.shown,
                    measured.kind,
                    measured.change,
                    before_in_words(self.period),
                    measured.line,
                    measured.year_change,
                    "vs year before",
                )
                for measured in self.figures
            )
        )

    def _chart(self) -> Chart:
        net = self.figures[0]
        scale = 10 ** exponent(self.currency)
        values = tuple(value / scale for value in net.line)
        return Chart(f"{net.label} ({self.currency.upper()})", self.labels, values)

    def _tables(self) -> list[Table]:
        sellers = tuple(
            (seller.title, seller.orders, Money(seller.gross_minor, seller.currency))
            for seller in self.sellers
        )
        recent = tuple(
            (order.ordered_at, _what(order), Money(order.total_minor, order.currency))
            for order in self.recent
        )
        others = tuple(
            (code.upper(), takings.orders, Money(takings.net_minor, code))
            for code, takings in self.others.items()
        )
        what = (Column("What"), Column("Orders", "count"), Column("Gross", "money"))
        when = (Column("When", "instant"), Column("What"), Column("Paid", "money"))
        money = (Column("Currency"), Column("Orders", "count"), Column("Net", "money"))
        return [
            Table(what, sellers, title="What sold best"),
            Table(when, recent, title="Newest orders"),
            Table(money, others, title="In other currencies"),
        ]

    def _payload(self) -> dict[str, Any]:
        return {
            **self.scope.head(self.period),
            "currency": self.currency,
            "before": self.before.to_json(),
            "year_before": self.year_before.to_json(),
            "figures": {measured.name: self._figure(measured) for measured in self.figures},
            "top_content": [
                {
                    "content": seller.content,
                    "title": seller.title,
                    "orders": seller.orders,
                    "gross_minor": seller.gross_minor,
                    "currency": seller.currency,
                }
                for seller in self.sellers
            ],
            "recent_orders": [
                {
                    "order": order.order,
                    "ordered_at": instant_text(order.ordered_at),
                    "title": order.title,
                    "total_minor": order.total_minor,
                    "currency": order.currency,
                }
                for order in self.recent
            ],
            "other_currencies": {code: each.to_json() for code, each in self.others.items()},
            "last_sale_at": instant_text(self.last_sale_at) if self.last_sale_at else None,
        }

    def _figure(self, measured: Measured) -> dict[str, Any]:
        suffix = "_minor" if measured.kind == "money" else ""
        return {
            **({"currency": measured.currency} if measured.currency else {}),
            f"value{suffix}": measured.now,
            f"before{suffix}": measured.before,
            f"year_before{suffix}": measured.year_before,
            "change_share": measured.change,
            "year_change_share": measured.year_change,
        }


def _what(order: RecentOrder) -> str:
    more = order.lines - 1
    return f"{order.title} and {more} more" if more > 0 else order.title
