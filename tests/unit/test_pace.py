"""How fast kpay asks, and how it slows down and quickens again."""

from __future__ import annotations

import itertools

import pytest

from kpay.adapters.stripe_api.pace import BURST, QUIET_S, Pace


class Watch:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def starts(self, pace: Pace, count: int) -> list[float]:
        """Return when each of the next requests started."""
        times = []
        for _ in range(count):
            pace.wait_turn()
            times.append(self.now)
        return times


@pytest.fixture
def watch() -> Watch:
    return Watch()


def paced(watch: Watch, per_second: float | None) -> Pace:
    return Pace(per_second, sleep=watch.sleep, clock=lambda: watch.now)


def most_within_a_second(starts: list[float]) -> int:
    return max(sum(at <= one < at + 1 for one in starts) for at in starts)


def test_never_more_requests_start_within_a_second_than_are_allowed(watch: Watch) -> None:
    starts = watch.starts(paced(watch, 20.0), 200)

    assert most_within_a_second(starts) <= 20 + BURST < 25
    assert starts[-1] - starts[0] == pytest.approx((200 - BURST) / 20, abs=0.1)


def test_a_few_requests_do_not_wait(watch: Watch) -> None:
    watch.starts(paced(watch, 20.0), BURST)

    assert watch.slept == []


def test_a_refusal_halves_the_pace_and_quiet_brings_it_back(watch: Watch) -> None:
    pace = paced(watch, 20.0)
    pace.slow_down()
    assert pace.per_second == 10.0

    watch.starts(pace, 80)
    assert pace.per_second == 10.0
    quickened = []
    for _ in range(6):
        watch.now += QUIET_S + 0.1
        pace.wait_turn()
        quickened.append(pace.per_second)

    assert quickened == [12.5, 15.625, 19.53125, 20.0, 20.0, 20.0]


def test_what_several_threads_are_refused_at_once_counts_once(watch: Watch) -> None:
    pace = paced(watch, 20.0)

    for _ in range(4):
        pace.slow_down()
    assert pace.per_second == 10.0
    watch.now += 2
    pace.slow_down()

    assert pace.per_second == 5.0


def test_after_a_refusal_there_is_no_burst(watch: Watch) -> None:
    pace = paced(watch, 20.0)
    pace.slow_down()

    starts = watch.starts(pace, 5)

    assert min(b - a for a, b in itertools.pairwise(starts)) >= 0.09


def test_without_a_limit_only_a_refusal_makes_it_wait(watch: Watch) -> None:
    pace = paced(watch, None)
    watch.starts(pace, 500)
    assert watch.slept == []

    pace.slow_down()
    watch.starts(pace, 10)
    assert watch.slept != []
    for _ in range(8):
        watch.now += QUIET_S + 0.1
        pace.wait_turn()

    assert pace.per_second is None


def test_waits_grow_with_each_failure_up_to_a_limit(watch: Watch) -> None:
    pace = paced(watch, None)

    for attempt in (0, 3, 9):
        pace.back_off(attempt)

    assert watch.slept[0] <= 0.25 < watch.slept[1] <= 2 < watch.slept[2] <= 8


def test_a_wish_to_be_left_alone_is_minded_within_reason(watch: Watch) -> None:
    pace = paced(watch, None)

    pace.back_off(0, asked_s=3)
    pace.back_off(0, asked_s=3600)

    assert watch.slept == [3, 8]
