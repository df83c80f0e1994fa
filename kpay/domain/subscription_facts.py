"""What is known of a subscription, and by which rules it counts as recurring revenue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache

from kpay.domain.entitlements import period_end
from kpay.domain.enums import Interval

STOPPED = frozenset({"incomplete_expired", "paused", "canceled"})
PROMPT = timedelta(hours=2)
"""A bill that is paid so soon was never late: the provider lets an hour pass before it charges."""
MONTHS_OF = {
    Interval.DAY: Fraction(12, 365),
    Interval.WEEK: Fraction(12, 52),
    Interval.MONTH: Fraction(1),
    Interval.YEAR: Fraction(12),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as recurring revenue, and until when.

    `grace` is how long an unpaid bill counts (None: until the subscription itself ends);
    `ending_discounts` says whether discounts that end by themselves lower it while they run;
    `until_asked` ends a subscription when its end is asked for, not when it takes effect.
    """

    grace: timedelta | None = timedelta(days=14)
    ending_discounts: bool = True
    until_asked: bool = False


OWN_RULES = Rules()


@dataclass(frozen=True, slots=True)
class Phase:
    """From when a subscription costs what: `amount_minor` an interval, without tax, discounted.

    `ending_discount_minor` is the part of the discount that ends by itself.
    """

    starts_at: datetime
    amount_minor: int
    interval: str
    interval_count: int = 1
    ending_discount_minor: int = 0

    @property
    def monthly_minor(self) -> int:
        """The value of one month, rounded half up: a year is 12 months, a week 12/52 of one."""
        return monthly_value(self.amount_minor, self.interval, self.interval_count)

    def monthly_under(self, rules: Rules) -> int:
        """Return the value of one month by some rules; never below zero."""
        kept = 0 if rules.ending_discounts else self.ending_discount_minor
        return monthly_value(max(0, self.amount_minor + kept), self.interval, self.interval_count)


@lru_cache(maxsize=4096)
def monthly_value(amount_minor: int, interval: str, interval_count: int) -> int:
    """Return what an amount an interval is worth a month, rounded half up."""
    return rounded(Fraction(amount_minor) / (MONTHS_OF[Interval(interval)] * interval_count))


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice above zero: when it was written, and when it was paid, if it was."""

    created_at: datetime
    paid_at: datetime | None

    @property
    def was_late(self) -> bool:
        """Say that it stood unpaid for a while, or still does."""
        return self.paid_at is None or self.paid_at > self.created_at + PROMPT


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What is known of one subscription; `customer` names the person it counts for.

    `status` is the newest that is known and tells nothing of the past; `canceled_at` is when its end
    was asked for.
    """

    key: str
    customer: str
    currency: str
    status: str
    phases: tuple[Phase, ...]
    trial_end_at: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_reason: str | None = None
    bills: tuple[Bill, ...] = ()

    def known_at(self, moment: datetime) -> SubscriptionFacts:
        """Return what was known of it before a moment, whatever came later.

        What its present status says is turned into a date first, so that a report of an earlier day
        does not see it.
        """
        ended_at = self.ended_at or self._stopped_at()
        bills = self.bills
        if any(bill.created_at >= moment or (bill.paid_at or moment) >= moment for bill in bills):
            bills = tuple(_known(bill, moment) for bill in bills if bill.created_at < moment)
        is_over = ended_at is not None and ended_at < moment
        return replace(
            self,
            status="" if self.has_paid else self.status,
            phases=tuple(phase for phase in self.phases if phase.starts_at < moment),
            canceled_at=_before(self.canceled_at, moment),
            ended_at=ended_at if is_over else None,
            cancel_reason=self.cancel_reason if is_over else None,
            bills=bills,
        )

    @property
    def has_paid(self) -> bool:
        """Say whether any of its bills was paid."""
        return any(bill.paid_at for bill in self.bills)

    def _stopped_at(self) -> datetime | None:
        """Return when something that stopped without a date was last paid for."""
        if self.status not in STOPPED or not self.phases:
            return None
        phase = max(self.phases, key=lambda phase: phase.starts_at)
        paid = [bill.created_at for bill in self.bills if bill.paid_at]
        last = max(paid, default=phase.starts_at)
        return self.canceled_at or period_end(last, phase.interval, phase.interval_count)


def _known(bill: Bill, moment: datetime) -> Bill:
    return Bill(bill.created_at, _before(bill.paid_at, moment))


def _before(one: datetime | None, moment: datetime) -> datetime | None:
    return one if one is not None and one < moment else None


def rounded(value: Fraction) -> int:
    """Round to the nearest integer, halves away from zero."""
    half_up = (abs(value) * 2 + 1) // 2
    return int(half_up if value >= 0 else -half_up)
