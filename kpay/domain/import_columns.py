"""What a CSV file of each kind may hold: the columns of `kpay import` and `kpay export`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from kpay.domain.enums import ImportKind


class Holds(StrEnum):
    """What stands in a column, and so how it is read and written."""

    TEXT = "text"
    EMAIL = "email"
    INSTANT = "a date or RFC 3339 time"
    DAY = "a date"
    CURRENCY = "a three-letter currency"
    AMOUNT = "an amount in major units, 0 or more"
    SIGNED_AMOUNT = "an amount in major units"
    REFUND = "an amount in major units, or yes for all of it"
    QUANTITY = "a whole number, 1 or more"
    COUNT = "a whole number, 0 or more"
    RATING = "a number from 0 to 10"
    TAGS = "words separated by ; or ,"
    ZONE = "a time zone such as Europe/Berlin"
    STATUS = "subscribed, unconfirmed or unsubscribed"
    CUSTOMER = "an email address, or a name of your own"
    UTC_INSTANT = "a time, in UTC unless it says otherwise"
    MONTH = "a month such as 2026-10"
    RATE = "a number above 0"
    PERCENT = "a number from 0 to 100"
    INTERVAL = "day, week, month or year"
    HAPPENING = "what happened to a subscription"
    PAYMENT_KIND = "one_time or subscription"
    PAYMENT_STATUS = "succeeded or failed"


AMOUNTS: Final = frozenset({Holds.AMOUNT, Holds.SIGNED_AMOUNT, Holds.REFUND})


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its name, what it holds and whether a row can do without it."""

    name: str
    holds: Holds
    is_required: bool = False


def _required(name: str, holds: Holds = Holds.TEXT) -> Field:
    return Field(name, holds, is_required=True)


_EMAIL: Final = _required("email", Holds.EMAIL)
_CURRENCY: Final = _required("currency", Holds.CURRENCY)

COLUMNS: Final[dict[ImportKind, tuple[Field, ...]]] = {
    ImportKind.CUSTOMERS: (
        _EMAIL,
        Field("name", Holds.TEXT),
        Field("country", Holds.TEXT),
        Field("tags", Holds.TAGS),
        Field("created_at", Holds.INSTANT),
    ),
    ImportKind.ORDERS: (
        _required("order_id"),
        _EMAIL,
        _required("ordered_at", Holds.INSTANT),
        _required("amount", Holds.AMOUNT),
        _CURRENCY,
        Field("product", Holds.TEXT),
        Field("quantity", Holds.QUANTITY),
        Field("name", Holds.TEXT),
        Field("country", Holds.TEXT),
        Field("refunded", Holds.REFUND),
        Field("refunded_at", Holds.INSTANT),
    ),
    ImportKind.SUBSCRIBERS: (
        _EMAIL,
        Field("name", Holds.TEXT),
        Field("consent_source", Holds.TEXT),
        Field("consented_at", Holds.INSTANT),
        Field("consent_wording", Holds.TEXT),
        Field("timezone", Holds.ZONE),
        Field("tags", Holds.TAGS),
        Field("status", Holds.STATUS),
    ),
    ImportKind.EVENTS: (
        _EMAIL,
        _required("happened_at", Holds.INSTANT),
        _required("kind"),
        Field("content", Holds.TEXT),
        Field("value", Holds.TEXT),
    ),
    ImportKind.TRAFFIC: (
        _required("day", Holds.DAY),
        _required("source"),
        Field("content", Holds.TEXT),
        Field("visits", Holds.COUNT),
        Field("clicks", Holds.COUNT),
    ),
    ImportKind.COSTS: (
        _required("day", Holds.DAY),
        _required("kind"),
        Field("campaign", Holds.TEXT),
        _required("amount", Holds.SIGNED_AMOUNT),
        _CURRENCY,
    ),
    ImportKind.INCOME: (
        _required("day", Holds.DAY),
        _required("kind"),
        _required("amount", Holds.SIGNED_AMOUNT),
        _CURRENCY,
    ),
    ImportKind.FEEDBACK: (
        _EMAIL,
        _required("at", Holds.INSTANT),
        _required("kind"),
        Field("content", Holds.TEXT),
        Field("rating", Holds.RATING),
        Field("text", Holds.TEXT),
    ),
    ImportKind.PLANS: (
        _required("plan"),
        _required("interval", Holds.INTERVAL),
        _CURRENCY,
        _required("price_ex_tax", Holds.AMOUNT),
        Field("interval_count", Holds.QUANTITY),
    ),
    ImportKind.SUBSCRIPTIONS: (
        _required("ts_utc", Holds.UTC_INSTANT),
        _required("customer", Holds.CUSTOMER),
        _required("sub_id"),
        _required("event", Holds.HAPPENING),
        Field("plan", Holds.TEXT),
        Field("discount_pct", Holds.PERCENT),
        Field("discount_until", Holds.UTC_INSTANT),
        Field("note", Holds.TEXT),
    ),
    ImportKind.PAYMENTS: (
        _required("payment_id"),
        _required("ts", Holds.INSTANT),
        _required("customer", Holds.CUSTOMER),
        Field("kind", Holds.PAYMENT_KIND),
        Field("sub_id", Holds.TEXT),
        Field("product", Holds.TEXT),
        _CURRENCY,
        _required("gross", Holds.AMOUNT),
        Field("tax", Holds.AMOUNT),
        Field("fee", Holds.AMOUNT),
        Field("status", Holds.PAYMENT_STATUS),
        Field("country", Holds.TEXT),
    ),
    ImportKind.REFUNDS: (
        _required("refund_id"),
        _required("payment_id"),
        _required("ts_utc", Holds.UTC_INSTANT),
        _CURRENCY,
        _required("gross", Holds.AMOUNT),
        Field("tax", Holds.AMOUNT),
        Field("note", Holds.TEXT),
    ),
    ImportKind.FX: (
        _required("month", Holds.MONTH),
        _CURRENCY,
        _required("rate", Holds.RATE),
        Field("base", Holds.CURRENCY),
    ),
}


def field_names(kind: ImportKind) -> tuple[str, ...]:
    """Return the column names of a kind, in the order in which they are written."""
    return tuple(field.name for field in COLUMNS[kind])
