"""Amounts of money: an integer in minor units beside a lower-case ISO 4217 currency.

The number of minor digits is the one Stripe uses on the wire, which is not ISO 4217's:
ISK and UGX are sent with two digits although neither has a coin below the unit
(https://docs.stripe.com/currencies#special-cases).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

ZERO_DECIMAL: Final = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()
)
THREE_DECIMAL: Final = frozenset("bhd jod kwd omr tnd".split())
SYMBOLS: Final = {
    "usd": "$",
    "eur": "€",
    "gbp": "£",
    "jpy": "¥",
    "cny": "CN¥",
    "inr": "₹",
    "krw": "₩",
}
LARGEST_MINOR: Final = 2**53 - 1  # every JSON reader keeps integers up to here exact


def exponent(currency: str) -> int:
    """Return how many decimal digits one unit of the currency has."""
    if currency in ZERO_DECIMAL:
        return 0
    return 3 if currency in THREE_DECIMAL else 2


def normal_currency(text: str) -> str:
    """Return the lower-case three-letter code; raise ValueError for anything else."""
    code = text.strip().lower()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise ValueError(f"{text.strip()!r} is not a three-letter currency")
    return code


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount; `minor` is in the currency's smallest unit."""

    minor: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} are never added")

    def __str__(self) -> str:
        return format_minor(self.minor, self.currency)


def parse_minor(text: str, currency: str) -> int:
    """Read an amount as people write it ("19.99", "1,250.00") into minor units.

    Raises ValueError when it is no number, has more digits than the currency, or is not finite.
    A comma is read only as a separator of thousands: "19,99" is refused, not guessed.
    """
    cleaned = text.strip()
    whole, _, fraction = cleaned.partition(".")
    if "," in whole:
        groups = whole.lstrip("+-").split(",")
        if not (1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])):
            raise ValueError(f"{cleaned!r} is not an amount (write 1,250.00 or 1250.00)")
        cleaned = cleaned.replace(",", "")
    try:
        amount = Decimal(cleaned)
    except InvalidOperation:
        raise ValueError(f"{text.strip()!r} is not an amount") from None
    if not amount.is_finite() or "e" in cleaned.lower() or "_" in cleaned or "," in fraction:
        raise ValueError(f"{text.strip()!r} is not an amount")
    scaled = amount.scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        digits = exponent(currency)
        raise ValueError(
            f"{text.strip()!r} has more decimals than {currency.upper()} ({digits}) allows"
        )
    if abs(scaled) > LARGEST_MINOR:
        raise ValueError(f"{text.strip()!r} is larger than any amount kpay keeps")
    return int(scaled)


def format_major(minor: int, currency: str) -> str:
    """Write minor units as a plain decimal string ("1250.00"), for CSV and for people to edit."""
    return f"{Decimal(minor).scaleb(-exponent(currency)):f}"


def format_minor(minor: int, currency: str) -> str:
    """Write minor units for people: "$1,250.00", "¥500", "12.00 CHF"."""
    digits = exponent(currency)
    number = f"{Decimal(abs(minor)).scaleb(-digits):,.{digits}f}"
    sign = "-" if minor < 0 else ""
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency.upper()}"
