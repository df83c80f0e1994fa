"""Progress: only on a terminal's stderr, and only when it takes longer than a second."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from kpay.manners import manners

FIRST_SHOWN_S = 1.0
REDRAW_S = 0.2


class Advance(Protocol):
    """Counts what is done."""

    def __call__(self, steps: int, what: str = "") -> None:
        """Count steps, of `what` where a run has several kinds."""
        ...


def _unseen(steps: int, what: str = "") -> None:
    return None


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Advance]:
    """Count what is done; yields `advance(steps)`. The line is erased at the end."""
    if not sys.stderr.isatty() or manners().quiet or manners().as_json:
        yield _unseen
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
        self.kinds: Counter[str] = Counter()
        self.due_at = time.monotonic() + FIRST_SHOWN_S
        self.is_shown = False

    def advance(self, steps: int, what: str = "") -> None:
        self.count += steps
        self.kinds[what] += steps
        now = time.monotonic()
        if now >= self.due_at:
            self.due_at = now + REDRAW_S
            self.is_shown = True
            of = f" of {self.total:,}" if self.total else ""
            name = what.replace("_", " ")
            kind = f" ({name} {self.kinds[what]:,})" if what else ""
            sys.stderr.write(f"\r\x1b[K{self.label}: {self.count:,}{of}{kind}")
            sys.stderr.flush()

    def erase(self) -> None:
        if self.is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
