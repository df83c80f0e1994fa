"""Reading a series from a file: columns date,value, or one bare column of numbers."""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import sys
import zlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

from kpay.domain.period import LAST_YEAR
from kpay.domain.series import Step, following
from kpay.errors import InputInvalid, NotFound, Problem

LARGEST_VALUE = 1e13
LONGEST_SERIES = 20_000
WHERE_HELP_IS = "kpay forecast --help"
GZIP_MAGIC = b"\x1f\x8b"
MONTH = re.compile(r"\d{4}-\d{2}")
MONTH_DAYS = 365.25 / 12
DAYS_OF_MONTHS_APART = 4  # how far steps of a month may lie from whole months
REGULAR_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Series:
    """Values at even steps, oldest first; `first` is the day of the oldest, None for a bare column."""

    values: tuple[float, ...]
    step: Step
    first: date | None


def read_series(source: str, bare_step: Step) -> Series:
    """Read a file, gzip too, or stdin ("-"); InputInvalid lists every wrong line.

    Days that are missing between the others count as 0, values of one day are added; whether the
    dates are days, weeks or months is seen from their distance. A bare column is in `bare_step`.
    """
    rows = [row for row in _numbered_rows(source) if any(cell.strip() for cell in row[1])]
    problems: list[Problem] = []
    if rows and _is_header(rows[0][1]):
        rows = rows[1:]
    if not rows:
        raise InputInvalid(
            source,
            [
                Problem(
                    source,
                    None,
                    None,
                    "there is no value in it (a line is a value, or a date and a value)",
                )
            ],
            WHERE_HELP_IS,
        )
    is_dated = len(rows[0][1]) >= 2
    dated = [_cells(source, row, is_dated, problems) for row in rows]
    if problems:
        raise InputInvalid(source, problems, WHERE_HELP_IS)
    values = [value for _, value in dated]
    if not is_dated:
        return Series(tuple(values), bare_step, None)
    return _even(source, {day: value for day, value in _added(dated).items() if day})


def _numbered_rows(source: str) -> list[tuple[int, list[str]]]:
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound("file", source, WHERE_HELP_IS) from None
    try:
        text = (gzip.decompress(raw) if raw.startswith(GZIP_MAGIC) else raw).decode("utf-8-sig")
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        problem = Problem(source, None, None, "is neither UTF-8 text nor gzip of it")
        raise InputInvalid(source, [problem], WHERE_HELP_IS) from error
    reader = csv.reader(io.StringIO(text))
    try:
        return [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        problem = Problem(source, reader.line_num, None, f"is not CSV ({error})")
        raise InputInvalid(source, [problem], WHERE_HELP_IS) from error


def _is_header(row: list[str]) -> bool:
    """Whether a first row names columns; a row with a day in it has a wrong value instead."""
    if len(row) == 1:
        return _number(row[0]) is None
    return _number(row[1]) is None and _day_of(row[0]) is None


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _cells(
    source: str, row: tuple[int, list[str]], is_dated: bool, problems: list[Problem]
) -> tuple[date | None, float]:
    line, cells = row
    if len(cells) != (2 if is_dated else 1):
        problems.append(Problem(source, line, None, f"has {len(cells)} columns"))
        return None, 0.0
    value = _number(cells[-1])
    if value is None or not math.isfinite(value) or not 0 <= value <= LARGEST_VALUE:
        said = f"{cells[-1].strip()!r} is not a number from 0 to {LARGEST_VALUE:.0e}"
        problems.append(Problem(source, line, "value", said))
    return (_day(source, line, cells[0], problems) if is_dated else None), value or 0.0


def _day(source: str, line: int, cell: str, problems: list[Problem]) -> date | None:
    day = _day_of(cell)
    if day is not None and day.year <= LAST_YEAR:
        return day
    said = f"{cell.strip()!r} is not a date up to {LAST_YEAR} (write 2026-10-31)"
    problems.append(Problem(source, line, "date", said))
    return None


def _day_of(cell: str) -> date | None:
    """Return the day of a date, a date with a time, or a month (its first); None for anything else."""
    text = cell.strip()
    try:
        return datetime.fromisoformat(f"{text}-01" if MONTH.fullmatch(text) else text).date()
    except ValueError:
        return None


def _added(dated: list[tuple[date | None, float]]) -> dict[date | None, float]:
    sums: dict[date | None, float] = defaultdict(float)
    for day, value in dated:
        sums[day] += value
    return sums


def _even(source: str, by_day: dict[date, float]) -> Series:
    days = sorted(by_day)
    step = _step(days)
    values = [0.0]
    for day in days:
        while _is_in_a_later_step(day, days[0], step, len(values)):
            values.append(0.0)
            if len(values) > LONGEST_SERIES:
                problem = Problem(source, None, "date", f"spans more than {LONGEST_SERIES} {step}s")
                raise InputInvalid(source, [problem], WHERE_HELP_IS)
        values[-1] += by_day[day]
    return Series(tuple(values), step, days[0])


def _is_in_a_later_step(day: date, first: date, step: Step, count: int) -> bool:
    """Whether a day lies beyond the first `count` steps; in months, whatever its day of the month."""
    later = following(first, step, count)
    return (later.year, later.month) <= (day.year, day.month) if step == "month" else later <= day


def _step(days: list[date]) -> Step:
    """Return what the days stand for: weeks or months where most lie whole ones apart.

    Days that are only far apart are days on which little happens.
    """
    gaps = [(later - day).days for day, later in pairwise(days)]
    usual = median(gaps) if gaps else 1
    if 6 <= usual < 20 and _are_mostly([(gap + 1) % 7 <= 2 for gap in gaps]):
        return "week"
    off = [abs(gap - MONTH_DAYS * round(gap / MONTH_DAYS)) for gap in gaps]
    if usual >= 20 and _are_mostly([days_off <= DAYS_OF_MONTHS_APART for days_off in off]):
        return "month"
    return "day"


def _are_mostly(regular: list[bool]) -> bool:
    return sum(regular) >= REGULAR_SHARE * len(regular)
