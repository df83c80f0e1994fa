"""How much demand there is for a topic beside what is on sale: a model of which piece an order is for.

Each week's orders are shared among the pieces on sale in proportion to appeal times freshness: the appeal
of a piece is its topics', its kind's and its price's and something of its own, and freshness is common to
all pieces of an age. What a topic sold is so held against how many pieces had it, for how long, how new
they were, and how much was bought at all in those weeks; a sum of sales by topic mixes all of these.

Log-appeals are normal, with variances for topics, kinds and prices, and pieces that are averaged over a
grid by their evidence (MacKay 1992): with few pieces everything is drawn to the mean. What a past launch
did is held against what the model says without it (the leave-one-out formula of Rasmussen and Williams
2006, 5.4.2), and the errors give the ranges of new pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kpay.ml.frames import Flags, Floats, Ints

AGES_DAYS: Final = (0, 7, 28, 90, 365)
"""Where the steps of freshness begin."""
WEEK: Final = 7
HORIZON_WEEKS: Final = 13
RECENT_WEEKS: Final = 13
ROUNDS: Final = 12
PRIOR_ORDERS: Final = 4.0
PIECE_VARIANCES: Final = (0.05, 0.15, 0.4, 1.0)
TOPIC_VARIANCES: Final = (0.03, 0.12, 0.4, 1.0)
KIND_VARIANCE: Final = 0.3
PRICE_VARIANCE: Final = 0.25
LEVEL_VARIANCE: Final = 4.0
LAUNCH_ERROR: Final = 0.6
"""The error of a plan (in logs) before any launch of one's own is known."""
PRIOR_LAUNCHES: Final = 3
YOUNG_SHOP_WEEKS: Final = 4


@dataclass(frozen=True, slots=True)
class Shop:
    """The pieces and their orders by week, the last week ending with the newest known day.

    `topics` and `kinds` are (pieces, topics) and (pieces, kinds), the rows of topics add up to 1 or, of
    pieces without one, 0. `age_days` is (pieces, weeks), the age in the middle of the week, below nought
    before it came out; `days` how many of the week's days it was on sale.
    """

    orders: Floats  # (pieces, weeks)
    age_days: Floats
    days: Floats
    topics: Floats
    kinds: Floats
    log_price: Floats  # centred, 0 for a free piece

    @property
    def features(self) -> Floats:
        """Level, topics, kinds and price of each piece."""
        return np.column_stack([np.ones(len(self.topics)), self.topics, self.kinds, self.log_price])


@dataclass(frozen=True, slots=True)
class Demand:
    """What the model learned: the log-appeal of topics, kinds and prices, and how new pieces fare.

    `mean` and `covariance` are of the features' weights. `rivals` is the appeal times freshness of all
    that is on sale now in each of the coming weeks, `weekly_orders` what was bought a week lately. `errors` are log(actual / said) of past
    launches' first 13 weeks, each said without the launch itself.
    """

    mean: Floats
    covariance: Floats
    freshness: Floats
    rivals: Floats
    weekly_orders: float
    errors: Floats
    launches: Ints  # index of the piece of each error
    expected: Floats  # orders of each piece, had it the appeal of the mean piece

    def log_appeal(self, features: Floats) -> tuple[float, float]:
        """Return mean and variance of the log-appeal of a piece with such features."""
        return float(features @ self.mean), float(features @ self.covariance @ features)

    def orders(self, features: Floats) -> float:
        """Return the orders of a new piece in its first 13 weeks, as past launches say."""
        appeal = np.exp(self.log_appeal(features)[0])
        said = _launched(appeal, self.freshness, self.rivals, self.weekly_orders)
        return float(said * np.exp(self.bias))

    @property
    def bias(self) -> float:
        """By how much (in logs) past launches did better than said; few launches say little."""
        return float(self.errors.sum() / (len(self.errors) + PRIOR_LAUNCHES))

    @property
    def spread(self) -> float:
        """The error of what is said of a launch, in logs."""
        squares = float(((self.errors - self.bias) ** 2).sum()) + PRIOR_LAUNCHES * LAUNCH_ERROR**2
        count = len(self.errors) + PRIOR_LAUNCHES
        return float(np.sqrt(squares / count * (1 + 1 / count)))


def demand(shop: Shop) -> Demand:
    """Learn appeal and freshness from every piece's orders; raises ValueError without an order."""
    if not shop.orders.sum():
        raise ValueError("nothing was sold")
    step = _steps(shop.age_days)
    freshness, expected, appeal = _shared_out(shop, step)
    is_told = shop.topics.sum(axis=1) > 0
    model = _regressed(shop, expected, is_told)
    market = _Market(shop, freshness, appeal)
    errors, launches = _judged(shop, model, market, is_told)
    weeks = shop.orders.shape[1]
    return Demand(
        model.mean,
        model.covariance,
        freshness,
        market.rivals(weeks),
        market.weekly_orders(weeks),
        errors,
        launches,
        expected,
    )


def _steps(age_days: Floats) -> Ints:
    return np.maximum(np.searchsorted(AGES_DAYS, age_days, side="right") - 1, 0)


def _exposure(shop: Shop, freshness: Floats, step: Ints) -> Floats:
    """Return for how many days' worth of freshness each piece stood there each week."""
    return np.asarray(shop.days * freshness[step])


