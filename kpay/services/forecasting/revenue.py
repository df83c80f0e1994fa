"""Forecasting revenue: from one state of the store to the sum of its streams."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any, Final

from sqlalchemy import Connection

from kpay.domain.period import local_day
from kpay.errors import Refused
from kpay.ml.streams import joint
from kpay.ml.streams.joint import Streams
from kpay.ml.streams.launches import Occasion, Planned
from kpay.ml.streams.ledger import Ledger
from kpay.ml.streams.past_days import Engine
from kpay.services.forecasting.ledger_rows import Known, known
from kpay.services.forecasting.plan_file import SCHEDULED, read_plan
from kpay.services.forecasting.result import Forecast
from kpay.services.forecasting.series import SEED, Asked
from kpay.services.forecasting.told import running_totals
from kpay.services.vantage import Vantage, vantage
from kpay.store import learning
from kpay.store.engine import Store
from kpay.store.figures import streams as rows

RUN_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Wish:
    """Which revenue is forecast: as of which day, in which currency, with which plan of launches."""

    as_of: str | None
    currency: str | None
    base_currency: str
    now: datetime
    timezone: str
    plan: str | None = None
    engine: Engine = joint.OWN


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The streams of a business as seen from a day, before anyone decides how they are printed."""

    asked: Asked
    seen_from: Vantage
    currency: str
    known: Known
    plan: tuple[Planned, ...] | None
    streams: Streams
    scheduled: int
    engine: Engine

    @property
    def ledger(self) -> Ledger:
        """What was known of every stream."""
        return self.known.ledger

    @property
    def first_ahead(self) -> date:
        """The first day that is forecast."""
        return self.seen_from.day + timedelta(days=1)


def foreseen(connection: Connection, asked: Asked, wish: Wish) -> Foreseen:
    """Return the streams as seen from the end of a day; today, which is not over, does not count.

    The currency is the one asked for alone, else the base currency with the others turned into it,
    else the one with most orders. Raises Refused without a paid order in it.
    """
    seen_from = _whole_days(vantage(connection, wish.as_of, wish.now, wish.timezone), wish.now)
    found = known(connection, seen_from, base=wish.base_currency, only=wish.currency)
    currency = wish.currency or wish.base_currency
    if found is None and not wish.currency:
        currency = learning.busiest_currency(connection, seen_from.moment) or currency
        found = known(connection, seen_from, base=currency, only=currency)
    if found is None:
        raise Refused(
            f"no order in {currency.upper()} is known at the end of {seen_from.day}", "kpay sync"
        )
    scheduled = _scheduled(connection, seen_from, found.ledger)
    plan = _plan(wish.plan, scheduled, found.ledger, currency)
    return Foreseen(
        asked,
        seen_from,
        currency,
        found,
        plan,
        joint.streams(found.ledger, asked.horizon_days, plan, seed=SEED, engine=wish.engine),
        _offered(scheduled, found.ledger, asked.horizon_days) if wish.as_of is None else 0,
        wish.engine,
    )


def with_plan(found: Foreseen, plan: tuple[Planned, ...]) -> Foreseen:
    """Return the same business with another plan of launches."""
    horizon = found.asked.horizon_days
    made = joint.streams(found.ledger, horizon, plan, seed=SEED, engine=found.engine)
    return replace(found, plan=plan, streams=made)


def _whole_days(seen_from: Vantage, now: datetime) -> Vantage:
    if seen_from.moment <= now:
        return seen_from
    why = f"{seen_from.day} is not over and does not count"
    return Vantage(seen_from.day - timedelta(days=1), seen_from.timezone, why)


def _scheduled(connection: Connection, seen_from: Vantage, ledger: Ledger) -> list[Planned]:
    found = rows.scheduled(connection, seen_from.moment)
    return [
        Planned(
            Occasion(slug, "launch", (local_day(at, seen_from.timezone) - ledger.first_day).days)
        )
        for slug, at in found
    ]


def _offered(scheduled: list[Planned], ledger: Ledger, horizon: int) -> int:
    """Count what is scheduled ahead; of an earlier day that is not told, for it changes afterwards."""
    ahead = range(ledger.days, ledger.days + horizon)
    return sum(one.occasion.day in ahead for one in scheduled)


def _plan(
    source: str | None, scheduled: list[Planned], ledger: Ledger, currency: str
) -> tuple[Planned, ...] | None:
    if source is None:
        return None
    if source == SCHEDULED:
        return tuple(scheduled)
    return tuple(read_plan(source, ledger.first_day, currency))


def keep(store: Store, found: Foreseen, made: Forecast, now: datetime) -> None:
    """Keep a forecast as it was printed; the same one again changes nothing."""
    document = {**made.to_json(), "running": running_totals(found)}
    row = {
        "run": _name(document),
        "as_of": made.known_until,
        "horizon_days": found.asked.horizon_days,
        "freq": made.freq,
        "currency": made.currency,
        "model": made.outlook.model,
        "document": document,
        "made_at": now,
    }
    with store.writing() as connection:
        learning.keep_forecast(connection, row)


def _name(document: dict[str, Any]) -> str:
    """Return the name of a forecast: a hash of all it says and of what made it."""
    versions = {name: version(name) for name in ("kpay", "numpy", "scipy")}
    text = json.dumps([document, versions], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:RUN_DIGITS]
