"""Reading the cells of books from elsewhere: months, rates, percentages and words of a closed set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from functools import partial
from typing import Any, Final

from kpay.domain.enums import Interval
from kpay.domain.import_columns import Holds
from kpay.domain.period import parse_day
from kpay.domain.subscription_story import Happening

LONGEST_RATE: Final = 24  # characters: more digits than any rate is quoted with


class PaymentKind(StrEnum):
    """Whether a payment is of a subscription."""

    ONE_TIME = "one_time"
    SUBSCRIPTION = "subscription"


class PaymentStatus(StrEnum):
    """Whether a payment went through."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


def read_word(text: str, words: Sequence[str]) -> str:
    """Return one of some words; ValueError names the nearest."""
    word = text.lower().replace(" ", "_").replace("-", "_")
    if word in words:
        return word
    near = get_close_matches(word, words, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise ValueError(f"{text!r} is not one of {', '.join(words)}{hint}")


def read_month(text: str) -> date:
    """Return the first day of a month, written 2026-10 or 2026-10-01; ValueError otherwise."""
    try:
        day = parse_day(f"{text}-01" if len(text) == 7 else text)
    except ValueError:
        day = date.max
    if day.day != 1:
        raise ValueError(f"{text!r} is not a month (write 2026-10)")
    return day


def read_rate(text: str) -> str:
    """Return a rate above zero as plain decimal text, equal rates alike; ValueError otherwise."""
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal(0)
    written = f"{rate.normalize():f}" if rate.is_finite() and abs(rate.adjusted()) < 20 else ""
    if not written or rate <= 0 or len(written) > LONGEST_RATE:
        raise ValueError(f"{text!r} is not a rate above 0 (write 1.0842)")
    return written


def read_percent(text: str) -> float:
    """Return a percentage from 0 to 100; ValueError otherwise."""
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:
        raise ValueError(f"{text!r} is not a percentage from 0 to 100")
    return percent


def _one_of(words: type[StrEnum]) -> Callable[[str], str]:
    return partial(read_word, words=tuple(word.value for word in words))


BOOK_READERS: Final[Mapping[Holds, Callable[[str], Any]]] = {
    Holds.MONTH: read_month,
    Holds.RATE: read_rate,
    Holds.PERCENT: read_percent,
    Holds.INTERVAL: _one_of(Interval),
    Holds.HAPPENING: _one_of(Happening),
    Holds.PAYMENT_KIND: _one_of(PaymentKind),
    Holds.PAYMENT_STATUS: _one_of(PaymentStatus),
}
