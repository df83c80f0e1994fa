"""Forecasting a series of one's own, with ranges and the forecast's own backtest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from kpay.domain.series import SEASON_STEPS, Step, following, grouped, steps_in
from kpay.errors import UsageProblem
from kpay.ml.forecasting import outlook as ml
from kpay.ml.streams.joint import OWN
from kpay.ml.streams.past_days import Engine
from kpay.services.forecasting.result import Forecast, Point
from kpay.services.forecasting.series_file import Series, read_series

KEPT_DIGITS: Final = 7  # of the largest value from a file
SEED: Final = 0
SHOWN_PAST: Final = 60


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


def forecast_file(source: str, asked: Asked, engine: Engine = OWN) -> Forecast:
    """Forecast a series from a file or stdin ("-"), every row of it; no business is needed.

    UsageProblem when its steps cannot be told apart or gathered as asked.
    """
    series = read_series(source, asked.freq or "day")
    ahead = following(series.first, series.step, len(series.values)) if series.first else None
    freq = asked.freq or series.step
    if series.step not in (freq, "day"):
        raise UsageProblem(
            f"the values are of {series.step}s and cannot be shown by {freq}",
            f"--freq {series.step}",
        )
    scale = scale_of(series.values)
    count = steps_in(asked.horizon_days, series.step)
    season = SEASON_STEPS[series.step]
    found = engine.outlook(np.array(series.values) * scale, count, season, seed=SEED)
    starts, groups = _groups(series, ahead, count, freq)
    points = ml.ranges(found.mean, found.draws, groups, asked.levels)
    (total,) = ml.ranges(found.mean, found.draws, [tuple(range(count))], asked.levels)
    return Forecast(
        currency=None,
        scale=scale,
        freq=freq,
        known_until=None,
        steps_known=len(series.values),
        outlook=found,
        points=tuple(Point(start, part) for start, part in zip(starts, points, strict=True)),
        total=total,
        past=_past(series) if freq == series.step else (),
    )


def _groups(
    series: Series, first_ahead: date | None, count: int, freq: Step
) -> tuple[list[date | int], list[tuple[int, ...]]]:
    """Return where each printed point starts, and its steps; without dates, steps are numbered."""
    if first_ahead is None:
        return [len(series.values) + at + 1 for at in range(count)], [(at,) for at in range(count)]
    groups = grouped(first_ahead, series.step, count, freq)
    return [group.start for group in groups], [group.indices for group in groups]


def _past(series: Series) -> tuple[tuple[str, float], ...]:
    """Return the newest values with their labels, for the picture."""
    known = len(series.values)
    shown = range(max(0, known - SHOWN_PAST), known)
    first = series.first
    return tuple(
        (str(following(first, series.step, at)) if first else str(at + 1), series.values[at])
        for at in shown
    )


def scale_of(values: tuple[float, ...]) -> int:
    """Return by what to multiply so that whole numbers keep seven digits of the largest value."""
    largest = max(values)
    if largest <= 0:
        return 1
    return int(10 ** max(0, KEPT_DIGITS - 1 - math.floor(math.log10(largest))))
