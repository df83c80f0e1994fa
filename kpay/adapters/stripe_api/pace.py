"""Not asking faster than the provider allows, and waiting longer after each refusal."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

REQUESTS_A_SECOND = 20.0  # Stripe allows 25, in either mode (https://docs.stripe.com/rate-limits)
BURST = 4  # how many may start at once, so that never more than 24 start within a second
SLOWEST = 1.0
QUIET_S = 10.0  # after so long without a refusal a slowed pace quickens again, a quarter at a time
QUICKENING = 1.25
SAME_REFUSAL_S = 1.0  # what several threads are told within a second is one refusal
LONGEST_WAIT_S = 8.0


class Pace:
    """A token bucket for the requests of all threads: `per_second` on average, BURST at once.

    None means no limit, until the provider asks for one (`slow_down`).
    """

    def __init__(
        self,
        per_second: float | None,
        sleep: Callable[[float], Any] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = self._rate = per_second
        self._sleep = sleep
        self._clock = clock
        self._empty_until = 0.0  # when the bucket would be full again, were nothing more taken
        self._refused_at = self._changed_at = float("-inf")
        self._lock = threading.Lock()

    @property
    def per_second(self) -> float | None:
        """The present pace."""
        return self._rate

    def wait_turn(self) -> None:
        """Wait until the next request may start."""
        with self._lock:
            now = self._clock()
            self._quicken(now)
            if self._rate is None:
                return
            turn = max(now, self._empty_until - (BURST - 1) / self._rate)
            self._empty_until = max(now, self._empty_until) + 1 / self._rate
        if turn > now:
            self._sleep(turn - now)

    def slow_down(self) -> None:
        """Take a refusal for too many requests seriously: from now on go half as fast."""
        with self._lock:
            now = self._clock()
            if now - self._refused_at < SAME_REFUSAL_S:
                return
            self._refused_at = self._changed_at = now
            self._rate = max(SLOWEST, (self._rate or REQUESTS_A_SECOND) / 2)
            self._empty_until = now + BURST / self._rate

    def back_off(self, attempt: int, asked_s: float = 0.0) -> None:
        """Wait after the attempt-th failure (from 0): doubling, with jitter against the herd.

        `asked_s` is how long the other side asked to be left alone.
        """
        longest = min(LONGEST_WAIT_S, 0.25 * 2**attempt)
        self._sleep(max(longest * (0.5 + random.random() / 2), min(asked_s, LONGEST_WAIT_S)))

    def _quicken(self, now: float) -> None:
        """Go a little faster again when there was no refusal for a while."""
        if self._rate == self._limit or self._rate is None or now - self._changed_at < QUIET_S:
            return
        self._changed_at = now
        self._rate *= QUICKENING
        if self._rate >= (self._limit or 2 * REQUESTS_A_SECOND):
            self._rate = self._limit
