"""What each customer is expected to do next, as of a day."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from kpay.domain.money import LARGEST_MINOR
from kpay.ml.features import Snapshot, snapshot
from kpay.ml.frames import Floats, Ints, Purchases
from kpay.ml.history import History
from kpay.ml.propensity import Propensity
from kpay.ml.value import Amounts

SMALLEST: Final = 1e-12


def score(everything: History, model: Propensity, amounts: Amounts) -> pd.DataFrame:
    """Return one row for each customer known at day 0, most likely buyers first.

    Columns: `customer`, `propensity` (within the model's horizon), `expected_value_minor` in the
    `currency` of the customer's latest purchase, and `decile` (1 = the most likely tenth).
    """
    now = snapshot(everything, 0, model.horizon_days, model.bg)
    probability = model.probability(now)
    order = np.argsort(-probability, kind="stable")
    currency = latest_currency(everything.purchases, now)
    days = expected_days(now, model, probability, model.horizon_days)
    expected = expected_value_minor(everything, now, amounts, days)
    frame = pd.DataFrame(
        {
            "customer": everything.purchases.customer_ids[now.customer],
            "propensity": probability,
            "expected_value_minor": expected,
            "currency": [everything.purchases.currencies[index] for index in currency],
        }
    ).iloc[order]
    frame["decile"] = deciles(len(frame))
    return frame.reset_index(drop=True)


def deciles(count: int) -> Ints:
    """Return 1 to 10 for ranks 0 to count - 1, tenths as equal as they can be."""
    return np.asarray(np.arange(count) * 10 // max(1, count) + 1, dtype=np.int64)


def latest_currency(everything: Purchases, now: Snapshot) -> Ints:
    """Return the currency of each customer's latest purchase."""
    latest = np.zeros(len(everything.customer_ids), dtype=np.int64)
    latest[everything.customer] = everything.currency
    return latest[now.customer]


def expected_days(
    now: Snapshot, model: Propensity, probability: Floats, horizon_days: int
) -> Floats:
    """Return the expected days of purchase within a horizon; `probability` is for the model's own.

    The middle (geometric) of two counts: the BG/NBD's, and the model's chance to buy times the days
    that the BG/NBD expects of a buyer. Another horizon is the BG/NBD's, moved by as much.
    """
    by_bg = model.bg.expected_purchases(now.seen, model.horizon_days)
    once = model.bg.any_purchase(now.seen, model.horizon_days)
    of_a_buyer = np.maximum(by_bg / np.maximum(once, SMALLEST), 1.0)
    moved = np.sqrt(probability * of_a_buyer / np.maximum(by_bg, SMALLEST))
    if horizon_days != model.horizon_days:
        by_bg = model.bg.expected_purchases(now.seen, horizon_days)
    return np.asarray(moved * np.maximum(by_bg, SMALLEST))


def expected_value_minor(
    everything: History, now: Snapshot, amounts: Amounts, days: Floats
) -> Ints:
    """Return expected spend on so many days of purchase, in minor units of the latest currency."""
    multiple = amounts.expected(everything.purchases, now.cutoff)[now.customer]
    unit = now.unit_minor[latest_currency(everything.purchases, now)]
    return whole_minor(days * multiple * unit)


def whole_minor(amount: Floats) -> Ints:
    """Return amounts rounded to whole minor units, none below zero or too large to be kept."""
    return np.asarray(np.rint(np.clip(amount, 0, LARGEST_MINOR)), dtype=np.int64)
