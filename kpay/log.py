"""Logging: to stderr with -v, never with a key or an address in it; and reports of bugs."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

from kpay.errors import DiskProblem
from kpay.files import disk_problems, write_whole

SECRET_PATTERNS = (
    re.compile(r"\b(?:sk|rk|pk|whsec)_(?:test|live)?_?[A-Za-z0-9_]{4,}"),
    re.compile(r"(?i)(authorization:?\s*(?:bearer|basic)\s+)\S+"),
    re.compile(r"(?i)(://[^/\s:@]+:)[^@\s/]+(?=@)"),
)
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


def redacted(text: str) -> str:
    """Return a text without keys, passwords and whole addresses."""
    for pattern in SECRET_PATTERNS:
        text = pattern.sub(lambda found: (found.group(1) if found.lastindex else "") + "***", text)
    return ADDRESS.sub(lambda found: found.group()[0] + "***@***", text)


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, and takes secrets out of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted line."""
        return redacted(super().format(record))


def speak() -> None:
    """Say on stderr what is going on, as -v asks; until then nothing is said."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("kpay")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def write_bug_report(error: BaseException) -> Path:
    """Write the redacted traceback to a 0600 file and return where it is."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or tempfile.gettempdir())
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = folder / f"kpay-bug-{stamp}-{os.getpid()}.log"
    text = redacted("".join(traceback.format_exception(error)))
    try:
        with disk_problems(path):
            folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except DiskProblem:
        return Path(os.devnull)
    return path
