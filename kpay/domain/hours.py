"""Hours of the day in which mail may leave, told in the reader's own zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SPAN: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """A span of the day that begins at `start` and ends before `end`; it may pass midnight."""

    start: time
    end: time

    @property
    def others(self) -> Hours:
        """The rest of the day."""
        return Hours(self.end, self.start)

    def hold(self, moment: datetime, zone: str) -> bool:
        """Say whether it is within these hours in a zone."""
        local = moment.astimezone(ZoneInfo(zone)).time()
        if self.start < self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end

    def next_open(self, moment: datetime, zone: str) -> datetime:
        """Return the moment itself within these hours, else when they next begin, in UTC.

        Where a change of the clock leaves the beginning out, they begin when the clock goes on.
        """
        if self.hold(moment, zone):
            return moment
        local = moment.astimezone(ZoneInfo(zone))
        begins = datetime.combine(local.date(), self.start, local.tzinfo)
        if begins <= local:
            begins = datetime.combine(local.date() + timedelta(1), self.start, local.tzinfo)
        return begins.astimezone(UTC)

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"


def parse_hours(text: str) -> Hours:
    """Read "08:00-20:00"; ValueError says what is wrong."""
    found = SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'{text!r} is not a span of hours (write "08:00-20:00")')
    first, first_minute, last, last_minute = map(int, found.groups())
    hours = Hours(time(first, first_minute), time(last, last_minute))
    if hours.start == hours.end:
        raise ValueError(f"{text!r} is no span: it ends when it begins")
    return hours
