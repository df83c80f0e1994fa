"""What each customer is expected to do next, as of a day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kpay.ml import worth
from kpay.ml.frames import Ints
from kpay.ml.history import History
from kpay.ml.propensity import Propensity
from kpay.ml.value import Amounts


def score(everything: History, model: Propensity, amounts: Amounts) -> pd.DataFrame:
    """Return one row for each customer whom the model is about at day 0, the likeliest first.

    Columns: `customer`, `propensity` (within the model's horizon), `expected_value_minor` (see
    `worth`) in `currency`, and `decile` (1 = the most likely tenth).
    """
    now = model.look(everything)
    probability = model.probability(now)
    order = np.argsort(-probability, kind="stable")
    found = worth.expected(everything, now, model, amounts, probability)
    frame = pd.DataFrame(
        {
            "customer": everything.purchases.customer_ids[now.customer],
            "propensity": probability,
            "expected_value_minor": found.minor,
            "currency": [everything.purchases.currencies[index] for index in found.currency],
        }
    ).iloc[order]
    frame["decile"] = deciles(len(frame))
    return frame.reset_index(drop=True)


def deciles(count: int) -> Ints:
    """Return 1 to 10 for ranks 0 to count - 1, tenths as equal as they can be."""
    return np.asarray(np.arange(count) * 10 // max(1, count) + 1, dtype=np.int64)
