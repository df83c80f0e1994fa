"""Customers by the month in which they first paid, and what became of each month's.

k is the number of months after that month; a cell is told at the end of its month, and is None as long
as that month is not over.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate, groupby
from typing import NamedTuple

from kpay.domain.period import instant_text
from kpay.domain.subscription_facts import rounded
from kpay.domain.subscriptions import Month, Movement

Cells = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those of one month: how many they are, how many of them count at k, and the money at k.

    Of subscribers the money is their MRR at the end of the month; of buyers, what they brought since
    the beginning.
    """

    first_day: date
    size: int
    people: Cells
    revenue_minor: Cells

    def people_share(self, k: int) -> float | None:
        """Return the share of the cohort that counts at k."""
        count = self.people[k]
        return None if count is None or not self.size else round(count / self.size, 6)

    def revenue_share(self, k: int) -> float | None:
        """Return the money at k as a share of that at 0."""
        minor, first = self.revenue_minor[k], self.revenue_minor[0]
        return None if minor is None or not first else round(minor / first, 6)

    def per_customer_minor(self, k: int) -> int | None:
        """Return the money at k for each of the cohort."""
        minor = self.revenue_minor[k]
        return None if minor is None or not self.size else _per_head(minor, self.size)


def _per_head(minor: int, size: int) -> int:
    from_zero = (2 * abs(minor) + size) // (2 * size)
    return from_zero if minor >= 0 else -from_zero


def pooled_share(cohorts: Iterable[Cohort], k: int) -> float | None:
    """Return the share of all whose month k is over, that counts at k."""
    known = [one for one in cohorts if k < len(one.people) and one.people[k] is not None]
    size = sum(one.size for one in known)
    return round(sum(one.people[k] or 0 for one in known) / size, 6) if size else None


@dataclass(slots=True)
class _Gathering:
    """A cohort while its customers are counted: changes from month to month."""

    people: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    minor: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    size: int = 0

    def stay(self, first: int, last: int, worth: int) -> None:
        if worth and last > first:
            self.people[first] += 1
            self.people[last] -= 1
            self.minor[first] += worth
            self.minor[last] -= worth

    def cohort(self, first_day: date, index: int, whole: int, width: int) -> Cohort:
        return Cohort(
            first_day,
            self.size,
            _cells(self.people, index, whole, width),
            _cells(self.minor, index, whole, width),
        )


def _cells(changes: Mapping[int, int], index: int, whole: int, width: int) -> Cells:
    levels = accumulate(changes.get(month, 0) for month in range(index, whole))
    known: list[int | None] = list(levels)
    return tuple(known + [None] * (width - len(known)))


def subscriber_cohorts(journal: Iterable[Movement], months: Sequence[Month]) -> list[Cohort]:
    """Gather subscribers by the month of their first MRR; `journal` comes customer by customer."""
    places = {month.first_day: index for index, month in enumerate(months)}
    whole = sum(not month.is_partial for month in months)
    found: dict[int, _Gathering] = defaultdict(_Gathering)
    for _, movements in groupby(journal, key=lambda one: one.customer):
        stays = [(places[one.month], one.after_minor) for one in movements]
        cohort = found[stays[0][0]]
        cohort.size += 1
        for (first, worth), (last, _) in zip(stays, [*stays[1:], (len(months), 0)], strict=True):
            cohort.stay(first, last, worth)
    return [
        found[index].cohort(months[index].first_day, index, whole, len(months))
        for index in sorted(found)
    ]


class Paid(NamedTuple):
    """An order of a customer, or (below zero) what they got back; `at` is RFC 3339 in UTC."""

    customer: int
    at: str
    currency: str
    minor: int


@dataclass(slots=True)
class Buyers:
    """Buyers counted by the month of their first order, in every currency.

    `sums` are by cohort, month and currency; `seconds` are by cohort and month of a second order.
    """

    edges: Sequence[str]
    sizes: Counter[int] = field(default_factory=Counter)
    seconds: Counter[tuple[int, int]] = field(default_factory=Counter)
    sums: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    began: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, months: Sequence[Month], orders: Sequence[tuple[int, str, str, int]]) -> Buyers:
        """Count orders: the fields of `Paid`, in any order."""
        found = cls([instant_text(month.start) for month in months])
        edges, sums = found.edges, found.sums
        firsts, seconds = _first_two(orders)
        began = found.began
        for customer, at in firsts.items():
            began[customer] = bisect_right(edges, at) - 1
        found.sizes.update(began.values())
        for customer, at in seconds.items():
            found.seconds[began[customer], bisect_right(edges, at) - 1] += 1
        for customer, at, currency, minor in orders:
            sums[began[customer], bisect_right(edges, at) - 1, currency] += minor
        return found

    def give_back(self, returns: Iterable[Paid]) -> None:
        """Take what was given back off the month in which it was."""
        for one in returns:
            month = bisect_right(self.edges, one.at) - 1
            self.sums[self.began[one.customer], month, one.currency] += one.minor

    def cohorts(self, months: Sequence[Month]) -> list[Cohort]:
        """Return the cohorts, each sum turned into the base at the rate of its month.

        A currency without a rate is left out.
        """
        whole = sum(not month.is_partial for month in months)
        found = {index: _Gathering(size=size) for index, size in self.sizes.items()}
        for (cohort, month), count in self.seconds.items():
            found[cohort].people[month] += count
        for (cohort, month, currency), minor in self.sums.items():
            rate = months[month].rates.get(currency)
            if rate is not None:
                found[cohort].minor[month] += rounded(minor * rate)
        return [
            found[index].cohort(months[index].first_day, index, whole, len(months))
            for index in sorted(found)
        ]


def _first_two(
    orders: Iterable[tuple[int, str, str, int]],
) -> tuple[dict[int, str], dict[int, str]]:
    """Return when each customer first ordered, and when those who came again did so."""
    firsts: dict[int, str] = {}
    seconds: dict[int, str] = {}
    for customer, at, _, _ in orders:
        first = firsts.get(customer)
        if first is None:
            firsts[customer] = at
        elif at < first:
            firsts[customer], seconds[customer] = at, first
        elif customer not in seconds or at < seconds[customer]:
            seconds[customer] = at
    return firsts, seconds
