"""What happens later changes no month that is over, by nobody's rules."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kpay.domain.mrr_policies import POLICIES, Policy
from kpay.domain.subscription_facts import Bill, Phase, SubscriptionFacts
from kpay.domain.subscription_spans import spans
from kpay.domain.subscription_walk import months_of_mrr
from kpay.domain.subscriptions import MonthOfMrr
from tests.fakes.books import at
from tests.unit.test_subscriptions import months

START = at("2026-01-01")
CALENDAR = months("2026-01-01", "2026-06-30")
STATUSES = ("active", "trialing", "past_due", "unpaid", "canceled", "paused", "incomplete_expired")


def day(number: int) -> datetime:
    return START + timedelta(days=number)


@st.composite
def one_subscription(draw: st.DrawFn) -> SubscriptionFacts:
    begun = draw(st.integers(0, 60))
    changes = draw(st.lists(st.integers(begun, 170), max_size=3, unique=True))
    bills = draw(st.lists(st.integers(begun, 170), max_size=5, unique=True))
    asked = draw(st.none() | st.integers(begun, 170))
    ended = draw(st.none() | st.integers(begun if asked is None else asked, 175))
    phases = tuple(
        Phase(day(since), draw(st.integers(0, 9) | st.just(0)) * 100, "month", 1,
              draw(st.sampled_from((0, 0, 300))))
        for since in (begun, *sorted(changes))
    )  # fmt: skip
    paid = [(day(each), draw(st.none() | st.integers(0, 40))) for each in sorted(bills)]
    trial = draw(st.none() | st.integers(begun, begun + 30))
    return SubscriptionFacts(
        key="sub_1",
        customer=draw(st.sampled_from(["mia", "ned"])),
        currency="usd",
        status=draw(st.sampled_from(STATUSES)),
        phases=phases,
        trial_end_at=None if trial is None else day(trial),
        canceled_at=None if asked is None else day(asked),
        ended_at=None if ended is None else day(ended),
        cancel_reason=draw(st.sampled_from([None, "payment_failed", "cancellation_requested"])),
        bills=tuple(
            Bill(when, None if wait is None else when + timedelta(days=wait)) for when, wait in paid
        ),
    )


def seen(
    every: list[SubscriptionFacts], policy: Policy, count: int, known: datetime
) -> list[MonthOfMrr]:
    """The first months as they were seen at a moment."""
    found = [span for one in every for span in spans(one.known_at(known), policy.rules)]
    return months_of_mrr(
        [span for span in found if span.start < known],
        CALENDAR[:count],
        ignores_passers_by=policy.ignores_passers_by,
    )


@given(
    st.lists(one_subscription(), min_size=1, max_size=4),
    st.sampled_from(sorted(POLICIES)),
    st.integers(1, 5),
    st.integers(0, 40),
)
def test_what_comes_later_changes_no_month_that_is_over(every, name, count, later) -> None:  # type: ignore[no-untyped-def]
    over = CALENDAR[count - 1].end
    then = seen(every, POLICIES[name], count, over)
    assert seen(every, POLICIES[name], count, over + timedelta(days=later)) == then
