"""Platt scaling: two numbers that turn a score into a probability without changing the ranking.

Fitted on out-of-fold scores of the whole panel, never on the last window alone, whose season may be
the opposite of the next one's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np

from kpay.ml import logistic
from kpay.ml.frames import Floats

FEWEST_ROWS: Final = 100
FLATTEST: Final = 0.05


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


UNCHANGED: Final = Platt()


def fit(score: Floats, bought: Floats) -> Platt:
    """Fit on raw log odds and outcomes; too few or one-sided rows leave the scores as they are."""
    if len(score) < FEWEST_ROWS or bought.min() == bought.max() or np.ptp(score) < 1e-9:
        return UNCHANGED
    model = logistic.fit(score[:, None], bought, strength=1e6)
    slope = max(FLATTEST, model.weights[0] / model.scale[0])
    return Platt(slope, model.constant - slope * model.centre[0])
