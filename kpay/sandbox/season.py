"""The calendar's pull on buying: weekdays, Black Friday, August, the new year."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

WEEKDAY: Final = (1.10, 1.12, 1.08, 1.03, 0.93, 0.82, 0.92)  # Monday first; .75-1.2


def season(day: date) -> float:
    """Return the day's factor on everybody's wish to buy; about 1 over a year."""
    factor = WEEKDAY[day.weekday()]
    if _in_black_friday_sale(day):
        factor *= 1.9
    elif day.month == 12 and day.day <= 20:
        factor *= 1.12
    elif day.month == 8:
        factor *= 0.86
    elif day.month == 1 and day.day <= 14:
        factor *= 1.15
    return factor


def is_weekend(day: date) -> bool:
    """Tell Saturday and Sunday from the working days."""
    return day.weekday() >= 5


def _in_black_friday_sale(day: date) -> bool:
    """Tell whether the day lies from Thanksgiving to the Monday after it."""
    if day.month not in (11, 12):
        return False
    first = date(day.year, 11, 1)
    thanksgiving = first + timedelta((3 - first.weekday()) % 7 + 21)
    return thanksgiving <= day <= thanksgiving + timedelta(4)
