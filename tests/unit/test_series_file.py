"""What a file of one's own series stands for: days, weeks or months, and which lines are wrong."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from kpay.errors import InputInvalid
from kpay.services.forecasting.series_file import Series, read_series


def read(folder: Path, *rows: str) -> Series:
    file = folder / "series.csv"
    file.write_text("\n".join(rows) + "\n")
    return read_series(str(file), "day")


def test_months_may_be_written_without_a_day(tmp_path: Path) -> None:
    found = read(tmp_path, "month,value", "2026-01,3", "2026-02,4", "2026-04,5")
    assert found == Series((3.0, 4.0, 0.0, 5.0), "month", date(2026, 1, 1))


def test_a_value_belongs_to_its_calendar_month_whatever_the_day(tmp_path: Path) -> None:
    found = read(tmp_path, "2026-01-15,1", "2026-02-14,2", "2026-03-16,3", "2026-04-15,4")
    assert (found.values, found.step) == ((1.0, 2.0, 3.0, 4.0), "month")


@pytest.mark.parametrize("weekday", range(7))
def test_weeks_begin_on_any_day_and_a_missing_one_is_nothing(tmp_path: Path, weekday: int) -> None:
    first = date(2026, 1, 5) + timedelta(weekday)
    days = [first + timedelta(7 * week) for week in (0, 1, 3, 4)]
    found = read(tmp_path, *(f"{day},2" for day in days))
    assert found == Series((2.0, 2.0, 0.0, 2.0, 2.0), "week", first)


def test_days_with_a_sale_now_and_then_are_days(tmp_path: Path) -> None:
    first, after = date(2026, 1, 5), (0, 5, 16, 20, 31, 40, 52, 56, 68, 79)
    found = read(tmp_path, *(f"{first + timedelta(day)},2" for day in after))
    assert (found.step, len(found.values), sum(found.values)) == ("day", 80, 20.0)


def test_a_first_line_with_a_date_is_no_header(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="1 problem"):
        read(tmp_path, "2026-01-01,many", "2026-01-02,3")


@pytest.mark.parametrize("cell", ["2026-01-01garbage", "2026-01-02 noon", "1 May 2026", "2026-1-1"])
def test_what_is_only_partly_a_date_is_refused(tmp_path: Path, cell: str) -> None:
    with pytest.raises(InputInvalid, match="1 problem"):
        read(tmp_path, "date,value", f"{cell},1", "2026-01-02,3")
