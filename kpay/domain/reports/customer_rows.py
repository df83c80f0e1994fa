"""The rows of the customers report: groups, the largest, the slipping, months and countries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from kpay.domain.reports.mrr_rates import SHARE_DIGITS


def share(part: float | None, whole: float | None) -> float | None:
    """Return a part of a whole as it is told; None without a whole above nought."""
    return None if part is None or not whole or whole < 0 else round(part / whole, SHARE_DIGITS)


def rounded(value: float | None) -> float | None:
    """Return a figure with the digits that it is told with."""
    return None if value is None else round(value, SHARE_DIGITS)


@dataclass(frozen=True, slots=True)
class GroupLine:
    """One group by recency, frequency and money at the period's end, and what it ever paid."""

    name: str
    customers: int
    paid_minor: int

    def to_json(self, customers: int, paid_minor: int) -> dict[str, Any]:
        """Return the keys of a group, beside all customers and all that was ever paid."""
        return {
            "name": self.name,
            "customers": self.customers,
            "share": share(self.customers, customers),
            "paid_minor": self.paid_minor,
            "revenue_share": share(self.paid_minor, paid_minor),
        }


@dataclass(frozen=True, slots=True)
class TopCustomer:
    """One of those who brought most in the period; `shown` is a name or an address as asked for."""

    number: int
    shown: str
    orders: int
    net_minor: int
    last_day: date
    group: str

    def to_json(self, net_minor: int) -> dict[str, Any]:
        """Return the keys of a customer, with the share of all revenue."""
        return {
            "customer": self.number,
            "shown": self.shown or None,
            "orders": self.orders,
            "net_minor": self.net_minor,
            "revenue_share": share(self.net_minor, net_minor),
            "last_day": self.last_day.isoformat(),
            "rfm": self.group,
        }


@dataclass(frozen=True, slots=True)
class Lapsing:
    """Somebody whose usual gap has passed; `year_minor` is what the year up to the last order brought."""

    number: int
    shown: str
    group: str
    times: int
    gap_days: int
    last_day: date
    expected_day: date
    year_minor: int

    def to_json(self) -> dict[str, Any]:
        """Return the keys of a customer who is late."""
        return {
            "customer": self.number,
            "shown": self.shown or None,
            "rfm": self.group,
            "purchases": self.times,
            "gap_days": self.gap_days,
            "last_day": self.last_day.isoformat(),
            "expected_day": self.expected_day.isoformat(),
            "year_minor": self.year_minor,
        }


@dataclass(frozen=True, slots=True)
class MonthOfPeople:
    """Whose revenue a month's was: of people in the month of their first order, of others, of guests.

    `is_partial`: the period, or the moment up to which things are known, cuts the month.
    """

    month: date
    is_partial: bool
    new_customers: int
    returning_customers: int
    new_minor: int
    returning_minor: int
    guests_minor: int

    def to_json(self) -> dict[str, Any]:
        """Return the keys of a month."""
        return {
            "month": f"{self.month:%Y-%m}",
            "is_partial": self.is_partial,
            "new_customers": self.new_customers,
            "returning_customers": self.returning_customers,
            "new_minor": self.new_minor,
            "returning_minor": self.returning_minor,
            "guests_minor": self.guests_minor,
        }


@dataclass(frozen=True, slots=True)
class Country:
    """What was ordered from a country; "" where none is on the order."""

    code: str
    customers: int
    orders: int
    net_minor: int

    def to_json(self, net_minor: int) -> dict[str, Any]:
        """Return the keys of a country, with its share of all revenue."""
        return {
            "country": self.code or None,
            "customers": self.customers,
            "orders": self.orders,
            "net_minor": self.net_minor,
            "revenue_share": share(self.net_minor, net_minor),
        }
