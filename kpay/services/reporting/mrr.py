"""The MRR report: from subscriptions and rates in the store to movements by the month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from kpay.domain.document import Document
from kpay.domain.enums import MrrPolicy
from kpay.domain.mrr_policies import OWN, POLICIES, Policy, differences
from kpay.domain.period import months_between
from kpay.domain.rates import RateBook
from kpay.domain.reports.behind import Behind
from kpay.domain.reports.mrr import MrrReport, newest_whole
from kpay.domain.reports.mrr_months import MonthLine, Standing
from kpay.domain.reports.mrr_rates import Rates, rates_under
from kpay.domain.reports.mrr_reconciled import Reconciliation
from kpay.domain.reports.scope import Scope
from kpay.domain.subscription_levels import mrr_before
from kpay.domain.subscription_spans import Span
from kpay.domain.subscriptions import Month, MonthOfMrr
from kpay.services.reporting.mrr_behind import behind
from kpay.services.reporting.recurring import (
    Known,
    calendar,
    committed,
    known_subscriptions,
    leaving_before,
    thirty_days_before,
    walked,
    without_waiting,
)


def policy_of(scope: Scope) -> Policy:
    """Return the policy that a report is asked for."""
    return POLICIES[MrrPolicy(scope.policy)]


def mrr_report(connection: Connection, scope: Scope) -> MrrReport:
    """Walk all subscriptions through the months from the first to `as_of`; show what was asked."""
    known, policy = known_subscriptions(connection, scope), policy_of(scope)
    found = known.under(policy.rules)
    everyone = [*found.counted, *(span for apart in found.apart.values() for span in apart)]
    first = min((span.start for span in everyone), default=None)
    period = scope.period or scope.everything(first)
    shown = tuple(months_between(period.first_day, scope.known(period).last_day))
    lines = Lines(known, policy)
    months = lines.of(found.counted, known.rates, with_standing=True)
    listed = [line for line in months if line.month.first_day in shown]
    return MrrReport(
        scope,
        period,
        scope.base_currency,
        months,
        {code: lines.of(apart, RateBook(code)) for code, apart in found.apart.items()},
        shown,
        policy,
        _reconciled(known, policy, newest_whole(listed) or listed[-1]) if listed else None,
    )


@dataclass(frozen=True, slots=True)
class Lines:
    """Makes the lines of a report by one policy."""

    known: Known
    policy: Policy

    def of(
        self, counted: Sequence[Span], rates: RateBook, *, with_standing: bool = False
    ) -> tuple[MonthLine, ...]:
        """Return a line for each month; how it stands is told of the base currency only."""
        months = calendar(self.known.scope, counted, rates)
        walk = walked(self.known.scope, counted, months, self.policy)
        standing = self.standing(counted, months) if with_standing else [Standing()] * len(months)
        windows: list[MonthOfMrr] = []
        if self.policy.rates.startswith("thirty_days"):
            windows = thirty_days_before(self.known.scope, counted, months)
        lines = []
        for index, month in enumerate(walk):
            quarter = walk[max(0, index - 2) : index + 1]
            rated = rates_under(self.policy, quarter, windows[index] if windows else None)
            lines.append(MonthLine(month, rated, standing[index]))
        return tuple(lines)

    def standing(self, counted: Sequence[Span], months: Sequence[Month]) -> list[Standing]:
        """Return how MRR stands just before the end of each month."""
        ends, rates = [month.end for month in months], [month.rates for month in months]
        staying = mrr_before(committed(counted), ends, rates)
        asked = [span for span in counted if span.asked_at]
        theirs, strict = without_waiting(self.known, self.policy.rules)
        waiting = mrr_before(theirs, ends, rates)
        paid = mrr_before(strict, ends, rates)
        levels = mrr_before(counted, ends, rates)
        return [
            Standing(
                past_due_minor=waiting[index] - paid[index],
                cancelling_minor=levels[index] - staying[index],
                cancelling_subscribers=len(leaving_before(asked, end)),
            )
            for index, end in enumerate(ends)
        ]


def _reconciled(known: Known, policy: Policy, shown: MonthLine) -> Reconciliation | None:
    """Lead one month from kpay's policy to another, a rule at a time."""
    if policy is OWN:
        return None
    first_day = shown.month.first_day
    nothing = MonthOfMrr(first_day, shown.month.is_partial)
    changed = tuple(differences(policy))
    lines = []
    for one in (OWN, *(difference.policy for difference in changed)):
        counted = known.under(one.rules).counted
        every = Lines(known, one).of(counted, known.rates)
        same = (line for line in every if line.month.first_day == first_day)
        lines.append(next(same, MonthLine(nothing, Rates.of([nothing]))))
    return Reconciliation(policy, known.scope.base_currency, lines[0], changed, tuple(lines[1:]))


def document(connection: Connection, scope: Scope) -> Document:
    """Make the MRR report."""
    return mrr_report(connection, scope).to_document()


def explain(connection: Connection, scope: Scope, metric: str) -> Behind | None:
    """Open a figure of the newest month in the scope that is over, else of the one that runs."""
    report = mrr_report(connection, scope)
    listed = report.listed
    if not listed:
        return None
    line = report.newest_whole or listed[-1]
    figures = line.metrics(report.currency)
    if report.reconciliation:
        figures |= report.reconciliation.metrics()
    value = figures[metric].value if metric in figures else None
    if not isinstance(value, int):
        return None
    return behind(connection, scope, report.policy, metric, line.month.first_day, value)
