"""Logistic regression with a ridge, by Newton's method: a few columns need no library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np

from kpay.ml.frames import Floats

NEWTON_STEPS: Final = 50
TOLERANCE: Final = 1e-9
LARGEST_LOGIT: Final = 30.0
LARGEST_WEIGHT: Final = 50.0
HALVINGS: Final = 20


def logit(probability: Floats) -> Floats:
    """Return log odds, with probabilities kept off 0 and 1."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(p) - np.log1p(-p))


def sigmoid(log_odds: Floats) -> Floats:
    """Return probabilities of log odds without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -LARGEST_LOGIT, LARGEST_LOGIT))))


@dataclass(frozen=True, slots=True)
class Logistic:
    """Fitted weights on standardised columns; the constant is not penalised, NaN adds nothing."""

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    constant: float

    def log_odds(self, columns: Floats) -> Floats:
        """Return log odds of rows (n, k)."""
        return np.asarray(self.contributions(columns).sum(axis=1) + self.constant)

    def contributions(self, columns: Floats) -> Floats:
        """Return what each column adds to the log odds of each row, (n, k)."""
        standard = (columns - np.array(self.centre)) / np.array(self.scale)
        return np.asarray(np.nan_to_num(standard) * np.array(self.weights))

    def probability(self, columns: Floats) -> Floats:
        """Return the probability of a purchase for rows (n, k)."""
        return sigmoid(self.log_odds(columns))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            tuple(saved["centre"]),
            tuple(saved["scale"]),
            tuple(saved["weights"]),
            float(saved["constant"]),
        )


def fit(
    columns: Floats,
    bought: Floats,
    *,
    strength: float = 1.0,
    slopes: Floats | None = None,
) -> Logistic:
    """Fit by penalised maximum likelihood; `strength` is C of the usual 1/(2C) |w|^2 ridge.

    The ridge pulls towards `slopes`, in units of the columns, or towards none. Never raises on
    degenerate input: constant columns get weight 0 and one class only gives a constant just short of
    certainty. NaN counts as the mean of its column.
    """
    undefined = np.isnan(columns)
    count = np.maximum((~undefined).sum(axis=0), 1)
    centre = np.where(undefined, 0.0, columns).sum(axis=0) / count
    offset = np.where(undefined, 0.0, columns - centre)
    spread = np.sqrt((offset**2).sum(axis=0) / count)
    scale = np.where(spread > 1e-12, spread, 1.0)
    design = np.column_stack([offset / scale, np.ones(len(columns))])
    ridge = np.append(np.full(columns.shape[1], 1 / strength), 1e-6)
    pull = np.zeros(len(ridge))
    if slopes is not None:
        pull[:-1] = np.where(spread > 1e-12, slopes * scale, 0.0)
    solution = _newton(design, bought, ridge, pull)
    return Logistic(
        tuple(centre.tolist()),
        tuple(scale.tolist()),
        tuple(solution[:-1].tolist()),
        float(solution[-1]),
    )


def _newton(design: Floats, bought: Floats, ridge: Floats, pull: Floats) -> Floats:
    smoothed_rate = (bought.sum() + 0.5) / (len(bought) + 1)
    solution = pull.copy()
    solution[-1] = np.log(smoothed_rate / (1 - smoothed_rate))
    for _ in range(NEWTON_STEPS):
        probability = sigmoid(design @ solution)
        gradient = design.T @ (probability - bought) + ridge * (solution - pull)
        curvature = design.T @ (design * (probability * (1 - probability))[:, None])
        step = np.asarray(np.linalg.solve(curvature + np.diag(ridge), gradient), dtype=np.float64)
        solution = _downhill(solution, step, lambda at: _loss(design, bought, ridge, pull, at))
        if np.abs(step).max() < TOLERANCE:
            break
    return solution


def _downhill(solution: Floats, step: Floats, loss: Callable[[Floats], float]) -> Floats:
    """Return where a step leads, shortened until it loses nothing.

    Where events are rare a whole step can overshoot to where the curvature is nothing, and never
    come back.
    """
    share, before = min(1.0, 4.0 / (np.abs(step).max() + 1e-12)), loss(solution)
    for _ in range(HALVINGS):
        tried = np.clip(solution - share * step, -LARGEST_WEIGHT, LARGEST_WEIGHT)
        if loss(tried) <= before + TOLERANCE * abs(before):
            return np.asarray(tried)
        share /= 2
    return solution


def _loss(design: Floats, bought: Floats, ridge: Floats, pull: Floats, at: Floats) -> float:
    """Return the negative penalised log likelihood."""
    log_odds = design @ at
    likelihood = bought @ log_odds - np.logaddexp(0.0, log_odds).sum()
    return float(0.5 * (ridge @ (at - pull) ** 2) - likelihood)
