"""Who belongs to which group by recency, frequency and money: fixed rules, no model.

Recency is measured in usual gaps, so that somebody who buys once a year is not lost after three
months: a customer's own gaps and, as one gap more, the median of all customers' mean gaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.domain.customer_groups import AWAY, FREQUENT, ON_TIME, RFM_GROUPS, SLIPPING
from kpay.ml.frames import Floats, Ints, Purchases, median_days

FEWEST_RETURNED: Final = 20
ASSUMED_GAP_DAYS: Final = 60.0
"""The usual gap until customers have shown enough of their own."""
SHORTEST_GAP_DAYS: Final = 7.0
HIGH_SPENDING: Final = 0.75
NAMES: Final = tuple(RFM_GROUPS)


@dataclass(frozen=True, slots=True)
class Grouped:
    """The customers known at a cutoff, each with a group (index into NAMES).

    `times` counts the days on which each bought, `last_day` is the newest of them, and `gap_days` the
    rhythm that each is held against. `usual_gap_days` is everybody's; it is `assumed` while too few have bought twice.
    """

    customer: Ints  # index into Purchases.customer_ids
    group: Ints
    times: Ints
    last_day: Ints
    gap_days: Floats
    usual_gap_days: float
    is_assumed: bool


def rfm(everything: Purchases, cutoff: int) -> Grouped:
    """Return everybody's group when day `cutoff` begins, from what was known then."""
    known = everything.before(cutoff)
    customer, place = np.unique(known.customer, return_inverse=True)
    times = np.bincount(place[known.opens_day], minlength=len(customer))
    waited = _waited(known, place, len(customer))
    usual, is_assumed = _usual_gap(waited[times > 1] / (times[times > 1] - 1))
    last = np.zeros(len(customer))
    last[place] = known.day  # rows are in day order, so the last one stays
    own = np.maximum((waited + usual) / times, SHORTEST_GAP_DAYS)
    late = (cutoff - 1 - last) / own
    group = _ruled(times, late, _spent(known, place, len(customer)))
    return Grouped(customer, group, times, last.astype(np.int64), own, usual, is_assumed)


def _waited(known: Purchases, place: Ints, size: int) -> Floats:
    """Return the days between each customer's first and last purchase: the sum of the gaps."""
    first, last = np.zeros(size), np.zeros(size)
    first[place[::-1]] = known.day[::-1]
    last[place] = known.day
    return last - first


def _usual_gap(mean_gap: Floats) -> tuple[float, bool]:
    if len(mean_gap) < FEWEST_RETURNED:
        return ASSUMED_GAP_DAYS, True
    return max(float(np.median(mean_gap)), SHORTEST_GAP_DAYS), False


def _spent(known: Purchases, place: Ints, size: int) -> Floats:
    """Return what each spent, in multiples of the usual purchase of each currency."""
    unit_minor = np.maximum(median_days(known)[known.currency], 1.0)
    spent = np.bincount(place, known.amount_minor / unit_minor, minlength=size)
    return np.asarray(spent, dtype=float)


def _ruled(times: Ints, late: Floats, spent: Floats) -> Ints:
    """Return the first group whose rule holds, in the order of RFM_GROUPS."""
    on_time, once = late <= ON_TIME, times == 1
    often = times >= FREQUENT
    rich = spent > np.quantile(spent, HIGH_SPENDING) if len(spent) else on_time
    rules = {
        "champions": often & on_time & rich,
        "loyal": often & on_time,
        "promising": ~once & on_time,
        "new": once & on_time,
        "needs attention": ~once & (late <= SLIPPING),
        "at risk": ~once & (late <= AWAY),
        "hibernating": once & (late <= AWAY),
        "lost": late > AWAY,
    }
    held = np.column_stack([rules[name] for name in NAMES])
    return np.asarray(held.argmax(axis=1))
