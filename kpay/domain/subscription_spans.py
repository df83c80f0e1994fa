"""From what is known of a subscription to the stretches of time in which it pays a monthly value.

Rules (kpay's default policy): the price without tax, after discounts that run, divided by its
months; nothing during a trial; an unpaid bill counts for 14 days of grace and then ends the span
until a bill is paid again; a cancellation counts when it takes effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from kpay.domain.enums import Interval

GRACE = timedelta(days=14)
NEVER_PAYING = frozenset({"incomplete", "incomplete_expired", "trialing", "paused"})
INVOLUNTARY_REASONS = frozenset({"payment_failed", "payment_disputed"})
MONTHS_OF = {
    Interval.DAY: Fraction(12, 365),
    Interval.WEEK: Fraction(12, 52),
    Interval.MONTH: Fraction(1),
    Interval.YEAR: Fraction(12),
}


@dataclass(frozen=True, slots=True)
class Phase:
    """From when a subscription costs what: `amount_minor` an interval, without tax, discounted."""

    starts_at: datetime
    amount_minor: int
    interval: str
    interval_count: int = 1

    @property
    def monthly_minor(self) -> int:
        """The value of one month, rounded half up: a year is 12 months, a week 12/52 of one."""
        months = MONTHS_OF[Interval(self.interval)] * self.interval_count
        return rounded(Fraction(self.amount_minor) / months)


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice above zero: when it was written, and when it was paid, if it was."""

    created_at: datetime
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What is known of one subscription; `customer` names the person it counts for."""

    key: str
    customer: str
    currency: str
    status: str
    phases: tuple[Phase, ...]
    trial_end_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_reason: str | None = None
    bills: tuple[Bill, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch [start, end) in which a customer pays `monthly_minor`; no end: still paying.

    `is_involuntary` says that the end came from a payment that failed or was disputed.
    """

    customer: str
    currency: str
    monthly_minor: int
    start: datetime
    end: datetime | None
    is_involuntary: bool = False


@dataclass(frozen=True, slots=True)
class _Window:
    start: datetime
    end: datetime | None
    is_involuntary: bool


def rounded(value: Fraction) -> int:
    """Round to the nearest integer, halves away from zero."""
    half_up = (abs(value) * 2 + 1) // 2
    return int(half_up if value >= 0 else -half_up)


def spans(facts: SubscriptionFacts, grace: timedelta = GRACE) -> list[Span]:
    """Return the paying stretches of one subscription, in order."""
    if facts.status in NEVER_PAYING:
        return []
    windows = list(_windows(facts, grace))
    phases = sorted(facts.phases, key=lambda phase: phase.starts_at)
    found = []
    for phase, following in zip(phases, [*phases[1:], None], strict=True):
        start = max(filter(None, (phase.starts_at, facts.trial_end_at)))
        priced = _Window(start, following.starts_at if following else None, False)
        found += [
            Span(facts.customer, facts.currency, phase.monthly_minor, shared.start, shared.end,
                 shared.is_involuntary)
            for window in windows
            if phase.monthly_minor and (shared := _shared(window, priced))
        ]  # fmt: skip
    return found


def _windows(facts: SubscriptionFacts, grace: timedelta) -> Iterator[_Window]:
    """Yield the stretches in which the subscription counts, whatever it costs."""
    start = min(phase.starts_at for phase in facts.phases) if facts.phases else None
    lapses = _lapses(facts.bills, grace)
    for lapse, back in lapses:
        if start is None or (facts.ended_at and lapse >= facts.ended_at):
            break
        if lapse > start:
            yield _Window(start, lapse, True)
        start = back
    if start is not None and (facts.ended_at is None or start < facts.ended_at):
        yield _Window(start, facts.ended_at, _ended_involuntarily(facts))


def _ended_involuntarily(facts: SubscriptionFacts) -> bool:
    """A failed payment ended it: by the provider's word, or because its last bill stayed unpaid."""
    if facts.ended_at is None:
        return False
    last = max(facts.bills, key=lambda bill: bill.created_at, default=None)
    unpaid = last is not None and (last.paid_at is None or last.paid_at > facts.ended_at)
    return facts.cancel_reason in INVOLUNTARY_REASONS or unpaid


def _lapses(bills: Sequence[Bill], grace: timedelta) -> list[tuple[datetime, datetime | None]]:
    """Return when the subscription stopped counting for an unpaid bill, and when it counted again.

    Grace is given to who has paid before; a first bill counts from when it is paid.
    """
    lapses: list[tuple[datetime, datetime | None]] = []
    payments = sorted(bill.paid_at for bill in bills if bill.paid_at)
    for bill in sorted(bills, key=lambda bill: bill.created_at):
        has_paid = bool(payments) and payments[0] <= bill.created_at
        stops = bill.created_at + grace if has_paid else bill.created_at
        back = next((paid for paid in payments if paid >= bill.created_at), None)
        is_late = back is None or back > (stops if has_paid else stops + grace)
        if is_late and not (lapses and (lapses[-1][1] is None or stops < lapses[-1][1])):
            lapses.append((stops, back))
    return lapses


def _shared(one: _Window, other: _Window) -> _Window | None:
    """Return the time that two windows share; its end is involuntary when the first one's was."""
    start = max(one.start, other.start)
    ends = [end for end in (one.end, other.end) if end]
    end = min(ends) if ends else None
    if end is not None and end <= start:
        return None
    return _Window(start, end, one.is_involuntary and end == one.end)
