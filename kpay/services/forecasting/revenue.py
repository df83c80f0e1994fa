"""Forecasting revenue, or any series from a file, with ranges and the forecast's own backtest."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib.metadata import version

import numpy as np

from kpay.domain.period import local_day
from kpay.domain.series import SEASON_STEPS, Step, following, grouped, steps_in
from kpay.errors import Refused, UsageProblem
from kpay.ml.forecasting import occasions
from kpay.ml.forecasting import outlook as ml
from kpay.ml.frames import Floats
from kpay.services.forecasting.result import Forecast, Point
from kpay.services.forecasting.series_file import Series, read_series
from kpay.services.vantage import Vantage, vantage
from kpay.store import learning
from kpay.store.engine import Store
from kpay.store.frames import daily_takings

RUN_DIGITS = 12
KEPT_DIGITS = 7  # of the largest value from a file
SEED = 0
CAMPAIGN_DAYS = 14  # after its first mail
LAUNCH_DAYS = 7

Happened = tuple[str, int, list[tuple[str, datetime]]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a forecast was asked for."""

    horizon_days: int
    freq: Step | None
    levels: tuple[int, ...]


def levels_of(text: str) -> tuple[int, ...]:
    """Read --level ("80,95"); UsageProblem for anything but whole percents from 1 to 99."""
    try:
        levels = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        levels = ()
    if not levels or not all(1 <= level <= 99 for level in levels):
        raise UsageProblem(f"--level {text!r} is not a list of percents", "--level 80,95")
    return levels


def forecast_revenue(
    store: Store,
    asked: Asked,
    *,
    as_of: str | None,
    currency: str | None,
    base_currency: str,
    now: datetime,
    timezone: str,
) -> Forecast:
    """Forecast what paid orders bring, gross of refunds, and keep what was printed.

    The currency is the one asked for, else the base currency, else the one with most orders. Raises
    Refused without a paid order in it.
    """
    with store.reading() as connection:
        seen_from = vantage(connection, as_of, now, timezone)
        moment = seen_from.moment
        chosen = currency or base_currency
        if not currency and not learning.has_sales(connection, moment, chosen):
            chosen = learning.busiest_currency(connection, moment) or chosen
        days = daily_takings(connection, chosen, seen_from.day, timezone)
        happened = (
            ("campaign", CAMPAIGN_DAYS, learning.campaign_starts(connection, moment)),
            ("launch", LAUNCH_DAYS, learning.launches(connection, moment)),
        )
    if days.empty:
        raise Refused(
            f"no order in {chosen.upper()} is known at the end of {seen_from.day}", "kpay sync"
        )
    values, told = without_occasions(days["amount_minor"].to_numpy(float), happened, seen_from)
    series = Series(tuple(values.tolist()), "day", seen_from.day)
    made = replace(
        make(series, asked, currency=chosen, first_ahead=seen_from.day + timedelta(days=1)),
        known_until=seen_from.day,
        as_usual=told,
        note=f"Made as of the last day known: {seen_from.why}." if seen_from.why else "",
    )
    _keep(store, made, asked, run_id(series, asked, chosen), now)
    return made


def without_occasions(
    values: Floats, happened: Sequence[Happened], seen_from: Vantage
) -> tuple[Floats, tuple[str, ...]]:
    """Tell the days after campaigns and launches as usual days; name those whose days changed."""
    first = seen_from.day - timedelta(days=len(values) - 1)
    mask = np.zeros(len(values), dtype=bool)
    spans: list[tuple[str, int, int]] = []
    for kind, length, named in happened:
        starts = [(local_day(at, seen_from.timezone) - first).days for _, at in named]
        mask |= occasions.touched(len(values), starts, length)
        spans += [
            (f"{kind} {name}", max(start, 0), max(start + length, 0))
            for (name, _), start in zip(named, starts, strict=True)
        ]
    told = occasions.as_usual(values, mask, SEASON_STEPS["day"])
    changed = told != values
    return told, tuple(name for name, start, end in spans if changed[start:end].any())


def forecast_file(source: str, asked: Asked) -> Forecast:
    """Forecast a series from a file or stdin ("-"), every row of it; no business is needed."""
    series = read_series(source, asked.freq or "day")
    ahead = following(series.first, series.step, len(series.values)) if series.first else None
    return make(series, asked, currency=None, first_ahead=ahead)


def make(
    series: Series, asked: Asked, *, currency: str | None, first_ahead: date | None
) -> Forecast:
    """Forecast a series; UsageProblem when its steps cannot be told apart or gathered as asked."""
    freq = asked.freq or series.step
    if series.step not in (freq, "day"):
        raise UsageProblem(
            f"the values are of {series.step}s and cannot be shown by {freq}",
            f"--freq {series.step}",
        )
    scale = 1 if currency else scale_of(series.values)
    count = steps_in(asked.horizon_days, series.step)
    found = ml.outlook(np.array(series.values) * scale, count, SEASON_STEPS[series.step], seed=SEED)
    starts, groups = _groups(series, first_ahead, count, freq)
    points = ml.ranges(found.mean, found.draws, groups, asked.levels)
    (total,) = ml.ranges(found.mean, found.draws, [tuple(range(count))], asked.levels)
    return Forecast(
        currency=currency,
        scale=scale,
        freq=freq,
        known_until=None,
        steps_known=len(series.values),
        outlook=found,
        points=tuple(Point(start, part) for start, part in zip(starts, points, strict=True)),
        total=total,
    )


def _groups(
    series: Series, first_ahead: date | None, count: int, freq: Step
) -> tuple[list[date | int], list[tuple[int, ...]]]:
    """Return where each printed point starts, and its steps; without dates, steps are numbered."""
    if first_ahead is None:
        return [len(series.values) + at + 1 for at in range(count)], [(at,) for at in range(count)]
    groups = grouped(first_ahead, series.step, count, freq)
    return [group.start for group in groups], [group.indices for group in groups]


def scale_of(values: tuple[float, ...]) -> int:
    """Return by what to multiply so that whole numbers keep seven digits of the largest value."""
    largest = max(values)
    if largest <= 0:
        return 1
    return int(10 ** max(0, KEPT_DIGITS - 1 - math.floor(math.log10(largest))))


def run_id(series: Series, asked: Asked, currency: str) -> str:
    """Return the name of a forecast: a hash of its values, settings and versions."""
    settings = {
        "last_day": str(series.first),
        "currency": currency,
        "horizon_days": asked.horizon_days,
        "freq": asked.freq,
        "levels": asked.levels,
        "seed": SEED,
        "versions": {name: version(name) for name in ("kpay", "numpy", "scipy")},
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(np.array(series.values).tobytes())
    return digest.hexdigest()[:RUN_DIGITS]


def _keep(store: Store, made: Forecast, asked: Asked, run: str, now: datetime) -> None:
    row = {
        "run": run,
        "as_of": made.known_until,
        "horizon_days": asked.horizon_days,
        "freq": made.freq,
        "currency": made.currency,
        "model": made.outlook.model,
        "document": made.to_json(),
        "made_at": now,
    }
    with store.writing() as connection:
        learning.keep_forecast(connection, row)
