"""Whom a mail moves: the chance to respond when mailed less the chance to respond anyway.

A T-learner (Künzel and others, "Metalearners for estimating heterogeneous treatment effects", 2019)
of two logistic regressions, one for each arm, on the same columns. A strong ridge draws both towards
what holds for all people: as long as the arms are not seen to differ, the ranking is that of who
responds at all. Trees find more differences than there are (docs/decisions/0033).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from kpay.ml import logistic
from kpay.ml.frames import Floats, Ints
from kpay.ml.logistic import Logistic
from kpay.ml.qini import Trial

SHARED_STRENGTH: Final = 0.1
STRENGTH: Final = 0.001
"""How freely an arm departs from what both share, as C of the usual 1/(2C) |w - shared|^2 ridge."""
FOLDS: Final = 5
LEAST_PEOPLE: Final = 2_000
LEAST_RESPONDERS: Final = 100
"""Of each arm: with fewer, whom the mail moves cannot be told from luck."""


@dataclass(frozen=True, slots=True)
class Uplift:
    """Two fitted regressions on the same `columns`."""

    columns: tuple[str, ...]
    mailed: Logistic
    left_alone: Logistic

    def effect(self, matrix: Floats) -> Floats:
        """Return how much a mail raises each row's chance to respond, (n,); below 0 it lowers it."""
        return np.asarray(self.mailed.probability(matrix) - self.left_alone.probability(matrix))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {
            "columns": list(self.columns),
            "mailed": self.mailed.to_dict(),
            "left_alone": self.left_alone.to_dict(),
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        arms = (Logistic.from_dict(saved[name]) for name in ("mailed", "left_alone"))
        return cls(tuple(saved["columns"]), *arms)


def fit(matrix: Floats, trial: Trial, columns: tuple[str, ...]) -> Uplift:
    """Fit what both arms share, then each arm; a column that says nothing gets no weight."""
    responded = trial.responded.astype(float)
    shared = logistic.fit(matrix, responded, strength=SHARED_STRENGTH)
    slopes = np.array(shared.weights) / np.array(shared.scale)
    arms = (
        logistic.fit(matrix[rows], responded[rows], strength=STRENGTH, slopes=slopes)
        for rows in (trial.treated, ~trial.treated)
    )
    return Uplift(columns, *arms)


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """What models that never saw a row's person say of it: the effect, and who responds when mailed."""

    effect: Floats
    response: Floats


def cross_fitted(matrix: Floats, trial: Trial, *, seed: int = 0) -> CrossFitted:
    """Return each row's effect and response by models that never saw its person, (n,) each."""
    fold = folds(trial.person, seed)
    found = CrossFitted(np.zeros(len(matrix)), np.zeros(len(matrix)))
    for number in range(FOLDS):
        tested = fold == number
        learned = Trial(trial.treated[~tested], trial.responded[~tested], trial.person[~tested])
        model = fit(matrix[~tested], learned, ())
        found.effect[tested] = model.effect(matrix[tested])
        found.response[tested] = model.mailed.probability(matrix[tested])
    return found


def folds(person: Ints, seed: int) -> Ints:
    """Return a fold for each row, the same for all rows of a person."""
    known, index = np.unique(person, return_inverse=True)
    return np.asarray(np.random.default_rng(seed).permutation(len(known))[index] % FOLDS)


def shortfall(trial: Trial) -> str | None:
    """Return in words what is missing before anybody can be ranked, or None."""
    people = len(np.unique(trial.person))
    if people < LEAST_PEOPLE:
        return f"{people:,} of about {LEAST_PEOPLE:,} people pooled"
    for name, rows in (("mailed", trial.treated), ("held-out", ~trial.treated)):
        bought = int(trial.responded[rows].sum())
        if bought < LEAST_RESPONDERS:
            return f"{bought:,} of about {LEAST_RESPONDERS:,} {name} people bought"
    return None
