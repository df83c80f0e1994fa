"""The tax report: what was sold and taxed by country and rate, and what of it is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kpay.domain.day_rates import RateRange
from kpay.domain.document import (
    Block,
    Cell,
    Column,
    Document,
    Figure,
    Figures,
    Metric,
    Table,
    Text,
)
from kpay.domain.money import Money
from kpay.domain.period import Period
from kpay.domain.reports.scope import Scope
from kpay.domain.taxing import UNKNOWN, ByPlace, Place, TaxSums, together

COLUMNS = (
    Column("Country"),
    Column("Rate", "share"),
    Column("Orders", "count"),
    Column("Sales", "money"),
    Column("Tax", "money"),
    Column("Refunds", "money"),
    Column("Tax refunded", "money"),
    Column("Tax due", "money"),
)
NOTE = (
    "Sales and refunds are without tax. Rates are read off the amounts: the roundest rate, to a tenth "
    "of a percent, that gives the tax."
)


@dataclass(frozen=True)
class TaxReport:
    """Tax of a period in every currency as it was charged, and all of it in the base currency."""

    scope: Scope
    period: Period
    currencies: Mapping[str, ByPlace]
    base: ByPlace
    converted: Mapping[str, RateRange]
    apart: tuple[str, ...]

    def to_document(self) -> Document:
        """Show what is due, then every country and rate of each currency."""
        return Document(
            "kpay.report.tax/1",
            "Tax",
            tuple(self._blocks()),
            self._payload(),
            subtitle=self.scope.subtitle(self.period),
            next_steps=self._next_steps(),
            metrics=self._metrics(),
        )

    def _next_steps(self) -> tuple[str, ...]:
        if not self.currencies:
            return ("kpay sync", "kpay import payments FILE")
        return ("kpay import fx FILE",) if self.apart else ()

    def _blocks(self) -> list[Block]:
        if not self.currencies:
            return [Text("Nothing was sold or given back in these days.")]
        blocks: list[Block] = [self._figures()]
        for code, places in self.currencies.items():
            title = f"By country and rate ({code.upper()})"
            blocks.append(Table(COLUMNS, _rows(places, code), title=title))
        if self.converted:
            blocks.append(self._base_table())
        return [*blocks, *self._warnings(), Text(NOTE)]

    def _figures(self) -> Figures:
        sums, code = together(self.base), self.scope.base_currency
        return Figures(
            (
                Figure("Tax due", Money(sums.due_minor, code), "money"),
                Figure("Tax charged", Money(sums.tax_minor, code), "money"),
                Figure("Tax refunded", Money(sums.refunded_tax_minor, code), "money"),
                Figure("Sales without tax", Money(sums.sales_minor, code), "money"),
                Figure("Countries", len(self._countries()), "count"),
            ),
            title=f"In {code.upper()}",
        )

    def _countries(self) -> set[str]:
        places = (place for each in self.currencies.values() for place in each)
        return {place.country for place in places} - {UNKNOWN}

    def _base_table(self) -> Table:
        code = self.scope.base_currency
        base = code.upper()
        rates = [
            f"1 {one.upper()} = {rates.text} {base}, the rate of each payment's day."
            for one, rates in self.converted.items()
        ]
        title = f"By country and rate, all in {base}"
        return Table(COLUMNS, _rows(self.base, code), title=title, note=" ".join(rates))

    def _warnings(self) -> list[Text]:
        unknown = sum(
            sums.orders
            for places in self.currencies.values()
            for place, sums in places.items()
            if place.country == UNKNOWN
        )
        told = "1 order has" if unknown == 1 else f"{unknown:,} orders have"
        found = [Text(f"{told} no country on record.", "warning")] if unknown else []
        if not self.apart:
            return found
        codes, base = ", ".join(self.apart).upper(), self.scope.base_currency.upper()
        return [*found, Text(f"{codes} stands apart: no rate to {base} is known.")]

    def _metrics(self) -> dict[str, Metric]:
        sums, code = together(self.base), self.scope.base_currency
        return {
            "tax_due": Metric(sums.due_minor, code),
            "tax_charged": Metric(sums.tax_minor, code),
            "tax_refunded": Metric(sums.refunded_tax_minor, code),
            "taxable_sales": Metric(sums.sales_minor, code),
        }

    def _payload(self) -> dict[str, Any]:
        return {
            **self.scope.head(self.period),
            "rates_are": "read off the amounts",
            "currencies": {code: _told(places) for code, places in self.currencies.items()},
            "in_base": {
                "currency": self.scope.base_currency,
                **_told(self.base),
                "converted": {code: rates.to_json() for code, rates in self.converted.items()},
                "apart": list(self.apart),
            },
        }


def _rows(places: ByPlace, code: str) -> tuple[tuple[Cell, ...], ...]:
    rows = [(place.country, place.share, *_cells(sums, code)) for place, sums in places.items()]
    return (*rows, ("Together", None, *_cells(together(places), code)))


def _cells(sums: TaxSums, code: str) -> tuple[Cell, ...]:
    return (
        sums.orders,
        Money(sums.sales_minor, code),
        Money(sums.tax_minor, code),
        Money(-sums.refunds_minor, code),
        Money(-sums.refunded_tax_minor, code),
        Money(sums.due_minor, code),
    )


def _told(places: ByPlace) -> dict[str, Any]:
    rows = [{**_place(place), **sums.to_json()} for place, sums in places.items()]
    return {"rows": rows, "total": together(places).to_json()}


def _place(place: Place) -> dict[str, Any]:
    country = None if place.country == UNKNOWN else place.country
    return {"country": country, "rate_share": place.share}
