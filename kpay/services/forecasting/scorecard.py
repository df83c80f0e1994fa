"""Stored forecasts against what came on their days, as far as these are over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from kpay.domain.forecast_scores import CALIBRATED, Score
from kpay.domain.period import end_of_day, local_day
from kpay.domain.reports.scorecard import Scorecard
from kpay.domain.subscription_facts import rounded
from kpay.ml.arrays import Ints
from kpay.services.forecasting.ledger_rows import Calendar, first_moment, precision
from kpay.services.vantage import vantage
from kpay.store import learning
from kpay.store.engine import Store
from kpay.store.figures import rates
from kpay.store.figures import streams as rows

NET: Final = "takings_after_refunds"
PROMPT_DAYS: Final = 1  # a forecast as of a day is made on the day after, when the day is over

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Came:
    """What each day brought, by currency in minor units: sales, and what was given back."""

    first: date
    sales: Mapping[str, Ints]
    refunds: Mapping[str, Ints]

    def between(self, first: date, days: int, currency: str, *, is_net: bool) -> int:
        """Return the sum of `days` days from `first` on; days before the first sale brought nothing."""
        start = (first - self.first).days
        inside = slice(max(start, 0), max(start + days, 0))
        total = int(self.sales[currency][inside].sum()) if currency in self.sales else 0
        if is_net and currency in self.refunds:
            total -= int(self.refunds[currency][inside].sum())
        return total


def scorecard(store: Store, *, as_of: str | None, now: datetime, timezone: str) -> Scorecard:
    """Score every stored forecast as far as its days are over; the same one twice counts once."""
    with store.reading() as connection:
        last = _last_day(connection, as_of, now, timezone)
        known_at = now if as_of is None else min(now, end_of_day(last, timezone))
        found = _distinct(learning.forecasts(connection, known_at))
        came = _came(connection, last, timezone)
        over = [row for row in found if row["as_of"] < last]
        scores = [_score(connection, row, came, last, timezone) for row in over]
    told = tuple(score for score in scores if score is not None)
    return Scorecard(last, told, len(found) - len(told))


def _last_day(connection: Connection, as_of: str | None, now: datetime, timezone: str) -> date:
    """Return the last day that is over and known: of a history from elsewhere, its last day."""
    yesterday = local_day(now, timezone) - timedelta(days=1)
    return min(vantage(connection, as_of, now, timezone).day, yesterday)


def _distinct(found: Sequence[Row]) -> list[Row]:
    """Leave out what says the same of the same days again, by the day or by the month."""
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for row in found:
        said = json.dumps(row["document"].get("total"), sort_keys=True)
        name = (row["as_of"], row["horizon_days"], row["currency"], said)
        if name not in seen:
            seen.add(name)
            kept.append(row)
    return kept


def _came(connection: Connection, last: date, timezone: str) -> _Came:
    until = end_of_day(last, timezone)
    taken = rows.sales(connection, until, precision(timezone, until))
    if not taken:
        return _Came(last, {}, {})
    first = local_day(first_moment(taken), timezone)
    calendar, days = Calendar(first, last, timezone), (last - first).days + 1
    given = rows.refunds(connection, until)
    sold_on = calendar.days([_whole(row[0]) for row in taken])
    given_on = np.maximum(calendar.days([row[0] for row in given]), 0)
    return _Came(
        first,
        _by_currency([row[1] for row in taken], sold_on, [row[3] for row in taken], days),
        _by_currency([row[2] for row in given], given_on, [row[3] for row in given], days),
    )


def _whole(text: str) -> str:
    """Complete a moment that was cut to the hour or the minute."""
    return text + ":00:00"[len(text) - rows.HOUR :]


def _by_currency(
    codes: Sequence[str], days: Ints, amounts: Sequence[int], count: int
) -> dict[str, Ints]:
    found: dict[str, Ints] = {}
    for code, day, amount in zip(codes, days.tolist(), amounts, strict=True):
        if code not in found:
            found[code] = np.zeros(count, dtype=np.int64)
        found[code][day] += amount
    return found


def _score(
    connection: Connection, row: Row, came: _Came, last: date, timezone: str
) -> Score | None:
    """Score one forecast; None where its horizon is not over and it did not say of how much of it."""
    document, as_of, horizon = row["document"], row["as_of"], row["horizon_days"]
    days_over = min((last - as_of).days, horizon)
    said = _said(document, days_over, horizon)
    if said is None:
        return None
    worth = _worth(connection, row, timezone)
    is_net = document.get("measure") == NET
    tomorrow = as_of + timedelta(days=1)
    brought = {
        start: rounded(
            sum(
                (came.between(start, days_over, code, is_net=is_net) * rate
                 for code, rate in worth.items()),
                Fraction(0),
            )
        )
        for start in (tomorrow, tomorrow - timedelta(days=days_over))
    }  # fmt: skip
    return Score(
        run=row["run"],
        as_of=as_of,
        made_at=row["made_at"],
        horizon_days=horizon,
        days_over=days_over,
        currency=row["currency"],
        expected_minor=said["mean_minor"],
        bounds={
            level: (said[f"low{level}_minor"], said[f"high{level}_minor"])
            for level in CALIBRATED
            if f"low{level}_minor" in said
        },
        came_minor=brought[tomorrow],
        as_before_minor=brought[tomorrow - timedelta(days=days_over)],
        is_made_before=local_day(row["made_at"], timezone) <= as_of + timedelta(days=PROMPT_DAYS),
    )


def _said(document: Row, days_over: int, horizon: int) -> Row | None:
    """Return mean and ranges of the days that are over."""
    running = document.get("running") or []
    if 0 < days_over <= len(running):
        found: Row = running[days_over - 1]
        return found
    return document.get("total") if days_over == horizon else None


def _worth(connection: Connection, row: Row, timezone: str) -> dict[str, Fraction]:
    """Return the rates at which the forecast counted: those of its own day, so that no rate is scored."""
    codes = row["document"].get("currencies") or [row["currency"]]
    book = rates.rate_book(
        connection, row["currency"], end_of_day(row["as_of"], timezone), timezone
    )
    known = book.at(end_of_day(row["as_of"], timezone))
    return {code: known[code] for code in codes if code in known}
