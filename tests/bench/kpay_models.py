"""kpay's own way from a history to probabilities, as `kpay train` and `kpay score` go it, without a store."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kpay.ml import boosting, scoring, training
from kpay.ml.history import History
from kpay.ml.targets import PURCHASE, Target

SETTINGS = boosting.parameters(threads=1)


@dataclass(frozen=True)
class Promised:
    """Everybody's probability by customer, and the training behind it."""

    chance: pd.Series[float]
    training: training.Training


def promised(
    known: History,
    horizon_days: int,
    asked: History | None = None,
    target: Target = PURCHASE,
) -> Promised:
    """Train on what is known at day 0 and score it, or the customers of another history."""
    trained = training.train(known, horizon_days, SETTINGS, target=target)
    scores = scoring.score(asked or known, trained.model, trained.amounts)
    return Promised(scores.set_index("customer")["propensity"], trained)
