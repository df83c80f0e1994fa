"""Which days a report is about, and what they are compared with."""

from __future__ import annotations

from datetime import date

import pytest

from kpay.domain.period import Period, days, month
from kpay.domain.reports import scope as report_scope
from kpay.domain.reports.scope import Scope, asked_period, before, year_before
from tests.fakes.books import at

BERLIN = "Europe/Berlin"


def scope(as_of: str, period: Period | None = None, timezone: str = "UTC") -> Scope:
    return Scope(period, at(as_of), timezone, "usd")


def day_names(period: Period) -> tuple[str, str]:
    return period.first_day.isoformat(), period.last_day.isoformat()


def test_until_is_inside_and_since_alone_goes_to_the_last_known_day() -> None:
    last = date(2026, 5, 9)
    both = asked_period(None, "2026-04-01", "2026-04-30", last=last, timezone=BERLIN)
    assert both == Period(at("2026-03-31T22:00"), at("2026-04-30T22:00"), BERLIN)
    alone = asked_period(None, "2026-04-01", None, last=last, timezone=BERLIN)
    assert alone
    assert day_names(alone) == ("2026-04-01", "2026-05-09")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("2026-13", None, None), "--month '2026-13' is not a month"),
        (("2026-10", "2026-10-01", None), "does not go together"),
        ((None, "last week", None), "--since 'last week' is not a day"),
        ((None, None, "2026-10-01"), "--until needs --since"),
        ((None, "2026-10-02", "2026-10-01"), "is before --since"),
        ((None, "0001-01-01", None), "--since 0001-01-01 is not between 1970 and 2199"),
        ((None, "2026-01-01", "9999-12-31"), "--until 9999-12-31 is not between"),
        (("0001-01", None, None), "--month '0001-01' is not a month"),
        (("9999-12", None, None), "--month '9999-12' is not a month"),
    ],
)
def test_options_that_make_no_period_say_why(
    words: tuple[str | None, str | None, str | None], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        asked_period(*words, last=date(2026, 5, 9), timezone="UTC")


def test_as_of_a_day_means_its_end_in_the_zone_and_a_time_itself() -> None:
    now = at("2026-06-01")
    assert report_scope.moment_known(None, now, BERLIN) == now
    assert report_scope.moment_known("2026-05-09", now, BERLIN) == at("2026-05-09T22:00")
    assert report_scope.moment_known("2026-05-09T10:00:00Z", now, BERLIN) == at("2026-05-09T10:00")
    with pytest.raises(ValueError, match="--as-of 'May' is not a day"):
        report_scope.moment_known("May", now, BERLIN)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_a_moment_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--as-of"):
        report_scope.moment_known(text, at("2026-10-01"), "Pacific/Auckland")


def test_a_whole_month_is_compared_with_the_whole_month_before() -> None:
    march = month("2026-03", "UTC")
    assert before(march, march) == month("2026-02", "UTC")
    quarter = days(date(2026, 4, 1), date(2026, 6, 30), "UTC")
    assert day_names(before(quarter, quarter)) == ("2026-01-01", "2026-03-31")


def test_a_month_half_gone_is_compared_with_the_same_half_of_the_month_before() -> None:
    march = month("2026-03", "UTC")
    known = scope("2026-03-15T12:00", march).known(march)
    assert before(march, known) == Period(at("2026-02-01"), at("2026-02-15T12:00"), "UTC")
    assert year_before(known) == Period(at("2025-03-01"), at("2025-03-15T12:00"), "UTC")


def test_other_days_are_compared_with_as_many_days_before_across_a_change_of_clocks() -> None:
    ten = days(date(2026, 3, 25), date(2026, 4, 3), BERLIN)  # the clocks changed on 29 March
    assert day_names(before(ten, ten)) == ("2026-03-15", "2026-03-24")
    assert before(ten, ten).end == ten.start


def test_everything_ends_now_unless_nothing_moved_for_two_months() -> None:
    busy = scope("2026-06-01T09:00").everything(at("2026-01-05T08:00"), at("2026-05-20"))
    assert busy == Period(at("2026-01-05"), at("2026-06-01T09:00"), "UTC")
    over = scope("2026-06-01T09:00").everything(at("2024-01-05T08:00"), at("2025-05-20T10:00"))
    assert over == Period(at("2024-01-05"), at("2025-05-21"), "UTC")


def test_a_line_has_days_up_to_two_months_and_months_beyond() -> None:
    labels, edges = report_scope.fine_edges(month("2026-02", BERLIN))
    assert (len(labels), labels[0], labels[-1]) == (28, "2026-02-01", "2026-02-28")
    assert edges[0] == at("2026-01-31T23:00")
    labels, edges = report_scope.fine_edges(days(date(2026, 1, 1), date(2026, 6, 30), BERLIN))
    assert labels == ("2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06")
    assert edges[4] == at("2026-04-30T22:00")
    assert len(edges) == len(labels) + 1


def test_a_month_that_is_not_wholly_inside_says_so() -> None:
    half = days(date(2026, 1, 17), date(2026, 6, 29), BERLIN)
    labels, _ = report_scope.fine_edges(half)
    assert labels == (
        "2026-01 (part)",
        "2026-02",
        "2026-03",
        "2026-04",
        "2026-05",
        "2026-06 (part)",
    )
    whole = days(date(2026, 1, 1), date(2026, 6, 30), BERLIN)
    assert all("part" not in label for label in report_scope.fine_edges(whole)[0])
