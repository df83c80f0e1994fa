"""Minding how fast mail may leave: what the settings allow and what servers have taught, over all runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.delivery import Fate, MailReply, Scope, speaks_of_speed
from kpay.domain.pacing import (
    DAY,
    FORGOTTEN_AFTER,
    HOUR,
    UNLIMITED,
    Budget,
    MailLimits,
    Tap,
    warm_allowance,
)
from kpay.store import pace

ASK_AGAIN: timedelta = timedelta(seconds=5)
"""How old the count of a budget may be: another run may be using it up as well."""
REMEMBERED = 1000
BURST_OF_DOMAIN_S = 1.0
"""The store puts messages off by whole seconds, so a second's worth falls due together."""
MINUTE_FORMAT = "%Y-%m-%dT%H:%M"


@dataclass(slots=True)
class _Counted:
    """A budget and the name under which its uses are kept, one row a minute."""

    name: str
    budget: Budget


@dataclass(slots=True)
class Pacer:
    """Says how many messages may leave now; `where` is the server, `rate` a campaign's own messages an hour."""

    where: str
    limits: MailLimits
    is_test: bool
    campaign: str = ""
    rate: int | None = None
    _server: Tap = field(init=False)
    _domains: dict[str, Tap] = field(default_factory=dict)
    _budgets: list[_Counted] = field(default_factory=list)
    _warm: int | None = None
    _warm_until: datetime | None = None
    _line: dict[str, datetime] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)
    _used: int = 0
    _recent: deque[tuple[datetime, str]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _asked_at: datetime | None = None

    def begin(self, connection: Connection, now: datetime) -> None:
        """Read what earlier runs have left."""
        self._server = Tap(now, most=self.limits.per_second)
        for row in pace.kept(connection, f"server {self.where} rate"):
            _remember(self._server, row, now)
        for row in pace.kept(connection, "domain "):
            _remember(self._tap_of(row["scope"].removeprefix("domain "), now), row, now)
        server = f"server {self.where} uses"
        wanted = [
            (server, self.limits.per_hour, HOUR),
            (server, self.limits.per_day, DAY),
            (f"campaign {self.campaign} uses", self.rate or 0, HOUR),
        ]
        self._budgets = [_Counted(name, Budget(most, span)) for name, most, span in wanted if most]
        self.ask(connection, now)

    def ask(self, connection: Connection, now: datetime) -> None:
        """Count anew what the budgets have left, unless that was done a moment ago."""
        if self._asked_at is not None and now - self._asked_at < ASK_AGAIN:
            return
        self._asked_at = now
        for counted in self._budgets:
            rows = pace.kept(connection, counted.name)
            counted.budget.uses.clear()
            counted.budget.uses.extend((row["counted_at"], row["used"]) for row in rows)
        if self.limits.warm_up:
            today = now.replace(hour=0, minute=0, second=0, microsecond=0)
            days = pace.days_with_mail(connection, today, is_test=self.is_test)
            allowed = warm_allowance(days)
            sent = pace.sent_since(connection, today, is_test=self.is_test)
            self._warm = None if allowed is None else max(allowed - sent, 0)
            self._warm_until = today + DAY

    def allowed(self, now: datetime) -> int:
        """Return how many messages may leave now."""
        lefts = [one.budget.left(now) for one in self._budgets]
        warm = UNLIMITED if self._warm is None else self._warm
        return min([self._server.ready(now), warm, *lefts])

    def goes_on_at(self, now: datetime) -> datetime:
        """Return when the next message may leave."""
        times = [now + timedelta(seconds=self._server.wait_s(now))]
        times += [one.budget.opens_at(now) for one in self._budgets if not one.budget.left(now)]
        if self._warm == 0 and self._warm_until is not None:
            times.append(self._warm_until)
        return max(times)

    def line_up(self, email: str, now: datetime) -> datetime | None:
        """Take a token of the reader's domain, or return when this message's turn comes."""
        domain = email.rpartition("@")[2]
        tap = self._domains.get(domain)
        if tap is None:
            if not self.limits.per_domain_minute:
                return None
            tap = self._tap_of(domain, now)
        if tap.ready(now):
            tap.take(1)
            self._changed.add(domain)
            return None
        first = now + timedelta(seconds=tap.wait_s(now))
        step = timedelta(seconds=1 / tap.rate_per_s)
        at = max(first, self._line.get(domain, first) + step)
        self._line[domain] = at
        return at + timedelta(seconds=1)  # the store keeps whole seconds

    def begun(self, emails: Sequence[str], now: datetime) -> None:
        """Count messages that leave now."""
        count = len(emails)
        if not count:
            return
        self._recent.extend((now, email.rpartition("@")[2]) for email in emails)
        self._server.take(count)
        for one in self._budgets:
            one.budget.take(count, now)
        self._used += count
        if self._warm is not None:
            self._warm = max(self._warm - count, 0)

    def heard(self, email: str, reply: MailReply, now: datetime) -> None:
        """Learn from an answer."""
        domain = email.rpartition("@")[2]
        if reply.too_fast is Scope.SERVER:
            if not speaks_of_speed(reply.words) and self._server.is_accident():
                return
            self._server.slow_down(now, self._lately(now))
            self._changed.add("")
        elif reply.too_fast is Scope.DOMAIN:
            tap = self._tap_of(domain, now)
            tap.slow_down(now, self._lately(now, domain))
            self._changed.add(domain)
        elif reply.fate is Fate.ACCEPTED:
            self._server.quicken()
            if domain in self._domains:
                self._domains[domain].quicken()

    def keep(self, connection: Connection, now: datetime) -> None:
        """Write down what changed, in the transaction that marks the messages."""
        if self._used and self._budgets:
            for name in {one.name for one in self._budgets}:
                pace.add_use(connection, f"{name} {now.strftime(MINUTE_FORMAT)}", self._used, now)
        if self._changed:
            pace.keep(connection, [self._row(name, now) for name in sorted(self._changed)])

    def kept(self) -> None:
        """Forget what was written down, once it is committed."""
        self._used = 0
        self._changed.clear()

    def _lately(self, now: datetime, domain: str | None = None) -> int:
        """Return how many messages left in the last second, all or those to one domain."""
        start = now - timedelta(seconds=1)
        return sum(at > start and domain in (None, one) for at, one in self._recent)

    def _tap_of(self, domain: str, now: datetime) -> Tap:
        most = self.limits.per_domain_minute
        return self._domains.setdefault(
            domain, Tap(now, most=most, span_s=60.0, burst_s=BURST_OF_DOMAIN_S)
        )

    def _row(self, name: str, now: datetime) -> dict[str, Any]:
        tap = self._domains[name] if name else self._server
        return {
            "scope": f"domain {name}" if name else f"server {self.where} rate",
            "tokens": tap.tokens,
            "rate_per_s": tap.learned_per_s,
            "counted_at": now,
            "since_at": tap.lesson_at or now,
        }


def _remember(tap: Tap, row: RowMapping, now: datetime) -> None:
    """Go on at a pace that was learned lately; what is a day old is forgotten."""
    if now - row["counted_at"] > FORGOTTEN_AFTER:
        return
    tap.learned_per_s, tap.tokens = row["rate_per_s"], row["tokens"]
    tap.counted_at = row["counted_at"]
