"""Whether the customers of today are still those that a model learned from.

PSI, the population stability index, compares how two groups of customers spread over ten parts of a
column: the sum over parts of (share now - share then) * ln(share now / share then). Below 0.1 they are
alike, above 0.25 they are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from kpay.ml.frames import Floats

PARTS: Final = 10
LEAST_SHARE: Final = 1e-3
NOTABLE_PSI: Final = 0.1
ALARMING_PSI: Final = 0.25
SCORE: Final = "score"

Spread = dict[str, list[float]]


def spread(column: Floats) -> Spread:
    """Return the inner borders of ten equal parts of a column, and the share of customers in each.

    A last share is of those for whom the column is undefined. Borders that coincide are one.
    """
    known = column[np.isfinite(column)]
    if len(known) == 0:
        return {"borders": [], "shares": [0.0, 1.0]}
    steps = np.linspace(0, 1, PARTS + 1)[1:-1]
    borders = [float(f"{border:.5g}") for border in np.quantile(known, steps, method="nearest")]
    kept = sorted(set(borders))
    return {"borders": kept, "shares": [round(float(x), 5) for x in _shares(kept, column)]}


def spreads(columns: Mapping[str, Floats], names: Iterable[str]) -> dict[str, Spread]:
    """Return the spread of some columns."""
    return {name: spread(columns[name]) for name in names if len(columns[name])}


def _shares(borders: list[float], column: Floats) -> Floats:
    known = np.isfinite(column)
    part = np.searchsorted(borders, column[known], side="right")
    counts = np.append(np.bincount(part, minlength=len(borders) + 1), (~known).sum())
    return np.asarray(counts / len(column))


def psi(then: Mapping[str, Any], column: Floats) -> float:
    """Return the PSI of a column against an earlier spread; empty parts count as one in a thousand."""
    before = np.maximum(np.array(then["shares"]), LEAST_SHARE)
    after = np.maximum(_shares(list(then["borders"]), column), LEAST_SHARE)
    return float(np.sum((after - before) * np.log(after / before)))


def psis(then: Mapping[str, Any], columns: Mapping[str, Floats]) -> dict[str, float]:
    """Return the PSI of every column that both times know, the largest first."""
    found = {
        name: round(psi(spread_then, columns[name]), 4)
        for name, spread_then in then.items()
        if name in columns and len(columns[name])
    }
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
