"""The lock of a business: one writer at a time, dropped by the kernel when the process dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kpay.errors import Busy

POLL_S = 0.02


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "another kpay"
    except OSError:
        return "another kpay"


@contextmanager
def held(path: Path, *, who: str, wait_s: float) -> Iterator[None]:
    """Hold the exclusive lock on `path` inside the block.

    `who` is written into the file for the one who waits. Raises Busy after `wait_s` seconds.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, path, wait_s)
        _sign(descriptor, f"{who} (pid {os.getpid()})".encode())
        yield
    finally:
        os.close(descriptor)


def _sign(descriptor: int, holder: bytes) -> None:
    """Write who holds the lock; changing a file's length costs as much as a commit, so only if needed."""
    if os.pread(descriptor, len(holder) + 1, 0) != holder:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder, 0)


def _acquire(descriptor: int, path: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Busy(f"{_holder(path)} is at work in this business", "kpay doctor") from None
            time.sleep(POLL_S)
