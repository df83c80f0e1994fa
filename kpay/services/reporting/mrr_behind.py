"""The customers and subscriptions behind a figure of recurring revenue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Final

from sqlalchemy import Connection

from kpay.domain.mrr_policies import OWN, Policy, differences
from kpay.domain.period import Period
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.scope import Scope
from kpay.domain.subscription_levels import held_before, worth
from kpay.domain.subscription_spans import Span
from kpay.domain.subscriptions import Month, Movement
from kpay.services.reporting.naming import named
from kpay.services.reporting.recurring import (
    Known,
    calendar,
    committed,
    known_subscriptions,
    leaving_before,
    recurring_spans,
    walked,
    without_waiting,
)

EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
NOTES: Final = {
    "fx": "The rate alone changed, at the month's start; a fall has a minus.",
    "past_due": "A bill is unpaid, and its grace has not run out.",
    "cancelling": "They asked to leave and still pay until the end takes effect.",
}
MOVED: Final[Mapping[str, tuple[str, ...]]] = {
    "new": ("new",),
    "expansion": ("expansion",),
    "contraction": ("contraction",),
    "churn": ("churn_voluntary", "churn_involuntary"),
    "churn_voluntary": ("churn_voluntary",),
    "churn_involuntary": ("churn_involuntary",),
    "reactivation": ("reactivation",),
    "fx": ("fx",),
}
COUNTED: Final[Mapping[str, str]] = {
    "subscribers_new": "new",
    "subscribers_reactivated": "reactivation",
    "subscribers_churned": "churn",
    "subscribers_churned_involuntary": "churn_involuntary",
}
WORDS: Final = {
    "new": "new",
    "expansion": "expansion",
    "contraction": "contraction",
    "churn_voluntary": "left",
    "churn_involuntary": "lost to a payment that failed",
    "reactivation": "came back",
    "fx": "the rate changed",
}


@dataclass(frozen=True, slots=True)
class Stake:
    """What a customer pays at a moment in the base currency, and through which subscriptions."""

    minor: int
    since: datetime
    subscriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """One month of subscriptions by one policy, ready to be opened."""

    known: Known
    policy: Policy
    counted: tuple[Span, ...]
    months: tuple[Month, ...]
    index: int

    @property
    def month(self) -> Month:
        """The month that is opened."""
        return self.months[self.index]

    def movements(self) -> list[Movement]:
        """Return what moved in the month."""
        journal: list[Movement] = []
        walked(self.known.scope, self.counted, self.months, self.policy, journal)
        return [one for one in journal if one.month == self.month.first_day]

    def stakes(self, counted: Iterable[Span], at: Month | None = None) -> dict[str, Stake]:
        """Return by customer what is paid just before the end of a month."""
        month = at or self.month
        return stakes_before(counted, month.end, month.rates)

    def at_start(self) -> dict[str, Stake]:
        """Return by customer what was paid when the month began."""
        return self.stakes(self.counted, self.months[self.index - 1]) if self.index else {}


@dataclass(frozen=True, slots=True)
class Row:
    """A row before its customer has a name."""

    at: datetime | None
    customer: str
    what: str
    amount: int
    subscriptions: tuple[str, ...]


Stakes = dict[str, Stake]


def stakes_before(
    counted: Iterable[Span], moment: datetime, rates: Mapping[str, Fraction]
) -> Stakes:
    """Return by customer what is paid just before a moment."""
    found: Stakes = {}
    for held in held_before(counted, moment):
        before = found.get(held.customer)
        minor = worth(held.monthly_minor, rates[held.currency])
        found[held.customer] = Stake(
            minor + (before.minor if before else 0),
            min(held.since, before.since) if before else held.since,
            (*before.subscriptions, *held.subscriptions) if before else held.subscriptions,
        )
    return found


def paid_before(connection: Connection, scope: Scope, moment: datetime) -> tuple[BehindRow, ...]:
    """Return who pays just before any moment, by kpay's own policy: the rows of MRR as it is then."""
    found = recurring_spans(connection, scope)
    stakes = stakes_before(found.counted, moment, found.rates.at(moment))
    return tuple(_named(connection, scope, _between({}, stakes, LEVELS["mrr"][0])))


def behind(
    connection: Connection, scope: Scope, policy: Policy, metric: str, first_day: date, value: int
) -> Behind | None:
    """Open a figure of one month; None for one that is worked out from others."""
    opening = _opening(connection, scope, policy, first_day)
    rows = _rows(opening, metric)
    if rows is None:
        return None
    is_count = metric in COUNTED or metric.startswith(("subscribers_", "cancelling_"))
    month = opening.month
    return Behind(
        f"{metric}@{first_day:%Y-%m}",
        scope,
        Period(month.start, month.end, scope.timezone),
        value,
        tuple(_named(connection, scope, rows)),
        None if is_count else scope.base_currency,
        NOTES.get(metric, ""),
    )


