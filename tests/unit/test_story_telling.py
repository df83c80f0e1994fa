"""What a subscription is by what a file says happened to it, and what cannot have happened."""

from __future__ import annotations

from datetime import datetime

import pytest

from kpay.domain.story_telling import tell
from kpay.domain.subscription_story import Happening, Plan, Story, ToldEvent, ToldPayment
from tests.fakes.books import at

PLANS = {
    "basic": Plan("basic", "month", 1, 999, "eur"),
    "plus": Plan("plus", "month", 1, 2400, "eur"),
    "plus_year": Plan("plus_year", "year", 1, 24000, "eur"),
    "dollars": Plan("dollars", "month", 1, 1000, "usd"),
}


def event(day: str, happening: str, plan: str = "plus", **more: object) -> ToldEvent:
    customer = str(more.pop("customer", "mia"))
    return ToldEvent(at(day), Happening(happening), customer, plan, **more)  # type: ignore[arg-type]


def told(*events: ToldEvent, paid: str = "", failed: str = "", known: str = "") -> Story:
    payments = [ToldPayment(at(day), True) for day in paid.split()]
    payments += [ToldPayment(at(day), False) for day in failed.split()]
    payments.sort(key=lambda payment: payment.at)
    story, complaints = tell(events, payments, PLANS, at(known) if known else None)
    assert story is not None
    assert complaints == []
    return story


def prices(story: Story) -> list[tuple[datetime, int, int]]:
    return [(one.starts_at, one.amount_minor, one.ending_discount_minor) for one in story.phases()]


def wrong(*events: ToldEvent) -> list[tuple[str, str]]:
    return [(column, why) for _, column, why in tell(events, [], PLANS)[1]]


def test_a_coupon_with_an_end_ends_by_itself() -> None:
    story = told(event("2026-01-10", "start", discount_pct=50, discount_until=at("2026-03-10")))
    assert prices(story) == [(at("2026-01-10"), 1200, 1200), (at("2026-03-10"), 2400, 0)]


def test_a_coupon_without_an_end_goes_on_until_it_is_told_to_end() -> None:
    story = told(event("2026-01-10", "start", discount_pct=25), event("2026-04-10", "discount_end"))
    assert prices(story) == [(at("2026-01-10"), 1800, 0), (at("2026-04-10"), 2400, 0)]


def test_an_end_told_at_the_coupons_own_end_is_one_change() -> None:
    story = told(
        event("2026-01-10", "start", discount_pct=50, discount_until=at("2026-03-10")),
        event("2026-03-10", "discount_end"),
    )
    assert [amount for _, amount, _ in prices(story)] == [1200, 2400]


def test_a_coupon_does_not_outlive_a_change_of_plan() -> None:
    story = told(
        event("2026-01-10", "start", discount_pct=50, discount_until=at("2026-03-10")),
        event("2026-02-10", "change_plan", "basic"),
    )
    assert prices(story) == [(at("2026-01-10"), 1200, 1200), (at("2026-02-10"), 999, 0)]


def test_a_third_off_an_odd_price_is_rounded_to_the_cent() -> None:
    assert prices(told(event("2026-01-10", "start", "basic", discount_pct=33.5)))[0][1] == 664


def test_a_trial_costs_nothing_and_ends_with_the_first_price() -> None:
    trial = told(event("2026-01-10", "trial_start"))
    assert (trial.status, trial.trial_end_at, prices(trial)) == ("trialing", None, [])
    story = told(event("2026-01-10", "trial_start"), event("2026-01-24", "start"))
    assert (story.status, story.trial_end_at) == ("active", at("2026-01-24"))
    assert (story.began_at, prices(story)) == (at("2026-01-10"), [(at("2026-01-24"), 2400, 0)])


def test_a_trial_that_was_left_never_cost_anything() -> None:
    story = told(event("2026-01-10", "trial_start"), event("2026-01-20", "cancel_now"))
    assert (story.status, story.trial_end_at) == ("canceled", at("2026-01-20"))
    assert (prices(story), story.bills) == ([], ())


