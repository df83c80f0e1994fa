"""The customers report: who brings the revenue, how it hangs on few, who is due and who is slipping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kpay.domain.concentration import Concentration
from kpay.domain.document import Metric
from kpay.domain.period import Period
from kpay.domain.reports.customer_rows import (
    Country,
    GroupLine,
    Lapsing,
    MonthOfPeople,
    TopCustomer,
    rounded,
    share,
)
from kpay.domain.reports.scope import Scope

LISTED: Final = 100
"""So many of those who are lapsing stand in the payload; the counts and sums are of all."""


@dataclass(frozen=True)
class CustomersReport:
    """The customers of a period, in one currency; `others` has orders and net of the others.

    Net is after discounts, tax and refunds (when they were given), before fees and disputes.
    """

    scope: Scope
    period: Period
    currency: str
    customers: int
    new_customers: int
    orders: int
    guest_orders: int
    net_minor: int
    months: tuple[MonthOfPeople, ...]
    spread: Concentration
    top: tuple[TopCustomer, ...]
    groups: tuple[GroupLine, ...]
    usual_gap_days: int
    is_gap_assumed: bool
    lapsing: tuple[Lapsing, ...]
    due_30d: int
    countries: tuple[Country, ...]
    others: Mapping[str, tuple[int, int]]

    @property
    def new_minor(self) -> int:
        """What people brought in the month of their first order."""
        return sum(month.new_minor for month in self.months)

    @property
    def returning_minor(self) -> int:
        """What people brought in later months."""
        return sum(month.returning_minor for month in self.months)

    @property
    def at_risk_year_minor(self) -> int:
        """What those who are lapsing brought in the year up to their last order."""
        return sum(one.year_minor for one in self.lapsing)

    @property
    def everybody(self) -> int:
        """All who had ever bought by the end of the period."""
        return sum(one.customers for one in self.groups)

    @property
    def ever_paid_minor(self) -> int:
        """What they ever paid in the currency."""
        return sum(one.paid_minor for one in self.groups)

    def next_steps(self) -> tuple[str, ...]:
        """What can be typed next."""
        if not self.orders:
            return ("kpay sync", "kpay import orders FILE")
        steps = ["kpay report customers --explain largest"] if self.top else []
        if self.lapsing:
            steps.append("""kpay segment create slipping --where "rfm == 'needs attention'\"""")
        return tuple(steps)

    def metrics(self) -> dict[str, Metric]:
        """The figures by name, with the unit of each."""
        counts = {
            "customers": self.customers,
            "new_customers": self.new_customers,
            "orders": self.orders,
            "lapsing": len(self.lapsing),
            "due_30d": self.due_30d,
        }
        money = {
            "net": self.net_minor,
            "new": self.new_minor,
            "returning": self.returning_minor,
            "at_risk_year": self.at_risk_year_minor,
            "largest": self.top[0].net_minor if self.top else None,
        }
        shares = {
            "returning_share": share(self.returning_minor, self.net_minor),
            "largest_share": rounded(self.spread.largest_share),
            "gini": rounded(self.spread.gini),
            **{
                f"top_{round(top.people_share * 100)}_share": rounded(top.revenue_share)
                for top in self.spread.tops
            },
        }
        return {
            **{name: Metric(value) for name, value in {**counts, **shares}.items()},
            **{name: Metric(minor, self.currency) for name, minor in money.items()},
        }

    def payload(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            **self.scope.head(self.period),
            "currency": self.currency,
            "customers": self.customers,
            "new_customers": self.new_customers,
            "orders": self.orders,
            "guest_orders": self.guest_orders,
            "net_minor": self.net_minor,
            "new_minor": self.new_minor,
            "returning_minor": self.returning_minor,
            "returning_share": share(self.returning_minor, self.net_minor),
            "concentration": self._concentration(),
            "months": [month.to_json() for month in self.months],
            "top": [one.to_json(self.net_minor) for one in self.top],
            "rfm": [one.to_json(self.everybody, self.ever_paid_minor) for one in self.groups],
            "usual_gap_days": self.usual_gap_days,
            "usual_gap_assumed": self.is_gap_assumed,
            "lapsing": len(self.lapsing),
            "at_risk_year_minor": self.at_risk_year_minor,
            "due_30d": self.due_30d,
            "lapsing_customers": [one.to_json() for one in self.lapsing[:LISTED]],
            "countries": [one.to_json(self.net_minor) for one in self.countries],
            "other_currencies": {
                code: {"orders": orders, "net_minor": minor}
                for code, (orders, minor) in self.others.items()
            },
        }

    def _concentration(self) -> dict[str, Any]:
        spread = self.spread
        return {
            "customers": spread.people,
            "total_minor": spread.total_minor,
            "largest_share": rounded(spread.largest_share),
            "half_customers": spread.half_people,
            "alike_customers": rounded(spread.alike_people),
            "gini": rounded(spread.gini),
            "top": [
                {
                    "customers_share": top.people_share,
                    "customers": top.people,
                    "net_minor": top.amount_minor,
                    "revenue_share": rounded(top.revenue_share),
                }
                for top in spread.tops
            ],
        }
