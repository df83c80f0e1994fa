"""What is left after costs, and what a new customer costs and brings.

profit        net revenue + other income - costs
margin        profit / (net revenue + other income)
marketing     costs whose kind says so (ads, marketing, sponsoring...) or that name a campaign
CAC           marketing / new customers: what it cost to win one
monthly       net revenue / paying customers, each counted in every month in which they paid
payback       CAC / monthly: after how many paying months a customer has brought it in
LTV : CAC     what a customer brings for each unit spent to win them
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Final

from kpay.domain.base_takings import InBase
from kpay.domain.outlays import Outlay

MARKETING_WORDS: Final = frozenset(
    "ad ads adverts advertising advertisement advertisements adwords campaign campaigns marketing "
    "promotion promotions promo sponsor sponsoring sponsorship sponsorships affiliate affiliates "
    "influencer influencers seo outreach".split()
)
MARKETING_SIGNS: Final = ("广告", "营销", "推广")
RATIO_DIGITS: Final = 2


def is_marketing(one: Outlay) -> bool:
    """Say whether a cost was spent to win customers: by a word of its kind, or for a campaign."""
    if one.is_income:
        return False
    words = set(re.findall(r"[^\W_]+", one.kind.lower()))
    said = any(sign in one.kind for sign in MARKETING_SIGNS)
    return bool(one.campaign.strip()) or bool(words & MARKETING_WORDS) or said


@dataclass(frozen=True, slots=True)
class ProfitMonth:
    """A month's sums in minor units of the base; `costs` by kind."""

    first_day: date
    net_revenue_minor: int
    other_income_minor: int = 0
    marketing_minor: int = 0
    costs: Mapping[str, int] = field(default_factory=dict)

    @property
    def costs_minor(self) -> int:
        """All costs."""
        return sum(self.costs.values())

    @property
    def profit_minor(self) -> int:
        """What is left."""
        return self.net_revenue_minor + self.other_income_minor - self.costs_minor

    @property
    def margin_share(self) -> float | None:
        """Profit as a share of what came in; None where nothing did, or no cost is known."""
        came_in = self.net_revenue_minor + self.other_income_minor
        is_known = came_in > 0 and bool(self.costs)
        return round(self.profit_minor / came_in, 6) if is_known else None


def in_all(months: Sequence[ProfitMonth], first_day: date) -> ProfitMonth:
    """Add up months."""
    kinds = sorted({kind for one in months for kind in one.costs})
    return ProfitMonth(
        first_day,
        sum(one.net_revenue_minor for one in months),
        sum(one.other_income_minor for one in months),
        sum(one.marketing_minor for one in months),
        {kind: sum(one.costs.get(kind, 0) for one in months) for kind in kinds},
    )


def profit_months(base: InBase, outlays: Sequence[tuple[Outlay, int]]) -> tuple[ProfitMonth, ...]:
    """Put costs and other income, each with its amount in the base, beside the months of revenue."""
    found = []
    for first_day, takings in base.months:
        mine = [(one, minor) for one, minor in outlays if one.day.replace(day=1) == first_day]
        spent = [(one, minor) for one, minor in mine if not one.is_income]
        costs: dict[str, int] = {}
        for one, minor in sorted(spent, key=lambda each: each[0].kind):
            costs[one.kind] = costs.get(one.kind, 0) + minor
        found.append(
            ProfitMonth(
                first_day,
                takings.net_revenue_minor,
                sum(minor for one, minor in mine if one.is_income),
                sum(minor for one, minor in spent if is_marketing(one)),
                costs,
            )
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Observed:
    """What customers who first bought a year ago or longer brought in their first twelve months."""

    customers: int
    gross_profit_minor: int

    @property
    def each_minor(self) -> int | None:
        """The mean of a customer; None without any."""
        return _divided(self.gross_profit_minor, self.customers)


@dataclass(frozen=True, slots=True)
class Acquisition:
    """What it costs to win a customer and what one brings; amounts in minor units of the base.

    `customer_months` counts everyone who paid in each month in which they did; `ltv_mrr_minor` is the
    lifetime value that the MRR report tells.
    """

    marketing_minor: int
    has_marketing: bool
    new_customers: int
    net_revenue_minor: int
    customer_months: int
    ltv_mrr_minor: int | None
    observed: Observed

    @property
    def cac_minor(self) -> int | None:
        """Marketing for each new customer."""
        return _divided(self.marketing_minor, self.new_customers) if self.has_marketing else None

    @property
    def monthly_minor(self) -> int | None:
        """Net revenue of a customer in a month in which they pay."""
        return _divided(self.net_revenue_minor, self.customer_months)

    @property
    def payback_months(self) -> float | None:
        """Paying months until a customer has brought what it cost to win them."""
        if not self.has_marketing or not self.new_customers or self.net_revenue_minor <= 0:
            return None
        cac = Fraction(self.marketing_minor, self.new_customers)
        return _ratio(cac * self.customer_months, self.net_revenue_minor)

    @property
    def ltv_mrr_cac(self) -> float | None:
        """Lifetime value of a subscriber for each unit of CAC."""
        return _ratio(self.ltv_mrr_minor, self.cac_minor)

    @property
    def ltv_observed_cac(self) -> float | None:
        """What customers brought in twelve months, for each unit of CAC."""
        return _ratio(self.observed.each_minor, self.cac_minor)

    def reasons(self) -> dict[str, str]:
        """Say of each figure that is not defined why it is not."""
        found: dict[str, str] = {}
        if not self.has_marketing:
            found["cac"] = "no cost of marketing is known in these days"
        elif not self.new_customers:
            found["cac"] = "nobody bought for the first time in these days"
        if self.payback_months is None:
            nothing = "no net revenue is left of what customers paid"
            found["payback_months"] = found.get("cac", nothing)
        if self.ltv_mrr_minor is None:
            found["ltv_mrr"] = (
                "the MRR report has no lifetime value: nobody left, or nobody subscribes"
            )
        if self.observed.each_minor is None:
            found["ltv_observed"] = (
                "nobody is known to have bought first between 24 and 12 months ago"
            )
        if self.ltv_mrr_cac is None:
            found["ltv_mrr_cac"] = found.get("cac") or found.get("ltv_mrr", "CAC is nothing")
        if self.ltv_observed_cac is None:
            found["ltv_observed_cac"] = found.get("cac") or found.get(
                "ltv_observed", "CAC is nothing"
            )
        return found


def _divided(minor: int, count: int) -> int | None:
    if not count:
        return None
    half_up = (2 * abs(minor) + count) // (2 * count)
    return half_up if minor >= 0 else -half_up


def _ratio(top: int | Fraction | None, bottom: int | None) -> float | None:
    if top is None or not bottom or bottom < 0:
        return None
    return round(float(Fraction(top) / bottom), RATIO_DIGITS)
