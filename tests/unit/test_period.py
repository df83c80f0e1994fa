from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpay.domain.period import (
    add_months,
    days,
    end_of_day,
    local_day,
    month,
    months_between,
    parse_duration_days,
    parse_instant,
    start_of_day,
)

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai"])


def test_a_month_is_half_open_in_the_creators_zone() -> None:
    october = month("2026-10", "Europe/Berlin")
    assert october.start == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert october.end == datetime(2026, 10, 31, 23, tzinfo=UTC)  # winter time began
    assert october.start in october
    assert october.end not in october
    assert october.last_day == date(2026, 10, 31)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), ZONES)
def test_a_day_ends_where_the_next_begins(day: date, zone: str) -> None:
    assert local_day(start_of_day(day, zone), zone) == day
    assert days(day, day, zone).end == end_of_day(day, zone)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(-40, 40))
def test_adding_months_keeps_the_day_or_the_months_last(day: date, count: int) -> None:
    later = add_months(day, count)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == count
    assert later.day == day.day or later.day < day.day


def test_months_between_two_days() -> None:
    months = list(months_between(date(2025, 11, 30), date(2026, 2, 1)))
    assert months == [date(2025, 11, 1), date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]


def test_a_date_is_midnight_in_the_zone_and_a_time_is_itself() -> None:
    assert parse_instant("2026-01-02", "Asia/Shanghai") == datetime(2026, 1, 1, 16, tzinfo=UTC)
    assert parse_instant("2026-01-02T03:04:05Z") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-3d", "3 weeks"])
def test_a_wrong_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="length of time"):
        parse_duration_days(text)


def test_lengths_of_time() -> None:
    assert [parse_duration_days(text) for text in ("90d", "2w", "3m", "1y")] == [90, 14, 90, 365]
