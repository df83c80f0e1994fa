"""Tax by country and rate, of what was sold and of what was given back.

No provider tells the rate of an order, so it is read off its amounts: the roundest rate (a whole, then
a half, then a tenth of a percent) that gives the tax to the minor unit, whether tax was put on top or
taken out of the price; else the nearest tenth of a percent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

from kpay.domain.day_rates import DayRates

UNKNOWN: Final = "unknown"
PER_MILLE: Final = 1000
ROUND_STEPS: Final = (10, 5, 1)  # per mille: whole, half and tenth percents


class TaxedRow(NamedTuple):
    """Orders or refunds that are alike: amounts of one of them, and how many there are.

    `sold_net_minor` and `sold_tax_minor` are those of the order, from which the rate is read; `at` is
    RFC 3339 in UTC, and blank where nothing needs to be converted. `sign` is -1 for a refund that
    came back.
    """

    country: str | None
    currency: str
    at: str
    net_minor: int
    tax_minor: int
    sold_net_minor: int
    sold_tax_minor: int
    times: int
    is_refund: bool
    sign: int = 1


@dataclass(frozen=True, slots=True)
class TaxSums:
    """What was sold and given back without tax, and the tax on both, in minor units."""

    orders: int = 0
    sales_minor: int = 0
    tax_minor: int = 0
    refunds_minor: int = 0
    refunded_tax_minor: int = 0

    @property
    def due_minor(self) -> int:
        """The tax that is left to pay over."""
        return self.tax_minor - self.refunded_tax_minor

    def __add__(self, other: TaxSums) -> TaxSums:
        names = (item.name for item in fields(self))
        return TaxSums(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def to_json(self) -> dict[str, int]:
        """Return the sums by name."""
        return {item.name: getattr(self, item.name) for item in fields(self)} | {
            "tax_due_minor": self.due_minor
        }


class Place(NamedTuple):
    """Where and at which rate (per mille; None where an order is not known) tax was charged."""

    country: str
    rate: int | None

    @property
    def share(self) -> float | None:
        """The rate as a share of the price without tax."""
        return None if self.rate is None else self.rate / PER_MILLE

    @property
    def order(self) -> tuple[bool, str, int]:
        """How places are sorted: by country, the unknown one last, the highest rate first."""
        return (self.country == UNKNOWN, self.country, -(self.rate or 0))


ByPlace = dict[Place, TaxSums]


def rate_of(net_minor: int, tax_minor: int) -> int | None:
    """Return the rate in per mille of an order's price without tax; None where there was no price."""
    if net_minor <= 0:
        return None
    for step in ROUND_STEPS:
        rate = _nearest(PER_MILLE * tax_minor, net_minor * step) * step
        on_top = _nearest(net_minor * rate, PER_MILLE)
        inside = _nearest((net_minor + tax_minor) * rate, PER_MILLE + rate)
        if tax_minor in (on_top, inside):
            return rate
    return _nearest(PER_MILLE * tax_minor, net_minor)


def _nearest(top: int, bottom: int) -> int:
    return (2 * top + bottom) // (2 * bottom)


def by_currency(rows: Iterable[TaxedRow]) -> dict[str, ByPlace]:
    """Return the sums of every place in each currency as they are."""
    found: dict[str, ByPlace] = {}
    for row in rows:
        places = found.setdefault(row.currency, {})
        _add(places, row, row.net_minor, row.tax_minor)
    return {code: _sorted(found[code]) for code in sorted(found)}


def in_base(rows: Iterable[TaxedRow], rates: DayRates) -> ByPlace:
    """Return the sums of every place in the base currency; what has no rate is not inside."""
    places: ByPlace = {}
    for row in rows:
        if rates.knows(row.currency):
            net = rates.converted(row.net_minor, row.currency, row.at)
            _add(places, row, net, rates.converted(row.tax_minor, row.currency, row.at))
    return _sorted(places)


def together(places: ByPlace) -> TaxSums:
    """Add up all places."""
    return sum(places.values(), TaxSums())


def _add(places: ByPlace, row: TaxedRow, net_minor: int, tax_minor: int) -> None:
    country = (row.country or "").strip().upper() or UNKNOWN
    place = Place(country, rate_of(row.sold_net_minor, row.sold_tax_minor))
    net, tax = net_minor * row.times * row.sign, tax_minor * row.times * row.sign
    added = (
        TaxSums(refunds_minor=net, refunded_tax_minor=tax)
        if row.is_refund
        else TaxSums(row.times, net, tax)
    )
    places[place] = places.get(place, TaxSums()) + added


def _sorted(places: ByPlace) -> ByPlace:
    return {place: places[place] for place in sorted(places, key=lambda place: place.order)}
