"""Handing queued messages over, so that whatever dies on the way, nobody gets one twice.

One run at a time holds the sending lock. Each turn is one transaction that writes what became of
the last messages and marks the next few as `sending`; only then do they leave, over a handful of
connections. So a run that is killed leaves at most one turn's messages uncertain.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.delivery import (
    STAY,
    Fate,
    MailReply,
    state_after,
    wait_before_retry,
)
from kpay.domain.enums import DeliveryState, MailKind
from kpay.errors import CredentialsMissing, DiskProblem, InputInvalid, Interrupted, RemoteProblem
from kpay.ports import Envelope, MailConnection, Mailer
from kpay.services.passing import Brake, PassingTime
from kpay.store import audience, deliveries
from kpay.store.deliveries import Purpose
from kpay.store.engine import Store
from kpay.store.lock import held

CONNECTIONS = 4
MESSAGES_A_TURN = 32
READ_AHEAD = 960
UNREACHABLE_WAITS_S = (2.0, 5.0, 15.0)
BOUNCED = "bounce"
LAST_IN_LINE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """Who must not get these messages: `refuses` sees why an address is suppressed, if it is.

    `asks_the_list` holds for marketing: whoever has left the list is not mailed either.
    """

    refuses: Callable[[str], bool]
    asks_the_list: bool


MARKETING = Rules(refuses=lambda reason: True, asks_the_list=True)
PURCHASE = Rules(refuses=lambda reason: reason == BOUNCED, asks_the_list=False)
RULES = {
    MailKind.CAMPAIGN: MARKETING,
    MailKind.SEQUENCE: MARKETING,
    MailKind.PURCHASE: PURCHASE,
    MailKind.RECEIPT: PURCHASE,
    MailKind.CONFIRMATION: PURCHASE,
}
"""What each kind of message asks; a confirmation is what a suppressed reader asked for anew."""

UNTRIED = frozenset({Fate.NOT_TRIED, Fate.UNREACHABLE, Fate.STOPPED, Fate.NO_ROOM})

Compose = Callable[[RowMapping], Envelope]
Advance = Callable[[int], None]
Attempt = tuple[RowMapping, MailReply]


@contextmanager
def sending_lock(store: Store, *, wait_s: float = 0.0) -> Iterator[None]:
    """Be the only run that sends; Busy when another one is at it."""
    with held(store.path.with_name("sending.lock"), who="a run that sends mail", wait_s=wait_s):
        yield


class Run:
    """Sends what is due of one purpose, until nothing falls due within ten minutes.

    `again` is the command that goes on where a run has stopped.
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
    ) -> None:
        self._store, self._mailer, self._compose = store, mailer, compose
        self._purpose, self._rules, self._passing = purpose, rules, passing
        self._again, self._advance = again, advance
        self._brake = Brake()
        self._waiting: deque[RowMapping] = deque()
        self._results: list[Attempt] = []
        self._unreachable_turns = 0
        self.failures = 0
        """Messages that failed for another reason than an address that does not exist."""

    def go(self) -> None:
        """Send; raise Interrupted, RemoteProblem or CredentialsMissing with everything recorded."""
        self._recover()
        if not self._something_waits():
            return
        # The first connection is opened now, so that a refusal comes before anything is marked.
        connections: list[MailConnection] = [self._mailer.connect()]
        connections += [LazyConnection(self._mailer) for _ in range(CONNECTIONS - 1)]
        try:
            with (
                self._brake.on_signals(),
                ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="mail") as pool,
            ):
                self._turns(pool, connections)
        finally:
            for connection in connections:
                connection.close()

    def _recover(self) -> None:
        with self._store.reading() as connection:
            if not deliveries.has_lost(connection, self._purpose):
                return
        with self._store.writing() as connection:
            deliveries.give_up_on_lost(connection, self._purpose)

    def _something_waits(self) -> bool:
        with self._store.reading() as connection:
            at = deliveries.next_due_at(connection, self._purpose)
        return at is not None and at - self._passing.now() <= STAY

    def _turns(self, pool: ThreadPoolExecutor, connections: Sequence[MailConnection]) -> None:
        while True:
            if not self._waiting:
                self._write_down()
                self._refill()
            if self._waiting:
                batch = self._begin_turn()
                self._hand_over(pool, connections, batch)
                self._look_for_trouble()
            elif not self._wait_for_next():
                return

    def _refill(self) -> None:
        """Read the next messages; they stay ours, because nobody else may send."""
        with self._store.reading() as connection:
            now = self._passing.now()
            self._waiting.extend(deliveries.due(connection, self._purpose, now, READ_AHEAD))

    def _begin_turn(self) -> list[RowMapping]:
        """Record the last turn and mark the next messages as sending, in one transaction."""
        count = min(MESSAGES_A_TURN, len(self._waiting))
        rows = [self._waiting.popleft() for _ in range(count)]
        with self._store.writing() as connection:
            self._record(connection)
            refused = self._refused(connection, [row["email"] for row in rows])
            batch = [row for row in rows if row["email"] not in refused]
            deliveries.begin(connection, [row["id"] for row in batch], f"pid {os.getpid()}")
            deliveries.set_aside(
                connection,
                [row["id"] for row in rows if row["email"] in refused],
                DeliveryState.SUPPRESSED,
                "must not be mailed",
            )
        self._results = []
        self._advance(len(rows) - len(batch))
        return batch

    def _refused(self, connection: Connection, emails: Sequence[str]) -> set[str]:
        reasons = audience.suppressed_among(connection, emails)
        refused = {email for email, reason in reasons.items() if self._rules.refuses(reason)}
        if self._rules.asks_the_list:
            refused |= audience.left_the_list(connection, emails)
        return refused

    def _hand_over(
        self,
        pool: ThreadPoolExecutor,
        connections: Sequence[MailConnection],
        batch: Sequence[RowMapping],
    ) -> None:
        width = len(connections)
        shares = [
            pool.submit(self._deliver_share, connection, batch[index::width])
            for index, connection in enumerate(connections)
        ]
        self._results = [attempt for share in shares for attempt in share.result()]
        self._advance(sum(reply.fate is not Fate.NOT_TRIED for _, reply in self._results))

    def _deliver_share(
        self, connection: MailConnection, rows: Sequence[RowMapping]
    ) -> list[Attempt]:
        return [(row, self._deliver(connection, row)) for row in rows]

    def _deliver(self, connection: MailConnection, row: RowMapping) -> MailReply:
        if self._brake.is_pulled:
            return MailReply(Fate.NOT_TRIED)
        try:
            envelope = self._compose(row)
        except InputInvalid as error:
            return MailReply(Fate.REFUSED, "; ".join(str(problem) for problem in error.problems))
        except ValueError as error:
            return MailReply(Fate.REFUSED, str(error))
        reply = connection.deliver(envelope)
        if reply.fate in (Fate.STOPPED, Fate.NO_ROOM):
            self._brake.is_pulled = True
        return reply

    def _look_for_trouble(self) -> None:
        """Stop the run when the server refuses us, when a person does, or when nobody answers."""
        replies = [reply for _, reply in self._results]
        stopped = next((reply for reply in replies if reply.fate is Fate.STOPPED), None)
        if stopped is not None:
            self._write_down()
            raise RemoteProblem(
                f"{self._mailer.where} refuses our mail ({stopped.words}); the rest waits",
                "kpay doctor",
            )
        no_room = next((reply for reply in replies if reply.fate is Fate.NO_ROOM), None)
        if no_room is not None:
            self._write_down()
            raise DiskProblem(f"{no_room.words}; the rest waits", "df -h .")
        if self._brake.is_pulled:
            self._write_down()
            raise Interrupted("stopped; what had left is recorded, the rest waits", self._again)
        if replies and all(reply.fate is Fate.UNREACHABLE for reply in replies):
            self._be_patient(replies[0].words)
        else:
            self._unreachable_turns = 0

    def _be_patient(self, words: str) -> None:
        self._write_down()
        self._waiting.clear()
        if self._unreachable_turns == len(UNREACHABLE_WAITS_S):
            raise RemoteProblem(f"{words}; the rest waits", self._again)
        self._rest(UNREACHABLE_WAITS_S[self._unreachable_turns])
        self._unreachable_turns += 1

    def _write_down(self) -> None:
        if self._results:
            with self._store.writing() as connection:
                self._record(connection)
            self._results = []

    def _record(self, connection: Connection) -> None:
        now = self._passing.now()
        outcomes = [_outcome(row, reply, now) for row, reply in self._results]
        deliveries.settle(connection, outcomes)
        gone = [row["email"] for row, reply in self._results if reply.fate is Fate.NO_SUCH_ADDRESS]
        if gone:
            audience.opt_out(connection, gone, BOUNCED, now)
        failed = sum(outcome["new_state"] == DeliveryState.FAILED for outcome in outcomes)
        self.failures += failed - len(gone)

    def _wait_for_next(self) -> bool:
        """Wait for the next message to fall due; False when it is not worth staying."""
        with self._store.reading() as connection:
            at = deliveries.next_due_at(connection, self._purpose)
        if at is None or at - self._passing.now() > STAY:
            return False
        self._rest((at - self._passing.now()).total_seconds() + 0.05)
        return True

    def _rest(self, seconds: float) -> None:
        until = self._passing.now() + timedelta(seconds=seconds)
        while (left := (until - self._passing.now()).total_seconds()) > 0:
            if self._brake.is_pulled:
                raise Interrupted("stopped while waiting; everything is recorded", self._again)
            self._passing.wait(min(left, 0.2))


