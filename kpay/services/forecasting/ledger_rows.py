"""From the rows of the store to the ledger that the streams are forecast from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from kpay.domain.period import local_day, start_of_day
from kpay.domain.subscription_spans import INVOLUNTARY_REASONS
from kpay.ml.arrays import Floats, Ints
from kpay.ml.streams.launches import Occasion
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.members import NEVER, Members, later
from kpay.ml.streams.returns import Refunds
from kpay.services.vantage import Vantage
from kpay.store import learning
from kpay.store.figures import rates
from kpay.store.figures import streams as rows

SECONDS: Final = len("2026-01-01T00:00:00")
STOPPED: Final = ("paused", "canceled")
Worth = Callable[[str], float | None]


@dataclass(frozen=True, slots=True)
class Known:
    """A ledger, and which currencies are counted in it, stand apart, or were turned into its own."""

    ledger: Ledger
    counted: tuple[str, ...]
    apart: tuple[str, ...]
    converted: tuple[str, ...]


class Calendar:
    """Sorts instants, as text, into the days of a zone; day 0 is `first`."""

    def __init__(self, first: date, last: date, timezone: str) -> None:
        self.first = first
        count = (last - first).days + 2
        starts = [start_of_day(first + timedelta(days=at), timezone) for at in range(count)]
        self._edges = np.array([start.timestamp() for start in starts], dtype=np.int64)
        self.timezone = timezone

    def days(self, moments: Sequence[str | None]) -> Ints:
        """Return the day of each instant; outside the calendar by length of day, NEVER for None."""
        texts = ["NaT" if text is None else text for text in moments]
        seconds = np.array(texts, dtype=f"U{SECONDS}").astype("datetime64[s]").astype(np.int64)
        is_none = np.array([text is None for text in moments], dtype=bool)
        inside = np.searchsorted(self._edges, seconds, side="right") - 1
        before = (seconds - self._edges[0]) // 86_400
        after = len(self._edges) - 1 + (seconds - self._edges[-1]) // 86_400
        found = np.where(seconds < self._edges[0], before, inside)
        found = np.where(seconds >= self._edges[-1], after, found)
        return np.where(is_none, NEVER, found).astype(np.int64)


def known(
    connection: Connection, seen_from: Vantage, *, base: str, only: str | None
) -> Known | None:
    """Return the ledger up to a day in one currency, None without a sale in it.

    In the base currency the others count too, all at the rate of that day, so that no change of rates
    looks like growth; a currency without a rate stands apart. `only` takes one currency alone.
    """
    until = seen_from.moment
    worth = _worth(connection, seen_from, base, only)
    taken = rows.sales(connection, until, precision(seen_from.timezone, until))
    counted = [row for row in taken if worth(row[1]) is not None]
    if not counted:
        return None
    codes = {row[1] for row in taken}
    first = local_day(first_moment(counted), seen_from.timezone)
    calendar = Calendar(first, seen_from.day, seen_from.timezone)
    days = (seen_from.day - first).days + 1
    ledger = Ledger(
        first,
        *_by_day(counted, calendar, days, worth),
        refunds=_refunds(rows.refunds(connection, until), calendar, worth),
        members=_members(connection, until, calendar, worth).known_at(days),
        occasions=_occasions(connection, until, calendar),
    )
    return Known(
        ledger,
        counted=tuple(sorted(code for code in codes if worth(code) is not None)),
        apart=tuple(sorted(code for code in codes if worth(code) is None and not only)),
        converted=tuple(sorted(code for code in codes - {base} if worth(code) and not only)),
    )


def _worth(connection: Connection, seen_from: Vantage, base: str, only: str | None) -> Worth:
    if only:
        return {only: 1.0}.get
    book = rates.rate_book(connection, base, seen_from.moment, seen_from.timezone)
    return {code: float(rate) for code, rate in book.at(seen_from.moment).items()}.get


def precision(timezone: str, until: datetime) -> int:
    """Return how finely sales are summed: by hour where the zone's days begin on the hour."""
    offset = until.astimezone(ZoneInfo(timezone)).utcoffset() or timedelta()
    return rows.HOUR if offset % timedelta(hours=1) == timedelta() else rows.MINUTE


def first_moment(taken: Sequence[tuple[Any, ...]]) -> datetime:
    """Return the moment of the oldest of the rows of sales."""
    return _moment(taken[0][0])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00" if len(text) == rows.HOUR else f"{text}+00:00")


