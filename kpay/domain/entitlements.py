"""When the right to read begins and ends: rules on plain values.

A paid order grants what it sold, a bundle everything it includes. A whole refund ends the right when
its last part was given, a lost dispute when the bank took the money. A subscription grants while it
is paid: from its start (a trial counts) until it ended; an unpaid period is forgiven for a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kpay.domain.enums import COUNTED_REFUNDS

GRACE = timedelta(days=14)
NEVER_BEGAN = ("incomplete", "incomplete_expired")


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
    total_minor: int, refunds: Sequence[MoneyBack], disputes: Iterable[tuple[str, datetime]]
) -> End | None:
    """Return when an order's rights ended: by a whole refund or a lost dispute, whichever came first.

    `refunds` are oldest first; `disputes` are (status, when opened).
    """
    ends = [End(at, "dispute") for status, at in disputes if status == "lost"]
    back = 0
    for refund in refunds:
        if refund.status in COUNTED_REFUNDS:
            back += refund.amount_minor
            if 0 < total_minor <= back:
                ends.append(End(refund.at, "refund"))
                break
    return min(ends, key=lambda end: end.at, default=None)


def subscription_end(
    status: str,
    *,
    period_start_at: datetime | None,
    trial_end_at: datetime | None,
    ended_at: datetime | None,
    started_at: datetime,
) -> End | None:
    """Return when a subscription's right ended or will end, or None while it goes on.

    An overdue payment ends it a grace after the unpaid period began; paying takes that back.
    """
    if status in ("active", "trialing"):
        return None
    if ended_at is not None:
        return End(ended_at, "subscription_ended")
    if status == "paused":
        return End(trial_end_at or period_start_at or started_at, "paused")
    return End((period_start_at or started_at) + GRACE, status)


def contents_granted(content: int, included: Mapping[int, Sequence[int]]) -> tuple[int, ...]:
    """Return what buying a piece of content gives: itself, and for a bundle what it includes."""
    return tuple(dict.fromkeys((content, *included.get(content, ()))))
