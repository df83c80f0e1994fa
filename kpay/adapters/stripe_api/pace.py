"""Not asking faster than the provider allows, and waiting longer after each refusal."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

LONGEST_WAIT_S = 8.0


class Pace:
    """Spreads the requests of all threads so that at most `per_second` start each second.

    None means no limit, until the provider asks for one (`slow_down`).
    """

    def __init__(
        self, per_second: float | None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._per_second = per_second
        self._sleep = sleep
        self._next_at = 0.0
        self._lock = threading.Lock()

    def wait_turn(self) -> None:
        """Wait until the next request may start."""
        with self._lock:
            if self._per_second is None:
                return
            now = time.monotonic()
            turn = max(now, self._next_at)
            self._next_at = turn + 1 / self._per_second
        if turn > now:
            self._sleep(turn - now)

    def slow_down(self) -> None:
        """Take a refusal for too many requests seriously: from now on go half as fast."""
        with self._lock:
            self._per_second = max(2.0, (self._per_second or 40.0) / 2)

    def back_off(self, attempt: int) -> None:
        """Wait after the attempt-th failure (from 0): doubling, with jitter against the herd."""
        longest = min(LONGEST_WAIT_S, 0.25 * 2**attempt)
        self._sleep(longest * (0.5 + random.random() / 2))
