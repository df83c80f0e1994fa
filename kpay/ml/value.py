"""Gamma-Gamma: what one purchase of a customer is expected to bring.

Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013). A customer's amounts are
Gamma(p, v) with v drawn from Gamma(q, gamma), so few purchases are pulled towards everybody's mean.
Amounts come as multiples of the median of their currency: currencies are compared, never added.
All days of purchase count, the first one too, which most customers have alone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, psi

from kpay.ml.frames import Floats, Purchases, median_days

START: Final = np.log([3.0, 3.0, 1.0])  # p, q - 1, gamma
PRIOR_WEIGHT: Final = 0.5
PRIOR_FADES_AT_CUSTOMERS: Final = 20.0  # where it has half its weight
LIMIT: Final = 8.0


MOST_CUSTOMERS: Final = 30_000  # to fit on
FADING_HALVES_DAYS: Final = 180.0
SCALE_PRIOR: Final = 30.0  # purchases, as expected, beside those of the backtest
MOST_SCALE: Final = 2.0


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


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a purchase of each customer is expected to bring, and how far that was off of late.

    `scale` is what purchases of the last horizon brought, of what was expected of them before it:
    prices move, and who buys often may spend otherwise than who buys once.
    """

    spread: GammaGamma
    scale: float

    def expected(self, known: Purchases, cutoff: int) -> Floats:
        """Return the expected multiple of every customer, in the order of `known.customer_ids`.

        A customer's own amounts fade by half in 180 days: what people spend drifts.
        """
        before = known.before(cutoff)
        return self.scale * self.spread.expected_amount(*_faded(before, cutoff))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {**self.spread.to_dict(), "scale": self.scale}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        spread = {name: float(saved[name]) for name in ("p", "q", "gamma")}
        return cls(GammaGamma(**spread), float(saved["scale"]))


def learn(known: Purchases, horizon_days: int) -> Amounts:
    """Learn the amounts of everything known at day 0, tried on the last horizon; never raises."""
    past = known.before(-horizon_days)
    expected = fit(*_plain(past)).expected_amount(*_faded(past, -horizon_days))
    unit = median_days(past)[known.currency]
    judged = (known.day >= -horizon_days) & np.isin(known.customer, past.customer) & (unit > 0)
    brought = float((known.amount_minor[judged] / unit[judged]).sum())
    promised = float(expected[known.customer[judged & known.opens_day]].sum())
    scale = (brought + SCALE_PRIOR) / (promised + SCALE_PRIOR)
    return Amounts(fit(*_plain(known)), float(np.clip(scale, 1 / MOST_SCALE, MOST_SCALE)))


def _plain(known: Purchases) -> tuple[Floats, Floats]:
    return _days_and_mean(known, np.ones(len(known.day)))


def _faded(known: Purchases, cutoff: int) -> tuple[Floats, Floats]:
    return _days_and_mean(known, 0.5 ** ((cutoff - 1 - known.day) / FADING_HALVES_DAYS))


def _days_and_mean(known: Purchases, weight: Floats) -> tuple[Floats, Floats]:
    """Return weighted days of purchase of every customer and the mean multiple of one."""
    size = len(known.customer_ids)
    multiple = known.amount_minor / np.maximum(median_days(known), 1.0)[known.currency]
    days = np.bincount(known.customer, weight * known.opens_day, minlength=size).astype(float)
    whole = np.bincount(known.customer, weight * multiple, minlength=size)
    return days, whole / np.where(days > 0, days, 1.0)


def fit(purchases: Floats, mean_amount: Floats, *, prior_weight: float | None = None) -> GammaGamma:
    """Fit by maximum likelihood with a weak prior on customers who paid something; never raises.

    The prior stands on amounts as multiples of the customers' median, so that the unit does not
    matter; it fades as customers come in, and `prior_weight=0` leaves it out. Of very many customers
    every second, third, ... one is enough.
    """
    paid = np.flatnonzero((purchases > 0) & (mean_amount > 0))
    paid = paid[:: 1 + len(paid) // MOST_CUSTOMERS]
    unit = float(np.median(mean_amount[paid])) if len(paid) else 1.0
    weight = _prior_weight(len(paid)) if prior_weight is None else prior_weight
    found = minimize(
        _negative_posterior,
        START,
        args=(purchases[paid], mean_amount[paid] / unit, weight),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-LIMIT, LIMIT)] * 3,
        options={"ftol": 1e-12, "gtol": 1e-8},
    )
    best = found.x if np.all(np.isfinite(found.x)) else START
    p, q_above_one, gamma = (float(value) for value in np.exp(best))
    return GammaGamma(p, 1 + q_above_one, gamma * unit)


def repeat_amounts(known: Purchases) -> tuple[Floats, Floats]:
    """Return repeat days and their mean amount, minor units, as the papers have it.

    For a business of one currency; a mean of 0 stands for somebody who never came back. kpay's own
    value takes all days of purchase, the first one too: most customers have only that.
    """
    size = len(known.customer_ids)
    starts = np.flatnonzero(np.diff(known.customer, prepend=-1))
    first = np.zeros(size)
    first[known.customer[starts]] = known.amount_minor[starts]
    whole = np.bincount(known.customer, known.amount_minor, minlength=size)
    days = np.bincount(known.customer[known.opens_day], minlength=size)
    repeats = np.maximum(days - 1, 0).astype(float)
    return repeats, (whole - first) / np.maximum(repeats, 1)


def log_likelihood(model: GammaGamma, purchases: Floats, mean_amount: Floats) -> float:
    """Return the log likelihood of the customers who paid something (equation 1a of the note)."""
    paid = (purchases > 0) & (mean_amount > 0)
    point = (model.p, model.q, model.gamma)
    return _log_likelihood(point, purchases[paid], mean_amount[paid])[0]


def _prior_weight(customers: int) -> float:
    return PRIOR_WEIGHT / (1 + (customers / PRIOR_FADES_AT_CUSTOMERS) ** 2)


def _negative_posterior(
    log_parameters: Floats, purchases: Floats, mean_amount: Floats, prior_weight: float
) -> tuple[float, Floats]:
    """Return the negative log posterior a customer and its gradient in the log parameters."""
    p, q_above_one, gamma = np.exp(log_parameters)
    likelihood, gradient = _log_likelihood((p, 1 + q_above_one, gamma), purchases, mean_amount)
    offset = log_parameters - START
    value = -likelihood + prior_weight * float(offset @ offset)
    slope = -gradient * np.exp(log_parameters) + 2 * prior_weight * offset
    customers = max(1, len(purchases))
    return value / customers, slope / customers


def _log_likelihood(
    parameters: tuple[float, float, float], purchases: Floats, mean_amount: Floats
) -> tuple[float, Floats]:
    """Return the log likelihood and its gradient in (p, q, gamma)."""
    p, q, gamma = parameters
    times, index = np.unique(purchases, return_inverse=True)
    shape = p * purchases
    whole = np.log(gamma + purchases * mean_amount)
    terms = (
        (gammaln(p * times + q) - gammaln(p * times) - gammaln(q))[index]
        + q * np.log(gamma)
        + (shape - 1) * np.log(mean_amount)
        + shape * np.log(purchases)
        - (shape + q) * whole
    )
    slopes = (
        purchases * ((psi(p * times + q) - psi(p * times))[index] - whole)
        + purchases * np.log(purchases * mean_amount),
        (psi(p * times + q) - psi(q))[index] + np.log(gamma) - whole,
        q / gamma - (shape + q) / (gamma + purchases * mean_amount),
    )
    return float(terms.sum()), np.array([float(slope.sum()) for slope in slopes])
