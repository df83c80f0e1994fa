"""Progress: only on a terminal's stderr, and only when it takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kpay.manners import manners

FIRST_SHOWN_S = 1.0
REDRAW_S = 0.2


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Count what is done; yields `advance(steps)`. The line is erased at the end."""
    if not sys.stderr.isatty() or manners().quiet or manners().as_json:
        yield lambda _steps: None
        return
    line = _Line(label, total)
    try:
        yield line.advance
    finally:
        line.erase()


class _Line:
    """One line that is rewritten in place."""

    def __init__(self, label: str, total: int | None) -> None:
        self.label, self.total = label, total
        self.count = 0
        self.due_at = time.monotonic() + FIRST_SHOWN_S
        self.is_shown = False

    def advance(self, steps: int) -> None:
        self.count += steps
        now = time.monotonic()
        if now >= self.due_at:
            self.due_at = now + REDRAW_S
            self.is_shown = True
            of = f" of {self.total:,}" if self.total else ""
            sys.stderr.write(f"\r\x1b[K{self.label}: {self.count:,}{of}")
            sys.stderr.flush()

    def erase(self) -> None:
        if self.is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
