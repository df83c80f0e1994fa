"""Python's own housekeeping, put off while very many objects pass through."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ALLOCATIONS_BETWEEN_COLLECTIONS = 50_000
TURN_S = 0.05


@contextmanager
def undisturbed() -> Iterator[None]:
    """Have Python look for cyclic garbage and switch between threads less often.

    Around a block, or as a decorator. Reading provider objects leaves hardly any garbage, and each
    look goes through all that is alive: a fifth of a first sync's processor time went there. Another
    tenth went into handing the interpreter from thread to thread every few milliseconds.
    """
    usual, turn_s = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS, 20, 100)
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        sys.setswitchinterval(turn_s)
