"""Setting one thing known of customers to another value, with all columns that follow from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from kpay.ml.bgnbd import DAYS_A_WEEK, Histories
from kpay.ml.features import Snapshot, bg_columns
from kpay.ml.frames import Floats

PLAIN: Final = {
    "log_recency": "recency_days",
    "log_tenure": "tenure_days",
    "log_repeats": "days_bought",
    "log_mean_value": "mean_value",
}
"""Columns that say the same as another one, on another scale."""


def plain(column: str) -> str:
    """Return the column that says the same on a scale people read."""
    return PLAIN.get(column, column)


def moved(now: Snapshot, column: str, value: Floats, horizon_days: int) -> Snapshot:
    """Return a snapshot in which `column`, a plain one, has other values, one a customer.

    The logarithm of the column follows, silence moves what compares it with earlier gaps, and BG/NBD
    is asked again where one of its three numbers is moved.
    """
    columns = {**now.columns, column: value}
    seen = _history(now.seen, column, value)
    follow = {
        "recency_days": _of_silence(now, value),
        "tenure_days": {"log_tenure": np.log1p(np.maximum(value, 0))},
        "days_bought": {"log_repeats": np.log1p(np.maximum(value - 1, 0))},
        "mean_value": {"log_mean_value": np.log1p(np.maximum(value, 0))},
    }.get(column, {})
    if seen is not now.seen:
        follow |= bg_columns(now.bg, seen, horizon_days)
    return replace(now, seen=seen, columns=columns | follow)


def _of_silence(now: Snapshot, days: Floats) -> dict[str, Floats]:
    """Return the columns that hold a silence against the gaps before it."""
    mean, longest = (np.maximum(now.columns[f"{name}_gap_days"], 1) for name in ("mean", "longest"))
    return {
        "log_recency": np.log1p(np.maximum(days, 0)),
        "overdue": days / mean,
        "silence_to_longest": days / longest,
        "due_in_days": now.columns["median_gap_days"] - days,
    }


def _history(seen: Histories, column: str, value: Floats) -> Histories:
    silent = seen.observed - seen.last
    if column == "days_bought":
        return replace(seen, repeats=np.maximum(value - 1, 0))
    if column == "recency_days":
        return replace(seen, last=np.maximum(seen.observed - value / DAYS_A_WEEK, 0))
    if column == "tenure_days":
        observed = value / DAYS_A_WEEK
        return replace(seen, observed=observed, last=np.maximum(observed - silent, 0))
    return seen
