"""BG/NBD: how often somebody buys and whether they have silently left, from three numbers.

Fader, Hardie and Lee, "Counting Your Customers the Easy Way" (Marketing Science 24, 2005). While
active a customer buys at a Poisson rate drawn from Gamma(r, alpha); after each purchase they leave
with a probability drawn from Beta(a, b). Time is in weeks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaincinv, gammaln, psi

from kpay.ml.frames import Floats, Ints, Purchases

DAYS_A_WEEK: Final = 7.0
STARTS: Final = ((0.5, 8.0, 1.0, 2.5), (0.25, 4.0, 0.5, 3.0), (2.0, 20.0, 0.3, 10.0))
PRIOR_CENTRE: Final = np.log(STARTS[0])
PRIOR_WEIGHT: Final = 0.5  # of one customer's log likelihood, for a parameter off by a factor of e
PRIOR_FADES_AT_REPEATS: Final = 200.0  # where it has half its weight; of 2,457 it leaves nothing
LIMIT: Final = 9.0  # on the log of each parameter
MOST_EXACT: Final = 5_000  # customers; the histories of more are gathered into weeks
MOST_CELLS: Final = 30_000  # histories to fit on
MOST_COUNTED: Final = 5_000_000  # possible cells; more are numbered by sorting
LARGEST_EXPONENT: Final = 700.0  # of e, before it is more than a float holds
LEAVING_NODES: Final = 24


@dataclass(frozen=True, slots=True)
class Histories:
    """Repeat purchase days, week of the last one and weeks observed, one for each customer."""

    repeats: Floats
    last: Floats
    observed: Floats

    def of(self, rows: Ints) -> Histories:
        """Return the histories of some rows."""
        return Histories(self.repeats[rows], self.last[rows], self.observed[rows])

    def distinct(self) -> tuple[Histories, Floats]:
        """Return the distinct histories and how many customers share each."""
        return self._gathered(_numbered(self.repeats, self.last, self.observed))

    def in_weeks(self, width: int = 1) -> tuple[Histories, Floats]:
        """Return the mean history of each number of repeats and pair of weeks, and their counts.

        Within `width` weeks the likelihood is nearly a straight line: hundreds of thousands of
        histories shrink to some ten thousand, and the estimates move in the third digit.
        """
        last, observed = np.floor(self.last / width), np.floor(self.observed / width)
        side = observed.max(initial=0) + 1
        cell = ((self.repeats * side + last) * side + observed).astype(np.int64)
        if cell.max(initial=0) > MOST_COUNTED:
            cell = np.unique(cell, return_inverse=True)[1]
        return self._gathered(cell)

    def gathered(self) -> tuple[Histories, Floats]:
        """Return histories to fit on and their counts: the distinct ones, or weeks of very many."""
        if len(self) <= MOST_EXACT:
            return self.distinct()
        for width in (1, 2, 4):
            cells, count = self.in_weeks(width)
            if len(cells) <= MOST_CELLS:
                break
        return cells, count

    def _gathered(self, cell: Ints) -> tuple[Histories, Floats]:
        counted = np.bincount(cell)
        used = np.flatnonzero(counted)
        count = counted[used].astype(float)
        repeats, last, observed = (
            np.bincount(cell, column)[used] / count
            for column in (self.repeats, self.last, self.observed)
        )
        return Histories(repeats, last, observed), count

    def __len__(self) -> int:
        return len(self.repeats)


def _numbered(*columns: Floats) -> Ints:
    """Number the distinct rows of some columns, 0 to their count - 1."""
    number = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        code = np.unique(column, return_inverse=True)[1]
        number = np.unique(number * (code.max(initial=0) + 1) + code, return_inverse=True)[1]
    return number


def histories(known: Purchases, cutoff: int) -> Histories:
    """Return the histories of all customers, in the order of `known.customer_ids`.

    Somebody without a purchase before the cutoff gets zeros; drop them before fitting. The day of the
    last known purchases counts as day 0 of the future, as in the paper's data.
    """
    size = len(known.customer_ids)
    days = np.bincount(known.customer[known.opens_day], minlength=size)
    first = np.full(size, cutoff - 1)
    last = np.full(size, cutoff - 1)
    starts = np.flatnonzero(np.diff(known.customer, prepend=-1))
    ends = np.flatnonzero(np.diff(known.customer, append=size))
    first[known.customer[starts]] = known.day[starts]
    last[known.customer[ends]] = known.day[ends]
    return Histories(
        np.maximum(days - 1, 0).astype(float),
        (last - first) / DAYS_A_WEEK,
        (cutoff - 1 - first) / DAYS_A_WEEK,
    )


@dataclass(frozen=True, slots=True)
class BgNbd:
    """Fitted parameters, and whether one of them sits at its limit."""

    r: float
    alpha: float
    a: float
    b: float
    at_limit: bool = False

    def alive(self, seen: Histories) -> Floats:
        """Return the probability that each customer has not left."""
        silence = np.log((self.alpha + seen.observed) / (self.alpha + seen.last))
        odds_left = np.where(
            seen.repeats > 0,
            self.a
            / (self.b + np.maximum(seen.repeats, 1) - 1)
            * np.exp(np.minimum((self.r + seen.repeats) * silence, LARGEST_EXPONENT)),
            0.0,
        )
        return np.asarray(1 / (1 + odds_left))

    def any_purchase(self, seen: Histories, horizon_days: float) -> Floats:
        """Return the probability of at least one purchase within the horizon (exact)."""
        weeks = horizon_days / DAYS_A_WEEK
        quiet = np.exp(-(self.r + seen.repeats) * np.log1p(weeks / (self.alpha + seen.observed)))
        return np.asarray(self.alive(seen) * (1 - quiet))

    def expected_purchases(self, seen: Histories, horizon_days: float) -> Floats:
        """Return the expected purchase days within the horizon.

        The rate is integrated exactly; the leaving probability, Beta(a, b + x) for somebody still
        active, over its quantiles, which stays accurate where the paper's hypergeometric form breaks.
        """
        weeks = horizon_days / DAYS_A_WEEK
        repeats, index = np.unique(seen.repeats, return_inverse=True)
        nodes, weights = np.polynomial.legendre.leggauss(LEAVING_NODES)
        quantiles = betaincinv(self.a, self.b + repeats[None, :], ((nodes + 1) / 2)[:, None])
        leaving = np.maximum(quantiles, 1e-12)
        share = weeks / (self.alpha + seen.observed)
        bought = np.zeros(len(seen))
        for node, weight in zip(leaving, weights / 2, strict=True):
            chance = node[index]
            gone = -(self.r + seen.repeats) * np.log1p(chance * share)
            bought -= weight * np.expm1(gone) / chance
        return np.asarray(self.alive(seen) * bought)

    def expected_rate(self, seen: Histories) -> Floats:
        """Return the expected purchase days a week of somebody still active."""
        return np.asarray((self.r + seen.repeats) / (self.alpha + seen.observed))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**saved)


def fit(seen: Histories, start: BgNbd | None = None, *, prior_weight: float | None = None) -> BgNbd:
    """Fit by maximum likelihood with a weak prior; never raises, even on one customer.

    Equal histories are counted once. Several starts are tried, of very many customers the likeliest
    one alone, or `start`, a neighbouring fit. The prior fades as repeat purchases come in, and `prior_weight=0` leaves it out.
    """
    cells, count = seen.gathered()
    weight = _prior_weight(float(seen.repeats.sum())) if prior_weight is None else prior_weight
    starts = STARTS if start is None else ((start.r, start.alpha, start.a, start.b),)
    if len(seen) > MOST_EXACT:
        starts = (max(starts, key=lambda at: _log_likelihood(np.array(at), cells, count)[0]),)
    best, lowest = PRIOR_CENTRE, np.inf
    for point in starts:
        found = minimize(
            _negative_posterior,
            np.clip(np.log(point), -LIMIT, LIMIT),
            args=(cells, count, weight),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-LIMIT, LIMIT)] * 4,
            options={"ftol": 1e-12, "gtol": 1e-8},
        )
        if np.isfinite(found.fun) and found.fun < lowest:
            best, lowest = found.x, found.fun
    r, alpha, a, b = (float(value) for value in np.exp(best))
    return BgNbd(r, alpha, a, b, at_limit=bool(np.any(np.abs(best) > LIMIT - 0.01)))


def log_likelihood(model: BgNbd, seen: Histories) -> float:
    """Return the log likelihood of all histories (equation 6 of the paper)."""
    point = np.array([model.r, model.alpha, model.a, model.b])
    return _log_likelihood(point, *seen.distinct())[0]


def _prior_weight(repeats: float) -> float:
    return PRIOR_WEIGHT / (1 + (repeats / PRIOR_FADES_AT_REPEATS) ** 2)


def _negative_posterior(
    log_parameters: Floats, seen: Histories, count: Floats, prior_weight: float
) -> tuple[float, Floats]:
    """Return the negative log posterior a customer and its gradient in the log parameters."""
    customers = max(1.0, float(count.sum()))
    likelihood, gradient = _log_likelihood(np.exp(log_parameters), seen, count)
    offset = log_parameters - PRIOR_CENTRE
    value = -likelihood + prior_weight * float(offset @ offset)
    slope = -gradient * np.exp(log_parameters) + 2 * prior_weight * offset
    return value / customers, slope / customers


def _log_likelihood(parameters: Floats, seen: Histories, count: Floats) -> tuple[float, Floats]:
    """Return the log likelihood (equation 6 of the paper) and its gradient in (r, alpha, a, b)."""
    r, alpha, a, b = parameters
    x, last, observed = seen.repeats, seen.last, seen.observed
    came_back = x > 0
    still_here = -(r + x) * np.log(alpha + observed)
    left = np.where(
        came_back,
        np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last),
        -np.inf,
    )
    either = np.logaddexp(still_here, left)
    rate_part = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    leaving_part = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    here_share = np.exp(still_here - either)
    left_share = np.exp(left - either)
    log_time = here_share * np.log(alpha + observed) + left_share * np.log(alpha + last)
    by_time = here_share / (alpha + observed) + left_share / (alpha + last)
    slopes = (
        psi(r + x) - psi(r) + np.log(alpha) - log_time,
        r / alpha - (r + x) * by_time,
        psi(a + b) - psi(a + b + x) + left_share / a,
        psi(a + b) + psi(b + x) - psi(b) - psi(a + b + x) - left_share / (b + np.maximum(x, 1) - 1),
    )
    likelihood = float(count @ (rate_part + leaving_part + either))
    return likelihood, np.array([float(count @ slope) for slope in slopes])
