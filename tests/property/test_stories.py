"""Whatever a file tells of a subscription, its prices follow one another and its bills make sense."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from kpay.domain.story_telling import tell
from kpay.domain.subscription_story import Happening, Plan, ToldEvent, ToldPayment
from tests.fakes.books import at

START = at("2026-01-31")
PLANS = {
    "month": Plan("month", "month", 1, 1999, "eur"),
    "year": Plan("year", "year", 1, 19900, "eur"),
    "dollars": Plan("dollars", "week", 2, 500, "usd"),
}


@st.composite
def event(draw: st.DrawFn) -> ToldEvent:
    day = draw(st.integers(0, 400))
    lasts = draw(st.none() | st.integers(-10, 200))
    happened_at = START + timedelta(days=day)
    return ToldEvent(
        happened_at,
        draw(st.sampled_from(list(Happening))),
        "mia",
        draw(st.sampled_from([*PLANS, "unknown"])),
        draw(st.sampled_from([0.0, 12.5, 33.3, 100.0])),
        None if lasts is None else happened_at + timedelta(days=lasts),
    )


payments = st.builds(
    lambda day, ok: ToldPayment(START + timedelta(days=day), ok), st.integers(0, 400), st.booleans()
)


@given(st.lists(event(), max_size=10), st.lists(payments, max_size=6))
def test_prices_follow_one_another_and_bills_are_paid_after_they_were_written(
    events: list[ToldEvent], paid: list[ToldPayment]
) -> None:
    started = [ToldEvent(START, Happening.START, "mia", "month"), *events]
    story, _ = tell(started, paid, PLANS, START + timedelta(days=500))
    assert story is not None
    phases = story.phases()
    starts = [phase.starts_at for phase in phases]
    assert starts == sorted(set(starts))
    for phase in phases:
        assert 0 <= phase.amount_minor <= 19900
        assert 0 <= phase.ending_discount_minor <= 19900 - phase.amount_minor
    assert all(bill.paid_at is None or bill.paid_at >= bill.created_at for bill in story.bills)
    assert sum(bill.paid_at is None for bill in story.bills) <= 1
    assert story.last_at is not None
    assert story.period is not None
    assert story.period[0] <= story.last_at < story.period[1]


@given(st.lists(event(), max_size=10, unique_by=lambda one: (one.happened_at, one.happening)))
def test_leaving_out_what_cannot_have_happened_leaves_the_same_story(
    events: list[ToldEvent],
) -> None:
    story, complaints = tell(events, [], PLANS)
    wrong = [complaint[0] for complaint in complaints]
    kept = [one for one in events if one not in wrong]
    assert tell(kept, [], PLANS)[0] == story
