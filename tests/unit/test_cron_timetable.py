"""When cron lines are due: cron's weekdays, and the creator's wall clock when it jumps."""

from __future__ import annotations

from datetime import datetime

import pytest

from kpay.adapters.scheduler import CronTimetable
from tests.fakes.books import at

NEW_YORK = "America/New_York"


def due(cron: str, after: str, timezone: str = "UTC", times: int = 1) -> list[datetime]:
    timetable = CronTimetable(timezone)
    found, moment = [], at(after)
    for _ in range(times):
        moment = timetable.next_after(cron, moment)
        found.append(moment)
    return found


def test_a_line_is_read_in_the_zone_of_the_business() -> None:
    assert due("15 4 * * *", "2026-07-01", NEW_YORK) == [at("2026-07-01T08:15")]


def test_due_is_always_later_than_the_moment() -> None:
    assert due("15 4 * * *", "2026-07-01T04:15") == [at("2026-07-02T04:15")]
    assert due("15 4 * * *", "2026-07-01T04:14:59") == [at("2026-07-01T04:15")]


def test_an_hour_that_the_clock_skips_runs_once() -> None:
    assert due("30 2 * * *", "2026-03-07T08:00", NEW_YORK, times=2) == [
        at("2026-03-08T07:30"),  # 03:30 by the clock, which went from 02:00 to 03:00
        at("2026-03-09T06:30"),
    ]


def test_an_hour_that_comes_twice_runs_once() -> None:
    assert due("30 1 * * *", "2026-10-31T12:00", NEW_YORK, times=2) == [
        at("2026-11-01T05:30"),  # the first 01:30; the second is an hour later
        at("2026-11-02T06:30"),
    ]
    assert due("30 1 * * *", "2026-11-01T06:10", NEW_YORK) == [at("2026-11-02T06:30")]


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 0 * * 0", ["2026-11-22", "2026-11-29"]),  # a Sunday, as to cron 0 is
        ("0 0 * * 7", ["2026-11-22", "2026-11-29"]),
        ("0 0 * * sun", ["2026-11-22", "2026-11-29"]),
        ("0 0 * * 1-5", ["2026-11-20", "2026-11-23"]),
        ("0 0 * * 5-1", ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-27"]),
        ("0 0 * * 1,3", ["2026-11-23", "2026-11-25"]),
        ("0 0 * * */3", ["2026-11-21", "2026-11-22", "2026-11-25"]),
        ("0 0 13 * 5", ["2026-11-20", "2026-11-27", "2026-12-04", "2026-12-11", "2026-12-13"]),
        ("@weekly", ["2026-11-22"]),
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29"]),
    ],
)
def test_weekdays_are_cron_s_and_either_day_field_will_do(cron: str, days: list[str]) -> None:
    found = due(cron, "2026-11-19T12:00", times=len(days))
    assert [moment.date().isoformat() for moment in found] == days


@pytest.mark.parametrize(
    ("cron", "problem"),
    [
        ("15 4 * *", "is not a cron line: minute hour day month weekday"),
        ("15 25 * * *", "is not a cron line"),
        ("0 0 * * 8", "is not a weekday field"),
        ("0 0 31 2 *", "names a day that never comes"),
        ("every night", "is not a cron line"),
    ],
)
def test_a_line_that_cannot_be_says_why(cron: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        due(cron, "2026-11-19T12:00")
