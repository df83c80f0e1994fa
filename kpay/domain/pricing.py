"""How a price is written in front matter: "29 usd", "9 eur/month", "free", "from 5 usd"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kpay.domain.enums import Interval
from kpay.domain.money import format_minor, normal_currency, parse_minor

HOW_TO_WRITE = 'write "29 usd", "9 eur/month", "free" or "from 5 usd"'


@dataclass(frozen=True, slots=True)
class PriceTag:
    """What a piece costs; `from` means the buyer chooses, at least `amount_minor`."""

    pricing: Literal["fixed", "free", "from"]
    amount_minor: int = 0
    currency: str | None = None
    interval: Interval | None = None


def parse_price(text: str) -> PriceTag:
    """Read a price as people write it; ValueError names what is wrong and how to write it."""
    words = text.strip().lower().replace("/", " / ").split()
    if words == ["free"]:
        return PriceTag("free")
    pricing: Literal["fixed", "from"] = "fixed"
    if words[:1] == ["from"]:
        pricing, words = "from", words[1:]
    interval = None
    if len(words) == 4 and words[2] == "/":
        interval = _interval(words[3], text)
        words = words[:2]
    if len(words) != 2:
        raise ValueError(f"{text!r} is not a price ({HOW_TO_WRITE})")
    try:
        currency = normal_currency(words[1])
        amount = parse_minor(words[0], currency)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a price: {error} ({HOW_TO_WRITE})") from error
    if amount <= 0:
        raise ValueError(
            f'{text!r} is not above zero (write "free" for a piece that costs nothing)'
        )
    return PriceTag(pricing, amount, currency, interval)


def _interval(word: str, text: str) -> Interval:
    try:
        return Interval(word)
    except ValueError:
        known = ", ".join(Interval)
        raise ValueError(f"{text!r}: {word!r} is not an interval ({known})") from None


def price_text(price: PriceTag) -> str:
    """Write a price for people: "$29.00", "€9.00 / month", "from $5.00", "free"."""
    if price.pricing == "free" or price.currency is None:
        return "free"
    amount = format_minor(price.amount_minor, price.currency)
    if price.pricing == "from":
        return f"from {amount}"
    return f"{amount} / {price.interval}" if price.interval else amount