def _by_day(
    taken: Sequence[tuple[Any, ...]], calendar: Calendar, days: int, worth: Worth
) -> tuple[Floats, Floats]:
    """Return single sales and those of subscriptions, by day."""
    full = [_moment(row[0]).strftime("%Y-%m-%dT%H:%M:%S") for row in taken]
    day = calendar.days(full)
    amount = np.array([row[3] * (worth(row[1]) or 0.0) for row in taken])
    subscribed = np.array([bool(row[2]) for row in taken])
    single = np.bincount(day[~subscribed], amount[~subscribed], minlength=days)
    recurring = np.bincount(day[subscribed], amount[subscribed], minlength=days)
    return single.astype(float), recurring.astype(float)


def _refunds(given: Sequence[tuple[Any, ...]], calendar: Calendar, worth: Worth) -> Refunds:
    counted = [row for row in given if worth(row[2]) is not None]
    back = np.maximum(calendar.days([row[0] for row in counted]), 0)
    sold = calendar.days([row[1] for row in counted])
    amount = np.array([row[3] * (worth(row[2]) or 0.0) for row in counted], dtype=float)
    return Refunds(sold, back, amount)


def _members(connection: Connection, until: datetime, calendar: Calendar, worth: Worth) -> Members:
    found = [
        one for one in rows.subscriptions(connection, until) if worth(one.currency) is not None
    ]
    rate = np.array([worth(one.currency) or 0.0 for one in found], dtype=float)
    months, days = _intervals(found)
    began = calendar.days([one.started_at for one in found])
    trial = calendar.days([one.trial_end_at for one in found])
    pays_from = np.where((trial < NEVER) & (trial > began), trial, began)
    billed = calendar.days([one.billed_at for one in found])
    due = np.where(billed < NEVER, billed, pays_from)
    ended = calendar.days([_ended(one) for one in found])
    stopped = np.array([one.status in STOPPED for one in found], dtype=bool) & (ended == NEVER)
    one_period = later(calendar.first, due, months, days, np.ones_like(due))
    return Members(
        began=began,
        pays_from=pays_from,
        due=due,
        months=months,
        days=days,
        amount=np.array([_price(one) for one in found], dtype=float) * rate,
        raised=np.array([one.ending_discount_minor for one in found], dtype=float) * rate,
        raised_from=_raised_from(connection, found, calendar, due),
        noticed=calendar.days([one.canceled_at for one in found]),
        ended=np.where(stopped, one_period, ended),
        has_failed=np.array(
            [one.cancel_reason in INVOLUNTARY_REASONS for one in found], dtype=bool
        ),
        is_in_arrears=np.array([bool(one.bill_is_open) for one in found], dtype=bool),
    )


def _intervals(found: Sequence[rows.Subscribed]) -> tuple[Ints, Ints]:
    months = {"month": 1, "year": 12}
    days = {"week": 7, "day": 1}
    return (
        np.array([months.get(x.interval, 0) * x.interval_count for x in found], dtype=np.int64),
        np.array([days.get(x.interval, 0) * x.interval_count for x in found], dtype=np.int64),
    )


def _ended(one: rows.Subscribed) -> str | None:
    """Return when it ended; what was cancelled at once has no end of its own."""
    if one.ended_at is None and one.status == "canceled":
        return one.canceled_at
    return one.ended_at


def _price(one: rows.Subscribed) -> int:
    """Return what a period takes, tax inside: as on the newest bill, unless the price is newer."""
    has_new_price = one.phase_starts_at and one.billed_at and one.phase_starts_at > one.billed_at
    return one.amount_minor if one.bill_minor is None or has_new_price else one.bill_minor


def _raised_from(
    connection: Connection, found: Sequence[rows.Subscribed], calendar: Calendar, due: Ints
) -> Ints:
    """Return from which day on discounts have ended: as a file says, else after the longest coupon."""
    said = calendar.days([one.discount_until for one in found])
    since = calendar.days([one.discounted_since for one in found])
    longest = np.full(len(due), rows.longest_coupon_months(connection), dtype=np.int64)
    once = np.zeros_like(due)
    assumed = later(calendar.first, np.where(since < NEVER, since, 0), longest, once, once + 1)
    return np.where(said < NEVER, said, np.where(since < NEVER, assumed, NEVER))


def _occasions(connection: Connection, until: datetime, calendar: Calendar) -> tuple[Occasion, ...]:
    named = [("launch", *one) for one in learning.launches(connection, until)]
    named += [("campaign", *one) for one in learning.campaign_starts(connection, until)]
    found = [
        Occasion(name, kind, (local_day(at, calendar.timezone) - calendar.first).days)
        for kind, name, at in named
    ]
    return tuple(sorted(found, key=lambda one: (one.day, one.kind, one.name)))
