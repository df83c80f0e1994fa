"""Days, seconds and billing periods of the world; every day is a UTC day."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Final

DAY_S: Final = 86_400


class WorldClock:
    """Converts between day numbers (0 is the first day), dates and Unix seconds."""

    def __init__(self, start: date) -> None:
        self.start = start
        self.start_s = int(datetime(start.year, start.month, start.day, tzinfo=UTC).timestamp())

    def second(self, day: int) -> int:
        """Return the first second of a day."""
        return self.start_s + day * DAY_S

    def day(self, second: int) -> int:
        """Return the day a second lies in."""
        return (second - self.start_s) // DAY_S

    def calendar_day(self, day: int) -> date:
        """Return the calendar date of a day number."""
        return self.start + timedelta(day)

    def number(self, day: date) -> int:
        """Return the day number of a calendar date."""
        return (day - self.start).days


def instant(second: int) -> datetime:
    """Return the aware UTC time of a Unix second."""
    return datetime.fromtimestamp(second, UTC)


def period_end(anchor_s: int, interval: str, count: int) -> int:
    """Return when `count` billing intervals after the anchor are over.

    Months are calendar months; the 31st becomes the last day of a shorter month and comes back
    in a longer one, because the anchor is kept (https://docs.stripe.com/billing/subscriptions/billing-cycle).
    """
    if interval in ("day", "week"):
        return anchor_s + count * DAY_S * (7 if interval == "week" else 1)
    months = count * (12 if interval == "year" else 1)
    anchor = instant(anchor_s)
    years, month = divmod(anchor.month - 1 + months, 12)
    year, month = anchor.year + years, month + 1
    day = min(anchor.day, monthrange(year, month)[1])
    return int(anchor.replace(year=year, month=month, day=day).timestamp())
