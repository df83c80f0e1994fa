"""Rates: settled before imported, a month's rate in the creator's zone, and currencies across."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from kpay.domain.rates import MonthRate, Quote, RateBook, courses, month_quotes
from tests.fakes.books import at

MONTHS = [
    MonthRate(date(2026, 1, 1), "chf", "usd", "1.10"),
    MonthRate(date(2026, 2, 1), "chf", "usd", "1.15"),
    MonthRate(date(2026, 2, 1), "sek", "usd", "0.092"),
]
SETTLED: list[Quote] = [(at("2026-02-10"), "chf", "1.2"), (at("2026-03-10"), "chf", "1.25")]


def imported(base: str, timezone: str = "UTC") -> RateBook:
    return RateBook(base, imported=courses(month_quotes(MONTHS, base, timezone)))


def test_an_imported_rate_holds_from_its_month_on_until_the_next_one() -> None:
    book = imported("usd")
    ends = [at("2026-02-01"), at("2026-02-02"), at("2026-07-01")]
    assert [book.at(end)["chf"] for end in ends] == [
        Fraction("1.10"),
        Fraction("1.15"),
        Fraction("1.15"),
    ]


def test_before_the_first_rate_that_one_counts() -> None:
    assert imported("usd").at(at("2025-06-01"))["chf"] == Fraction("1.10")


def test_a_month_begins_in_the_creators_zone() -> None:
    moment = at("2026-02-01T03:00:00Z")
    assert imported("usd").at(moment)["chf"] == Fraction("1.15")
    assert imported("usd", "America/New_York").at(moment)["chf"] == Fraction("1.10")


def test_the_newest_movement_of_the_balance_goes_before_an_imported_rate() -> None:
    book = RateBook("usd", courses(SETTLED), imported("usd").imported)
    moments = [at("2026-02-05"), at("2026-03-01"), at("2026-04-01")]
    assert [book.at(moment)["chf"] for moment in moments] == [
        Fraction("1.15"),
        Fraction("1.2"),
        Fraction("1.25"),
    ]


def test_a_base_that_the_file_does_not_have_is_reached_through_it() -> None:
    book = imported("chf")
    february = book.at(at("2026-03-01"))
    assert february == {"chf": 1, "usd": 1 / Fraction("1.15"), "sek": Fraction("0.08")}


def test_a_currency_without_a_rate_is_not_known() -> None:
    assert not imported("usd").knows("jpy")
    assert imported("usd").knows("usd")
    assert not imported("jpy").knows("usd")


def test_rates_are_between_minor_units() -> None:
    months = [MonthRate(date(2026, 1, 1), "jpy", "usd", "0.007")]
    book = RateBook("usd", imported=courses(month_quotes(months, "usd", "UTC")))
    assert book.at(at("2026-02-01"))["jpy"] == Fraction(7, 10)
