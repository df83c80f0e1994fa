"""Half-open ranges of time [start, end) and the creator's days and months."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199


@dataclass(frozen=True, slots=True)
class Period:
    """The moments from `start` up to, but without, `end`, seen in one time zone."""

    start: datetime
    end: datetime
    timezone: str

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    @property
    def first_day(self) -> date:
        """The creator's calendar day on which the period starts."""
        return local_day(self.start, self.timezone)

    @property
    def last_day(self) -> date:
        """The last calendar day that the period touches."""
        return local_day(self.end - timedelta(seconds=1), self.timezone)

    def to_json(self) -> dict[str, str]:
        """Return start, end (RFC 3339 UTC) and timezone."""
        return {
            "start": instant_text(self.start),
            "end": instant_text(self.end),
            "timezone": self.timezone,
        }


def instant_text(moment: datetime) -> str:
    """Write a moment as RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str, timezone: str = "UTC") -> datetime:
    """Read a date (its midnight in the zone) or an RFC 3339 time into aware UTC; ValueError else."""
    cleaned = text.strip()
    if len(cleaned) == 10:
        return start_of_day(date.fromisoformat(cleaned), timezone)
    moment = datetime.fromisoformat(cleaned)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return moment.astimezone(UTC).replace(microsecond=0)


def parse_day(text: str) -> date:
    """Read a calendar day that kpay can reckon with; ValueError says what is wrong with it."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a day (write 2026-10-31)") from None
    return in_known_years(day)


def local_day(moment: datetime, timezone: str) -> date:
    """Return the calendar day of a moment in a zone."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def in_known_years(day: date) -> date:
    """Return a day that kpay can reckon with; ValueError outside the years 1970 to 2199."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"{day} is not between {FIRST_YEAR} and {LAST_YEAR}")
    return day


def start_of_day(day: date, timezone: str) -> datetime:
    """Return the moment a day begins in a zone, as aware UTC."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def end_of_day(day: date, timezone: str) -> datetime:
    """Return the first moment after a day: what `--as-of DAY` and `--until DAY` mean."""
    return start_of_day(day + timedelta(days=1), timezone)


def days(first: date, last: date, timezone: str) -> Period:
    """The period of whole days from `first` to `last`, both inside."""
    return Period(start_of_day(first, timezone), end_of_day(last, timezone), timezone)


def month_start(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def add_months(day: date, count: int) -> date:
    """Return the same day `count` months later, or the month's last day when it is shorter."""
    index = day.year * 12 + day.month - 1 + count
    year, month = divmod(index, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def month(text: str, timezone: str) -> Period:
    """Read "YYYY-MM" into the period of that month; ValueError for anything else."""
    if len(text) != 7:
        raise ValueError(f"{text!r} is not a month (write 2026-10)")
    first = date.fromisoformat(f"{text}-01")
    return days(first, add_months(first, 1) - timedelta(days=1), timezone)


def months_between(first: date, last: date) -> Iterator[date]:
    """Yield the first day of every month from the month of `first` to that of `last`."""
    current = month_start(first)
    while current <= last:
        yield current
        current = add_months(current, 1)


def parse_duration_days(text: str) -> int:
    """Read "90d", "12w", "3m" (30 days each) or "1y" (365) into days; ValueError else."""
    cleaned = text.strip().lower()
    scale = {"d": 1, "w": 7, "m": 30, "y": 365}.get(cleaned[-1:], 0)
    if not scale or not cleaned[:-1].isdigit() or not int(cleaned[:-1]):
        raise ValueError(f"{text!r} is not a length of time (write 90d, 12w, 3m or 1y)")
    return int(cleaned[:-1]) * scale


def parse_duration_s(text: str) -> int:
    """Read "60s", "5m" or "1h" into seconds; ValueError else."""
    cleaned = text.strip().lower()
    scale = {"s": 1, "m": 60, "h": 3600}.get(cleaned[-1:], 0)
    if not scale or not cleaned[:-1].isdigit() or not int(cleaned[:-1]):
        raise ValueError(f"{text!r} is not a length of time (write 60s, 5m or 1h)")
    return int(cleaned[:-1]) * scale
