"""Reading the cells of an imported row: text into typed values, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kpay.domain.address import is_plausible, normal_email
from kpay.domain.csv_cells import unescaped
from kpay.domain.enums import SubscriberStatus
from kpay.domain.import_book_values import BOOK_READERS
from kpay.domain.import_columns import AMOUNTS, Field, Holds
from kpay.domain.money import LARGEST_MINOR, normal_currency, parse_minor
from kpay.domain.period import in_known_years, parse_day, parse_instant

YES: Final = frozenset(("yes", "true", "y"))
NO: Final = frozenset(("no", "false", "n"))
REMEMBERED: Final = 50_000  # distinct cells a column keeps; a file's amounts and times repeat

Read = Callable[[str], Any]
Complaint = tuple[str, str]
"""The column's name and what is wrong in it."""


def read_email(text: str) -> str:
    """Return the normalised address; ValueError when it cannot be one."""
    email = normal_email(text)
    if not is_plausible(email):
        raise ValueError(f"{text!r} is not an email address")
    return email


def read_customer(text: str) -> str:
    """Return the normalised address, or whatever else somebody is called in a file."""
    email = normal_email(text)
    return email if is_plausible(email) else text


def read_instant(text: str, timezone: str) -> datetime:
    """Return a moment in UTC; a bare date is its midnight in the zone. ValueError otherwise."""
    try:
        moment = parse_instant(text, timezone)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is not a time (write 2026-10-31 or 2026-10-31T08:00:00Z)"
        ) from None
    in_known_years(moment.date())
    return moment


def read_count(text: str, *, least: int) -> int:
    """Return a whole number of at least `least`; ValueError otherwise."""
    if not (text.isascii() and text.isdigit() and least <= int(text) <= LARGEST_MINOR):
        raise ValueError(f"{text!r} is not a whole number of at least {least}")
    return int(text)


def read_rating(text: str) -> float:
    """Return a rating from 0 to 10; ValueError otherwise."""
    try:
        rating = float(text)
    except ValueError:
        rating = -1.0
    if not 0 <= rating <= 10:
        raise ValueError(f"{text!r} is not a rating from 0 to 10")
    return rating


def read_tags(text: str) -> tuple[str, ...]:
    """Return the distinct tags of a cell, in their order."""
    words = (word.strip() for word in text.replace(",", ";").split(";"))
    return tuple(dict.fromkeys(word for word in words if word))


def read_zone(text: str) -> str:
    """Return the name of a time zone; ValueError when there is none of that name."""
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text!r} is not a time zone (write one like Europe/Berlin)") from None


def read_status(text: str) -> str:
    """Return how someone stands on the mailing list; ValueError for another word."""
    try:
        return SubscriberStatus(text.lower()).value
    except ValueError:
        raise ValueError(f"{text!r} is not one of {', '.join(SubscriberStatus)}") from None


def read_amount(text: str, currency: str) -> int:
    """Return an amount of 0 or more in minor units; ValueError otherwise."""
    minor = parse_minor(text, currency)
    if minor < 0:
        raise ValueError(f"{text!r} is below zero")
    return minor


def read_refund(text: str, currency: str) -> int | bool:
    """Return the refunded amount in minor units, True for the whole line, or False for none."""
    if text.lower() in YES | NO:
        return text.lower() in YES
    return read_amount(text, currency)


AMOUNT_READERS: Final[dict[Holds, Callable[..., int]]] = {
    Holds.AMOUNT: read_amount,
    Holds.SIGNED_AMOUNT: parse_minor,
    Holds.REFUND: read_refund,
}


class RowReader:
    """Reads the rows of one file: its columns are where `positions` says.

    Cells repeat (times, amounts, addresses), so each column remembers what it has read.
    """

    def __init__(
        self, fields: Sequence[Field], positions: Mapping[str, int], timezone: str
    ) -> None:
        readers = _readers(timezone)
        present = [field for field in fields if field.name in positions]
        self._plain: list[tuple[str, int, bool, Read, dict[str, Any]]] = [
            (field.name, positions[field.name], field.is_required, readers[field.holds], {})
            for field in present
            if field.holds not in AMOUNTS
        ]
        self._amounts = [
            (field.name, positions[field.name], field.is_required, AMOUNT_READERS[field.holds])
            for field in present
            if field.holds in AMOUNTS
        ]
        self._remembered_amounts: dict[tuple[str, str, str], Any] = {}

    def read(self, cells: Sequence[str]) -> tuple[dict[str, Any], list[Complaint]]:
        """Return the values of a row by field (None where a cell is empty), and what is wrong."""
        values: dict[str, Any] = {}
        complaints: list[Complaint] = []
        for name, position, is_required, read, remembered in self._plain:
            cell = cells[position]
            try:
                values[name] = remembered[cell]
            except KeyError:
                values[name] = _value(name, cell, is_required, read, complaints)
                if len(remembered) < REMEMBERED and values[name] is not None:
                    remembered[cell] = values[name]
        if self._amounts:
            self._read_amounts(cells, values, complaints)
        return values, complaints

    def _read_amounts(
        self, cells: Sequence[str], values: dict[str, Any], complaints: list[Complaint]
    ) -> None:
        currency = values.get("currency")
        if currency is None:
            return
        for name, position, is_required, read in self._amounts:
            remembered = (name, currency, cells[position])
            if remembered in self._remembered_amounts:
                values[name] = self._remembered_amounts[remembered]
                continue
            values[name] = _value(
                name,
                cells[position],
                is_required,
                partial(read, currency=currency),
                complaints,
            )
            if len(self._remembered_amounts) < REMEMBERED and values[name] is not None:
                self._remembered_amounts[remembered] = values[name]


def _value(
    name: str,
    cell: str,
    is_required: bool,
    read: Read,
    complaints: list[Complaint],
) -> Any:
    text = unescaped(cell).strip()
    if not text:
        if is_required:
            complaints.append((name, "is empty"))
        return None
    if "\x00" in text:
        complaints.append((name, "holds a NUL character"))
        return None
    try:
        return read(text)
    except ValueError as error:
        complaints.append((name, str(error)))
        return None


def _readers(timezone: str) -> dict[Holds, Read]:
    return {
        Holds.TEXT: str,
        Holds.EMAIL: read_email,
        Holds.INSTANT: lambda text: read_instant(text, timezone),
        Holds.DAY: parse_day,
        Holds.CURRENCY: normal_currency,
        Holds.QUANTITY: lambda text: read_count(text, least=1),
        Holds.COUNT: lambda text: read_count(text, least=0),
        Holds.RATING: read_rating,
        Holds.TAGS: read_tags,
        Holds.ZONE: read_zone,
        Holds.STATUS: read_status,
        Holds.CUSTOMER: read_customer,
        Holds.UTC_INSTANT: lambda text: read_instant(text, "UTC"),
        **BOOK_READERS,
    }
