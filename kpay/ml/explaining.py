"""Why one customer got their probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpay.ml.features import snapshot
from kpay.ml.history import History
from kpay.ml.propensity import Propensity


@dataclass(frozen=True, slots=True)
class Reason:
    """One column: its value for this customer (None when undefined) and what it adds."""

    column: str
    value: float | None
    adds: float  # to the log odds


@dataclass(frozen=True, slots=True)
class Explanation:
    """Log odds before anything is known of this customer, and what each column adds, largest first."""

    base_log_odds: float
    parts: tuple[Reason, ...]


def explain(everything: History, model: Propensity, customer_id: int) -> Explanation:
    """Explain one customer's score as of day 0; raise KeyError for somebody without a purchase."""
    now = snapshot(everything, 0, model.horizon_days, model.bg)
    rows = np.flatnonzero(everything.purchases.customer_ids[now.customer] == customer_id)
    if len(rows) == 0:
        raise KeyError(customer_id)
    row = int(rows[0])
    added = {name: float(column[row]) for name, column in model.contributions(now).items()}
    parts = [
        Reason(name, _defined(float(now.columns[name][row])), amount)
        for name, amount in added.items()
        if amount != 0.0
    ]
    parts.sort(key=lambda reason: -abs(reason.adds))
    return Explanation(float(model.log_odds(now)[row]) - sum(added.values()), tuple(parts))


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None
