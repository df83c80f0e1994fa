"""What speaks for a piece: each part of the model, learned in closed form from who has what.

EASE: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (2019), here with each purchase
weighted by its age.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.frames import Flags, Floats
from kpay.ml.recommend_shelf import Catalogue, Owned

RIDGE: Final = 250.0
RIDGE_SHARE: Final = 0.05  # of the owned pairs, for a small business
LEAST_RIDGE: Final = 5.0
INTEREST_HALF_LIFE_DAYS: Final = 365.0  # how long a purchase says what somebody likes
LATELY_DAYS: Final = 30.0  # the half-life of what "lately" means
RISING_PRIOR: Final = 20.0  # sales before a piece's own trend counts as much as the shop's
KINDRED_RIDGE: Final = 5.0
MOST_WOVEN: Final = 2_500  # items in the inverse, the most owned ones


def interest(age_days: Floats) -> Floats:
    """Return how much a purchase still says about its buyer: half after a year."""
    return np.asarray(0.5 ** (np.maximum(age_days, 0.0) / INTEREST_HALF_LIFE_DAYS))


def lately(days: Floats) -> Floats:
    """Return how much of a purchase counts as lately: half after a month."""
    return np.asarray(0.5 ** (np.maximum(days, 0.0) / LATELY_DAYS))


def ease(owned: Owned, customers: int, size: int) -> Floats:
    """Return item-to-item weights (size, size), the diagonal zero: -P / diag(P), P = (X'WX + rI)^-1."""
    counts = owned.counts(size)
    woven = np.sort(np.argsort(-counts, kind="stable")[:MOST_WOVEN])
    weight = interest(owned.age_days)
    has = owned.table(np.sqrt(weight), (customers, size))[:, woven]
    ridge = float(np.clip(RIDGE_SHARE * counts[woven].sum(), LEAST_RIDGE, RIDGE))
    ridge *= float(weight.mean()) if len(weight) else 1.0
    inner = shallow(np.asarray((has.T @ has).todense()), ridge)
    weights = np.zeros((size, size))
    weights[np.ix_(woven, woven)] = inner
    return weights


def shallow(gram: Floats, ridge: float) -> Floats:
    """Return the weights of a shallow autoencoder, its diagonal zero, from a Gram matrix."""
    inverse = np.linalg.inv(gram + ridge * np.eye(len(gram)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return np.asarray(weights)


def rising(owned: Owned, size: int) -> Floats:
    """Return the logarithm of how much more each piece sells lately than over all, smoothed."""
    fresh = owned.sums(lately(owned.known_days), size)
    counts = owned.counts(size)
    usual = fresh.sum() / max(counts.sum(), 1.0)
    if usual <= 0:
        return np.zeros(size)
    return np.asarray(np.log((fresh + RISING_PRIOR * usual) / (counts + RISING_PRIOR) / usual))


def popularity(owned: Owned, catalogue: Catalogue, alike: Floats) -> Floats:
    """Return what each piece sells in a month: lately, and as much again what it has sold all along.

    Whatever has hardly been on show yet is taken to sell as what is like it does.
    """
    size = len(catalogue)
    fresh, counts = owned.sums(lately(owned.known_days), size), owned.counts(size)
    if not fresh.any():
        return fresh
    days = np.minimum(catalogue.days_on_show, float(owned.known_days.max())) + 1.0
    shown = 1.0 - lately(catalogue.days_on_show)
    even = np.full(size, counts.sum() / days.sum())
    expected = _expected(counts / days, days, alike) if catalogue.is_described else even
    usual = (counts + LATELY_DAYS * expected) / (days + LATELY_DAYS)
    usual *= fresh.sum() / (usual @ shown)
    return np.asarray((fresh + usual) / (shown + 1.0))


def _expected(rate: Floats, days: Floats, alike: Floats) -> Floats:
    """Return the sales a day that the content lets expect: ridge on the logarithm of what sold."""
    sold = np.flatnonzero(rate > 0)
    logarithm = np.log(rate[sold] + 0.5 / days[sold])
    within = alike[np.ix_(sold, sold)] + KINDRED_RIDGE * np.eye(len(sold))
    slope = np.linalg.solve(within, logarithm - logarithm.mean())
    return np.asarray(np.exp(logarithm.mean() + alike[:, sold] @ slope))


def standard(score: Floats, allowed: Flags) -> Floats:
    """Scale each row to mean 0 and deviation 1 over what is allowed; a flat row is all 0."""
    count = np.maximum(allowed.sum(axis=1, keepdims=True), 1)
    mean = np.where(allowed, score, 0.0).sum(axis=1, keepdims=True) / count
    centred = np.where(allowed, score - mean, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=1, keepdims=True) / count)
    flat = deviation <= 1e-9 * np.maximum(np.abs(mean), 1e-9)
    return np.where(flat, 0.0, centred / np.where(flat, 1.0, deviation))
