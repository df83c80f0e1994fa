"""When the right to read begins and ends: rules on plain values.

A paid order grants what it sold, a bundle everything it includes. A whole refund ends the right when
its last part was given, a dispute when the bank took the money, for as long as the bank has it. A
subscription grants while it is paid: from its start (a trial counts) until it ended; an unpaid period
is forgiven for a while, one whose money went back is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kpay.domain.enums import COUNTED_REFUNDS, Interval, OrderKind
from kpay.domain.period import add_months

GRACE = timedelta(days=14)
NEVER_BEGAN = ("incomplete", "incomplete_expired")
HOLDING_DISPUTES: Final = ("needs_response", "under_review", "lost", "charge_refunded")
"""The provider's states of a dispute in which the money is with the buyer's bank.

An inquiry (`warning_...`) and one that was prevented took nothing, a won one gave it back.
"""
VOID = "void"
"""The pause that cancels every bill: nobody will ever pay for the time of it."""
MONTHS_OF: Final[Mapping[str, int]] = {Interval.MONTH: 1, Interval.YEAR: 12}
DAYS_OF: Final[Mapping[str, timedelta]] = {
    Interval.DAY: timedelta(days=1),
    Interval.WEEK: timedelta(weeks=1),
}
PERIOD_KINDS: Final = (OrderKind.SUBSCRIPTION_START, OrderKind.RENEWAL)


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """A refund of an order."""

    amount_minor: int
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class End:
    """When a right ended, and why."""

    at: datetime
    reason: str


def order_end(
    total_minor: int, refunds: Iterable[MoneyBack], disputes: Iterable[tuple[str, datetime]]
) -> End | None:
    """Return when an order's rights ended: by a whole refund or a dispute, whichever came first.

    `disputes` are (status, when opened). The order in which either is given makes no difference.
    """
    ends = [End(at, "dispute") for status, at in disputes if status in HOLDING_DISPUTES]
    back = 0
    for refund in sorted(refunds, key=lambda refund: refund.at):
        if refund.status in COUNTED_REFUNDS:
            back += refund.amount_minor
            if 0 < total_minor <= back:
                ends.append(End(refund.at, "refund"))
                break
    return min(ends, key=lambda end: (end.at, end.reason), default=None)


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """An order of a subscription, and when its money went back."""

    name: str
    kind: str
    at: datetime
    end: End | None = None


def latest_period(orders: Iterable[PaidOrder]) -> Sequence[PaidOrder]:
    """Return what was paid for a subscription's newest period: its bill, and later changes of plan."""
    ordered = sorted(orders, key=lambda one: (one.at, one.kind not in PERIOD_KINDS, one.name))
    begins = [place for place, order in enumerate(ordered) if order.kind in PERIOD_KINDS]
    return ordered[begins[-1] :] if begins else ordered


def taken_back(orders: Iterable[PaidOrder]) -> End | None:
    """Return when nothing was left of what was paid for the newest period, or None while some is."""
    ends = [order.end for order in latest_period(orders)]
    known = [end for end in ends if end is not None]
    if not ends or len(known) < len(ends):
        return None
    return max(known, key=lambda end: (end.at, end.reason))


def period_end(starts_at: datetime, interval: str, interval_count: int) -> datetime:
    """Return the end of a billing period; a month without the day ends on its last one."""
    if interval in MONTHS_OF:
        day = add_months(starts_at.date(), MONTHS_OF[interval] * interval_count)
        return datetime.combine(day, starts_at.timetz())
    return starts_at + DAYS_OF[interval] * interval_count


@dataclass(frozen=True, slots=True)
class Membership:
    """What a subscription's right depends on.

    `paid_until` is the end of the newest period that was paid, `money_back` when that money went back.
    """

    status: str
    started_at: datetime
    period_start_at: datetime | None = None
    trial_end_at: datetime | None = None
    ended_at: datetime | None = None
    pause_behavior: str | None = None
    paid_until: datetime | None = None
    money_back: End | None = None


def subscription_end(membership: Membership) -> End | None:
    """Return when a subscription's right ended or will end, or None while it goes on.

    An overdue payment ends it a grace after the unpaid period began; paying takes that back. So does
    a new payment after the money of a period went back.
    """
    ends = [_lapse(membership), _pause(membership), membership.money_back]
    known = [end for end in ends if end is not None]
    return min(known, key=lambda end: (end.at, end.reason), default=None)


def _lapse(membership: Membership) -> End | None:
    """Return the end that the subscription's own state is."""
    period_start = membership.period_start_at or membership.started_at
    if membership.status in ("active", "trialing"):
        return None
    if membership.ended_at is not None:
        return End(membership.ended_at, "subscription_ended")
    if membership.status == "paused":
        return End(membership.trial_end_at or period_start, "paused")
    return End(period_start + GRACE, membership.status)


def _pause(membership: Membership) -> End | None:
    """Return the end of what was paid before bills began to be cancelled.

    The other pauses (`keep_as_draft`, `mark_uncollectible`) go on serving: one bills later, the other
    gives away.
    """
    if membership.pause_behavior != VOID:
        return None
    paid = [one for one in (membership.paid_until, membership.trial_end_at) if one is not None]
    return End(max(paid, default=membership.started_at), "paused")


def contents_granted(content: int, included: Mapping[int, Sequence[int]]) -> tuple[int, ...]:
    """Return what buying a piece of content gives: itself, and for a bundle what it includes."""
    return tuple(dict.fromkeys((content, *included.get(content, ()))))
