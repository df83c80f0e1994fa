"""Takings of all currencies in the base currency: sales and refunds without tax, fees, net revenue.

    gross sales   paid orders after discounts, without tax, on the day they were ordered
    refunds       given back, without the tax inside, on the day it was given back
    disputes      pulled back by buyers' banks, less what was won again
    fees          kept by the provider; they never come back
    net revenue   gross sales - refunds - disputes - fees
    tax           collected with the orders, less the tax inside the refunds

What moved in another currency is converted at the rate of its day, each payment by itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from kpay.domain.day_rates import DayRates, RateRange
from kpay.domain.period import instant_text
from kpay.domain.revenue import Takings

FIGURES: Final = (
    "one_time_sales",
    "subscription_sales",
    "refunds",
    "disputes",
    "fees",
    "tax_collected",
)
KEYS: Final = (
    "gross_sales",
    "one_time_sales",
    "subscription_sales",
    "refunds",
    "disputes",
    "fees",
    "net_revenue",
    "tax_collected",
)

Foreign = tuple[str, str, int, int, int, int, int, int]
"""When (RFC 3339 in UTC), in which currency, and an amount for each of FIGURES."""


@dataclass(frozen=True, slots=True)
class BaseTakings:
    """The sums of one span in minor units of the base; the counts are of all currencies."""

    one_time_sales_minor: int = 0
    subscription_sales_minor: int = 0
    refunds_minor: int = 0
    disputes_minor: int = 0
    fees_minor: int = 0
    tax_collected_minor: int = 0
    failed_payments: int = 0
    paying_customers: int = 0

    @property
    def gross_sales_minor(self) -> int:
        """What orders brought, without tax."""
        return self.one_time_sales_minor + self.subscription_sales_minor

    @property
    def net_revenue_minor(self) -> int:
        """What is left of it for the creator."""
        taken = self.refunds_minor + self.disputes_minor + self.fees_minor
        return self.gross_sales_minor - taken

    def to_json(self) -> dict[str, int]:
        """Return the sums and the counts by name."""
        sums = {f"{key}_minor": int(getattr(self, f"{key}_minor")) for key in KEYS}
        counts = {"failed_payments": self.failed_payments}
        return {**sums, **counts, "paying_customers": self.paying_customers}


@dataclass(frozen=True)
class InBase:
    """The base currency's view of a period: its months and all of it.

    `converted` are the other currencies inside it with the rates that were used; those `apart` have
    no rate and are not inside.
    """

    currency: str
    months: tuple[tuple[date, BaseTakings], ...]
    total: BaseTakings
    converted: Mapping[str, RateRange]
    apart: tuple[str, ...]

    def to_json(self, partial: Container[date] = ()) -> dict[str, Any]:
        """Return the key `in_base`; `partial` are the months that are not wholly inside."""
        return {
            "currency": self.currency,
            "total": self.total.to_json(),
            "months": [
                {"month": f"{day:%Y-%m}", "is_partial": day in partial, **each.to_json()}
                for day, each in self.months
            ],
            "converted": {code: rates.to_json() for code, rates in self.converted.items()},
            "apart": list(self.apart),
        }

    def sentences(self) -> tuple[str, ...]:
        """Say at which rates other currencies were converted, and which stand apart."""
        base = self.currency.upper()
        found = [
            f"{code.upper()} is converted at the rate of each payment's day: "
            f"1 {code.upper()} = {rates.text} {base}."
            for code, rates in self.converted.items()
        ]
        if self.apart:
            codes = ", ".join(code.upper() for code in self.apart)
            found.append(f"{codes} stands apart: no rate to {base} is known.")
        return tuple(found)


def own_sums(own: Takings) -> list[int]:
    """Return FIGURES of takings that are in the base currency as they are."""
    return [
        own.one_time_sales_minor,
        own.subscription_sales_minor,
        own.refunds_minor - own.refunds_tax_minor,
        own.disputes_minor,
        own.fees_minor,
        own.tax_minor,
    ]


def converted_sums(
    rows: Iterable[Foreign], rates: DayRates, edges: Sequence[datetime]
) -> list[list[int]]:
    """Return FIGURES in the base of what moved in other currencies, for each span of `edges`."""
    inner = [instant_text(edge) for edge in edges[1:-1]]
    sums = [[0] * len(FIGURES) for _ in range(len(edges) - 1)]
    for at, currency, *amounts in rows:
        mine = sums[bisect_right(inner, at)]
        for number, minor in enumerate(amounts):
            if minor:
                mine[number] += rates.converted(minor, currency, at)
    return sums
