"""The campaigns report: from messages, orders, departures and costs to what each mail was worth."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from kpay.domain import attention_cost
from kpay.domain.address import normal_email
from kpay.domain.campaign_results import WINDOW_DAYS, CampaignResults
from kpay.domain.document import Document
from kpay.domain.experiment import USUAL_LEVEL, Arm, Effect, Interval, effect, pooled_effect
from kpay.domain.period import local_day, start_of_day
from kpay.domain.reports.behind import Behind, BehindRow
from kpay.domain.reports.campaign_row import CampaignRow, Earned
from kpay.domain.reports.campaigns import CampaignsReport
from kpay.domain.reports.scope import Scope
from kpay.services import experiments
from kpay.store import attention, outcomes
from kpay.store.figures import campaigns as figures

Went = Sequence[tuple[str, float]]
"""Who went away, and when, as a Julian day."""
A_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What is known of all campaigns at once."""

    sent: Mapping[int, int]
    left: Went
    complained: Went
    costs: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class _Measured:
    """One campaign's effects before a reader's worth is known."""

    number: int
    results: CampaignResults
    net: Effect
    left: Effect
    complained: Effect


def campaigns_report(connection: Connection, scope: Scope) -> CampaignsReport:
    """Measure the campaigns whose first message left in the period that was asked for, else all."""
    every = [row for row in outcomes.begun(connection) if row["first_sent_at"] < scope.as_of]
    chosen = [row for row in every if scope.period is None or row["first_sent_at"] in scope.period]
    first = min((row["first_sent_at"] for row in chosen), default=None)
    facts = _facts(connection, scope)
    measured = [_measured(connection, row, scope, facts) for row in chosen]
    to_come = _mails_to_come(every, measured)
    pool = _pool(measured)
    a_message = _a_message(pool)
    costs = [facts.costs.get(one.results.campaign, {}) for one in pool]
    sent = sum(facts.sent.get(one.number, 0) for one in pool)
    names = {one.results.campaign for one in measured}
    return CampaignsReport(
        scope,
        scope.period or scope.everything(first),
        scope.base_currency,
        tuple(_row(one, scope, facts, to_come, a_message) for one in measured),
        experiments.pooled_of(
            [one.results for one in measured],
            base=scope.base_currency,
            level=USUAL_LEVEL,
            chosen=scope.period,
        ),
        _earned(scope, sent, _together(pool), _added(costs), (to_come, a_message)),
        to_come,
        _added([sums for name, sums in facts.costs.items() if name not in names]),
    )


def _facts(connection: Connection, scope: Scope) -> _Facts:
    complaints = figures.complaints(connection, scope.as_of)
    return _Facts(
        figures.sent(connection, scope.as_of),
        [(email, day) for email, day in attention.departures(connection, scope.as_of)],
        [(email, attention.julian_day(at)) for email, at in complaints],
        _costs(connection, scope),
    )


def _costs(connection: Connection, scope: Scope) -> Mapping[str, Mapping[str, int]]:
    last = local_day(scope.as_of - A_SECOND, scope.timezone)
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for row in figures.costs(connection, last):
        sums[row.campaign][row.currency] += row.amount_minor
    return sums


def _measured(
    connection: Connection, campaign: RowMapping, scope: Scope, facts: _Facts
) -> _Measured:
    window_end = campaign["first_sent_at"] + timedelta(days=WINDOW_DAYS)
    is_over = scope.as_of >= window_end
    now = scope.as_of if is_over else scope.as_of - A_SECOND  # its orders go up to `now` inclusive
    found = experiments.measured(
        connection, campaign, now, base=scope.base_currency, level=USUAL_LEVEL
    )
    end = min(window_end, scope.as_of)
    groups = _Groups(connection, campaign["id"])
    return _Measured(
        campaign["id"],
        found,
        groups.effect(_net(connection, found.since, end, scope)),
        groups.effect(_went(facts.left, found.since, end)),
        groups.effect(_went(facts.complained, found.since, end)),
    )


