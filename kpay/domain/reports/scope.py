"""Which stretch of time a report is about, and what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kpay.domain import period as calendar
from kpay.domain.period import Period, instant_text

LONGEST_BY_DAY = 62


@dataclass(frozen=True, slots=True)
class Scope:
    """A report's period (None: everything), the moment up to which things are known, and the zone.

    `last_sync` is up to when the provider was read, as RFC 3339 text and never after `as_of`, so that
    what is synced later does not change a report of today; None when it never was. `policy` names
    whose definition of MRR holds. `shows_emails`: people are named by their address.
    """

    period: Period | None
    as_of: datetime
    timezone: str
    base_currency: str
    last_sync: str | None = None
    policy: str = "kpay"
    shows_emails: bool = False

    def known(self, period: Period) -> Period:
        """Return the part of a period that lies before `as_of`."""
        return Period(min(period.start, self.as_of), min(period.end, self.as_of), self.timezone)

    def everything(self, first: datetime | None, last: datetime | None = None) -> Period:
        """Return the days from the first event's up to `as_of`, or without any, the newest day.

        Where `last` says that nothing moved for two months, the period ends with that day.
        """
        start = min(first or self.as_of, self.as_of - timedelta(seconds=1))
        day = calendar.local_day(start, self.timezone)
        is_over = last is not None and self.as_of - last > timedelta(days=LONGEST_BY_DAY)
        end = (
            calendar.end_of_day(calendar.local_day(last, self.timezone), self.timezone)
            if last is not None and is_over
            else self.as_of
        )
        return Period(calendar.start_of_day(day, self.timezone), end, self.timezone)

    def head(self, period: Period) -> dict[str, Any]:
        """Return the keys that every report begins with."""
        return {
            "period": period.to_json(),
            "as_of": instant_text(self.as_of),
            "last_sync": self.last_sync,
        }

    def subtitle(self, period: Period) -> str:
        """Say in words which days these are, and how fresh they are."""
        first, last = period.first_day, max(period.first_day, period.last_day)
        when = f"{first}" if first == last else f"{first} to {last}"
        return f"{when} ({self.timezone}), as of {instant_text(self.as_of)}, {self.freshness}"

    @property
    def days_since_sync(self) -> float | None:
        """How many days before `as_of` the provider was read to its end; None when it never was."""
        if self.last_sync is None:
            return None
        behind = self.as_of - calendar.parse_instant(self.last_sync)
        return round(behind / timedelta(days=1), 2)

    @property
    def freshness(self) -> str:
        """Say how far the provider was read, beside the moment that the report is of."""
        if self.last_sync is None:
            return "never synced"
        is_complete = self.last_sync == instant_text(self.as_of)
        return "synced since" if is_complete else f"last sync {self.last_sync}"


def asked_period(
    month: str | None, since: str | None, until: str | None, *, last: date, timezone: str
) -> Period | None:
    """Read --month, or --since and --until (both days inside); None when nothing was asked.

    `last` is the day up to which things are known: where --until is not given. Raises ValueError.
    """
    if month and (since or until):
        raise ValueError("--month does not go together with --since or --until")
    if month:
        return _month(month, timezone)
    if not since and not until:
        return None
    if not since:
        raise ValueError("--until needs --since")
    first = _day(since, "--since")
    final = _day(until, "--until") if until else max(first, last)
    if final < first:
        raise ValueError(f"--until {final} is before --since {first}")
    return calendar.days(first, final, timezone)


def _month(text: str, timezone: str) -> Period:
    try:
        period = calendar.month(text, timezone)
        calendar.in_known_years(period.first_day)
        return period
    except (ValueError, OverflowError):
        raise ValueError(f"--month {text!r} is not a month (write 2026-10)") from None


def _day(text: str, flag: str) -> date:
    try:
        return calendar.parse_day(text)
    except ValueError as error:
        raise ValueError(f"{flag} {error}") from None


def moment_known(text: str | None, now: datetime, timezone: str) -> datetime:
    """Read --as-of: a day means its end in the zone, a time itself; without one, now."""
    if text is None:
        return now
    if len(text.strip()) <= 10:
        return calendar.end_of_day(_day(text, "--as-of"), timezone)
    try:
        moment = calendar.parse_instant(text, timezone)
        calendar.in_known_years(moment.date())
    except (ValueError, OverflowError):
        raise ValueError(f"--as-of {text!r} is neither a day nor a time (RFC 3339)") from None
    return moment


def read_until(last_sync: str | None, as_of: datetime) -> str | None:
    """Return up to when the provider was read, as far as it matters as of a moment."""
    return min(last_sync, instant_text(as_of)) if last_sync else None


def last_days(as_of: datetime, count: int, timezone: str) -> Period:
    """Return the `count` days that end with the day of `as_of`, up to that moment."""
    last = calendar.local_day(as_of - timedelta(seconds=1), timezone)
    start = calendar.start_of_day(last - timedelta(days=count - 1), timezone)
    return Period(start, as_of, timezone)


def before(period: Period, known: Period) -> Period:
    """Return the same stretch just before: whole months before whole months, else as many days.

    `period` is what was asked for, `known` the part of it that has happened: of a month half gone,
    the first half of the month before is returned, so that no part is compared with a whole.
    """
    months = _whole_months(period)
    if months:
        return _moved(known, months=-months)
    return _moved(known, days=-length_days(period))


def before_in_words(period: Period) -> str:
    """Name what `before` compares with: "vs month before", "vs 30 days before"."""
    months = _whole_months(period)
    count, unit = (months, "month") if months else (length_days(period), "day")
    return f"vs {unit} before" if count == 1 else f"vs {count} {unit}s before"


def length_days(period: Period) -> int:
    """Return how many calendar days a period touches."""
    return (period.last_day - period.first_day).days + 1


def year_before(known: Period) -> Period:
    """Return the same days of the year before."""
    return _moved(known, months=-12)


def _whole_months(period: Period) -> int:
    first, following = period.first_day, period.last_day + timedelta(days=1)
    if first.day != 1 or following.day != 1:
        return 0
    return (following.year - first.year) * 12 + following.month - first.month


def _moved(known: Period, *, days: int = 0, months: int = 0) -> Period:
    zone = ZoneInfo(known.timezone)

    def move(moment: datetime) -> datetime:
        local = moment.astimezone(zone)
        day = calendar.add_months(local.date(), months) + timedelta(days=days)
        return datetime.combine(day, local.time(), zone).astimezone(UTC)

    return Period(move(known.start), move(known.end), known.timezone)


def month_edges(period: Period) -> tuple[tuple[date, ...], tuple[datetime, ...]]:
    """Cut a period at the creator's months: the first day of each, and the moments between them."""
    months = tuple(calendar.months_between(period.first_day, period.last_day))
    cuts = [calendar.start_of_day(month, period.timezone) for month in months[1:]]
    return months, (period.start, *cuts, period.end)


def month_label(month: date, period: Period) -> str:
    """Name a month of a period ("2026-07"), and say so where it is not wholly inside."""
    return f"{month:%Y-%m}" if is_whole_month(month, period) else f"{month:%Y-%m} (part)"


def is_whole_month(month: date, period: Period) -> bool:
    """Say whether a month lies wholly inside a period."""
    following = calendar.add_months(month, 1)
    return period.start <= calendar.start_of_day(
        month, period.timezone
    ) and period.end >= calendar.start_of_day(following, period.timezone)


def fine_edges(period: Period) -> tuple[tuple[str, ...], tuple[datetime, ...]]:
    """Cut a period for a line: by day up to two months, else by month; with a label each."""
    length = length_days(period)
    if length > LONGEST_BY_DAY:
        months, edges = month_edges(period)
        return tuple(month_label(month, period) for month in months), edges
    listed: Sequence[date] = [period.first_day + timedelta(days=n) for n in range(max(1, length))]
    cuts = [calendar.start_of_day(day, period.timezone) for day in listed[1:]]
    return tuple(day.isoformat() for day in listed), (period.start, *cuts, period.end)
