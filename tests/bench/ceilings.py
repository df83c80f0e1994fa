"""The most that a model could make of the columns: LightGBM fitted on thirty other worlds.

An oracle knows who has silently left, which no column can tell; a model that has seen thirty businesses
of the same law knows what the columns are worth, and that is all that can be asked of one that saw one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from kpay.ml.families import FAMILIES, Family
from kpay.ml.features import Snapshot, snapshot
from kpay.ml.history import History
from tests.bench.sandbox_worlds import CUTOFF_DAY, HORIZON_DAYS, LivedWorld, Plan

Floats = NDArray[np.float64]
WORLDS = 30
FIRST_SEED = 1001
FOLDS = 5
SETTINGS = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "verbosity": -1,
    "num_threads": 1,
    "seed": 1,
}


@dataclass(frozen=True)
class Ceiling:
    """A LightGBM model of other worlds and the columns that it reads."""

    booster: lightgbm.Booster
    names: tuple[str, ...]
    families: tuple[Family, ...]

    def promised(self, known: History) -> Floats:
        """Return the probability of everybody known at day 0."""
        now = columns(known, self.families)
        return np.asarray(self.booster.predict(now.matrix(self.names)))


def columns(known: History, families: Sequence[Family] = FAMILIES) -> Snapshot:
    """Return all columns that kpay could use, of everybody known at day 0."""
    return snapshot(known, 0, HORIZON_DAYS, families=families)


def fitted(plan: Plan, worlds: int = WORLDS, families: tuple[Family, ...] = FAMILIES) -> Ceiling:
    """Live other worlds of a plan and learn from all of them; rounds by folds of whole worlds."""
    rows, bought = [], []
    names: tuple[str, ...] = ()
    for seed in range(FIRST_SEED, FIRST_SEED + worlds):
        world = LivedWorld(seed, plan)
        known = world.history(CUTOFF_DAY)
        now = columns(known, families)
        names = now.names
        rows.append(now.matrix(names))
        bought.append(
            world.bought(known.purchases.customer_ids[now.customer], CUTOFF_DAY, HORIZON_DAYS)
        )
    fold = np.concatenate([np.full(len(part), i % FOLDS) for i, part in enumerate(bought)])
    return Ceiling(_boosted(np.vstack(rows), np.concatenate(bought), fold), names, families)


def _boosted(rows: Floats, bought: Floats, fold: Floats) -> lightgbm.Booster:
    whole = lightgbm.Dataset(rows, bought, free_raw_data=False)
    splits: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]] = [
        (np.flatnonzero(fold != part), np.flatnonzero(fold == part)) for part in range(FOLDS)
    ]
    found = lightgbm.cv(
        {**SETTINGS, "metric": "binary_logloss"},
        whole,
        num_boost_round=800,
        folds=splits,
        callbacks=[lightgbm.early_stopping(40, verbose=False)],
    )
    return lightgbm.train(SETTINGS, whole, len(found["valid binary_logloss-mean"]))
