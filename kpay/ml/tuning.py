"""Trying other settings of the trees within a budget of time; kept only where past days prove them.

Needs optuna, the extra `tune`. How many settings fit into the time is the machine's affair: the number
is written down, and what was kept can be trained again byte for byte.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import optuna

from kpay.ml import backtest, boosting, metrics, panel
from kpay.ml.backtest import Backtest
from kpay.ml.fitting import Chosen
from kpay.ml.panel import Panel
from kpay.ml.propensity import Rung
from kpay.ml.snapshots import Snapshots
from kpay.ml.tuned import NOTHING_FOUND, Tuned

SEED: Final = 0
RUNG: Final[Rung] = "blend"


def tune(
    at: Snapshots, settings: dict[str, Any], chosen: Chosen, plain: Backtest, *, budget_s: float
) -> tuple[Tuned, Backtest]:
    """Search on the panel of the latest backtest, and test the best found on all past days.

    Returns the backtest to go on with: that of the tuned settings when they save log loss by more than
    the standard error, else the plain one.
    """
    rows = at.panel(-2 * at.horizon_days, chosen.families)
    if rows is None:
        return NOTHING_FOUND, plain
    trials, found = _search(rows, settings, budget_s)
    if not found:
        return replace(NOTHING_FOUND, trials=trials), plain
    names = [rung for rung in plain.measured if rung in ("boosting", "blend", "logistic")]
    rungs = [*names, *(["bgnbd"] if "bgnbd" in plain.measured else []), "rule"]
    tested = backtest.run(at, rungs, settings | found, chosen)  # type: ignore[arg-type]
    gain, error = backtest.gain_between(tested.windows, RUNG, plain.windows, RUNG)
    is_kept = gain > error
    return Tuned(trials, found, is_kept, gain, error), tested if is_kept else plain


def _search(rows: Panel, settings: dict[str, Any], budget_s: float) -> tuple[int, dict[str, Any]]:
    """Return how many settings were tried, and the best ones when they beat kpay's own."""
    names = rows.snapshots[0].names
    columns, bought = rows.matrix(names), rows.labels
    fold = panel.folds(rows.groups)

    def loss(trial: optuna.Trial) -> float:
        tried = settings | _suggested(trial)
        found = boosting.cross_validate(columns, bought, fold, tried)
        return float(np.mean(metrics.losses_of_log_odds(bought, found.out_of_fold)))

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=SEED))
    own = {name: boosting.PARAMETERS[name] for name in _NAMES}
    study.enqueue_trial(own)
    study.optimize(loss, timeout=budget_s, n_jobs=1)
    best = {name: study.best_params[name] for name in _NAMES}
    return len(study.trials), {} if best == own else best


_NAMES: Final = (
    "learning_rate",
    "num_leaves",
    "min_data_in_leaf",
    "lambda_l2",
    "feature_fraction",
    "bagging_fraction",
)


def _suggested(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 3, 16),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 20, 300, log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.3, 100.0, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.3, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
    }
