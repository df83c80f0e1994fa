"""Monthly recurring revenue and its movements, by the month, to the cent.

A customer has one MRR: the sum of what their subscriptions pay. Each change is a movement:
new (never paid before), reactivation (paid before, and was at zero), expansion and contraction
(a change while above zero), churn (to zero), fx (the rate alone changed, at the month's start).
start + new + expansion + reactivation - contraction - churn + fx = end, every month.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from itertools import groupby

from kpay.domain.subscription_spans import Span, rounded


@dataclass(frozen=True, slots=True)
class Month:
    """One month [start, end) and what a minor unit of each currency is worth in base ones.

    The newest month of a series ends where things stop being known.
    """

    first_day: date
    start: datetime
    end: datetime
    rates: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class MonthOfMrr:
    """The movements of one month, in minor units of the base currency, and the people behind them.

    `opening_loss_minor` and `opening_gain_minor` are what customers of the opening balance lost and
    added over the month, each counted once and no loss above what the customer brought, so that
    shares of the opening balance stay between 0 and 1. `lost` are those of them at zero at the end.
    """

    first_day: date
    start_minor: int = 0
    new_minor: int = 0
    expansion_minor: int = 0
    contraction_minor: int = 0
    churn_voluntary_minor: int = 0
    churn_involuntary_minor: int = 0
    reactivation_minor: int = 0
    fx_minor: int = 0
    end_minor: int = 0
    subscribers_start: int = 0
    subscribers_end: int = 0
    opening_loss_minor: int = 0
    opening_gain_minor: int = 0
    lost: int = 0

    @property
    def churn_minor(self) -> int:
        """What ended, for either reason."""
        return self.churn_voluntary_minor + self.churn_involuntary_minor

    @property
    def gains_minor(self) -> int:
        """Everything that added."""
        return self.new_minor + self.expansion_minor + self.reactivation_minor

    @property
    def losses_minor(self) -> int:
        """Everything that took away."""
        return self.contraction_minor + self.churn_minor


@dataclass(frozen=True, slots=True)
class _Step:
    """A change of what a customer pays a month, in one currency."""

    at: datetime
    currency: str
    monthly_minor: int
    is_involuntary: bool


def months_of_mrr(spans: Iterable[Span], months: Sequence[Month]) -> list[MonthOfMrr]:
    """Walk every customer through the months (contiguous, the first not after the first span)."""
    tallies: list[Counter[str]] = [Counter() for _ in months]
    for steps in _steps_by_customer(spans).values():
        _Walk(steps).through(months, tallies)
    return [
        MonthOfMrr(month.first_day, **tally) for month, tally in zip(months, tallies, strict=True)
    ]


def mrr_at(spans: Iterable[Span], moment: datetime, rates: Mapping[str, Fraction]) -> int:
    """Return MRR at one moment, in minor units of the base currency."""
    held: dict[tuple[str, str], int] = defaultdict(int)
    for span in spans:
        if span.start <= moment and (span.end is None or moment < span.end):
            held[span.customer, span.currency] += span.monthly_minor
    return sum(rounded(minor * rates[currency]) for (_, currency), minor in held.items())


def _steps_by_customer(spans: Iterable[Span]) -> dict[str, list[_Step]]:
    steps: dict[str, list[_Step]] = defaultdict(list)
    for span in spans:
        steps[span.customer].append(_Step(span.start, span.currency, span.monthly_minor, False))
        if span.end is not None:
            steps[span.customer].append(
                _Step(span.end, span.currency, -span.monthly_minor, span.is_involuntary)
            )
    for changes in steps.values():
        changes.sort(key=lambda step: step.at)
    return steps


class _Walk:
    """One customer on the way through the months."""

    def __init__(self, steps: Sequence[_Step]) -> None:
        self.changes = [(at, list(group)) for at, group in groupby(steps, key=lambda step: step.at)]
        self.held: Counter[str] = Counter()
        self.worth = 0
        self.has_paid = False

    def through(self, months: Sequence[Month], tallies: Sequence[Counter[str]]) -> None:
        position = 0
        for month, tally in zip(months, tallies, strict=True):
            if position == len(self.changes) and not self.worth:
                return
            opening = self.worth
            self._revalue(month, tally)
            revalued = self.worth
            while position < len(self.changes) and self.changes[position][0] < month.end:
                self._change(self.changes[position][1], month, tally)
                position += 1
            self._close(opening, self.worth - revalued, tally)

    def _worth_in(self, month: Month) -> int:
        return sum(rounded(minor * month.rates[code]) for code, minor in self.held.items() if minor)

    def _revalue(self, month: Month, tally: Counter[str]) -> None:
        after = self._worth_in(month)
        tally["fx_minor"] += after - self.worth
        self.worth = after

    def _change(self, steps: Sequence[_Step], month: Month, tally: Counter[str]) -> None:
        for step in steps:
            self.held[step.currency] += step.monthly_minor
        before, after = self.worth, self._worth_in(month)
        involuntary = any(step.is_involuntary for step in steps)
        if after != before:
            tally[self._kind(before, after, involuntary)] += abs(after - before)
        self.worth = after
        self.has_paid = self.has_paid or after > 0

    def _kind(self, before: int, after: int, involuntary: bool) -> str:
        if before == 0:
            return "reactivation_minor" if self.has_paid else "new_minor"
        if after == 0:
            return "churn_involuntary_minor" if involuntary else "churn_voluntary_minor"
        return "expansion_minor" if after > before else "contraction_minor"

    def _close(self, opening: int, change: int, tally: Counter[str]) -> None:
        tally["start_minor"] += opening
        tally["end_minor"] += self.worth
        tally["subscribers_start"] += opening > 0
        tally["subscribers_end"] += self.worth > 0
        if opening > 0:
            tally["opening_loss_minor"] += min(opening, max(0, -change))
            tally["opening_gain_minor"] += max(0, change)
            tally["lost"] += self.worth == 0
