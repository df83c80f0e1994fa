"""The pictures of a model's card, as small plain values: measured once, when the model is trained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from kpay.ml import curves, dependence, drift
from kpay.ml.features import Snapshot
from kpay.ml.training import Training

PICTURED: Final = 6
SHOWN_BESIDE: Final = "recency"


def figures(found: Training) -> dict[str, Any]:
    """Return curves, confusion at the cut-off, importance, dependence, and what drift is held against.

    Everything is of the backtest: of what was promised one horizon ago, and what came. Where nothing
    could be tested yet, the pictures are empty.
    """
    now, rung = found.tested.now, found.model.rung
    promised = found.tested.promised.get(rung)
    looked_at = dependence.importance(found.model, now, found.gain)
    names = [each["column"] for each in looked_at]
    empty: dict[str, Any] = {"curves": {}, "confusion": {}, "dependence": [], "reference": {}}
    made = {"importance": looked_at}
    if promised is None or len(promised) == 0:
        return {**empty, **made}
    bought = found.tested.bought
    pictured = dependence.dependence(found.model, now, names[:PICTURED], promised, bought)
    return {
        **made,
        "curves": _curves(found, rung),
        "confusion": curves.at_cutoff(bought, promised),
        "dependence": pictured,
        "reference": _reference(found, now, names),
    }


def _curves(found: Training, rung: str) -> dict[str, Any]:
    """Return the curves of the model and of recency alone, whichever could be tested."""
    tested = found.tested
    return {
        name: made
        for name in dict.fromkeys((rung, SHOWN_BESIDE))
        if name in tested.promised and (made := curves.curves(tested.bought, tested.promised[name]))
    }


def _reference(found: Training, now: Snapshot, names: Iterable[str]) -> dict[str, Any]:
    """Return how the customers of the last window it learned from spread over its columns."""
    return {
        "cutoff_day": now.cutoff,
        "customers": len(now.customer),
        "columns": drift.spreads(now.columns, names),
        "score": drift.spread(found.model.probability(now)),
    }
