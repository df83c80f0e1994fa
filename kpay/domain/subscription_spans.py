"""From what is known of a subscription to the stretches of time in which it pays a monthly value.

kpay's own rules: the price without tax, after discounts that run, divided by its months; nothing
during a trial; an unpaid bill counts for 14 days of grace and then ends the span until a bill is paid
again; a cancellation counts when it takes effect. `Rules` holds what other tools do differently.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kpay.domain.subscription_facts import OWN_RULES, Bill, Rules, SubscriptionFacts

INVOLUNTARY_REASONS = frozenset({"payment_failed", "payment_disputed"})
BEFORE_PAYING = frozenset({"incomplete", "incomplete_expired", "trialing", "paused"})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch [start, end) in which a customer pays `monthly_minor`; no end: still paying.

    `is_involuntary` says that the end came from a payment that failed or was disputed; `asked_at` is
    when its end was asked for.
    """

    customer: str
    currency: str
    monthly_minor: int
    start: datetime
    end: datetime | None
    is_involuntary: bool = False
    subscription: str = ""
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Window:
    start: datetime
    end: datetime | None
    is_involuntary: bool


def spans(facts: SubscriptionFacts, rules: Rules = OWN_RULES) -> list[Span]:
    """Return the paying stretches of one subscription, in order."""
    if not facts.phases or (facts.status in BEFORE_PAYING and not facts.has_paid):
        return []
    windows = list(_windows(facts, rules))
    prices = _prices(facts, rules)
    found = []
    for (start, monthly_minor), following in zip(prices, [*prices[1:], None], strict=True):
        priced = _Window(start, following[0] if following else None, False)
        found += [
            Span(facts.customer, facts.currency, monthly_minor, shared.start, shared.end,
                 shared.is_involuntary, facts.key, facts.canceled_at)
            for window in windows
            if monthly_minor and (shared := _shared(window, priced))
        ]  # fmt: skip
    return found


def _prices(facts: SubscriptionFacts, rules: Rules) -> list[tuple[datetime, int]]:
    """Return from when each monthly value holds; neighbours differ.

    A trial costs nothing. Time given for nothing to someone who has paid already looks like one, but
    is no end: the price before it goes on.
    """
    trial_end = facts.trial_end_at
    paid_since = _paid_before(facts, trial_end) if trial_end else None
    floor = paid_since or trial_end
    prices: list[tuple[datetime, int]] = []
    for phase in sorted(facts.phases, key=lambda phase: phase.starts_at):
        is_free_time = not phase.amount_minor and not phase.ending_discount_minor
        if paid_since and prices and is_free_time and trial_end and phase.starts_at < trial_end:
            continue
        start = max(phase.starts_at, floor) if floor else phase.starts_at
        monthly_minor = phase.monthly_under(rules)
        if not prices or prices[-1][1] != monthly_minor:
            prices.append((start, monthly_minor))
    return prices


def _paid_before(facts: SubscriptionFacts, trial_end: datetime) -> datetime | None:
    """Return when a price was first paid before the end of a trial: then the trial was a gift."""
    first = min((phase.starts_at for phase in facts.phases if phase.amount_minor), default=None)
    payments = [
        bill.paid_at
        for bill in facts.bills
        if bill.paid_at and bill.paid_at < trial_end and first and first <= bill.created_at
    ]
    return min(payments, default=None)


def _windows(facts: SubscriptionFacts, rules: Rules) -> Iterator[_Window]:
    """Yield the stretches in which the subscription counts, whatever it costs."""
    start = min((phase.starts_at for phase in facts.phases), default=None)
    end, is_involuntary = _end(facts, rules)
    for lapse, back in _lapses(facts, rules.grace):
        if start is None or (end and lapse >= end):
            break
        if lapse > start:
            yield _Window(start, lapse, True)
        start = back
    if start is not None and (end is None or start < end):
        yield _Window(start, end, is_involuntary)


def _end(facts: SubscriptionFacts, rules: Rules) -> tuple[datetime | None, bool]:
    """Return when a subscription stops counting, and whether for a payment that failed."""
    asked = facts.canceled_at if rules.until_asked else None
    if asked and (facts.ended_at is None or asked < facts.ended_at):
        return asked, False
    return facts.ended_at, _ended_involuntarily(facts)


def _ended_involuntarily(facts: SubscriptionFacts) -> bool:
    """A failed payment ended it: by the provider's word, or because its last bill stayed unpaid."""
    if facts.ended_at is None:
        return False
    before = [bill for bill in facts.bills if bill.created_at <= facts.ended_at]
    last = max(before, key=lambda bill: bill.created_at, default=None)
    unpaid = last is not None and (last.paid_at is None or last.paid_at > facts.ended_at)
    return facts.cancel_reason in INVOLUNTARY_REASONS or unpaid


def _lapses(
    facts: SubscriptionFacts, grace: timedelta | None
) -> list[tuple[datetime, datetime | None]]:
    """Return when the subscription stopped counting for an unpaid bill, and when it counted again.

    Grace is given to who has paid before; a first bill counts from when it is paid.
    """
    if not any(bill.was_late for bill in facts.bills):
        return []
    lapses: list[tuple[datetime, datetime | None]] = []
    payments = sorted(bill.paid_at for bill in facts.bills if bill.paid_at)
    for bill in sorted(facts.bills, key=lambda bill: bill.created_at):
        stops = _stops_at(bill, payments, grace, facts.trial_end_at)
        if stops is None or not bill.was_late:
            continue
        position = bisect_left(payments, bill.created_at)
        back = payments[position] if position < len(payments) else None
        is_late = back is None or back > stops
        if is_late and not (lapses and (lapses[-1][1] is None or stops < lapses[-1][1])):
            lapses.append((stops, back))
    return lapses


def _stops_at(
    bill: Bill, payments: Sequence[datetime], grace: timedelta | None, trial_end: datetime | None
) -> datetime | None:
    """Return when a bill that stays unpaid ends what it is for; None: only the provider does."""
    if not payments or payments[0] > bill.created_at:
        return None if grace is None and trial_end else bill.created_at
    return None if grace is None else bill.created_at + grace


def _shared(one: _Window, other: _Window) -> _Window | None:
    """Return the time that two windows share; its end is involuntary when the first one's was."""
    start = max(one.start, other.start)
    ends = [end for end in (one.end, other.end) if end]
    end = min(ends) if ends else None
    if end is not None and end <= start:
        return None
    return _Window(start, end, one.is_involuntary and end == one.end)