def _shared_out(shop: Shop, step: Ints) -> tuple[Floats, Floats, Floats]:
    """Return freshness by age, what a piece of mean appeal would have sold, and each one's appeal."""
    freshness, appeal = np.ones(len(AGES_DAYS)), np.ones(len(shop.orders))
    weekly = shop.orders.sum(axis=0)
    for _ in range(ROUNDS):
        exposure = _exposure(shop, freshness, step)
        whole = np.maximum(appeal @ exposure, 1e-12)
        share = exposure / whole
        expected = share @ weekly
        appeal = (shop.orders.sum(axis=1) + PRIOR_ORDERS) / (expected + PRIOR_ORDERS)
        said = appeal[:, None] * share * weekly
        sold = np.bincount(step.ravel(), shop.orders.ravel(), minlength=len(AGES_DAYS))
        due = np.bincount(step.ravel(), said.ravel(), minlength=len(AGES_DAYS))
        freshness = freshness * (sold + PRIOR_ORDERS) / (due + PRIOR_ORDERS)
        freshness = freshness / freshness[-2]
    return freshness, expected, appeal


@dataclass(frozen=True, slots=True)
class _Model:
    mean: Floats
    covariance: Floats
    without: Floats  # what is said of each told piece's log-appeal by the others


def _regressed(shop: Shop, expected: Floats, is_told: Flags) -> _Model:
    """Return the weights of the features, averaged over variances by their evidence."""
    features = shop.features[is_told]
    sold = shop.orders[is_told].sum(axis=1)
    seen = np.log((sold + 0.5) / (expected[is_told] + 0.5))
    noise = 1 / (sold + 0.5)
    grid = [(own, topic) for own in PIECE_VARIANCES for topic in TOPIC_VARIANCES]
    found = [_posterior(shop, features, seen, noise + own, topic) for own, topic in grid]
    evidence = np.array([each[3] for each in found])
    belief = np.exp(evidence - evidence.max())
    belief /= belief.sum()
    means = np.array([each[0] for each in found])
    mean = belief @ means
    apart = means - mean
    covariance = np.einsum("g,gij->ij", belief, np.array([each[1] for each in found]))
    covariance += np.einsum("g,gi,gj->ij", belief, apart, apart)
    return _Model(mean, covariance, belief @ np.array([each[2] for each in found]))


def _posterior(
    shop: Shop, features: Floats, seen: Floats, noise: Floats, topic_variance: float
) -> tuple[Floats, Floats, Floats, float]:
    prior = np.concatenate(
        [
            [LEVEL_VARIANCE],
            np.full(shop.topics.shape[1], topic_variance * _typical_tags(shop)),
            np.full(shop.kinds.shape[1], KIND_VARIANCE),
            [PRICE_VARIANCE],
        ]
    )
    covariance = (features * prior) @ features.T + np.diag(noise)
    inverse = np.linalg.inv(covariance)
    pull = inverse @ seen
    gain = prior[:, None] * features.T
    log_size = float(np.linalg.slogdet(covariance)[1])
    return (
        gain @ pull,
        np.diag(prior) - gain @ inverse @ gain.T,
        seen - pull / np.diag(inverse),
        -0.5 * (float(seen @ pull) + log_size),
    )


def _typical_tags(shop: Shop) -> float:
    """Return how many topics a piece has, so that two shared topics vary a piece as much as one."""
    told = shop.topics[shop.topics.sum(axis=1) > 0]
    return float((told > 0).sum(axis=1).mean()) if len(told) else 1.0


@dataclass(frozen=True, slots=True)
class _Market:
    """What a piece meets that comes out at the beginning of a week."""

    shop: Shop
    freshness: Floats
    appeal: Floats

    def rivals(self, week: int) -> Floats:
        """Return the appeal times freshness of all that was on sale just before, in the weeks after."""
        standing = self.appeal * (self.shop.days[:, week - 1] > 0)
        ages = self.shop.age_days[:, week - 1, None] + WEEK * np.arange(1, HORIZON_WEEKS + 1)
        return np.asarray(standing @ self.freshness[_steps(ages)])

    def weekly_orders(self, week: int) -> float:
        """Return what was bought a week lately."""
        return float(self.shop.orders[:, max(0, week - RECENT_WEEKS) : week].sum(axis=0).mean())


def _judged(shop: Shop, model: _Model, market: _Market, is_told: Flags) -> tuple[Floats, Ints]:
    """Return log(actual / said) of the first 13 weeks of each piece that came out in a shop at work."""
    errors, launches = [], []
    for place, piece in enumerate(np.flatnonzero(is_told).tolist()):
        came = np.flatnonzero(shop.days[piece] > 0)
        first = int(came[0]) if len(came) else 0
        if first < YOUNG_SHOP_WEEKS or first + HORIZON_WEEKS > shop.orders.shape[1]:
            continue
        appeal = float(np.exp(model.without[place]))
        weekly, rivals = market.weekly_orders(first), market.rivals(first)
        said = _launched(appeal, market.freshness, rivals, weekly)
        actual = float(shop.orders[piece, first : first + HORIZON_WEEKS].sum())
        errors.append(np.log((actual + 0.5) / (said + 0.5)))
        launches.append(piece)
    return np.array(errors, dtype=float), np.array(launches, dtype=np.int64)


def _launched(appeal: float, freshness: Floats, rivals: Floats, weekly_orders: float) -> float:
    """Return the orders of a piece's first 13 weeks beside what was on sale when it came out."""
    ages = np.arange(HORIZON_WEEKS, dtype=np.float64) * WEEK + WEEK / 2
    own = appeal * freshness[_steps(ages)]
    return float((weekly_orders * own / np.maximum(rivals + own, 1e-12)).sum())


def combined(
    logs: Sequence[tuple[float, float]],
) -> tuple[float, float]:
    """Join independent signs of one log-index, each a mean and a variance, by their precision."""
    precision = sum(1 / variance for _, variance in logs)
    return sum(mean / variance for mean, variance in logs) / precision, 1 / precision