def _opening(connection: Connection, scope: Scope, policy: Policy, first_day: date) -> Opening:
    known = known_subscriptions(connection, scope)
    counted = known.under(policy.rules).counted
    months = calendar(scope, counted, known.rates)
    index = next(index for index, month in enumerate(months) if month.first_day == first_day)
    return Opening(known, policy, counted, months, index)


def _rows(opening: Opening, metric: str) -> list[Row] | None:
    if metric in MOVED:
        return [_moved(one) for one in opening.movements() if one.kind in MOVED[metric]]
    if metric in COUNTED:
        kinds = MOVED[COUNTED[metric]]
        moved = [_moved(one) for one in opening.movements() if one.kind in kinds]
        return [replace(row, amount=1) for row in moved]
    if metric.startswith("difference_"):
        return _differing(opening, metric.removeprefix("difference_"))
    if metric in HEADS:
        return [
            Row(stake.since, customer, HEADS[metric][0], 1, stake.subscriptions)
            for customer, stake in HEADS[metric][1](opening).items()
            if stake.minor
        ]
    if metric in LEVELS:
        what, stakes = LEVELS[metric]
        return _between({}, stakes(opening), what)
    return None


def _moved(one: Movement) -> Row:
    return Row(one.at, one.customer, WORDS[one.kind], one.amount_minor, one.subscriptions)


def _between(before: Stakes, after: Stakes, what: str) -> list[Row]:
    """Return a row for each customer whose stake differs, with the difference."""
    rows = []
    for customer in {**before, **after}:
        old, new = before.get(customer), after.get(customer)
        amount = (new.minor if new else 0) - (old.minor if old else 0)
        known = new or old
        if amount and known:
            rows.append(Row(known.since, customer, what, amount, known.subscriptions))
    return rows


def _differing(opening: Opening, name: str) -> list[Row] | None:
    """Return what one rule of another tool's changes, by customer."""
    before = OWN
    for one in differences(opening.policy):
        if one.name == name:
            old, new = (
                opening.stakes(opening.known.under(policy.rules).counted)
                for policy in (before, one.policy)
            )
            return _between(old, new, one.title.lower())
        before = one.policy
    return None


def _committed(opening: Opening) -> Stakes:
    return opening.stakes(committed(opening.counted))


def _cancelling(opening: Opening) -> Stakes:
    rows = _between(_committed(opening), opening.stakes(opening.counted), "")
    return {row.customer: _stake(row) for row in rows}


def _past_due(opening: Opening) -> Stakes:
    theirs, strict = without_waiting(opening.known, opening.policy.rules)
    rows = _between(opening.stakes(strict), opening.stakes(theirs), "")
    return {row.customer: _stake(row) for row in rows}


def _stake(row: Row) -> Stake:
    return Stake(row.amount, row.at or EVER, row.subscriptions)


def _paid_up(opening: Opening) -> Stakes:
    theirs, strict = without_waiting(opening.known, opening.policy.rules)
    waiting = {span.customer for span in theirs}
    every = opening.stakes(opening.counted).items()
    others = {customer: stake for customer, stake in every if customer not in waiting}
    return others | opening.stakes(strict)


def _leaving(opening: Opening) -> Stakes:
    leaving = leaving_before(opening.counted, opening.month.end)
    every = opening.stakes(opening.counted).items()
    return {customer: stake for customer, stake in every if customer in leaving}


def _gone(opening: Opening) -> Stakes:
    left = opening.stakes(opening.counted)
    began = opening.at_start().items()
    return {customer: stake for customer, stake in began if customer not in left}


def _end(opening: Opening) -> Stakes:
    return opening.stakes(opening.counted)


LEVELS: Final[Mapping[str, tuple[str, Callable[[Opening], Stakes]]]] = {
    "mrr": ("pays", _end),
    "mrr_end": ("pays", _end),
    "mrr_start": ("paid when it began", Opening.at_start),
    "mrr_excluding_past_due": ("pays, and is not past due", _paid_up),
    "past_due": ("is past due", _past_due),
    "cancelling": ("asked to leave", _cancelling),
    "committed_mrr": ("pays, and did not ask to leave", _committed),
}
HEADS: Final[Mapping[str, tuple[str, Callable[[Opening], Stakes]]]] = {
    "subscribers_start": ("paid when it began", Opening.at_start),
    "subscribers_end": ("pays", _end),
    "subscribers_churned_opening": ("paid when it began, and not at the end", _gone),
    "cancelling_subscribers": ("asked to leave", _leaving),
}


def _named(connection: Connection, scope: Scope, rows: Sequence[Row]) -> list[BehindRow]:
    """Give the customers names, in the order of time."""
    names = named(connection, scope, (row.customer for row in rows))
    shown = [
        BehindRow(row.at, names[row.customer], row.what, row.amount, " ".join(row.subscriptions))
        for row in rows
    ]
    return sorted(shown, key=lambda row: (row.at or EVER, row.provider, row.customer, row.what))
