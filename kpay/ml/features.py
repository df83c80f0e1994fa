"""What is known of each customer when a day begins: columns for the models, nothing later in them.

Amounts are multiples of the median customer-day of their currency, taken from the same past.
A feature that is undefined (the gap of a single purchase) is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from kpay.ml import bgnbd
from kpay.ml.families import Family
from kpay.ml.frames import Flags, Floats, Ints, Purchases, median_days
from kpay.ml.history import History
from kpay.ml.logistic import logit
from kpay.ml.targets import Prior

WINDOWS_DAYS: Final = (30, 60, 90, 180, 365)
RFM: Final = ("log_recency", "log_repeats", "log_mean_value", "log_tenure")
RFM_AND_BG: Final = (*RFM, "bg_logit")
HALF_LIVES_DAYS: Final = (14, 45, 120)
FADING: Final = tuple(f"log_fading_{days}" for days in HALF_LIVES_DAYS)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The customers known at a cutoff and their features."""

    cutoff: int
    customer: Ints  # index into Purchases.customer_ids
    seen: bgnbd.Histories
    bg: bgnbd.BgNbd
    columns: dict[str, Floats]
    unit_minor: Floats  # the median customer-day of each currency; 0 where none is known
    prior: Prior | None = None  # of a target but a purchase

    def matrix(self, names: tuple[str, ...]) -> Floats:
        """Return the named columns side by side, (n, k)."""
        return np.column_stack([self.columns[name] for name in names])

    def only(self, rows: Ints) -> Snapshot:
        """Return some of the customers."""
        seen = self.seen.of(rows)
        columns = {name: column[rows] for name, column in self.columns.items()}
        return replace(self, customer=self.customer[rows], seen=seen, columns=columns)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in a fixed order."""
        return tuple(self.columns)


def snapshot(
    everything: History,
    cutoff: int,
    horizon_days: int,
    bg: bgnbd.BgNbd | None = None,
    families: Sequence[Family] = (),
    *,
    among: Flags | None = None,
) -> Snapshot:
    """Return the features of all customers with a purchase before day `cutoff`.

    The BG/NBD behind three of the columns is fitted on the same past unless one is given. `families`
    add their columns after those of the purchases. With `among`, one flag a customer, the columns are
    only those customers'; the BG/NBD and the medians are everybody's all the same.
    """
    past = everything.before(cutoff)
    known = past.purchases
    customer = known.buyers
    seen = bgnbd.histories(known, cutoff).of(customer)
    model = bgnbd.fit(seen) if bg is None else bg
    unit_minor = median_days(known)
    if among is not None:
        kept = np.flatnonzero(among[customer])
        customer, seen, known = customer[kept], seen.of(kept), known.of(among)
    relative = known.amount_minor / np.maximum(unit_minor[known.currency], 1.0)
    every = {
        **_counts(known, cutoff),
        **_amounts(known, relative, cutoff),
        **_rhythm(known, cutoff),
        **_fading(known, cutoff),
    }
    columns = {name: column[customer] for name, column in every.items()}
    columns |= _derived(columns) | bg_columns(model, seen, horizon_days)
    for family in families:
        columns |= family.read(past, customer, cutoff)
    return Snapshot(cutoff, customer, seen, model, columns, unit_minor)


def _sum(known: Purchases, weight: Floats | None, keep: np.ndarray | slice) -> Floats:
    weights = None if weight is None else weight[keep]
    size = len(known.customer_ids)
    return np.bincount(known.customer[keep], weights, minlength=size).astype(float)


def _counts(known: Purchases, cutoff: int) -> dict[str, Floats]:
    occasions = known.opens_day.astype(float)
    columns = {
        "days_bought": _sum(known, occasions, slice(None)),
        "lines": _sum(known, known.lines.astype(float), slice(None)),
        "contents": _sum(known, known.new_contents.astype(float), slice(None)),
    }
    for window in WINDOWS_DAYS:
        recent = known.day >= cutoff - window
        columns[f"days_bought_{window}"] = _sum(known, occasions, recent)
    recent = known.day >= cutoff - 90
    columns["new_contents_90"] = _sum(known, known.new_contents.astype(float), recent)
    return columns


def _amounts(known: Purchases, relative: Floats, cutoff: int) -> dict[str, Floats]:
    size = len(known.customer_ids)
    largest = np.zeros(size)
    np.maximum.at(largest, known.customer, relative)
    last = np.zeros(size)
    last[known.customer] = relative  # rows are in day order, so the last one stays
    columns = {
        "value": _sum(known, relative, slice(None)),
        "largest_value": largest,
        "last_value": last,
    }
    for window in WINDOWS_DAYS:
        columns[f"value_{window}"] = _sum(known, relative, known.day >= cutoff - window)
    return columns


def _fading(known: Purchases, cutoff: int) -> dict[str, Floats]:
    """Return how many purchase days there were, each counting half after a number of days, as logs."""
    customer, day = known.customer[known.opens_day], known.day[known.opens_day]
    size, age = len(known.customer_ids), (cutoff - 1 - day).astype(float)
    return {
        name: np.log1p(np.bincount(customer, 0.5 ** (age / half_life), minlength=size))
        for name, half_life in zip(FADING, HALF_LIVES_DAYS, strict=True)
    }


def _rhythm(known: Purchases, cutoff: int) -> dict[str, Floats]:
    """Return days since the first and last purchase, and the gaps between purchases."""
    size = len(known.customer_ids)
    customer, day = known.customer[known.opens_day], known.day[known.opens_day]
    first, last = np.full(size, np.nan), np.full(size, np.nan)
    first[customer[::-1]] = day[::-1]
    last[customer] = day
    is_gap = np.diff(customer, prepend=-1) == 0
    gap = np.diff(day, prepend=0)[is_gap].astype(float)
    owner = customer[is_gap]
    count = np.bincount(owner, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_gap = np.bincount(owner, gap, minlength=size) / count
        squares = np.bincount(owner, gap**2, minlength=size) / count
    last_gap = np.full(size, np.nan)
    last_gap[owner] = gap
    return {
        **_gaps_by_length(owner, gap, size),
        "recency_days": cutoff - 1 - last,
        "tenure_days": cutoff - 1 - first,
        "mean_gap_days": mean_gap,
        "gap_spread_days": np.sqrt(np.maximum(squares - mean_gap**2, 0)),
        "last_gap_days": last_gap,
    }


def _gaps_by_length(owner: Ints, gap: Floats, size: int) -> dict[str, Floats]:
    """Return the shortest, the median (the upper of two) and the longest gap, NaN without one."""
    gap = gap[np.lexsort((gap, owner))]
    count = np.bincount(owner, minlength=size)
    begins, has_gap = np.cumsum(count) - count, count > 0
    places = {"shortest": np.zeros_like(count), "median": count // 2, "longest": count - 1}
    columns = {}
    for name, place in places.items():
        columns[f"{name}_gap_days"] = np.full(size, np.nan)
        columns[f"{name}_gap_days"][has_gap] = gap[(begins + place)[has_gap]]
    return columns


def _derived(columns: dict[str, Floats]) -> dict[str, Floats]:
    bought, tenure = columns["days_bought"], columns["tenure_days"]
    mean_value = columns["value"] / bought
    mean_gap = np.maximum(columns["mean_gap_days"], 1.0)
    return {
        "mean_value": mean_value,
        "value_trend": columns["last_value"] / np.maximum(mean_value, 0.01),
        "lines_a_day": columns["lines"] / bought,
        "contents_share": columns["contents"] / columns["lines"],
        "overdue": columns["recency_days"] / mean_gap,
        "gap_trend": columns["last_gap_days"] / mean_gap,
        "gap_irregularity": columns["gap_spread_days"] / mean_gap,
        "due_in_days": columns["median_gap_days"] - columns["recency_days"],
        "silence_to_longest": columns["recency_days"] / np.maximum(columns["longest_gap_days"], 1),
        "recent_share": columns["days_bought_90"] / bought,
        "recent_value_share": columns["value_90"] / np.maximum(columns["value"], 0.01),
        "pace": bought / (tenure + 30.0),
        "log_recency": np.log1p(columns["recency_days"]),
        "log_repeats": np.log1p(bought - 1),
        "log_mean_value": np.log1p(mean_value.clip(0)),
        "log_tenure": np.log1p(tenure),
    }


def bg_columns(model: bgnbd.BgNbd, seen: bgnbd.Histories, horizon_days: int) -> dict[str, Floats]:
    """Return what a BG/NBD says of histories, as columns."""
    return {
        "bg_logit": logit(model.any_purchase(seen, horizon_days)),
        "bg_alive": model.alive(seen),
        "bg_weekly_rate": model.expected_rate(seen),
    }
