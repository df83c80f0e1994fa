"""What a minor unit of one currency is worth in minor units of the base, at any moment.

The rate of the newest movement of the balance counts, at which the provider really changed money;
else that of the imported month; else, before the first rate that is known, that one. A currency of
which no rate is known stands apart: it is never added to another.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from kpay.domain.money import exponent
from kpay.domain.period import start_of_day

Quote = tuple[datetime, str, str | Fraction]
"""From when on, which currency, and how many base units one unit of it is worth."""


@dataclass(frozen=True, slots=True)
class Course:
    """The rates of one currency, oldest first: each holds from its moment until the next one's."""

    moments: tuple[datetime, ...]
    rates: tuple[str | Fraction, ...]

    def before(self, moment: datetime) -> Fraction | None:
        """Return the newest rate before a moment, between whole units."""
        position = bisect_left(self.moments, moment)
        return _exact(self.rates[position - 1]) if position else None

    @property
    def first(self) -> tuple[datetime, Fraction]:
        """The oldest rate, and when it began."""
        return self.moments[0], _exact(self.rates[0])


@dataclass(frozen=True, slots=True)
class RateBook:
    """The rates into one base: of the provider's movements of money, and of imported months."""

    base: str
    settled: Mapping[str, Course] = field(default_factory=dict)
    imported: Mapping[str, Course] = field(default_factory=dict)

    def knows(self, currency: str) -> bool:
        """Say whether a currency can be turned into the base at all."""
        return currency == self.base or currency in self.settled or currency in self.imported

    def at(self, moment: datetime) -> dict[str, Fraction]:
        """Return the rate of every known currency just before a moment, between minor units."""
        codes = sorted({*self.settled, *self.imported} - {self.base})
        return {self.base: Fraction(1)} | {code: self._rate(code, moment) for code in codes}

    def _rate(self, currency: str, moment: datetime) -> Fraction:
        courses = [book[currency] for book in (self.settled, self.imported) if currency in book]
        found = next((rate for one in courses if (rate := one.before(moment)) is not None), None)
        whole = found if found is not None else min(one.first for one in courses)[1]
        return whole * Fraction(10) ** (exponent(self.base) - exponent(currency))


def courses(quotes: Iterable[Quote]) -> dict[str, Course]:
    """Gather rates by currency; they come oldest first."""
    moments: dict[str, list[datetime]] = defaultdict(list)
    rates: dict[str, list[str | Fraction]] = defaultdict(list)
    for at, currency, rate in quotes:
        moments[currency].append(at)
        rates[currency].append(rate)
    return {code: Course(tuple(moments[code]), tuple(rates[code])) for code in moments}


@dataclass(frozen=True, slots=True)
class MonthRate:
    """An imported rate: what one unit of a currency is worth in `base` from a day on."""

    first_day: date
    currency: str
    base: str
    rate: str


def month_quotes(rates: Sequence[MonthRate], base: str, timezone: str) -> list[Quote]:
    """Turn imported rates into rates into one base, which may be another than theirs.

    Where a file has what each currency is worth in dollars, a euro's worth in pounds is the one
    divided by the other, of the same month.
    """
    of_base = {(one.first_day, one.base): _exact(one.rate) for one in rates if one.currency == base}
    quotes: list[Quote] = []
    for one in sorted(rates, key=lambda one: (one.first_day, one.currency, one.base)):
        through = Fraction(1) if one.base == base else of_base.get((one.first_day, one.base))
        if through is None:
            continue
        since = start_of_day(one.first_day, timezone)
        if one.currency != base:
            quotes.append((since, one.currency, _exact(one.rate) / through))
        elif one.base != base:
            quotes.append((since, one.base, 1 / through))
    return quotes


def _exact(rate: str | Fraction) -> Fraction:
    return rate if isinstance(rate, Fraction) else Fraction(Decimal(rate))
