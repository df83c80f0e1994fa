"""Platt scaling: two numbers that turn a score into a probability without changing the ranking.

Fitted on out-of-fold scores of the whole panel, never on the last window alone, whose season may be
the opposite of the next one's. The level of the coming window, which no past one tells, is a mean of
two forecasts: the panel's and the prior's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np

from kpay.ml import logistic
from kpay.ml.frames import Floats

FEWEST_ROWS: Final = 100
FLATTEST: Final = 0.05
HALVINGS: Final = 40
DOUBT: Final = 3  # power of the share of error: what was fitted has the benefit of it
LEVEL_NOISE: Final = 0.01  # squared log odds: a tenth up or down happens by itself


@dataclass(frozen=True, slots=True)
class Platt:
    """log odds = slope * score + shift; the slope stays positive, so ranks stay."""

    slope: float = 1.0
    shift: float = 0.0

    def log_odds(self, score: Floats) -> Floats:
        """Return calibrated log odds of raw log odds."""
        return np.asarray(self.slope * score + self.shift)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**saved)

    def raised(self, by: float) -> Platt:
        """Return the same with everybody's log odds moved by a constant."""
        return Platt(self.slope, self.shift + by)


UNCHANGED: Final = Platt()


def fit(score: Floats, bought: Floats) -> Platt:
    """Fit on raw log odds and outcomes; too few or one-sided rows leave the scores as they are."""
    if len(score) < FEWEST_ROWS or bought.min() == bought.max() or np.ptp(score) < 1e-9:
        return UNCHANGED
    model = logistic.fit(score[:, None], bought, strength=1e6)
    slope = max(FLATTEST, model.weights[0] / model.scale[0])
    return Platt(slope, model.constant - slope * model.centre[0])


def distance(log_odds: Floats, share: float) -> float:
    """Return by how much all log odds must be moved for their mean probability to be a share."""
    low, high = -logistic.LARGEST_LOGIT, logistic.LARGEST_LOGIT
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if logistic.sigmoid(log_odds + middle).mean() < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def weight_of_prior(misses: Floats, residues: Floats) -> float:
    """Return how far to move the level towards the prior's, 0 to 1.

    `misses` are the distances by which the prior missed the level of past windows, `residues` those of
    the fitted model; the smaller errors of the two deserve the larger weight. A window's season is in
    its residue, so the next one may be as far off again. Equal errors move it by an eighth.
    """
    prior_error = float(np.median(misses**2)) + LEVEL_NOISE
    own_error = 2 * float(np.mean((residues - residues.mean()) ** 2)) + 2 * LEVEL_NOISE
    return (own_error / (own_error + prior_error)) ** DOUBT
