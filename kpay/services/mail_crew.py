"""The threads that carry messages to the server, each over a connection of its own.

They take what is marked from one queue and put what became of it on another; no message waits for a
slow one. Only the thread that made the crew reads and writes the store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import NamedTuple

from sqlalchemy import RowMapping

from kpay.domain.delivery import Fate, MailReply
from kpay.errors import CredentialsMissing, InputInvalid, RemoteProblem
from kpay.ports import Envelope, MailConnection, Mailer
from kpay.services.passing import Brake

Compose = Callable[[RowMapping], Envelope]
TOO_MANY_CONNECTIONS = 421


class Attempt(NamedTuple):
    """One message that was handed over, and what became of it."""

    row: RowMapping
    reply: MailReply


class Crew:
    """So many connections at most; fewer when the server takes no more."""

    def __init__(
        self,
        mailer: Mailer,
        first: MailConnection,
        compose: Compose,
        brake: Brake,
        connections: int,
    ) -> None:
        self._compose, self._brake = compose, brake
        self._ready: SimpleQueue[RowMapping | None] = SimpleQueue()
        self._done: SimpleQueue[Attempt] = SimpleQueue()
        self._leaving, self._writing = threading.Lock(), threading.Lock()
        self.width = connections
        self.in_flight = 0
        self.waits = False
        """While nobody answers, what is ready comes back untried."""
        self.crash: Exception | None = None
        lazy = [LazyConnection(mailer) for _ in range(connections - 1)]
        self._threads = [
            threading.Thread(target=self._work, args=(one,), name=f"mail {number}", daemon=True)
            for number, one in enumerate([first, *lazy], 1)
        ]

    def __enter__(self) -> Crew:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let every thread end the message it has in hand, and close its connection.

        Who presses Ctrl-C twice does not wait for that.
        """
        if error is not None and not isinstance(error, Exception):
            return
        for _ in self._threads:
            self._ready.put(None)
        for thread in self._threads:
            thread.join()

    def hand(self, rows: Sequence[RowMapping]) -> None:
        """Have messages carried that are marked as sending."""
        self.in_flight += len(rows)
        for row in rows:
            self._ready.put(row)

    def next_result(self, timeout_s: float) -> Attempt | None:
        """Return what became of one message, or None when nothing did in that time."""
        try:
            attempt = self._done.get(timeout=max(timeout_s, 0.0))
        except Empty:
            return None
        self.in_flight -= 1
        return attempt

    def _work(self, connection: MailConnection) -> None:
        while (row := self._ready.get()) is not None:
            reply = self._deliver(connection, row)
            is_too_many = reply.fate is Fate.SERVER_FULL and self._may_leave()
            if reply.fate is Fate.SERVER_FULL and not is_too_many:
                reply = MailReply(Fate.UNREACHABLE, reply.words)
            self._done.put(Attempt(row, reply))
            if is_too_many:
                break
        connection.close()

    def _may_leave(self) -> bool:
        """Go with one connection fewer, unless it is the last."""
        with self._leaving:
            if self.width == 1:
                return False
            self.width -= 1
            return True

    def _deliver(self, connection: MailConnection, row: RowMapping) -> MailReply:
        if self._brake.is_pulled or self.waits:
            return MailReply(Fate.NOT_TRIED)
        try:
            with self._writing:
                envelope = self._compose(row)
        except InputInvalid as error:
            return MailReply(Fate.REFUSED, "; ".join(str(problem) for problem in error.problems))
        except ValueError as error:
            return MailReply(Fate.REFUSED, str(error))
        except Exception as error:  # noqa: BLE001 - a bug, told once everything is recorded
            self.crash = error
            self._brake.is_pulled = True
            return MailReply(Fate.NOT_TRIED)
        reply = connection.deliver(envelope)
        if reply.fate in (Fate.STOPPED, Fate.NO_ROOM):
            self._brake.is_pulled = True
        return reply


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
                is_full = error.details.get("status") == TOO_MANY_CONNECTIONS
                return MailReply(Fate.SERVER_FULL if is_full else Fate.UNREACHABLE, error.message)
        return self._connection.deliver(envelope)

    def close(self) -> None:
        """Close it if it was ever opened."""
        if self._connection is not None:
            self._connection.close()