class LazyConnection:
    """A connection that is opened when it has a message to carry."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self._connection: MailConnection | None = None

    def deliver(self, envelope: Envelope) -> MailReply:
        """Open the connection if need be, and hand the message over."""
        if self._connection is None:
            try:
                self._connection = self._mailer.connect()
            except (RemoteProblem, CredentialsMissing) as error:
                return MailReply(Fate.UNREACHABLE, error.message)
        return self._connection.deliver(envelope)

    def close(self) -> None:
        """Close it if it was ever opened."""
        if self._connection is not None:
            self._connection.close()


def _outcome(row: RowMapping, reply: MailReply, now: datetime) -> dict[str, Any]:
    tried = reply.fate not in UNTRIED
    attempts = row["attempts"] + tried
    state = state_after(reply.fate, attempts)
    return {
        "delivery": row["id"],
        "new_state": state.value,
        "new_due_at": _due_at(row, reply, state, attempts, now),
        "new_sent_at": now if state is DeliveryState.SENT else None,
        "new_attempts": attempts,
        "reply": reply.words or None,
    }


def _due_at(
    row: RowMapping, reply: MailReply, state: DeliveryState, attempts: int, now: datetime
) -> datetime:
    """Return when a message is tried next; one that stopped a run comes last in the next.

    Some servers say "you are not allowed" of a single mailbox; first in every run, such a message
    would keep everybody behind it from ever being mailed.
    """
    if state is DeliveryState.RETRY:
        return now + wait_before_retry(attempts)
    due_at: datetime = row["due_at"]
    return now + LAST_IN_LINE if reply.fate is Fate.STOPPED else due_at
