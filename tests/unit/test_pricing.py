from __future__ import annotations

import pytest

from kpay.domain.enums import Interval
from kpay.domain.pricing import PriceTag, parse_price


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("29 usd", PriceTag("fixed", 2900, "usd")),
        ("9 eur/month", PriceTag("fixed", 900, "eur", Interval.MONTH)),
        ("90 EUR / year", PriceTag("fixed", 9000, "eur", Interval.YEAR)),
        ("free", PriceTag("free")),
        ("from 5 usd", PriceTag("from", 500, "usd")),
        ("1500 jpy", PriceTag("fixed", 1500, "jpy")),
    ],
)
def test_prices_are_read_as_people_write_them(text: str, tag: PriceTag) -> None:
    assert parse_price(text) == tag


@pytest.mark.parametrize(
    "text",
    ["29 dolars", "29", "usd 29", "0 usd", "-3 usd", "9 usd/fortnight", "from", "29.999 usd", ""],
)
def test_a_wrong_price_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"price|interval|above zero"):
        parse_price(text)
