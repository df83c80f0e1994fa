"""What a model looks at: how much each thing known moves the scores, and in which direction.

Importance is the mean size of what a column adds to the log odds. Partial dependence (Friedman,
"Greedy Function Approximation", 2001) sets one column of everybody to the same value and takes the
mean probability. Beside it stands, part by part of the customers, what was promised and what came.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from kpay.ml.explaining import contributions, only
from kpay.ml.features import Snapshot
from kpay.ml.frames import Floats, Ints
from kpay.ml.moving import moved, plain
from kpay.ml.propensity import Propensity, pooled_rate, rule_chance

MOST_EXPLAINED: Final = 1_000
MOST_MOVED: Final = 300
MOST_COLUMNS: Final = 6
GRID: Final = 12
PARTS: Final = 8
DECIMALS: Final = 5


def sample(count: int, most: int) -> Ints:
    """Return a fixed random choice of rows, in order; all of them when there are few."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def importance(model: Propensity, now: Snapshot, gain: dict[str, float]) -> list[dict[str, Any]]:
    """Return share of gain and mean size of contribution of each plain column, the largest first."""
    sizes: dict[str, Floats] = {}
    gains: dict[str, float] = {}
    if len(now.customer):
        rows = sample(len(now.customer), MOST_EXPLAINED)
        for name, adds in contributions(model, now, rows).items():
            sizes[plain(name)] = sizes.get(plain(name), 0.0) + adds
    for name, share in gain.items():
        gains[plain(name)] = gains.get(plain(name), 0.0) + share
    found: list[dict[str, Any]] = [
        {
            "column": name,
            "gain": round(gains.get(name, 0.0), DECIMALS),
            "mean_adds": round(float(np.abs(adds).mean()), DECIMALS),
        }
        for name, adds in sizes.items()
    ]
    return sorted((each for each in found if each["mean_adds"] > 0), key=_by_size)


def _by_size(each: dict[str, Any]) -> tuple[float, str]:
    return -each["mean_adds"], each["column"]


def dependence(
    model: Propensity, now: Snapshot, names: list[str], promised: Floats, bought: Floats
) -> list[dict[str, Any]]:
    """Return for each of some plain columns the model's curve and what was promised and came.

    `curve` are (value, mean probability with everybody's column at that value); `parts` are customers
    in order of the column, cut into up to eight parts at its quantiles.
    """
    chosen = sample(len(now.customer), MOST_MOVED)
    return [
        {
            "column": name,
            "curve": _curve(model, now, chosen, name),
            "parts": _parts(now.columns[name], promised, bought),
            "undefined": int((~np.isfinite(now.columns[name])).sum()),
        }
        for name in names
        if len(np.unique(_finite(now.columns[name]))) > 1
    ]


def _finite(column: Floats) -> Floats:
    return np.asarray(column[np.isfinite(column)])


def _curve(model: Propensity, now: Snapshot, rows: Ints, name: str) -> list[list[float]]:
    steps = np.linspace(0.02, 0.98, GRID)
    grid = np.unique(np.quantile(_finite(now.columns[name]), steps, method="nearest"))
    many = only(now, np.tile(rows, len(grid)))
    other = moved(many, name, np.repeat(grid, len(rows)), model.horizon_days)
    chances = _probability(model, now, other).reshape(len(grid), len(rows)).mean(axis=1)
    return [[_short(value), _short(chance)] for value, chance in zip(grid, chances, strict=True)]


def _probability(model: Propensity, now: Snapshot, other: Snapshot) -> Floats:
    """Return probabilities of changed customers; the rule's pooled rate stays everybody's."""
    if model.rung == "rule":
        return rule_chance(other.seen, pooled_rate(now.seen), model.horizon_days)
    return model.probability(other)


def _parts(column: Floats, promised: Floats, bought: Floats) -> list[dict[str, float]]:
    known = np.isfinite(column)
    inner = np.quantile(column[known], np.linspace(0, 1, PARTS + 1)[1:-1], method="nearest")
    part = np.searchsorted(np.unique(inner), column, side="left")
    found = []
    for index in range(len(np.unique(inner)) + 1):
        inside = known & (part == index)
        if inside.any():
            found.append(
                {
                    "value": _short(np.median(column[inside])),
                    "customers": int(inside.sum()),
                    "promised": _short(promised[inside].mean()),
                    "came": _short(bought[inside].mean()),
                }
            )
    return found


def _short(value: Any) -> float:
    return float(f"{float(value):.5g}")
