"""The system's clock, or a fixed moment given by KPAY_NOW for rehearsals and tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from kpay.errors import SettingsInvalid


class SystemClock:
    """Tells the time to the second."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC).replace(microsecond=0)


class FixedClock:
    """Always tells the same time."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """Return the fixed moment."""
        return self._moment


def clock_from(environment: Mapping[str, str]) -> SystemClock | FixedClock:
    """Return the clock that KPAY_NOW asks for; SettingsInvalid when it is no RFC 3339 time."""
    text = environment.get("KPAY_NOW")
    if not text:
        return SystemClock()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsInvalid(
            f"KPAY_NOW is {text!r}, not a time like 2026-10-01T09:00:00Z", "unset KPAY_NOW"
        ) from error
    if moment.tzinfo is None:
        raise SettingsInvalid(f"KPAY_NOW is {text!r}, which has no time zone", "unset KPAY_NOW")
    return FixedClock(moment.astimezone(UTC).replace(microsecond=0))
