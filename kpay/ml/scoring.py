"""What each customer is expected to do next, as of a day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kpay.domain.money import LARGEST_MINOR
from kpay.ml.features import Snapshot, snapshot
from kpay.ml.frames import Floats, Ints, Purchases
from kpay.ml.history import History
from kpay.ml.propensity import Propensity
from kpay.ml.value import GammaGamma


def score(everything: History, model: Propensity, amounts: GammaGamma) -> pd.DataFrame:
    """Return one row for each customer known at day 0, most likely buyers first.

    Columns: `customer`, `propensity` (within the model's horizon), `expected_value_minor` in the
    `currency` of the customer's latest purchase, and `decile` (1 = the most likely tenth).
    """
    now = snapshot(everything, 0, model.horizon_days, model.bg)
    probability = model.probability(now)
    order = np.argsort(-probability, kind="stable")
    currency = latest_currency(everything.purchases, now)
    expected = expected_value_minor(now, model, amounts, probability, currency)
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


def expected_value_minor(
    now: Snapshot, model: Propensity, amounts: GammaGamma, probability: Floats, currency: Ints
) -> Ints:
    """Return expected spend within the horizon, in whole minor units.

    The model says whether somebody buys, the BG/NBD how often a buyer buys, the Gamma-Gamma how much
    a purchase brings.
    """
    horizon = model.horizon_days
    once = np.maximum(model.bg.any_purchase(now.seen, horizon), 1e-9)
    times_a_buyer = np.maximum(model.bg.expected_purchases(now.seen, horizon) / once, 1.0)
    multiple = amounts.expected_amount(now.columns["days_bought"], now.columns["mean_value"])
    spend = probability * times_a_buyer * multiple * now.unit_minor[currency]
    return np.asarray(np.rint(np.clip(spend, 0, LARGEST_MINOR)), dtype=np.int64)
