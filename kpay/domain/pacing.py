"""How fast mail may leave: rates that are learned from what servers answer, and budgets of a span of time.

A rate is a token bucket: it fills steadily and holds little, so that no second sees more than is
allowed. Who is told "too fast" halves it and rests; every message taken lifts it a little. A single
421 or 454 that says nothing of speed is an accident; several among a few answers are not. A budget is counted exactly: no span as long as its own sees more messages than it allows.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

UNLIMITED: Final = 1_000_000
REST_S: Final = 0.5
ONE_LESSON_S: Final = 1.0
"""What comes back within this time was sent before the lesson was learned, and teaches nothing new."""
SLOWEST_PER_S: Final = 0.1
LIFT: Final = 1.02
"""What each message that is taken adds to a learned rate: it doubles every 35 messages."""
ANSWERS: Final = 16
ACCIDENTS: Final = 3
"""So many vague refusals among the last answers are no sign of speed yet."""
FORGOTTEN_AFTER: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
FIRST_DAY: Final = 50
"""What a new sender mails on its first day; twice as much on every further day with mail."""
WARM_AFTER_DAYS: Final = 12


@dataclass(frozen=True, slots=True)
class MailLimits:
    """What the settings allow; 0 is no limit. `connections` is how many there are to the server."""

    per_second: int = 0
    per_hour: int = 0
    per_day: int = 0
    per_domain_minute: int = 0
    warm_up: bool = False
    connections: int = 4


USUAL_LIMITS: Final = MailLimits()


@dataclass(slots=True)
class Tap:
    """How fast one server or one domain may be written to.

    `most` messages in `span_s` is what the settings allow (0: no limit); `learned_per_s` what its
    answers taught (0: nothing). It holds `burst_s` seconds' worth at most.
    """

    counted_at: datetime
    most: int = 0
    span_s: float = 1.0
    burst_s: float = 0.05
    learned_per_s: float = 0.0
    tokens: float = 1.0
    rests_until: datetime | None = None
    lesson_at: datetime | None = None
    _vague: deque[bool] = field(default_factory=lambda: deque(maxlen=ANSWERS))

    @property
    def burst(self) -> float:
        """How many may leave at once."""
        rates = (self.most / self.span_s, self.learned_per_s)
        return min((max(1.0, one * self.burst_s) for one in rates if one), default=float(UNLIMITED))

    @property
    def rate_per_s(self) -> float:
        """How many tokens flow in a second; 0 is no limit."""
        # One at a time, evenly spaced, is never more than `most` in a span; a burst comes on top of it.
        burst = self.burst if self.burst > 1 else 0.0
        allowed = (self.most - burst) / self.span_s if self.most else 0.0
        rates = [rate for rate in (allowed, self.learned_per_s) if rate]
        return min(rates, default=0.0)

    def ready(self, now: datetime) -> int:
        """Return how many may leave now."""
        if not self.rate_per_s:
            return UNLIMITED
        if self.rests_until is not None and now < self.rests_until:
            return 0
        passed_s = (now - max(self.counted_at, self.rests_until or self.counted_at)).total_seconds()
        self.tokens = min(self.burst, self.tokens + max(passed_s, 0.0) * self.rate_per_s)
        self.counted_at = now
        return int(self.tokens)

    def wait_s(self, now: datetime) -> float:
        """Return how long until the next may leave."""
        if self.ready(now):
            return 0.0
        rest_s = (self.rests_until - now).total_seconds() if self.rests_until else 0.0
        return max(rest_s, 0.0) + max(1.0 - self.tokens, 0.0) / self.rate_per_s

    def take(self, count: int) -> None:
        """Count messages that leave."""
        self.tokens -= count if self.rate_per_s else 0

    def is_accident(self) -> bool:
        """Take a refusal in that says nothing of speed; say whether it may have been an accident."""
        self._vague.append(True)
        return sum(self._vague) <= ACCIDENTS

    def slow_down(self, now: datetime, lately: int) -> bool:
        """Halve the rate after a refusal and rest; `lately` is how many left in the last second.

        Returns False within the time of one lesson.
        """
        if self.lesson_at is not None and (now - self.lesson_at).total_seconds() < ONE_LESSON_S:
            return False
        reached = float(max(lately, 1))
        self.learned_per_s = max(min(self.rate_per_s or reached, reached) / 2, SLOWEST_PER_S)
        self.lesson_at, self.counted_at, self.tokens = now, now, 0.0
        self.rests_until = now + timedelta(seconds=REST_S)
        self._vague.clear()
        return True

    def quicken(self) -> None:
        """Lift a learned rate for a message that was taken; far above what is asked it is forgotten."""
        self._vague.append(False)
        if not self.learned_per_s:
            return
        self.learned_per_s *= LIFT
        enough = self.most / self.span_s if self.most else 10_000.0
        if self.learned_per_s > enough:
            self.learned_per_s = 0.0


@dataclass(slots=True)
class Budget:
    """At most `most` messages in any span; `uses` are (when last, how many), oldest first."""

    most: int
    span: timedelta
    uses: deque[tuple[datetime, int]] = field(default_factory=deque)

    def left(self, now: datetime) -> int:
        """Return how many may still leave."""
        while self.uses and self.uses[0][0] + self.span <= now:
            self.uses.popleft()
        return max(self.most - sum(count for _, count in self.uses), 0)

    def take(self, count: int, now: datetime) -> None:
        """Count messages that leave; those of one second stand together."""
        second = now.replace(microsecond=0)
        if self.uses and self.uses[-1][0] >= second:
            at, before = self.uses.pop()
            self.uses.append((at, before + count))
        else:
            self.uses.append((second, count))

    def opens_at(self, now: datetime) -> datetime:
        """Return when the next may leave."""
        over = sum(count for _, count in self.uses) - self.most
        for at, count in self.uses:
            if over < 0:
                break
            over -= count
            now = max(now, at + self.span)
        return now


def warm_allowance(days_with_mail: int) -> int | None:
    """Return how many a sender may mail today that mailed on so many earlier days; None when warm."""
    return None if days_with_mail >= WARM_AFTER_DAYS else FIRST_DAY * 2**days_with_mail
