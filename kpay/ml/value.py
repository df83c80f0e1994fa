"""Gamma-Gamma: what one purchase of a customer is expected to bring.

Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013). A customer's amounts are
Gamma(p, v) with v drawn from Gamma(q, gamma), so few purchases are pulled towards everybody's mean.
Amounts come as multiples of the median of their currency: currencies are compared, never added.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from kpay.ml.frames import Floats

START: Final = np.log([3.0, 3.0, 1.0])  # p, q - 1, gamma
PRIOR_WEIGHT: Final = 0.5
LIMIT: Final = 8.0


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """Fitted parameters; `q` is kept above 1 so that the mean exists."""

    p: float
    q: float
    gamma: float

    def expected_amount(self, purchases: Floats, mean_amount: Floats) -> Floats:
        """Return the expected amount of a purchase after `purchases` of the given mean."""
        return np.asarray(
            self.p * (self.gamma + purchases * mean_amount) / (self.p * purchases + self.q - 1)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**saved)


def fit(purchases: Floats, mean_amount: Floats) -> GammaGamma:
    """Fit by maximum likelihood with a weak prior on customers who paid something; never raises."""
    paid = (purchases > 0) & (mean_amount > 0)
    found = minimize(
        _negative_posterior,
        START,
        args=(purchases[paid], mean_amount[paid]),
        method="L-BFGS-B",
        bounds=[(-LIMIT, LIMIT)] * 3,
    )
    best = found.x if np.all(np.isfinite(found.x)) else START
    p, q_above_one, gamma = (float(value) for value in np.exp(best))
    return GammaGamma(p, 1 + q_above_one, gamma)


def _negative_posterior(log_parameters: Floats, purchases: Floats, mean_amount: Floats) -> float:
    """Return the negative log posterior a customer (equation 1a of the note)."""
    p, q_above_one, gamma = np.exp(log_parameters)
    q = 1 + q_above_one
    shape = p * purchases
    likelihood = (
        gammaln(shape + q)
        - gammaln(shape)
        - gammaln(q)
        + q * np.log(gamma)
        + (shape - 1) * np.log(mean_amount)
        + shape * np.log(purchases)
        - (shape + q) * np.log(gamma + purchases * mean_amount)
    )
    offset = log_parameters - START
    return float(-likelihood.sum() + PRIOR_WEIGHT * offset @ offset) / max(1, len(purchases))
