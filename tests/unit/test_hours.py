"""Hours in which mail may leave, in the reader's zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kpay.domain.hours import parse_hours

DAY = parse_hours("08:00-20:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "opens"),
    [
        ("2026-10-01T09:00", "Europe/Berlin", "2026-10-01T09:00"),
        ("2026-10-01T19:00", "Europe/Berlin", "2026-10-02T06:00"),
        ("2026-10-01T03:00", "Europe/Berlin", "2026-10-01T06:00"),
        ("2026-10-01T09:00", "America/New_York", "2026-10-01T12:00"),
        ("2026-10-01T09:00", "Asia/Tokyo", "2026-10-01T09:00"),
        ("2026-10-01T11:00", "Asia/Tokyo", "2026-10-01T23:00"),
        ("2026-10-24T20:00", "Europe/Berlin", "2026-10-25T07:00"),  # the clock goes back that night
    ],
)
def test_mail_waits_for_the_readers_morning(moment: str, zone: str, opens: str) -> None:
    assert DAY.next_open(at(moment), zone) == at(opens)


def test_hours_may_pass_midnight() -> None:
    night = DAY.others
    assert night.hold(at("2026-10-01T23:00"), "UTC")
    assert night.hold(at("2026-10-01T03:00"), "UTC")
    assert night.next_open(at("2026-10-01T12:00"), "UTC") == at("2026-10-01T20:00")


@pytest.mark.parametrize("text", ["", "8-20", "08:00", "24:00-08:00", "08:00-08:00", "08:60-09:00"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="span"):
        parse_hours(text)
