"""Walking through the events of a subscription: what it is by them, and which of them make no sense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from kpay.domain.subscription_story import (
    BEGINNINGS,
    NAMING_A_PLAN,
    Happening,
    Plan,
    Priced,
    Story,
    ToldBill,
    ToldEvent,
    ToldPayment,
    discounted,
    in_order,
)

Complaint = tuple[ToldEvent, str, str]
"""The event, the column of it that is wrong, and why."""


def tell(
    events: Iterable[ToldEvent],
    payments: Iterable[ToldPayment],
    plans: Mapping[str, Plan],
    known_until: datetime | None = None,
) -> tuple[Story | None, list[Complaint]]:
    """Return the subscription, if one ever began, and the events that cannot have happened.

    Payments tell of bills too: one that fails opens a bill, the next that succeeds pays it. A
    subscription that was to end with its period has ended where `known_until` lies beyond that.
    """
    telling = _Telling(plans)
    moments: list[tuple[datetime, int, ToldEvent | ToldPayment]] = [
        *((event.happened_at, 0, event) for event in in_order(events)),
        *((payment.at, 1, payment) for payment in payments),
    ]
    for _, _, moment in sorted(moments, key=lambda moment: moment[:2]):
        if isinstance(moment, ToldEvent):
            telling.take(moment)
        else:
            telling.pay(moment)
    if telling.story is not None and known_until is not None:
        telling.story.close(known_until)
    return telling.story, telling.complaints


class _Telling:
    """The story so far."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        self._plans = plans
        self.story: Story | None = None
        self.complaints: list[Complaint] = []

    def take(self, event: ToldEvent) -> None:
        wrong = _why_not(self.story, event, self._plans)
        if wrong is not None:
            if (
                self.story is not None or not self.complaints
            ):  # what follows a wrong start is no news
                self.complaints.append((event, *wrong))
            return
        if self.story is None:
            plan = self._plans[event.plan]
            self.story = Story(event.customer, event.happened_at, plan)
        self.story.last_at = event.happened_at
        TURNS[event.happening](self.story, event, self._plans)

    def pay(self, payment: ToldPayment) -> None:
        story = self.story
        if story is None or story.billed_since is None or story.ended_at is not None:
            return
        bill = story.open_bill
        if payment.succeeded:
            story.last_at = payment.at
            if bill:
                bill.paid_at = payment.at
        elif bill is None:
            _open_bill(story, payment.at)
        elif bill.created_at < payment.at:
            bill.attempts += 1


def _why_not(
    story: Story | None, event: ToldEvent, plans: Mapping[str, Plan]
) -> tuple[str, str] | None:
    """Return the column of an event that does not fit the story so far, and why."""
    if story is None and event.happening not in BEGINNINGS:
        return "event", f"{event.happening} comes before the start of the subscription"
    if event.happening in NAMING_A_PLAN and event.plan not in plans:
        return "plan", f"{event.plan!r} is no plan that was imported" if event.plan else "is empty"
    if story is None:
        return None
    if event.customer != story.customer:
        return "customer", f"{event.customer!r}, but the subscription is of {story.customer!r}"
    if story.ended_at is not None and event.happening is not Happening.ENDED:
        ended = f"{story.ended_at:%Y-%m-%d}"
        return (
            "event",
            f"{event.happening} after the end on {ended}: one that starts anew has a sub_id of its own",
        )
    if event.happening in NAMING_A_PLAN and plans[event.plan].currency != story.plan.currency:
        theirs, own = plans[event.plan].currency.upper(), story.plan.currency.upper()
        return "plan", f"{event.plan!r} is in {theirs}, but the subscription pays in {own}"
    return _out_of_turn(story, event.happening)


def _out_of_turn(story: Story, happening: Happening) -> tuple[str, str] | None:
    if happening is Happening.TRIAL_START or (happening is Happening.START and story.billed_since):
        return "event", f"{happening}, but the subscription began on {story.began_at:%Y-%m-%d}"
    if happening is Happening.RESUME and not (story.is_paused or story.is_ending):
        return "event", "resume, but the subscription was neither paused nor to end"
    return None


