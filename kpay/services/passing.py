"""How a long run meets time and interruption."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import FrameType
from typing import Protocol


class PassingTime(Protocol):
    """The moment a run works at, and a way to let time pass."""

    def now(self) -> datetime:
        """Return the present moment."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        ...


class Stopwatch:
    """Time that passes from a given moment, so that a fixed clock does not stop retries."""

    def __init__(self, started_at: datetime) -> None:
        self._started_at = started_at
        self._zero = time.monotonic()

    def now(self) -> datetime:
        """Return the start plus what has passed."""
        return self._started_at + timedelta(seconds=time.monotonic() - self._zero)

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


class Brake:
    """Whether to stop after the message in flight.

    A signal only pulls it, so that no exception can fall between an answer and its record.
    """

    def __init__(self) -> None:
        self.is_pulled = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Pull the brake on Ctrl-C or a polite kill; the second Ctrl-C works as usual."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def pull(number: int, frame: FrameType | None) -> None:
            self.is_pulled = True
            signal.signal(number, before[signal.Signals(number)] or signal.SIG_DFL)

        for number in before:
            signal.signal(number, pull)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)