def test_a_failed_payment_is_a_bill_that_waits_until_it_is_recovered() -> None:
    failing = [event("2026-01-10", "start"), event("2026-02-10", "payment_failed")]
    story = told(*failing)
    assert story.status == "past_due"
    assert [bill.paid_at for bill in story.bills] == [at("2026-01-10"), None]
    story = told(*failing, event("2026-02-14", "payment_recovered"))
    assert story.status == "active"
    assert story.bills[-1].paid_at == at("2026-02-14")


def test_payments_tell_of_bills_where_no_event_does() -> None:
    start = event("2026-01-10", "start")
    story = told(start, failed="2026-02-10 2026-02-12", paid="2026-01-10 2026-02-13")
    late = story.bills[-1]
    assert (late.created_at, late.paid_at, late.attempts) == (at("2026-02-10"), at("2026-02-13"), 2)


def test_an_end_with_an_unpaid_bill_is_for_the_payment_that_failed() -> None:
    failing = [event("2026-01-10", "start"), event("2026-02-10", "payment_failed")]
    assert told(*failing, event("2026-02-24", "ended")).cancel_reason == "payment_failed"
    asked = told(event("2026-01-10", "start"), event("2026-02-24", "ended"))
    assert asked.cancel_reason == "cancellation_requested"


def test_who_cancels_at_the_periods_end_ends_then_where_the_books_go_on() -> None:
    events = [event("2026-01-31", "start"), event("2026-03-05", "cancel_at_period_end")]
    story = told(*events, paid="2026-02-28", known="2026-03-20")
    assert (story.is_ending, story.ended_at, story.period) == (
        True,
        None,
        (at("2026-02-28"), at("2026-03-31")),
    )
    assert told(*events, paid="2026-02-28", known="2026-03-31").ended_at == at("2026-03-31")


def test_who_takes_a_cancellation_back_goes_on() -> None:
    story = told(
        event("2026-01-10", "start"),
        event("2026-01-20", "cancel_at_period_end"),
        event("2026-01-22", "resume"),
        known="2026-06-01",
    )
    assert (story.status, story.is_ending, story.canceled_at) == ("active", False, None)


def test_a_pause_costs_nothing_until_it_is_over() -> None:
    story = told(
        event("2026-01-10", "start"), event("2026-02-10", "pause"), event("2026-05-10", "resume")
    )
    assert [amount for _, amount, _ in prices(story)] == [2400, 0, 2400]


def test_a_yearly_plan_begins_its_own_period() -> None:
    story = told(event("2026-01-10", "start"), event("2026-02-20", "change_plan", "plus_year"))
    assert story.period == (at("2026-02-20"), at("2027-02-20"))


@pytest.mark.parametrize(
    ("events", "column", "why"),
    [
        ([event("2026-01-10", "cancel_now")], "event", "before the start"),
        ([event("2026-01-10", "start", "pluss")], "plan", "no plan that was imported"),
        ([event("2026-01-10", "start", "")], "plan", "is empty"),
        ([event("2026-01-10", "start"), event("2026-01-12", "start")], "event", "began on"),
        (
            [event("2026-01-10", "start"), event("2026-02-10", "change_plan", "dollars")],
            "plan",
            "is in USD, but the subscription pays in EUR",
        ),
        (
            [event("2026-01-10", "start"), event("2026-02-10", "ended", customer="ned")],
            "customer",
            "'ned', but the subscription is of 'mia'",
        ),
        (
            [
                event("2026-01-10", "start"),
                event("2026-02-10", "ended"),
                event("2026-03-10", "change_plan", "basic"),
            ],
            "event",
            "after the end on 2026-02-10",
        ),
        (
            [event("2026-01-10", "start"), event("2026-02-10", "resume")],
            "event",
            "neither paused nor to end",
        ),
    ],
)
def test_what_cannot_have_happened(events: list[ToldEvent], column: str, why: str) -> None:
    ((where, said),) = wrong(*events)
    assert where == column
    assert why in said


def test_an_end_after_a_cancellation_changes_nothing() -> None:
    story = told(
        event("2026-01-10", "start"),
        event("2026-02-01", "cancel_now"),
        event("2026-02-10", "ended"),
    )
    assert story.ended_at == at("2026-02-01")
