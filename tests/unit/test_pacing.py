"""Pacing: no second, minute, hour or day sees more than is allowed, and servers are listened to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kpay.domain.delivery import Scope, name_given, too_fast
from kpay.domain.pacing import DAY, HOUR, UNLIMITED, Budget, Tap, warm_allowance

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def departures(tap: Tap, seconds: float) -> list[float]:
    """Return when messages leave through a tap that somebody looks at a hundred times a second."""
    found: list[float] = []
    for step in range(int(seconds * 100)):
        count = tap.ready(after(step / 100))
        tap.take(count)
        found += [step / 100] * count
    return found


@pytest.mark.parametrize("most", [1, 7, 20, 150])
def test_no_second_sees_more_than_is_allowed_and_few_see_less(most: int) -> None:
    left = departures(Tap(NOON, most=most), 5.0)
    assert max(sum(at <= one < at + 1 for one in left) for at in left) <= most
    assert len(left) >= 0.8 * 5 * most


def test_a_domain_gets_its_minutes_worth_and_no_more() -> None:
    left = departures(Tap(NOON, most=30, span_s=60.0, burst_s=1.0), 180.0)
    assert max(sum(at <= one < at + 60 for one in left) for at in left) <= 30


def test_without_a_limit_nothing_waits() -> None:
    assert Tap(NOON).ready(NOON) == UNLIMITED
    assert Tap(NOON).wait_s(NOON) == 0


def test_too_fast_halves_the_rate_and_rests_and_success_lifts_it_slowly() -> None:
    tap = Tap(NOON)
    assert tap.slow_down(NOON, lately=200)
    assert tap.learned_per_s == 100
    assert tap.ready(NOON) == 0
    assert 0 < tap.wait_s(NOON) < 1
    assert not tap.slow_down(after(0.2), lately=200), "what was under way teaches nothing new"
    assert tap.slow_down(after(2), lately=100)
    assert tap.learned_per_s == 50
    for _ in range(35):
        tap.quicken()
    assert 95 < tap.learned_per_s < 105


def test_a_limit_of_the_settings_is_never_lifted() -> None:
    tap = Tap(NOON, most=20)
    tap.slow_down(NOON, lately=20)
    for _ in range(500):
        tap.quicken()
    assert tap.learned_per_s == 0
    assert tap.rate_per_s <= 20


def test_one_vague_refusal_is_an_accident_and_several_are_not() -> None:
    tap = Tap(NOON)
    assert [tap.is_accident() for _ in range(4)] == [True, True, True, False]
    for _ in range(16):
        tap.quicken()
    assert tap.is_accident()


def test_a_budget_holds_in_every_span_and_says_when_it_opens() -> None:
    budget = Budget(100, HOUR)
    budget.take(60, NOON)
    budget.take(40, after(1800))
    assert budget.left(after(1801)) == 0
    assert budget.opens_at(after(1801)) == after(3600)
    assert budget.left(after(3599)) == 0
    assert budget.left(after(3600)) == 60
    assert budget.opens_at(after(3600)) == after(3600)
    assert budget.left(after(5400)) == 100


def test_a_budget_that_is_over_spent_opens_when_enough_is_forgotten() -> None:
    budget = Budget(10, DAY)
    budget.take(15, NOON)
    budget.take(5, after(60))
    assert budget.opens_at(after(120)) == NOON + DAY
    assert budget.left(NOON + DAY) == 5


def test_a_new_sender_mails_twice_as_many_on_each_day_with_mail() -> None:
    assert [warm_allowance(days) for days in (0, 1, 2, 11)] == [50, 100, 200, 102400]
    assert warm_allowance(12) is None


@pytest.mark.parametrize(
    ("code", "words", "of_recipient", "scope"),
    [
        (421, "4.7.0 try later", False, Scope.SERVER),
        (454, "4.7.0 Throttling failure: maximum sending rate exceeded", False, Scope.SERVER),
        (450, "4.7.28 domain rate exceeded", True, Scope.DOMAIN),
        (450, "4.7.1 greylisted", True, None),
        (421, "4.7.1 injected", True, None),
        (452, "4.2.2 mailbox full", True, None),
        (550, "5.7.1 rate", False, None),
        (250, "2.0.0 ok", False, None),
    ],
)
def test_who_finds_us_too_fast(
    code: int, words: str, of_recipient: bool, scope: Scope | None
) -> None:
    assert too_fast(code, words, of_recipient=of_recipient) is scope


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("2.0.0 Ok: queued as 4F3C2A1B", "4F3C2A1B"),
        ("OK id=1rAbCd-0001Xy-2Z", "1rAbCd-0001Xy-2Z"),
        ("Ok 0102018f2a-77-000000", "0102018f2a-77-000000"),
        ("2.0.0 OK  1699999999 d2e1a72fcca58-6cb.3 - gsmtp", "d2e1a72fcca58-6cb.3"),
        ("2.0.0 taken", None),
        ("", None),
    ],
)
def test_the_name_that_a_server_gives_is_kept(words: str, name: str | None) -> None:
    assert name_given(words) == name
