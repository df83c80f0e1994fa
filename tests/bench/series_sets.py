"""Series to judge forecasts on: a folder named by the environment, else made-up families.

KPAY_BENCH_SERIES names a folder with series_daily, series_weekly, series_monthly_retail and
series_m3_monthly (.csv.gz; columns series_id, y, and part for M3). Splits are fixed: rolling origins, every
eligible series. Figures are ratios to the seasonal naive (weekly: the last value) of the same run.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = os.environ.get("KPAY_BENCH_SERIES")  # before the suite clears kpay's settings

Floats = np.ndarray
Forecaster = Callable[[Floats, int, int], Floats]


@dataclass(frozen=True)
class Task:
    """Values known, values that came, and the season's length in steps."""

    past: Floats
    came: Floats
    season: int


@dataclass(frozen=True)
class Scores:
    """Figures of one forecaster on one set, as ratios to the naive one; OWA against Naive2."""

    mase: float
    rmsse: float
    total: float
    owa: float


def tasks(name: str) -> list[Task]:
    """Return the tasks of daily, daily120, daily60, weekly, retail or m3."""
    return list(SETS[name]())


def _series(file: str) -> list[tuple[Floats, int]]:
    """Return each series, and how many of its values are for learning (M3), else all."""
    rows: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    with gzip.open(Path(str(FOLDER)) / f"{file}.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            rows[row["series_id"]].append((float(row["y"]), row.get("part", "train") == "train"))
    return [
        (np.array([y for y, _ in values]), sum(known for _, known in values))
        for values in rows.values()
    ]


def _daily(cut: int | None = None) -> Iterator[Task]:
    for values, _ in _series("series_daily"):
        for origin in (len(values) - 30 * back for back in (1, 2, 3)):
            past = values[:origin]
            if len(past) >= 60 and (past[-60:] > 0).mean() >= 0.1:
                yield Task(past[-cut:] if cut else past, values[origin : origin + 30], 7)


def _weekly() -> Iterator[Task]:
    for values, _ in _series("series_weekly"):
        for origin in (len(values) - 13, len(values) - 26):
            yield Task(values[:origin], values[origin : origin + 13], 1)


def _retail() -> Iterator[Task]:
    for values, _ in _series("series_monthly_retail"):
        recent = values[-96:]
        for origin in (84, 72, 60) if len(recent) == 96 else ():
            yield Task(recent[origin - 60 : origin], recent[origin : origin + 12], 12)


def _m3() -> Iterator[Task]:
    for values, known in _series("series_m3_monthly"):
        yield Task(values[:known], values[known:], 12)


SETS: dict[str, Callable[[], Iterator[Task]]] = {
    "daily": _daily,
    "daily120": lambda: _daily(120),
    "daily60": lambda: _daily(60),
    "weekly": _weekly,
    "retail": _retail,
    "m3": _m3,
}


def naive(past: Floats, steps: int, season: int) -> Floats:
    return np.resize(past[-season:], steps)


def flat(past: Floats, steps: int, season: int) -> Floats:
    return np.full(steps, past.mean())


def naive2(past: Floats, steps: int, season: int) -> Floats:
    """The M4 organisers' yardstick: the last value, season-adjusted where the season is significant."""
    if not _is_seasonal(past, season):
        return np.full(steps, past[-1])
    kernel = np.ones(season) / season
    kernel = np.convolve(kernel, [0.5, 0.5]) if season % 2 == 0 else kernel
    centred, first = np.convolve(past, kernel, "valid"), len(kernel) // 2
    ratio = past[first : first + len(centred)] / np.where(centred > 0, centred, 1)
    phase = (first + np.arange(len(centred))) % season
    index = np.array([ratio[phase == at].mean() for at in range(season)])
    index = np.where(index > 0, index, 1e-6) / index.mean()
    last = past[-1] / index[(len(past) - 1) % season]
    return last * index[(len(past) + np.arange(steps)) % season]


def _is_seasonal(past: Floats, season: int) -> bool:
    centred = past - past.mean()
    power = (centred**2).sum()
    if season < 2 or len(past) < 3 * season or power == 0:
        return False
    lags = [(centred[lag:] * centred[:-lag]).sum() / power for lag in range(1, season + 1)]
    limit = 1.645 * np.sqrt((1 + 2 * np.square(lags[:-1]).sum()) / len(past))
    return bool(abs(lags[-1]) > limit)


def scores(chosen: list[Task], forecaster: Forecaster) -> Scores:
    """Return a forecaster's figures over all tasks."""
    ours, base, yardstick = (
        np.array([_errors(task, made) for task in chosen]) for made in (forecaster, naive, naive2)
    )
    mase, rmsse, owa_mase, smape = (
        np.nanmean(ours[:, at]) / np.nanmean(against[:, at])
        for against, at in ((base, 0), (base, 1), (yardstick, 0), (yardstick, 3))
    )
    total = np.nanmedian(ours[:, 2]) / np.nanmedian(base[:, 2])
    return Scores(float(mase), float(rmsse), float(total), float((owa_mase + smape) / 2))


def _errors(task: Task, forecaster: Forecaster) -> tuple[float, float, float, float]:
    """Return MASE, RMSSE (one-step naive), the total's relative error and sMAPE; NaN if undefined."""
    past, came, season = task.past, task.came, task.season
    said = np.clip(forecaster(past, len(came), season), 0, None)
    missed = np.abs(came - said)
    seasonal = np.abs(past[season:] - past[:-season]).mean()
    one_step = np.sqrt((np.diff(past) ** 2).mean())
    both = np.abs(came) + np.abs(said)
    total = came.sum()
    return (
        missed.mean() / seasonal if seasonal > 0 else np.nan,
        np.sqrt((missed**2).mean()) / one_step if one_step > 0 else np.nan,
        abs(said.sum() - total) / total if total > 0 else np.nan,
        200 * float(np.divide(missed, both, where=both > 0, out=np.zeros_like(both)).mean()),
    )
