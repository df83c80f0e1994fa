"""Subscriptions as known at a report's moment: what they paid, when, and what it was worth."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from kpay.domain.mrr_policies import OWN, Policy
from kpay.domain.period import add_months, local_day, months_between, start_of_day
from kpay.domain.rates import RateBook
from kpay.domain.reports.scope import Scope
from kpay.domain.subscription_facts import OWN_RULES, Rules, SubscriptionFacts
from kpay.domain.subscription_spans import Span, spans
from kpay.domain.subscription_walk import months_of_mrr
from kpay.domain.subscriptions import Month, MonthOfMrr, Movement
from kpay.store.figures import recurring
from kpay.store.figures.rates import rate_book


@dataclass(frozen=True, slots=True)
class Recurring:
    """Every paying stretch, those that can be counted in the base currency and the others apart."""

    counted: tuple[Span, ...]
    apart: Mapping[str, tuple[Span, ...]]
    rates: RateBook


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of every subscription, and the rates, before the scope's `as_of`."""

    facts: tuple[SubscriptionFacts, ...]
    rates: RateBook
    scope: Scope

    def under(self, rules: Rules) -> Recurring:
        """Return the paying stretches by some rules."""
        counted: list[Span] = []
        apart: dict[str, list[Span]] = defaultdict(list)
        for facts in self.facts:
            known = self.rates.knows(facts.currency)
            found = spans(facts, rules)
            (counted if known else apart[facts.currency]).extend(
                span for span in found if span.start < self.scope.as_of
            )
        held = {code: tuple(apart[code]) for code in sorted(apart) if apart[code]}
        return Recurring(tuple(counted), held, self.rates)


def known_subscriptions(connection: Connection, scope: Scope) -> Known:
    """Read subscriptions and rates, as known before the scope's `as_of`."""
    rates = rate_book(connection, scope.base_currency, scope.as_of, scope.timezone)
    facts = [one.known_at(scope.as_of) for one in recurring.subscriptions(connection)]
    return Known(tuple(facts), rates, scope)


def recurring_spans(connection: Connection, scope: Scope) -> Recurring:
    """Return the paying stretches by kpay's own rules, as known before the scope's `as_of`."""
    return known_subscriptions(connection, scope).under(OWN_RULES)


def calendar(scope: Scope, counted: Sequence[Span], rates: RateBook) -> tuple[Month, ...]:
    """Return the months from the first paying one to `as_of`; none where nobody ever paid."""
    if not counted:
        return ()
    first = local_day(min(span.start for span in counted), scope.timezone)
    last = local_day(scope.as_of - timedelta(seconds=1), scope.timezone)
    return tuple(month_of(day, scope, rates) for day in months_between(first, last))


def month_of(first_day: date, scope: Scope, rates: RateBook) -> Month:
    """Return a month up to `as_of`, with the rates at its end."""
    start = start_of_day(first_day, scope.timezone)
    whole = start_of_day(add_months(first_day, 1), scope.timezone)
    end = min(whole, scope.as_of)
    return Month(first_day, start, end, rates.at(end), is_partial=end < whole)


def walked(
    scope: Scope,
    counted: Sequence[Span],
    months: Sequence[Month],
    policy: Policy = OWN,
    journal: list[Movement] | None = None,
) -> list[MonthOfMrr]:
    """Take the paying stretches through the months; a `journal` is given every movement."""
    return months_of_mrr(
        counted,
        months,
        scope.timezone,
        ignores_passers_by=policy.ignores_passers_by,
        journal=journal,
    )


def thirty_days_before(
    scope: Scope, counted: Sequence[Span], months: Sequence[Month]
) -> list[MonthOfMrr]:
    """Return for each month the movements of the thirty days before its end.

    All windows are cut out of one walk, at every month's end and thirty days before it.
    """
    begins = [month.end - timedelta(days=30) for month in months]
    ends = [month.end for month in months]
    edges = sorted({*begins, *ends, months[0].start}) if months else []
    pieces = [
        replace(months[bisect_left(ends, end)], start=start, end=end)
        for start, end in pairwise(edges)
    ]
    walk = walked(scope, counted, pieces)
    found = []
    for month, begin in zip(months, begins, strict=True):
        first, last = bisect_left(edges, begin), bisect_left(edges, month.end)
        found.append(_together(month, walk[first:last]))
    return found


def _together(month: Month, pieces: Sequence[MonthOfMrr]) -> MonthOfMrr:
    """Return what moved in neighbouring stretches, from the start of the first one."""
    names = (
        "new_minor", "expansion_minor", "contraction_minor", "churn_voluntary_minor",
        "churn_involuntary_minor", "reactivation_minor", "subscribers_new", "subscribers_churned",
    )  # fmt: skip
    sums: dict[str, Any] = {name: sum(getattr(one, name) for one in pieces) for name in names}
    return MonthOfMrr(
        month.first_day,
        start_minor=pieces[0].start_minor,
        subscribers_start=pieces[0].subscribers_start,
        **sums,
    )


def without_waiting(known: Known, rules: Rules) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the stretches of customers who were ever past due, and the same without that time.

    The difference of the two is what is past due at a moment; the others need no second look.
    """
    waiting = {one.customer for one in known.facts if any(bill.was_late for bill in one.bills)}
    theirs = replace(known, facts=tuple(one for one in known.facts if one.customer in waiting))
    strict = replace(rules, grace=timedelta(0))
    return theirs.under(rules).counted, theirs.under(strict).counted


def committed(counted: Iterable[Span]) -> list[Span]:
    """Return the stretches up to when their end was asked for."""
    found = []
    for span in counted:
        asked = span.asked_at
        if asked is None or (span.end is not None and span.end <= asked):
            found.append(span)
        elif span.start < asked:
            found.append(replace(span, end=asked))
    return found


def leaving_before(counted: Iterable[Span], moment: datetime) -> set[str]:
    """Return the customers who just before a moment still pay for what they asked to end."""
    return {
        span.customer
        for span in counted
        if span.asked_at is not None
        and span.asked_at < moment
        and span.start < moment
        and (span.end is None or moment <= span.end)
    }
