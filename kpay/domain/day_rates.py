"""Amounts in the base currency at the rate of the day on which their money moved.

A rate is the newest one known at the end of the day in the creator's zone. Each amount is rounded by
itself, halves away from zero, so that a sum can be opened into what it is made of.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from kpay.domain.money import exponent
from kpay.domain.period import Period, instant_text, start_of_day
from kpay.domain.rates import RateBook

RATE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class RateRange:
    """The lowest and the highest rate that was used for a currency, between whole units."""

    lowest: Fraction
    highest: Fraction

    @property
    def text(self) -> str:
        """The rate, or its range, in digits."""
        lowest, highest = rate_text(self.lowest), rate_text(self.highest)
        return lowest if lowest == highest else f"{lowest} to {highest}"

    def to_json(self) -> dict[str, str]:
        """Return both as decimal text."""
        return {"lowest": rate_text(self.lowest), "highest": rate_text(self.highest)}


def rate_text(rate: Fraction) -> str:
    """Write a rate with six digits after the point at most: "1.1", "0.006543"."""
    return f"{float(round(rate, RATE_DIGITS)):.{RATE_DIGITS}f}".rstrip("0").rstrip(".")


class DayRates:
    """The rates of the days of a period, and which of them were used."""

    def __init__(self, book: RateBook, period: Period) -> None:
        self._book, self._timezone = book, period.timezone
        days = (period.last_day - period.first_day).days + 1
        self._first_day = period.first_day
        self._starts = [
            instant_text(start_of_day(self._day(number), period.timezone))
            for number in range(max(1, days))
        ]
        self._rates: dict[tuple[int, str], tuple[int, int]] = {}

    def knows(self, currency: str) -> bool:
        """Say whether amounts of a currency can be converted at all."""
        return self._book.knows(currency)

    def converted(self, minor: int, currency: str, at: str) -> int:
        """Return an amount of a moment (RFC 3339 in UTC) in minor units of the base."""
        if currency == self._book.base:
            return minor
        day = max(0, bisect_right(self._starts, at) - 1)
        top, bottom = self._rates.get((day, currency)) or self._look_up(day, currency)
        worth = (2 * abs(minor) * top + bottom) // (2 * bottom)
        return worth if minor >= 0 else -worth

    def converted_on(self, minor: int, currency: str, day: date) -> int:
        """Return an amount of a day, for what has no time, in minor units of the base."""
        return self.converted(minor, currency, instant_text(start_of_day(day, self._timezone)))

    def used(self) -> Mapping[str, RateRange]:
        """Return the range of the rates that were used, by currency."""
        found: dict[str, RateRange] = {}
        for (_, code), (top, bottom) in self._rates.items():
            scale = Fraction(10) ** (exponent(code) - exponent(self._book.base))
            rate = Fraction(top, bottom) * scale
            range_ = found.get(code, RateRange(rate, rate))
            found[code] = RateRange(min(range_.lowest, rate), max(range_.highest, rate))
        return {code: found[code] for code in sorted(found)}

    def _look_up(self, day: int, currency: str) -> tuple[int, int]:
        rate = self._book.at(start_of_day(self._day(day + 1), self._timezone))[currency]
        self._rates[day, currency] = (rate.numerator, rate.denominator)
        return self._rates[day, currency]

    def _day(self, number: int) -> date:
        return self._first_day + timedelta(days=number)
