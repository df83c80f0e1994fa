"""Cyclic garbage: looked for seldom while very many objects pass through."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

ALLOCATIONS_BETWEEN = 50_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Have Python look for cycles less often; around a block, or as a decorator.

    Reading provider objects leaves hardly any, and each look goes through all that are alive: with
    the usual thresholds a fifth of a first sync's processor time went there.
    """
    usual = gc.get_threshold()
    gc.set_threshold(ALLOCATIONS_BETWEEN, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
