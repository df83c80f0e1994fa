"""How long to wait, as people write it: "2d", "3h", "90m", "1w"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

DELAY: Final = re.compile(r"(\d{1,4})\s*([mhdw])")
UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
LONGEST: Final = timedelta(days=730)


def parse_delay(written: Any) -> timedelta:
    """Read a delay; a bare 0 means at once. ValueError says what is wrong."""
    if written == 0 and not isinstance(written, bool):
        return timedelta()
    found = DELAY.fullmatch(written.strip()) if isinstance(written, str) else None
    if found is None:
        raise ValueError(f"{written!r} is not a delay (write 3h, 2d or 1w)")
    delay = int(found[1]) * UNITS[found[2]]
    if delay > LONGEST:
        raise ValueError(f"{written} is longer than {LONGEST.days} days")
    return delay


def delay_text(delay: timedelta) -> str:
    """Write a delay the short way, in the largest unit that fits."""
    if not delay:
        return "at once"
    for unit in ("w", "d", "h"):
        if delay % UNITS[unit] == timedelta():
            return f"{delay // UNITS[unit]}{unit}"
    return f"{delay // UNITS['m']}m"
