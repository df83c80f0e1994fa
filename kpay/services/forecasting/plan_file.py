"""A plan of launches and campaigns: a file of dates and, where they are known, figures.

Columns `date,name` and optionally `kind` (launch or campaign) and R = N x p x q x C as `reach`, `click`,
`purchase` and `value`, each with `..._low` and `..._high` (the middle 80 %) beside it.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from kpay.domain.money import exponent
from kpay.domain.period import parse_day
from kpay.errors import InputInvalid, NotFound, Problem
from kpay.ml.streams.launches import SPANS, Factors, Occasion, Planned

SCHEDULED: Final = "scheduled"
FACTORS: Final = ("reach", "click", "purchase", "value")
ENDS: Final = ("low", "high")
RANGES: Final = tuple(f"{factor}_{end}" for factor in FACTORS for end in ENDS)
COLUMNS: Final = ("date", "name", "kind", *FACTORS, *RANGES)
MIDDLE_80: Final = 2 * 1.2815515655
WHERE_HELP_IS: Final = "kpay forecast --help"


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: dict[str, str]


def read_plan(source: str, first_day: date, currency: str) -> list[Planned]:
    """Read a plan from a file or stdin ("-"); InputInvalid lists every wrong cell.

    Days are numbered from `first_day`; `value` is in major units of the currency.
    """
    problems: list[Problem] = []
    lines = list(_lines(source, problems))
    if not lines and not problems:
        said = "there is no launch in it (columns date,name and reach,click,purchase,value)"
        problems.append(Problem(source, None, None, said))
    found = [_planned(source, line, first_day, currency, problems) for line in lines]
    if problems:
        raise InputInvalid(source, problems, WHERE_HELP_IS)
    known = (one for one in found if one is not None)
    return sorted(known, key=lambda one: (one.occasion.day, one.occasion.name))


def _lines(source: str, problems: list[Problem]) -> Iterator[_Line]:
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        text = raw.decode("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound("file", source, WHERE_HELP_IS) from None
    except UnicodeDecodeError:
        problems.append(Problem(source, None, None, "is not UTF-8 text"))
        return
    reader = csv.reader(text.splitlines())
    header = [cell.strip().lower() for cell in next(reader, [])]
    unknown = [name for name in header if name not in COLUMNS]
    if header and ("date" not in header or unknown):
        what = f"unknown column {unknown[0]!r}" if unknown else "there is no column date"
        problems.append(Problem(source, 1, None, f"{what} (columns: {', '.join(COLUMNS)})"))
        return
    for row in reader:
        if any(cell.strip() for cell in row):
            cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
            yield _Line(reader.line_num, cells)


def _planned(
    source: str, line: _Line, first_day: date, currency: str, problems: list[Problem]
) -> Planned | None:
    kind = line.cells.get("kind") or "launch"
    if kind not in SPANS:
        problems.append(Problem(source, line.number, "kind", f"{kind!r} is not launch or campaign"))
        return None
    try:
        day = parse_day(line.cells.get("date", ""))
    except ValueError as error:
        problems.append(Problem(source, line.number, "date", str(error)))
        return None
    factors = _factors(source, line, currency, problems)
    name = line.cells.get("name") or f"{kind} of {day}"
    return Planned(Occasion(name, kind, (day - first_day).days), factors)


def _factors(source: str, line: _Line, currency: str, problems: list[Problem]) -> Factors | None:
    given = [factor for factor in FACTORS if line.cells.get(factor)]
    if not given:
        return None
    missing = [factor for factor in FACTORS if factor not in given]
    if missing:
        said = f"is missing beside {', '.join(given)}: give all four, or only the date"
        problems.append(Problem(source, line.number, missing[0], said))
        return None
    middle = {factor: _number(source, line, factor, problems) for factor in FACTORS}
    spreads = [_spread(source, line, factor, middle[factor], problems) for factor in FACTORS]
    known = [spread for spread in spreads if spread is not None]
    return Factors(
        middle["reach"],
        middle["click"],
        middle["purchase"],
        middle["value"] * 10 ** exponent(currency),
        math.sqrt(sum(spread**2 for spread in known)),
        bool(known),
    )


def _number(source: str, line: _Line, column: str, problems: list[Problem]) -> float:
    """Return a cell's number; a share may be written as a percentage. 0 with a problem noted."""
    text = line.cells.get(column, "")
    is_share = column.split("_")[0] in ("click", "purchase")
    try:
        value = float(text[:-1]) / 100 if text.endswith("%") and is_share else float(text)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and 0 <= value <= (1 if is_share else 1e12):
        return value
    usual = "a share from 0 to 1 (0.1 or 10%)" if is_share else "a number from 0 on"
    problems.append(Problem(source, line.number, column, f"{text!r} is not {usual}"))
    return 0.0


def _spread(
    source: str, line: _Line, factor: str, middle: float, problems: list[Problem]
) -> float | None:
    """Return the log spread that a factor's range states, None without a range."""
    ends = [f"{factor}_{end}" for end in ENDS]
    given = [end for end in ends if line.cells.get(end)]
    if not given:
        return None
    low, high = (_number(source, line, end, problems) if end in given else -1.0 for end in ends)
    if len(given) == 2 and 0 < low <= middle <= high:
        return math.log(high / low) / MIDDLE_80
    said = f"needs {ends[0]} and {ends[1]} with 0 < low <= {factor} <= high"
    problems.append(Problem(source, line.number, given[0], said))
    return None
