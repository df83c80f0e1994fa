"""Handing queued messages over, so that whatever dies on the way, nobody gets one twice.

One run of a kind at a time holds the sending lock, and its one thread alone writes the store. Each
transaction writes what came back meanwhile and marks the next few messages as `sending`; only then do
they leave, over several connections. So a run that is killed leaves a few messages for each connection
uncertain, and no message waits for a slow one.
"""

from __future__ import annotations

import heapq
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.delivery import STAY, Fate, MailReply
from kpay.domain.enums import DeliveryState, MailKind
from kpay.domain.pacing import USUAL_LIMITS, MailLimits
from kpay.errors import DiskProblem, Interrupted, KpayError, RemoteProblem
from kpay.ports import MailConnection, Mailer
from kpay.services.mail_crew import Attempt, Compose, Crew
from kpay.services.mail_rules import (
    BOUNCED,
    LAST_IN_LINE,
    MARKETING,
    PURCHASE,
    RULES,
    Rules,
    outcome_of,
)
from kpay.services.overseeing import Distrust, Overseer
from kpay.services.pacing import Pacer
from kpay.services.passing import Brake, PassingTime
from kpay.store import audience, outbox
from kpay.store.deliveries import Purpose, set_aside
from kpay.store.engine import Store
from kpay.store.lock import held

__all__ = ["MARKETING", "PURCHASE", "RULES", "Advance", "Rules", "Run", "sending_lock"]

IN_FLIGHT_A_CONNECTION = 3
READ_AHEAD = 960
REMEMBERED_RETRIES = 10_000
GATHER_S = 0.02
"""How long answers are gathered for one commit: a durable one costs as much as several messages."""
LOOK_UP_S = 5.0
"""How often a run that waits looks whether it is to go on."""
UNREACHABLE_WAITS_S = (2.0, 5.0, 15.0)


Advance = Callable[[int], None]


@contextmanager
def sending_lock(
    store: Store, *, kind: MailKind = MailKind.CAMPAIGN, wait_s: float = 0.0
) -> Iterator[None]:
    """Be the only run that sends messages of a kind; Busy when another one is at it.

    A campaign that takes all day keeps nobody waiting for what they bought.
    """
    name = "sending.lock" if kind is MailKind.CAMPAIGN else f"sending-{kind}.lock"
    with held(store.path.with_name(name), who="a run that sends mail", wait_s=wait_s):
        yield


