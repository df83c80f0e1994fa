"""Customers by the month in which they first paid, and what became of each month's.

k is the number of months after that month; a cell is told at the end of its month, and is None as long
as that month is not over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate, groupby

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


@dataclass(frozen=True, slots=True)
class BoughtCell:
    """What the buyers of one month paid in another, in one currency, less what they got back."""

    cohort: int
    month: int
    currency: str
    minor: int


def buyer_cohorts(
    sizes: Mapping[int, int],
    seconds: Iterable[tuple[int, int, int]],
    bought: Iterable[BoughtCell],
    months: Sequence[Month],
) -> list[Cohort]:
    """Gather buyers by the month of their first order.

    `sizes` are by cohort, `seconds` (cohort, month, how many bought a second time in it). Each cell of
    money is turned into the base at the rate of its month.
    """
    whole = sum(not month.is_partial for month in months)
    found: dict[int, _Gathering] = {index: _Gathering(size=size) for index, size in sizes.items()}
    for cohort, month, count in seconds:
        found[cohort].people[month] += count
    for cell in bought:
        worth = rounded(cell.minor * months[cell.month].rates[cell.currency])
        found[cell.cohort].minor[cell.month] += worth
    return [
        found[index].cohort(months[index].first_day, index, whole, len(months))
        for index in sorted(found)
    ]
