"""What happened to a subscription, as a file tells it, and what the subscription is by that.

Each event says what holds from its moment on: the plan, and the discount in percent with, for one
that ends by itself, until when. The last price before tax is that of the plan, less the discount.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from itertools import zip_longest
from typing import Final

from kpay.domain.entitlements import period_end
from kpay.domain.enums import Interval


class Happening(StrEnum):
    """What can happen to a subscription; of two at one moment the one listed first came first."""

    TRIAL_START = "trial_start"
    START = "start"
    CHANGE_PLAN = "change_plan"
    DISCOUNT_END = "discount_end"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_RECOVERED = "payment_recovered"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL_AT_PERIOD_END = "cancel_at_period_end"
    CANCEL_NOW = "cancel_now"
    ENDED = "ended"


LONGEST_DAYS: Final = {Interval.DAY: 1, Interval.WEEK: 7, Interval.MONTH: 31, Interval.YEAR: 366}
BEGINNINGS: Final = (Happening.TRIAL_START, Happening.START)
NAMING_A_PLAN: Final = (*BEGINNINGS, Happening.CHANGE_PLAN)
RANK: Final = {happening: rank for rank, happening in enumerate(Happening)}


@dataclass(frozen=True, slots=True)
class Plan:
    """A recurring price, without tax."""

    name: str
    interval: str
    interval_count: int
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """One event; `line` is where the file has it, None where an earlier file had it."""

    happened_at: datetime
    happening: Happening
    customer: str
    plan: str = ""
    discount_pct: float = 0.0
    discount_until: datetime | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ToldPayment:
    """An attempt to pay for the subscription."""

    at: datetime
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Priced:
    """From when the subscription costs what; a plan of None: it is paused and costs nothing."""

    since: datetime
    plan: Plan | None
    discount_pct: float = 0.0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ToldPhase:
    """From when one interval costs `amount_minor`, of which a discount that ends took off a part."""

    starts_at: datetime
    amount_minor: int
    interval: str
    interval_count: int
    ending_discount_minor: int = 0


@dataclass(slots=True)
class ToldBill:
    """A bill that was paid, or could not be at first."""

    created_at: datetime
    amount_minor: int
    paid_at: datetime | None = None
    attempts: int = 1


@dataclass(slots=True)
class Story:
    """A subscription as its events leave it."""

    customer: str
    began_at: datetime
    plan: Plan
    billed_since: datetime | None = None
    ended_at: datetime | None = None
    canceled_at: datetime | None = None
    is_ending: bool = False
    is_paused: bool = False
    cancel_reason: str | None = None
    anchor_at: datetime | None = None
    last_at: datetime | None = None
    prices: tuple[Priced, ...] = ()
    bills: tuple[ToldBill, ...] = ()

    @property
    def open_bill(self) -> ToldBill | None:
        """The bill that waits for its money."""
        return next((bill for bill in reversed(self.bills) if bill.paid_at is None), None)

    @property
    def status(self) -> str:
        """The provider's word for where the subscription stands."""
        if self.ended_at is not None:
            return "canceled"
        if self.billed_since is None:
            return "trialing"
        return "past_due" if self.open_bill else "active"

    @property
    def trial_end_at(self) -> datetime | None:
        """When the trial was over: with the first price, or with the end where none ever came."""
        if self.billed_since == self.began_at:
            return None
        return self.billed_since or self.ended_at

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """The billing period in which the newest event or payment lies."""
        if self.anchor_at is None or self.last_at is None:
            return None
        plan = self.plan
        most_days = LONGEST_DAYS[Interval(plan.interval)] * plan.interval_count
        count = max(0, (self.last_at - self.anchor_at).days // most_days)
        starts_at = ends_at = self._after(count)
        while ends_at <= self.last_at:
            count += 1
            starts_at, ends_at = ends_at, self._after(count)
        return starts_at, ends_at

    def _after(self, periods: int) -> datetime:
        """Return the end of so many periods; counted from the first, so that no short month shifts it."""
        since = self.anchor_at or self.began_at
        return period_end(since, self.plan.interval, self.plan.interval_count * periods)

    def close(self, known_until: datetime) -> None:
        """End what was to end with its period, where the books go on beyond that."""
        period = self.period
        if self.is_ending and self.ended_at is None and period and period[1] <= known_until:
            self.ended_at = period[1]
            self.cancel_reason = "cancellation_requested"

    def phases(self) -> list[ToldPhase]:
        """Return what the subscription costs from when on; a discount that ends does so by itself."""
        found: list[ToldPhase] = []
        for price, after in zip_longest(self.prices, self.prices[1:]):
            found.append(_phase(price, price.since, self.plan))
            limits = [at for at in (after.since if after else None, self.ended_at) if at]
            until = price.until
            if until and price.since < until and all(until < limit for limit in limits):
                found.append(_phase(price, until, self.plan))
        return found


def discounted(plan: Plan, discount_pct: float) -> int:
    """Return the price of an interval less a percentage, rounded half up."""
    exact = plan.amount_minor * (100 - Fraction(str(discount_pct))) / 100
    return int((2 * exact + 1) // 2)


def _phase(price: Priced, since: datetime, last_plan: Plan) -> ToldPhase:
    plan = price.plan or last_plan
    if price.plan is None:
        return ToldPhase(since, 0, plan.interval, plan.interval_count)
    is_over = price.until is not None and since >= price.until
    amount = discounted(plan, 0.0 if is_over else price.discount_pct)
    ending = plan.amount_minor - amount if price.until and not is_over else 0
    return ToldPhase(since, amount, plan.interval, plan.interval_count, ending)


def in_order(events: Iterable[ToldEvent]) -> list[ToldEvent]:
    """Return events as they happened."""
    return sorted(events, key=lambda event: (event.happened_at, RANK[event.happening]))