class _Groups:
    """Who of a campaign was mailed and who held out."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number
        self._sizes = outcomes.group_sizes(connection, number)

    def effect(self, of_people: Mapping[str, int]) -> Effect:
        """Compare the groups by an amount of each person for whom there is one."""
        is_held_out = outcomes.groups_of(self._connection, self._number, of_people)
        amounts: tuple[list[int], list[int]] = ([], [])
        for email in sorted(is_held_out):
            amounts[is_held_out[email]].append(of_people[email])
        mailed, rested = (
            Arm(size, tuple(some)) for size, some in zip(self._sizes, amounts, strict=True)
        )
        return effect(mailed, rested)


def _net(connection: Connection, start: datetime, end: datetime, scope: Scope) -> Mapping[str, int]:
    """Return what each buyer left over in the base currency."""
    net: Counter[str] = Counter()
    for order in figures.settled_orders(connection, start, end, scope.as_of):
        if order.email and order.currency == scope.base_currency:
            net[normal_email(order.email)] += order.net_minor
    return net


def _went(people: Went, start: datetime, end: datetime) -> Mapping[str, int]:
    first, last = attention.julian_day(start), attention.julian_day(end)
    return {email: 1 for email, day in people if first <= day < last}


def _pool(measured: Sequence[_Measured]) -> list[_Measured]:
    """Return the finished sends that held somebody out: the ones that can be pooled."""
    return [one for one in measured if one.results.is_over and one.results.buyers.buyers]


def _together(pool: Sequence[_Measured]) -> tuple[Effect, Effect, Effect]:
    net, left, complained = (
        pooled_effect([(found.treated, found.held_out) for found in some])
        for some in (
            [one.net for one in pool],
            [one.left for one in pool],
            [one.complained for one in pool],
        )
    )
    return net, left, complained


def _a_message(pool: Sequence[_Measured]) -> Interval | None:
    """Return what one message earned on average."""
    found = pooled_effect([(one.net.treated, one.net.held_out) for one in pool])
    people = found.treated.people
    return found.revenue.times(1 / people) if found.revenue and people else None


def _mails_to_come(every: Sequence[RowMapping], measured: Sequence[_Measured]) -> float:
    """Return how many mails a reader who stays will be there for in a year, at the pace so far."""
    starts = [row["first_sent_at"] for row in every]
    days = attention_cost.USUAL_DAYS_BETWEEN
    if len(starts) > 1:
        days = max(1.0, (starts[-1] - starts[0]).total_seconds() / 86_400 / (len(starts) - 1))
    left = sum(one.left.treated.buyers for one in measured)
    mails = sum(one.left.treated.people for one in measured)
    return attention_cost.mails_to_come(days, attention_cost.leave_share(left, mails))


def _row(
    one: _Measured, scope: Scope, facts: _Facts, to_come: float, a_message: Interval | None
) -> CampaignRow:
    effects = (one.net, one.left, one.complained)
    if not one.results.is_over:
        effects = (_counted(one.net), _counted(one.left), _counted(one.complained))
    costs = facts.costs.get(one.results.campaign, {})
    sent = facts.sent.get(one.number, 0)
    return CampaignRow(one.results, _earned(scope, sent, effects, costs, (to_come, a_message)))


def _counted(found: Effect) -> Effect:
    """Return an effect's groups alone: while a window runs, no difference is told."""
    return Effect(found.treated, found.held_out, found.level, None, None)


def _earned(
    scope: Scope,
    sent: int,
    effects: tuple[Effect, Effect, Effect],
    costs: Mapping[str, int],
    worth: tuple[float, Interval | None],
) -> Earned:
    net, left, complained = effects
    to_come, a_message = worth
    bare = Earned(scope.base_currency, sent, net, left, complained, costs, None)
    lost = attention_cost.attention_cost(bare.caused_to_leave, a_message, to_come)
    return Earned(scope.base_currency, sent, net, left, complained, costs, lost)


def _added(costs: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in costs:
        total.update(each)
    return dict(total)


def document(connection: Connection, scope: Scope) -> Document:
    """Make the campaigns report."""
    return campaigns_report(connection, scope).to_document()


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open what was spent on the campaigns: the costs themselves."""
    if metric != "campaign_cost":
        return None
    found = campaigns_report(connection, scope)
    names = {row.results.campaign for row in found.rows}
    last = local_day(scope.as_of - A_SECOND, scope.timezone)
    rows = tuple(
        _behind_row(row, scope)
        for row in figures.costs(connection, last)
        if row.campaign in names and row.currency == found.currency
    )
    value = sum(row.earned.cost_minor for row in found.rows)
    return Behind(metric, scope, found.period, value, rows, found.currency)


def _behind_row(row: Any, scope: Scope) -> BehindRow:
    at = start_of_day(row.day, scope.timezone)
    return BehindRow(at, "", f"{row.kind} for {row.campaign}", row.amount_minor, "")