class Run:
    """Sends what is due of one purpose, until nothing falls due within ten minutes.

    `again` is the command that goes on where a run has stopped; `on_due` is called before each look
    into the queue. A run that a pause or a budget has ended says so in `stopped_by` and `goes_on_at`.
    """

    def __init__(
        self,
        store: Store,
        mailer: Mailer,
        compose: Compose,
        *,
        purpose: Purpose,
        rules: Rules,
        passing: PassingTime,
        again: str,
        advance: Advance = lambda count: None,
        limits: MailLimits = USUAL_LIMITS,
        overseer: Overseer | None = None,
        on_due: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._mailer, self._compose = store, mailer, compose
        self._purpose, self._rules, self._passing = purpose, rules, passing
        self._again, self._advance, self._on_due = again, advance, on_due
        self._overseer = overseer or Overseer()
        self._limits = rules.paced(limits)
        self._pace = Pacer(
            mailer.where, self._limits, not mailer.is_live, self._overseer.name, self._overseer.rate
        )
        self._owner = f"{mailer.where} pid {os.getpid()}"
        self._brake, self._distrust = Brake(), Distrust()
        self._candidates: deque[RowMapping] = deque()
        self._retries: list[tuple[datetime, int]] = []
        self._results: list[Attempt] = []
        self._put_off: list[tuple[int, datetime]] = []
        self._fatal: MailReply | None = None
        self._unanswered: str | None = None
        self._unreachable_times = 0
        self.failures = 0
        """Messages that failed for another reason than an address that does not exist."""
        self.stopped_by: str | None = None
        self.goes_on_at: datetime | None = None

    def go(self) -> None:
        """Send; raise Interrupted, RemoteProblem or CredentialsMissing with everything recorded."""
        with self._store.kept_open():
            self._recover()
            if not self._something_waits():
                return
            # The first connection is opened now, so that a refusal comes before anything is marked.
            first = self._first_connection()
            with (
                self._brake.on_signals(),
                Crew(
                    self._mailer, first, self._compose, self._brake, self._limits.connections
                ) as crew,
            ):
                try:
                    self._flow(crew)
                except BaseException:
                    self._brake.is_pulled = True
                    self._save_what_is_known(crew)
                    raise
            if self._distrust.is_us_after_all:
                self._take_back()

    def _recover(self) -> None:
        """Find what a dead run left on its way: uncertain, unless whoever takes it knows it again."""
        span, where = self._mailer.deduplicates_for, self._mailer.where
        with self._store.reading() as connection:
            has_lost = outbox.has_lost(connection, self._purpose)
        if has_lost:
            with self._store.writing() as connection:
                outbox.give_up_on_lost(connection, self._purpose)
        if span is None:
            return
        since = None if span == timedelta.max else self._passing.now() - span
        with self._store.reading() as connection:
            known = outbox.count_known_again(connection, self._purpose, where, since)
        if known:
            with self._store.writing() as connection:
                outbox.queue_known_again(connection, self._purpose, where, since)

    def _something_waits(self) -> bool:
        """Say whether it is worth beginning, and read how fast it may go."""
        now = self._passing.now()
        with self._store.reading() as connection:
            at = outbox.next_due_at(connection, self._purpose)
            if at is None or at - now > STAY:
                self.goes_on_at = at
                return False
            self._pace.begin(connection, now)
            self._overseer.begin(connection)
            self._retries = outbox.retries(
                connection, self._purpose, now + STAY, REMEMBERED_RETRIES
            )
        return True

    def _first_connection(self) -> MailConnection:
        for wait_s in (*UNREACHABLE_WAITS_S, None):
            try:
                return self._mailer.connect()
            except RemoteProblem as error:
                if wait_s is None or error.details.get("status") != 421:
                    raise
            self._rest(wait_s)
        raise AssertionError("the last round raises or returns")

    def _flow(self, crew: Crew) -> None:
        while True:
            room = crew.width * IN_FLIGHT_A_CONNECTION - crew.in_flight
            rows = [] if self._is_ending() else self._choose(room)
            has_work = bool(rows or self._results or self._put_off)
            if has_work:
                crew.hand(self._turn(rows))
            if crew.in_flight:
                self._collect(crew, enough=max(crew.in_flight * 2 // 3, 1))
            elif self._has_ended(crew):
                return
            elif self._unanswered is not None:
                self._be_patient(crew)
            elif not has_work and not self._wait_for_next():
                return

    def _is_ending(self) -> bool:
        """Say whether nothing more may be marked: trouble, a pulled brake, a pause."""
        return (
            self._brake.is_pulled
            or self._unanswered is not None
            or self._distrust.is_us
            or self.stopped_by is not None
        )

    def _has_ended(self, crew: Crew) -> bool:
        """Say whether the run is over, now that nothing is in flight; raise where that is an error."""
        if self._distrust.is_us:
            self._take_back()
        if self._fatal is not None and self._fatal.fate is Fate.STOPPED:
            self._refused_us(self._fatal.words)
        if self._fatal is not None:
            raise DiskProblem(f"{self._fatal.words}; the rest waits", "df -h .")
        if crew.crash is not None:
            raise crew.crash
        if self._brake.is_pulled:
            raise Interrupted("stopped; what had left is recorded, the rest waits", self._again)
        return self.stopped_by is not None

    def _choose(self, room: int) -> list[RowMapping]:
        """Return the next messages that may leave now; those whose turn is later are put off."""
        now = self._passing.now()
        self._bring_retries(now)
        if not self._candidates:
            self._refill(now)
        count = min(room, self._pace.allowed(now))
        rows: list[RowMapping] = []
        while self._candidates and len(rows) < count:
            row = self._candidates.popleft()
            at = self._overseer.turn_of(row, now) or self._pace.line_up(row["email"], now)
            if at is None:
                rows.append(row)
            else:
                self._put_off.append((row["id"], at))
        return rows

    def _refill(self, now: datetime) -> None:
        """Read the next messages; they stay ours, because nobody else may send."""
        self._on_due()
        with self._store.reading() as connection:
            rows = outbox.due(connection, self._purpose, now, READ_AHEAD)
            self._pace.ask(connection, now)
            self._overseer.look_ahead(connection, rows)
        self._candidates.extend(rows)

    def _bring_retries(self, now: datetime) -> None:
        """Put those first whose next attempt has come, so that it does not wait for all the others."""
        ids = set()
        while self._retries and self._retries[0][0] <= now:
            ids.add(heapq.heappop(self._retries)[1])
        ids -= {row["id"] for row in self._candidates} if ids else set()
        if ids:
            with self._store.reading() as connection:
                rows = outbox.due_again(connection, ids, now)
                self._overseer.look_ahead(connection, rows)
            self._candidates.extendleft(reversed(rows))

    def _turn(self, rows: Sequence[RowMapping]) -> list[RowMapping]:
        """Record what came back and mark the next messages as sending, in one transaction."""
        now = self._passing.now()
        with self._store.writing() as connection:
            outcomes = self._record(connection, now)
            objection = self._overseer.objection(connection)
            marked = [] if objection else self._mark(connection, rows, now)
            outbox.put_off(connection, self._put_off)
            self._pace.begun([row["email"] for row in marked], now)
            self._pace.keep(connection, now)
        self._pace.kept()
        self._recorded(outcomes)
        self._put_off, self.stopped_by = [], objection
        self._advance(len(rows) - len(marked))
        return marked

    def _mark(
        self, connection: Connection, rows: Sequence[RowMapping], now: datetime
    ) -> list[RowMapping]:
        """Ask again who must not be mailed, set those aside, and mark the others."""
        if not rows:
            return []
        emails = {row["email"] for row in rows}
        refused = self._rules.refused(connection, emails)
        needless = self._overseer.needless(connection, emails - refused)
        asides = (
            (refused, DeliveryState.SUPPRESSED, "must not be mailed"),
            (needless, DeliveryState.SKIPPED, "owns it by now"),
        )
        for who, state, why in asides:
            if who:
                set_aside(
                    connection, [row["id"] for row in rows if row["email"] in who], state, why
                )
        left = refused | needless
        ids = [row["id"] for row in rows if row["email"] not in left]
        begun = outbox.begin(connection, ids, self._owner, now) if ids else set()
        return [row for row in rows if row["id"] in begun]

    def _collect(self, crew: Crew, enough: int) -> None:
        """Wait for what comes back; what comes together is written together."""
        attempt = crew.next_result(0.2)
        until_s = time.monotonic() + GATHER_S
        while attempt is not None:
            self._hear(attempt, crew)
            if len(self._results) >= enough or not crew.in_flight:
                return
            attempt = crew.next_result(until_s - time.monotonic())

    def _hear(self, attempt: Attempt, crew: Crew) -> None:
        """Take one answer in: for the record, for the pace, and for whether to go on."""
        row, reply = attempt
        self._results.append(attempt)
        self._pace.heard(row["email"], reply, self._passing.now())
        self._overseer.heard(reply)
        self._distrust.heard(row["id"], reply)
        if reply.fate is not Fate.NOT_TRIED:
            self._advance(1)
        if reply.fate is Fate.ACCEPTED:
            self._unreachable_times = 0
        elif reply.fate in (Fate.STOPPED, Fate.NO_ROOM):
            self._fatal = reply
        elif reply.fate is Fate.UNREACHABLE:
            self._unanswered, crew.waits = reply.words, True

    def _take_back(self) -> None:
        with self._store.writing() as connection:
            now = self._passing.now()
            outbox.take_back(connection, self._distrust.ids, now + LAST_IN_LINE)
        self.failures -= len(self._distrust.ids)
        self._refused_us(self._distrust.words)

    def _refused_us(self, words: str) -> None:
        raise RemoteProblem(
            f"{self._mailer.where} refuses our mail ({words}); the rest waits", "kpay doctor"
        )

    def _be_patient(self, crew: Crew) -> None:
        """Nobody answers: wait a while and try again, then give up for now."""
        if self._unreachable_times == len(UNREACHABLE_WAITS_S):
            raise RemoteProblem(f"{self._unanswered}; the rest waits", self._again)
        self._rest(UNREACHABLE_WAITS_S[self._unreachable_times])
        self._unreachable_times += 1
        self._candidates.clear()
        self._unanswered, crew.waits = None, False

    def _wait_for_next(self) -> bool:
        """Wait until the next message may leave; False when it is not worth staying."""
        now = self._passing.now()
        with self._store.reading() as connection:
            self.stopped_by = self._overseer.asked_to_stop(connection)
            due_at = now if self._candidates else outbox.next_due_at(connection, self._purpose)
        if due_at is None or self.stopped_by:
            return self.stopped_by is not None
        at = max(due_at, self._pace.goes_on_at(now))
        if at - now > STAY:
            self.goes_on_at = at
            return False
        self._rest(min((at - now).total_seconds() + 0.002, LOOK_UP_S))
        return True

    def _rest(self, seconds: float) -> None:
        until = self._passing.now() + timedelta(seconds=seconds)
        while (left := (until - self._passing.now()).total_seconds()) > 0:
            if self._brake.is_pulled:
                raise Interrupted("stopped while waiting; everything is recorded", self._again)
            self._passing.wait(min(left, 0.2))

    def _save_what_is_known(self, crew: Crew) -> None:
        """Record what comes back after something went wrong, if the store can be written again."""
        while crew.in_flight:
            attempt = crew.next_result(LOOK_UP_S)
            if attempt is not None:
                self._hear(attempt, crew)
        try:
            self._write_down()
        except KpayError:
            return  # the first error is the one to tell; what is not recorded is uncertain

    def _write_down(self) -> None:
        if self._results:
            with self._store.writing() as connection:
                outcomes = self._record(connection, self._passing.now())
            self._recorded(outcomes)

    def _record(self, connection: Connection, now: datetime) -> list[dict[str, Any]]:
        outcomes = [outcome_of(row, reply, now) for row, reply in self._results]
        outbox.settle(connection, outcomes)
        gone = [row["email"] for row, reply in self._results if reply.fate is Fate.NO_SUCH_ADDRESS]
        if gone:
            audience.opt_out(connection, gone, BOUNCED, now)
        return outcomes

    def _recorded(self, outcomes: Sequence[dict[str, Any]]) -> None:
        """Count what is committed now, and remember what is tried again soon."""
        for outcome, (_, reply) in zip(outcomes, self._results, strict=True):
            has_failed = outcome["new_state"] == DeliveryState.FAILED
            self.failures += has_failed and reply.fate is not Fate.NO_SUCH_ADDRESS
            again = outcome["new_state"] == DeliveryState.RETRY
            if again and len(self._retries) < REMEMBERED_RETRIES:
                heapq.heappush(self._retries, (outcome["new_due_at"], outcome["delivery"]))
        self._results = []
