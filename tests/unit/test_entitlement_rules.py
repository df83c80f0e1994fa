"""When the right to read begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from kpay.domain.entitlements import (
    GRACE,
    End,
    Membership,
    MoneyBack,
    PaidOrder,
    contents_granted,
    order_end,
    period_end,
    subscription_end,
    taken_back,
)

START = datetime(2026, 6, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def back(amount: int, number: int, status: str = "succeeded") -> MoneyBack:
    return MoneyBack(amount, status, day(number))


def test_a_right_ends_with_the_refund_that_makes_it_whole() -> None:
    assert order_end(1000, [back(400, 1)], []) is None
    assert order_end(1000, [back(400, 1), back(600, 2)], []) == End(day(2), "refund")


def test_a_failed_or_canceled_refund_ends_nothing_and_a_pending_one_does() -> None:
    assert order_end(1000, [back(1000, 1, "failed")], []) is None
    assert order_end(1000, [back(1000, 1, "canceled")], []) is None
    assert order_end(1000, [back(1000, 1, "pending")], []) == End(day(1), "refund")


def test_an_order_that_cost_nothing_is_not_refunded_by_nothing() -> None:
    assert order_end(0, [back(0, 1)], []) is None


@pytest.mark.parametrize("status", ["needs_response", "under_review", "lost", "charge_refunded"])
def test_a_dispute_ends_a_right_at_its_opening_while_the_bank_has_the_money(status: str) -> None:
    assert order_end(1000, [], [(status, day(3))]) == End(day(3), "dispute")


@pytest.mark.parametrize(
    "status",
    ["won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed"],
)
def test_a_dispute_that_took_nothing_or_gave_it_back_ends_no_right(status: str) -> None:
    assert order_end(1000, [], [(status, day(3))]) is None


def test_the_first_end_counts_in_whatever_order_the_news_comes() -> None:
    refunds = [back(600, 2), back(400, 9), back(1000, 1, "failed")]
    disputes = [("lost", day(5)), ("won", day(1))]
    found = {
        order_end(1000, some, others)
        for some in permutations(refunds)
        for others in permutations(disputes)
    }
    assert found == {End(day(5), "dispute")}


@pytest.mark.parametrize(
    ("status", "ended", "expected"),
    [
        ("active", None, None),
        ("trialing", None, None),
        ("past_due", None, End(day(10) + GRACE, "past_due")),
        ("unpaid", None, End(day(10) + GRACE, "unpaid")),
        ("canceled", day(12), End(day(12), "subscription_ended")),
        ("paused", None, End(day(7), "paused")),
    ],
)
def test_a_subscription_grants_while_it_is_paid_and_a_while_longer(
    status: str, ended: datetime | None, expected: End | None
) -> None:
    found = subscription_end(
        Membership(status, START, period_start_at=day(10), trial_end_at=day(7), ended_at=ended)
    )

    assert found == expected


@pytest.mark.parametrize(
    ("behavior", "paid_until", "expected"),
    [
        ("void", day(30), End(day(30), "paused")),
        ("void", None, End(day(7), "paused")),
        ("keep_as_draft", day(30), None),
        ("mark_uncollectible", day(30), None),
    ],
)
def test_a_pause_that_cancels_its_bills_ends_with_what_was_paid_before(
    behavior: str, paid_until: datetime | None, expected: End | None
) -> None:
    paused = Membership(
        "active", START, trial_end_at=day(7), pause_behavior=behavior, paid_until=paid_until
    )

    assert subscription_end(paused) == expected


def test_money_that_went_back_ends_a_subscription_before_its_own_end() -> None:
    given_back = End(day(3), "refund")

    assert subscription_end(Membership("active", START, money_back=given_back)) == given_back
    left = Membership("canceled", START, ended_at=day(2), money_back=given_back)
    assert subscription_end(left) == End(day(2), "subscription_ended")


def bill(kind: str, number: int, end: End | None = None) -> PaidOrder:
    return PaidOrder(f"ch_{number}", kind, day(number), end)


def test_only_the_newest_period_s_money_counts() -> None:
    gone = End(day(40), "refund")
    first, second = bill("subscription_start", 0), bill("renewal", 30, gone)

    assert taken_back([second, first]) == gone
    assert taken_back([second, first, bill("renewal", 60)]) is None
    assert taken_back([bill("subscription_start", 0, gone), bill("renewal", 30)]) is None
    assert taken_back([]) is None


def test_a_change_of_plan_belongs_to_the_period_in_which_it_was_paid() -> None:
    gone, later = End(day(40), "refund"), End(day(41), "dispute")
    renewal = bill("renewal", 30, gone)

    assert taken_back([renewal, bill("subscription_update", 35)]) is None
    assert taken_back([bill("subscription_update", 35, later), renewal]) == later
    assert taken_back([bill("renewal", 30), bill("subscription_update", 35, later)]) is None


@pytest.mark.parametrize(
    ("starts", "interval", "count", "ends"),
    [
        ("2026-01-31", "month", 1, "2026-02-28"),
        ("2026-01-31", "month", 3, "2026-04-30"),
        ("2024-02-29", "year", 1, "2025-02-28"),
        ("2026-01-31", "week", 2, "2026-02-14"),
        ("2026-01-31", "day", 1, "2026-02-01"),
    ],
)
def test_a_period_ends_on_the_same_day_later_or_on_the_month_s_last(
    starts: str, interval: str, count: int, ends: str
) -> None:
    found = period_end(datetime.fromisoformat(f"{starts}T09:30:00Z"), interval, count)

    assert found == datetime.fromisoformat(f"{ends}T09:30:00Z")


def test_a_bundle_grants_itself_and_what_it_includes_once() -> None:
    assert contents_granted(1, {1: (2, 3, 2)}) == (1, 2, 3)
    assert contents_granted(4, {1: (2, 3)}) == (4,)
