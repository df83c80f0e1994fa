"""Gradient boosting with the brakes on: library defaults lose to a four-column logistic here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from kpay.ml.frames import Floats, Ints


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Let imports of a module fail for a while, unless it is loaded already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # what the import system calls "not there"
    try:
        yield
    finally:
        del sys.modules[name]


# LightGBM loads scikit-learn only to offer classes in its style, which nothing here uses, and to make
# folds for `cv`, which is given ours: a second that every training would pay for nothing.
with _without("sklearn"):
    import lightgbm

PARAMETERS: Final[dict[str, Any]] = {
    "objective": "binary",
    "learning_rate": 0.08,
    "num_leaves": 4,
    "min_data_in_leaf": 60,
    "lambda_l2": 10.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 63,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
MOST_ROUNDS: Final = 400
FEWEST_ROUNDS: Final = 10
PATIENCE: Final = 25


@dataclass(frozen=True, slots=True)
class Boosting:
    """A LightGBM model kept as its own text, so that loading it runs no code.

    Its log odds are what it adds to those at which its rows started, if they were given.
    """

    text: str
    names: tuple[str, ...]

    def log_odds(self, columns: Floats) -> Floats:
        """Return what is added to the starting log odds of rows (n, k), columns as in `names`."""
        return np.asarray(self._booster().predict(columns, raw_score=True, num_threads=1))

    def contributions(self, columns: Floats) -> Floats:
        """Return what each column adds to the log odds; the last column is the base."""
        return np.asarray(self._booster().predict(columns, pred_contrib=True, num_threads=1))

    def gain(self) -> dict[str, float]:
        """Return each column's share of the total gain, largest first."""
        gains = self._gains()
        total = float(gains.sum()) or 1.0
        ranked = sorted(zip(gains.tolist(), self.names, strict=True), reverse=True)
        return {name: round(gain / total, 4) for gain, name in ranked if gain > 0}

    def _gains(self) -> Floats:
        return np.asarray(self._booster().feature_importance("gain"))

    def _booster(self) -> lightgbm.Booster:
        return lightgbm.Booster(model_str=self.text)

    def to_dict(self) -> dict[str, Any]:
        """Return text and names for JSON."""
        return {"text": self.text, "names": list(self.names)}

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(saved["text"], tuple(saved["names"]))


def parameters(threads: int, device_type: str = "cpu", seed: int = 0) -> dict[str, Any]:
    """Return the full parameters of a run; the same ones on the same rows give the same bytes."""
    return {**PARAMETERS, "num_threads": threads, "device_type": device_type, "seed": seed}


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """The number of rounds with the least loss, out-of-fold log odds there, and the rounds of each fit.

    `rows` are in LightGBM's bins, for a last fit on all of them.
    """

    rounds: int
    out_of_fold: Floats
    fits: tuple[int, ...]
    rows: lightgbm.Dataset


def cross_validate(
    columns: Floats,
    bought: Floats,
    fold: Ints,
    settings: dict[str, Any],
    *,
    start: Floats | None = None,
    most_rounds: int = MOST_ROUNDS,
) -> CrossValidated:
    """Fit on all folds but one in turn, from the log odds at which each row starts."""
    whole = lightgbm.Dataset(
        columns, bought, init_score=start, params=settings, free_raw_data=False
    )
    splits = [
        (np.flatnonzero(fold != part), np.flatnonzero(fold == part)) for part in np.unique(fold)
    ]
    found = lightgbm.cv(
        {**settings, "metric": "binary_logloss"},
        whole,
        num_boost_round=most_rounds,
        folds=splits,
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        return_cvbooster=True,
    )
    boosters: Any = found["cvbooster"]
    rounds = max(FEWEST_ROUNDS, int(boosters.best_iteration))
    out_of_fold = np.zeros(len(bought)) if start is None else start.copy()
    for booster, (_, held_out) in zip(boosters.boosters, splits, strict=True):
        out_of_fold[held_out] += booster.predict(
            columns[held_out], raw_score=True, num_iteration=rounds, num_threads=1
        )
    fits = tuple(int(booster.current_iteration()) for booster in boosters.boosters)
    return CrossValidated(rounds, out_of_fold, fits, whole)


def refit(found: CrossValidated, names: tuple[str, ...], settings: dict[str, Any]) -> Boosting:
    """Fit on all rows of a cross-validation for the rounds that it found."""
    found.rows.set_feature_name(list(names))
    return Boosting(lightgbm.train(settings, found.rows, found.rounds).model_to_string(), names)


def fit(
    columns: Floats,
    bought: Floats,
    names: tuple[str, ...],
    rounds: int,
    settings: dict[str, Any],
    *,
    start: Floats | None = None,
) -> Boosting:
    """Fit for a fixed number of rounds, from the log odds at which each row starts."""
    rows = lightgbm.Dataset(
        columns, bought, init_score=start, feature_name=list(names), params=settings
    )
    return Boosting(lightgbm.train(settings, rows, rounds).model_to_string(), names)
