"""Every customer taken through the months: the movements of each month, and who made them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, groupby
from typing import NamedTuple

from kpay.domain.period import local_day
from kpay.domain.subscription_spans import Span
from kpay.domain.subscriptions import Kind, Month, MonthOfMrr, Movement

COUNTED_BY: Mapping[str, tuple[str, ...]] = {
    "new": ("subscribers_new",),
    "reactivation": ("subscribers_reactivated",),
    "churn_voluntary": ("subscribers_churned",),
    "churn_involuntary": ("subscribers_churned", "subscribers_churned_involuntary"),
}


class _Step(NamedTuple):
    """A change of what a customer pays a month, in one currency."""

    at: datetime
    currency: str
    monthly_minor: int
    subscription: str
    is_involuntary: bool


@dataclass(slots=True)
class _Holding:
    """What a customer has on the way: amounts by currency, how many spans by subscription, worth."""

    held: Counter[str] = field(default_factory=Counter)
    running: Counter[str] = field(default_factory=Counter)
    worth: int = 0
    has_paid: bool = False

    def take(self, steps: Iterable[_Step]) -> None:
        for step in steps:
            self.held[step.currency] += step.monthly_minor
            self.running[step.subscription] += 1 if step.monthly_minor > 0 else -1

    def kind_of(self, after: int, is_involuntary: bool) -> Kind:
        if self.worth == 0:
            return "reactivation" if self.has_paid else "new"
        if after == 0:
            return "churn_involuntary" if is_involuntary else "churn_voluntary"
        return "expansion" if after > self.worth else "contraction"


class _Change(NamedTuple):
    kind: Kind
    before: int
    after: int
    at: datetime | None
    subscriptions: tuple[str, ...]


def months_of_mrr(
    spans: Iterable[Span],
    months: Sequence[Month],
    timezone: str = "UTC",
    *,
    ignores_passers_by: bool = False,
    journal: list[Movement] | None = None,
) -> list[MonthOfMrr]:
    """Walk every customer through the months (contiguous, the first not after the first span).

    `ignores_passers_by` leaves out who comes and goes within one month. A `journal` is given every
    movement, customer by customer.
    """
    walk = _Walk(months, timezone, ignores_passers_by, journal)
    steps: dict[str, list[_Step]] = defaultdict(list)
    for span in spans:
        worth, name = span.monthly_minor, span.subscription
        steps[span.customer].append(_Step(span.start, span.currency, worth, name, False))
        if span.end is not None:
            end = _Step(span.end, span.currency, -worth, name, span.is_involuntary)
            steps[span.customer].append(end)
    for customer, changes in steps.items():
        walk.along(customer, sorted(changes, key=lambda step: step.at))
    return walk.told()


class _Walk:
    """All customers on the way through the months, one after another.

    Months in which nothing of a customer can move are stepped over: `staying` and `stayers` hold what
    they bring to each of those, as changes from month to month.
    """

    def __init__(
        self,
        months: Sequence[Month],
        timezone: str,
        ignores_passers_by: bool,
        journal: list[Movement] | None,
    ) -> None:
        self.months, self.timezone = months, timezone
        self.ignores_passers_by, self.journal = ignores_passers_by, journal
        self.ends = [month.end for month in months]
        self.ratios = [
            {code: rate.as_integer_ratio() for code, rate in month.rates.items()}
            for month in months
        ]
        self.tallies: list[Counter[str]] = [Counter() for _ in months]
        self.staying = [0] * (len(months) + 1)
        self.stayers = [0] * (len(months) + 1)
        self.revalued: dict[str, list[int]] = defaultdict(list)
        for index in range(1, len(months)):
            for code, ratio in self.ratios[index].items():
                if ratio != self.ratios[index - 1].get(code):
                    self.revalued[code].append(index)

    def along(self, customer: str, steps: Sequence[_Step]) -> None:
        """Take one customer through; `steps` are in the order of time."""
        holding, position = _Holding(), 0
        index = bisect_right(self.ends, steps[0].at)
        while index < len(self.months):
            stop = position
            while stop < len(steps) and steps[stop].at < self.ends[index]:
                stop += 1
            self._month(index, customer, holding, steps[position:stop])
            position = stop
            following = self._following(index, holding, steps, position)
            if holding.worth:
                self.staying[index + 1] += holding.worth
                self.staying[following] -= holding.worth
                self.stayers[index + 1] += 1
                self.stayers[following] -= 1
            index = following

    def told(self) -> list[MonthOfMrr]:
        """Return what all the customers who came along add up to."""
        staying, stayers = accumulate(self.staying), accumulate(self.stayers)
        found = []
        for month, tally, minor, people in zip(
            self.months, self.tallies, staying, stayers, strict=False
        ):
            tally.update(start_minor=minor, end_minor=minor)
            tally.update(subscribers_start=people, subscribers_end=people)
            found.append(MonthOfMrr(month.first_day, month.is_partial, **tally))
        return found

    def _following(
        self, index: int, holding: _Holding, steps: Sequence[_Step], position: int
    ) -> int:
        """Return the next month in which something of a customer can move."""
        found = len(self.months)
        if position < len(steps):
            found = bisect_right(self.ends, steps[position].at)
        for code, minor in holding.held.items():
            moves = self.revalued.get(code) if minor else None
            if moves and moves[-1] > index:
                found = min(found, moves[bisect_right(moves, index)])
        return found

    def _month(self, index: int, customer: str, holding: _Holding, steps: Sequence[_Step]) -> None:
        opening, changes = holding.worth, []
        holding.worth = revalued = self._worth(holding.held, index)
        if revalued != opening:
            changes.append(_Change("fx", opening, revalued, None, _names(holding)))
        for _, of_day in groupby(steps, key=lambda step: local_day(step.at, self.timezone)):
            changes += self._day(index, holding, list(of_day))
        if not (self.ignores_passers_by and opening == holding.worth == 0):
            self._note(index, customer, changes)
        self._close(self.tallies[index], opening, holding.worth, holding.worth - revalued)

    def _day(self, index: int, holding: _Holding, steps: Sequence[_Step]) -> list[_Change]:
        """Return the changes of one day: one, for who pays at its beginning and at its end."""
        moments = [list(group) for _, group in groupby(steps, key=lambda step: step.at)]
        if len(moments) > 1 and holding.worth:
            held = Counter(holding.held)
            for step in steps:
                held[step.currency] += step.monthly_minor
            moments = [list(steps)] if self._worth(held, index) else moments
        found = []
        for together in moments:
            holding.take(together)
            after = self._worth(holding.held, index)
            if after != holding.worth:
                is_involuntary = any(step.is_involuntary for step in together)
                names = tuple(sorted({step.subscription for step in together}))
                kind = holding.kind_of(after, is_involuntary)
                found.append(_Change(kind, holding.worth, after, together[-1].at, names))
            holding.worth = after
            holding.has_paid = holding.has_paid or after > 0
        return found

    def _worth(self, held: Mapping[str, int], index: int) -> int:
        """Return what amounts of several currencies are worth, each rounded half up."""
        worth = 0
        for code, minor in held.items():
            numerator, denominator = self.ratios[index][code]
            worth += (2 * minor * numerator + denominator) // (2 * denominator)
        return worth

    def _note(self, index: int, customer: str, changes: Sequence[_Change]) -> None:
        tally = self.tallies[index]
        for change in changes:
            moved = change.after - change.before
            tally[f"{change.kind}_minor"] += moved if change.kind == "fx" else abs(moved)
            for name in COUNTED_BY.get(change.kind, ()):
                tally[name] += 1
        if self.journal is not None:
            first_day = self.months[index].first_day
            self.journal += [
                Movement(first_day, one.kind, customer, one.before, one.after, one.at,
                         one.subscriptions)
                for one in changes
            ]  # fmt: skip

    def _close(self, tally: Counter[str], opening: int, closing: int, change: int) -> None:
        tally["start_minor"] += opening
        tally["end_minor"] += closing
        tally["subscribers_start"] += opening > 0
        tally["subscribers_end"] += closing > 0
        if opening > 0:
            tally["opening_loss_minor"] += min(opening, max(0, -change))
            tally["opening_gain_minor"] += max(0, change)
            tally["lost"] += closing == 0


def _names(holding: _Holding) -> tuple[str, ...]:
    return tuple(sorted(name for name, count in holding.running.items() if count))
