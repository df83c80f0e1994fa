"""How often something happens, as a log-linear rate with a prior: few counts stay near the prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.frames import Floats

MOST_ROUNDS: Final = 30
CLOSE: Final = 1e-7
LARGEST_STEP: Final = 2.0


@dataclass(frozen=True, slots=True)
class Rate:
    """log(rate) = columns @ weights, with the weights' covariance (Laplace's approximation)."""

    weights: Floats
    covariance: Floats

    def expected(self, columns: Floats) -> Floats:
        """Return the expected count of each row."""
        return np.asarray(np.exp(columns @ self.weights))

    def mean(self, columns: Floats, deviations: float = 1.96) -> tuple[float, float, float]:
        """Return the mean rate over some rows, with a lower and an upper bound (delta method)."""
        expected = self.expected(columns)
        middle = float(expected.mean())
        slope = expected @ columns / len(columns) / middle
        factor = float(np.exp(deviations * np.sqrt(slope @ self.covariance @ slope)))
        return middle, middle / factor, middle * factor


def fit(columns: Floats, counts: Floats, centre: Floats, deviation: Floats) -> Rate:
    """Return the most probable weights under Poisson counts and independent normal priors.

    Newton's method on the log posterior (McCullagh and Nelder, "Generalized Linear Models", 1989);
    it is concave, so there is one answer. Without rows the prior itself comes back.
    """
    precision = np.diag(1.0 / deviation**2)
    weights = centre.astype(float)
    for _ in range(MOST_ROUNDS):
        expected = np.exp(columns @ weights)
        slope = columns.T @ (counts - expected) - precision @ (weights - centre)
        bend = (columns * expected[:, None]).T @ columns + precision
        step = np.linalg.solve(bend, slope)
        weights = weights + step * min(1.0, LARGEST_STEP / max(float(np.abs(step).max()), 1e-12))
        if float(np.abs(step).max()) < CLOSE:
            break
    bend = (columns * np.exp(columns @ weights)[:, None]).T @ columns + precision
    return Rate(weights, np.linalg.inv(bend))