def _price(story: Story, event: ToldEvent, plan: Plan | None) -> None:
    """Let a price hold from an event on; of two at one moment the later told holds."""
    is_off = plan is not None and event.discount_pct > 0
    until = event.discount_until if is_off else None
    price = Priced(event.happened_at, plan, event.discount_pct if is_off else 0.0, until)
    earlier = tuple(one for one in story.prices if one.since < event.happened_at)
    story.prices = (*earlier, price)


def _trial_start(story: Story, event: ToldEvent, plans: Mapping[str, Plan]) -> None:
    story.plan = plans[event.plan]


def _start(story: Story, event: ToldEvent, plans: Mapping[str, Plan]) -> None:
    story.plan = plans[event.plan]
    story.billed_since = story.anchor_at = event.happened_at
    _price(story, event, story.plan)
    amount = discounted(story.plan, event.discount_pct)
    if amount:
        story.bills = (*story.bills, ToldBill(event.happened_at, amount, event.happened_at))


def _change_plan(story: Story, event: ToldEvent, plans: Mapping[str, Plan]) -> None:
    plan = plans[event.plan]
    other_interval = (plan.interval, plan.interval_count) != (
        story.plan.interval,
        story.plan.interval_count,
    )
    story.plan = plan
    if story.billed_since is None:
        return
    if other_interval:
        story.anchor_at = event.happened_at
    _price(story, event, plan)


def _discount_end(story: Story, event: ToldEvent, _plans: Mapping[str, Plan]) -> None:
    if story.billed_since is not None:
        full = replace(event, discount_pct=0.0, discount_until=None)
        _price(story, full, None if story.is_paused else story.plan)


def _payment_failed(story: Story, event: ToldEvent, _plans: Mapping[str, Plan]) -> None:
    bill = story.open_bill
    if bill is not None:
        bill.attempts += 1
    else:
        _open_bill(story, event.happened_at)


def _open_bill(story: Story, at: datetime) -> None:
    price = story.prices[-1] if story.prices else None
    is_over = price is not None and price.until is not None and at >= price.until
    share = 0.0 if price is None or is_over else price.discount_pct
    story.bills = (*story.bills, ToldBill(at, discounted(story.plan, share)))


def _payment_recovered(story: Story, event: ToldEvent, _plans: Mapping[str, Plan]) -> None:
    if story.open_bill is not None:
        story.open_bill.paid_at = event.happened_at


def _pause(story: Story, event: ToldEvent, _plans: Mapping[str, Plan]) -> None:
    story.is_paused = True
    if story.billed_since is not None:
        _price(story, event, None)


def _resume(story: Story, event: ToldEvent, _plans: Mapping[str, Plan]) -> None:
    was_paused, story.is_paused, story.is_ending = story.is_paused, False, False
    story.canceled_at = None
    if was_paused and story.billed_since is not None:
        _price(story, event, story.plan)


def _cancel_at_period_end(story: Story, event: ToldEvent, _plans: Mapping[str, Plan]) -> None:
    story.is_ending, story.canceled_at = True, event.happened_at


def _cancel_now(story: Story, event: ToldEvent, _plans: Mapping[str, Plan]) -> None:
    story.canceled_at = event.happened_at
    story.ended_at, story.cancel_reason = event.happened_at, "cancellation_requested"


def _ended(story: Story, event: ToldEvent, _plans: Mapping[str, Plan]) -> None:
    if story.ended_at is None:
        story.ended_at = event.happened_at
        story.cancel_reason = "payment_failed" if story.open_bill else "cancellation_requested"


TURNS: Final[Mapping[Happening, Callable[[Story, ToldEvent, Mapping[str, Plan]], None]]] = {
    Happening.TRIAL_START: _trial_start,
    Happening.START: _start,
    Happening.CHANGE_PLAN: _change_plan,
    Happening.DISCOUNT_END: _discount_end,
    Happening.PAYMENT_FAILED: _payment_failed,
    Happening.PAYMENT_RECOVERED: _payment_recovered,
    Happening.PAUSE: _pause,
    Happening.RESUME: _resume,
    Happening.CANCEL_AT_PERIOD_END: _cancel_at_period_end,
    Happening.CANCEL_NOW: _cancel_now,
    Happening.ENDED: _ended,
}
