"""Measures of a probability forecast, own and small, with bootstrap intervals.

Undefined measures (one class only, nothing to measure) are None, never 0 and never NaN.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from kpay.ml.frames import Flags, Floats, Ints

SMALLEST_PROBABILITY: Final = 1e-6
BINS: Final = 10
RESAMPLES: Final = 200
MOST_RESAMPLED: Final = 5_000
NORMAL95: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Metrics:
    """How good a set of probabilities was; intervals are 95 % intervals over customers."""

    auc: float | None
    log_loss: float | None
    brier: float | None
    ece: float | None
    average_precision: float | None
    lift_top_decile: float | None
    auc_low95: float | None = None
    auc_high95: float | None = None
    log_loss_low95: float | None = None
    log_loss_high95: float | None = None

    def to_json(self) -> dict[str, float | None]:
        """Return the measures rounded to six digits."""
        return {
            name: None if measure is None else round(measure, 6)
            for name, measure in asdict(self).items()
        }


UNDEFINED: Final = Metrics(None, None, None, None, None, None)


def measure(bought: Floats, probability: Floats, *, seed: int = 0) -> Metrics:
    """Measure probabilities against what happened (0 or 1 for each customer)."""
    if len(bought) == 0:
        return UNDEFINED
    auc_low, auc_high = auc_interval(bought, probability, seed=seed)
    loss_low, loss_high = log_loss_interval(bought, probability, seed=seed)
    return Metrics(
        auc=auc(bought, probability),
        log_loss=log_loss(bought, probability),
        brier=float(np.mean((probability - bought) ** 2)),
        ece=expected_calibration_error(bought, probability),
        average_precision=average_precision(bought, probability),
        lift_top_decile=lift_top_decile(bought, probability),
        auc_low95=auc_low,
        auc_high95=auc_high,
        log_loss_low95=loss_low,
        log_loss_high95=loss_high,
    )


def auc(bought: Floats, score: Floats, weight: Floats | None = None) -> float | None:
    """Return the chance that a buyer is ranked above a non-buyer, ties counting half."""
    _, rank = np.unique(score, return_inverse=True)
    return _auc_of_ranks(bought, rank, np.ones(len(score)) if weight is None else weight)


def _auc_of_ranks(bought: Floats, rank: Ints, weight: Floats) -> float | None:
    buyers = np.bincount(rank, weight * bought)
    others = np.bincount(rank, weight * (1 - bought))
    pairs = buyers.sum() * others.sum()
    if pairs == 0:
        return None
    below = np.cumsum(others) - others
    return float(np.sum(buyers * (below + others / 2)) / pairs)


def losses(bought: Floats, probability: Floats) -> Floats:
    """Return each customer's log loss, probabilities kept off 0 and 1."""
    p = np.clip(probability, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.asarray(-(bought * np.log(p) + (1 - bought) * np.log1p(-p)))


def log_loss(bought: Floats, probability: Floats) -> float:
    """Return the mean log loss in nats."""
    return float(losses(bought, probability).mean())


def expected_calibration_error(bought: Floats, probability: Floats) -> float:
    """Return the mean gap between promised and actual share over 10 bins of equal count."""
    gaps = [
        abs(promised - actual) * count for promised, actual, count in _bins(bought, probability)
    ]
    return float(sum(gaps) / len(bought))


def calibration_table(bought: Floats, probability: Floats) -> list[dict[str, float]]:
    """Return for each bin of equal count how many buyers were expected and how many came."""
    return [
        {
            "customers": count,
            "expected": round(promised * count, 2),
            "actual": round(actual * count),
        }
        for promised, actual, count in _bins(bought, probability)
    ]


def _bins(bought: Floats, probability: Floats) -> list[tuple[float, float, int]]:
    order = np.argsort(probability, kind="stable")
    return [
        (float(probability[part].mean()), float(bought[part].mean()), len(part))
        for part in np.array_split(order, min(BINS, len(order)))
    ]


def average_precision(bought: Floats, score: Floats) -> float | None:
    """Return the area under precision over recall, customers of equal score entering together."""
    if bought.sum() == 0:
        return None
    _, rank = np.unique(-score, return_inverse=True)
    buyers = np.bincount(rank, bought)
    precision = np.cumsum(buyers) / np.cumsum(np.bincount(rank))
    return float(np.sum(precision * buyers) / buyers.sum())


def lift_top_decile(bought: Floats, score: Floats) -> float | None:
    """Return the buying rate of the best tenth (at least one customer) against everybody's."""
    base = float(bought.mean())
    if base == 0:
        return None
    best = np.argsort(-score, kind="stable")[: max(1, round(len(score) / 10))]
    return float(bought[best].mean() / base)


def auc_interval(
    bought: Floats, score: Floats, *, seed: int = 0
) -> tuple[float | None, float | None]:
    """Return the 95 % interval of the AUC, by bootstrap up to 5,000 customers."""
    if len(bought) > MOST_RESAMPLED:
        found, error = auc(bought, score), auc_advantage(bought, score, np.zeros(len(score)))[1]
        return (
            (None, None) if found is None else (found - NORMAL95 * error, found + NORMAL95 * error)
        )
    _, rank = np.unique(score, return_inverse=True)
    draws = [_auc_of_ranks(bought, rank, weight) for weight in _resamples(len(score), seed)]
    return _middle95([draw for draw in draws if draw is not None])


def log_loss_interval(
    bought: Floats, probability: Floats, *, seed: int = 0
) -> tuple[float | None, float | None]:
    """Return the 95 % interval of the mean log loss, by bootstrap up to 5,000 customers."""
    each = losses(bought, probability)
    if len(each) > MOST_RESAMPLED:
        middle, error = float(each.mean()), float(each.std() / np.sqrt(len(each)))
        return middle - NORMAL95 * error, middle + NORMAL95 * error
    return _middle95([float(weight @ each) / len(each) for weight in _resamples(len(each), seed)])


def _resamples(count: int, seed: int) -> Iterator[Floats]:
    """Yield how often each of `count` customers is drawn in each bootstrap sample."""
    generator = np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        drawn = generator.integers(0, count, count)
        yield np.bincount(drawn, minlength=count).astype(float)


def auc_advantage(bought: Floats, ours: Floats, theirs: Floats) -> tuple[float, float]:
    """Return by how much our AUC is larger, and the standard error of that difference.

    DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988); 0 and 0 with one class only.
    """
    came = bought > 0
    if min(came.sum(), (~came).sum()) < 2:
        return 0.0, 0.0
    gain = _placements(came, ours) - _placements(came, theirs)
    spread = gain[came].var(ddof=1) / came.sum() + gain[~came].var(ddof=1) / (~came).sum()
    return float(gain[came].mean()), float(np.sqrt(spread))


def _placements(came: Flags, score: Floats) -> Floats:
    """Return the share of the other class that each customer is on the right side of."""
    _, rank = np.unique(score, return_inverse=True)
    buyers, others = np.bincount(rank, came), np.bincount(rank, ~came)
    below = (np.cumsum(others) - others / 2) / max(1, others.sum())
    above = 1 - (np.cumsum(buyers) - buyers / 2) / max(1, buyers.sum())
    return np.asarray(np.where(came, below[rank], above[rank]))


def paired_gain(gain: Floats, owner: Ints) -> tuple[float, float]:
    """Return the mean of gains and its standard error when rows of one owner belong together."""
    if not len(gain):
        return 0.0, 0.0
    _, place = np.unique(owner, return_inverse=True)
    excess = np.bincount(place, gain - gain.mean())
    return float(gain.mean()), float(np.sqrt((excess**2).sum()) / len(gain))


def _middle95(draws: list[float]) -> tuple[float | None, float | None]:
    if not draws:
        return None, None
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def losses_of_log_odds(bought: Floats, log_odds: Floats) -> Floats:
    """Return each row's log loss from log odds."""
    return np.asarray(np.logaddexp(0.0, log_odds) - bought * log_odds)
