from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpay.domain.money import Money, exponent, format_major, format_minor, parse_minor

CURRENCIES = ["usd", "eur", "jpy", "bhd", "isk", "ugx"]


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("19.99", "usd", 1999),
        ("0", "usd", 0),
        ("1,250.00", "usd", 125_000),
        ("-3.5", "eur", -350),
        ("500", "jpy", 500),
        ("5.120", "bhd", 5120),
        ("7", "isk", 700),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, currency: str, minor: int) -> None:
    assert parse_minor(text, currency) == minor


@pytest.mark.parametrize(
    "text", ["", "ten", "19,99", "1.999", "1e3", "nan", "inf", "1_000", "12,34.5", "9" * 40]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals"):
        parse_minor(text, "usd")


def test_a_yen_has_no_decimals() -> None:
    with pytest.raises(ValueError, match="JPY"):
        parse_minor("5.5", "jpy")


@given(st.integers(-(10**12), 10**12), st.sampled_from(CURRENCIES))
def test_writing_and_reading_gives_the_same_amount(minor: int, currency: str) -> None:
    assert parse_minor(format_major(minor, currency), currency) == minor


@given(st.lists(st.integers(-(10**9), 10**9)), st.sampled_from(CURRENCIES))
def test_a_total_is_the_sum_to_the_cent(amounts: list[int], currency: str) -> None:
    total = Money(0, currency)
    for amount in amounts:
        total += Money(amount, currency)
    assert total.minor == sum(amounts)


def test_two_currencies_are_never_added() -> None:
    with pytest.raises(ValueError, match="never added"):
        Money(1, "usd") + Money(1, "eur")


def test_amounts_are_written_for_people() -> None:
    assert format_minor(125_000, "usd") == "$1,250.00"
    assert format_minor(-500, "jpy") == "-¥500"
    assert format_minor(1200, "chf") == "12.00 CHF"
    assert exponent("isk") == exponent("ugx") == 2
