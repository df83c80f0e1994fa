"""When the right to read begins and ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kpay.domain.entitlements import GRACE, End, MoneyBack, contents_granted, order_end
from kpay.domain.entitlements import subscription_end as ends

START = datetime(2026, 6, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def back(amount: int, number: int, status: str = "succeeded") -> MoneyBack:
    return MoneyBack(amount, status, day(number))


def test_a_right_ends_with_the_refund_that_makes_it_whole() -> None:
    assert order_end(1000, [back(400, 1)], []) is None
    assert order_end(1000, [back(400, 1), back(600, 2)], []) == End(day(2), "refund")


def test_a_failed_refund_ends_nothing_and_a_pending_one_does() -> None:
    assert order_end(1000, [back(1000, 1, "failed")], []) is None
    assert order_end(1000, [back(1000, 1, "pending")], []) == End(day(1), "refund")


def test_an_order_that_cost_nothing_is_not_refunded_by_nothing() -> None:
    assert order_end(0, [back(0, 1)], []) is None


def test_only_a_lost_dispute_ends_a_right_and_the_first_end_counts() -> None:
    assert order_end(1000, [], [("won", day(1)), ("needs_response", day(2))]) is None
    assert order_end(1000, [back(1000, 9)], [("lost", day(3))]) == End(day(3), "dispute")


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
    found = ends(
        status,
        period_start_at=day(10),
        trial_end_at=day(7),
        ended_at=ended,
        started_at=START,
    )

    assert found == expected


def test_a_bundle_grants_itself_and_what_it_includes_once() -> None:
    assert contents_granted(1, {1: (2, 3, 2)}) == (1, 2, 3)
    assert contents_granted(4, {1: (2, 3)}) == (4,)
