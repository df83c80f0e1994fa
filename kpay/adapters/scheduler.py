"""APScheduler: when a cron line is next due, and ticking in memory. Nothing is kept here.

A cron line is read against the creator's wall clock, as cron does it: a time that the clock skips
in spring runs once, as late as it was skipped; a time that it shows twice in autumn runs once, the
first time. APScheduler itself would run it twice, so it only ever sees plain wall time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

FIELDS = ("minute", "hour", "day", "month", "day_of_week")
DAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
FARTHEST = timedelta(days=366 * 8)  # 29 February comes at least this often


class CronTimetable:
    """Reads cron lines in one time zone."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)

    def next_after(self, cron: str, moment: datetime) -> datetime:
        """Return when a cron line is due next after a moment; see kpay.ports.Timetable."""
        trigger = _trigger(cron)
        wall = moment.astimezone(self._zone).replace(tzinfo=UTC, second=0, microsecond=0)
        due = moment
        while due <= moment:  # the hour that comes twice lies behind the moment at first
            found = trigger.get_next_fire_time(None, wall + timedelta(minutes=1))
            if found is None or found - wall > FARTHEST:
                raise ValueError(f"{cron!r} names a day that never comes")
            wall = found
            due = wall.replace(tzinfo=self._zone, fold=0).astimezone(UTC)
        return due


def _trigger(cron: str) -> BaseTrigger:
    """Build the trigger of a cron line, on wall time written as UTC; ValueError says what is wrong.

    Where both a day of the month and a weekday are named, either of them will do, as in cron.
    """
    words = NICKNAMES.get(cron.strip().lower(), cron).split()
    if len(words) != len(FIELDS):
        raise ValueError(f"{cron!r} is not a cron line: minute hour day month weekday")
    fields = dict(zip(FIELDS, words, strict=True))
    fields["day_of_week"] = _named_days(fields["day_of_week"])
    try:
        if "*" not in (words[2][0], words[4][0]):
            one, other = ({**fields, name: "*"} for name in ("day", "day_of_week"))
            return OrTrigger([CronTrigger(**one, timezone=UTC), CronTrigger(**other, timezone=UTC)])
        return CronTrigger(**fields, timezone=UTC)
    except ValueError as error:
        raise ValueError(f"{cron!r} is not a cron line: {error}") from error


def _named_days(field: str) -> str:
    """Write weekdays as names: to cron 0 and 7 are Sunday, to APScheduler 0 is Monday."""
    head, slash, step = field.lower().partition("/")
    if slash or "-" in head:
        return _listed_days(head, int(step) if step.isdigit() else 0 if slash else 1, field)
    return re.sub(r"\d+", lambda match: _day_name(match[0], field), head)


def _listed_days(head: str, step: int, field: str) -> str:
    """Spell a range of weekdays out, since cron's week starts on Sunday and APScheduler's does not."""
    if step < 1:
        raise ValueError(f"{field!r} is not a weekday field")
    days: list[str] = []
    for part in head.split(","):
        first, dash, last = part.partition("-")
        low, high = (0, 6) if part == "*" else (_day_number(first, field),) * 2
        high = _day_number(last, field) if dash else 6 if step > 1 else high
        high += 7 if dash and high < low else 0
        days += [DAY_NAMES[day % 7] for day in range(low, high + 1, step)]
    return ",".join(dict.fromkeys(days))


def _day_number(word: str, field: str) -> int:
    if word in DAY_NAMES:
        return DAY_NAMES.index(word)
    if not word.isdigit() or int(word) > 7:
        raise ValueError(f"{field!r} is not a weekday field")
    return int(word)


def _day_name(word: str, field: str) -> str:
    return DAY_NAMES[_day_number(word, field)]


class Metronome:
    """Calls a function again and again in the foreground, never twice at a time."""

    def every(self, seconds: int, action: Callable[[], None]) -> None:
        """Call now and then every so many seconds, until Ctrl-C; see kpay.ports.Ticker."""
        scheduler = BlockingScheduler(timezone=UTC)
        scheduler.add_job(
            action,
            "interval",
            seconds=seconds,
            next_run_time=datetime.now(UTC),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        try:
            scheduler.start()
        finally:
            if scheduler.running:
                scheduler.shutdown(wait=True)
