"""From a history to a model: backtest every rung, choose one, refit it on everything known.

The backtests stand at past days, learn from windows that had ended by then and are judged on what
came after. Which rungs are tried depends on how many customers there are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from kpay.ml import backtest, fitting, ladder, metrics, propensity, selection, value
from kpay.ml.backtest import Backtest
from kpay.ml.fitting import Learned
from kpay.ml.history import History
from kpay.ml.ladder import BASELINES
from kpay.ml.metrics import UNDEFINED, Metrics
from kpay.ml.propensity import Propensity, Rung
from kpay.ml.selection import Selection, Verdict
from kpay.ml.snapshots import Snapshots
from kpay.ml.targets import PURCHASE, Target
from kpay.ml.tuned import Tuned, Tuner

SEEN_A_YEAR_DAYS: Final = 395  # thirteen months: a season can be told from a trend


@dataclass(frozen=True, slots=True)
class Training:
    """A trained model with its account of itself.

    `recipe` is what was chosen, as plain values: equal recipes compare equal. `fits` are the rounds of
    every LightGBM model that was fitted on the way.
    """

    model: Propensity
    amounts: value.Amounts
    why: str
    customers: int
    buyers: int
    metrics: Metrics
    baselines: dict[str, Metrics]
    rungs: dict[str, Metrics]
    windows: list[dict[str, Any]]
    calibration: list[dict[str, float]]
    gain: dict[str, float]
    rounds: int
    tested: Backtest
    families: tuple[Verdict, ...]
    recipe: dict[str, Any]
    tuned: Tuned | None
    rolling: list[dict[str, Any]]
    has_seen_a_year: bool
    fits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Trials:
    """What was tried before the final fit: rungs, families, past days."""

    rungs: list[Rung]
    selected: Selection
    tested: Backtest
    fits: tuple[int, ...]
    tuned: Tuned | None = None


def train(
    everything: History,
    horizon_days: int,
    settings: dict[str, Any],
    *,
    target: Target = PURCHASE,
    tune: Tuner | None = None,
) -> Training:
    """Train on everything known at day 0; raise ValueError without a customer, or without the target.

    `settings` are LightGBM's parameters, from `boosting.parameters`; `tune` may find others, if past
    days prove them better (see `kpay.ml.tuning`).
    """
    if len(everything.purchases.customer_ids) == 0:
        raise ValueError("there is no purchase to learn from")
    target.check(everything)
    at = Snapshots(everything, horizon_days, target)
    tried = _try(at, settings)
    if tune is not None and "blend" in tried.rungs:
        tuned, tested = tune(at, settings, tried.selected.chosen, tried.tested)
        tried = replace(tried, tested=tested, tuned=tuned)
        settings = settings | (tuned.settings if tuned.is_kept else {})
    rung, why = ladder.choose(
        tried.tested,
        tried.rungs,
        _customers(at),
        has_families=bool(tried.selected.chosen.families),
    )
    learned = _relearn(at, rung, settings, tried.selected)
    return _account(at, tried, learned, rung, why)


def _try(at: Snapshots, settings: dict[str, Any]) -> _Trials:
    rungs = ladder.allowed_rungs(at)
    has_trees = "blend" in rungs
    used = settings if has_trees else None
    tested = backtest.run(at, rungs, used)
    if "logistic" not in rungs:
        return _Trials(rungs, selection.none_of(at), tested, ())
    selected = selection.choose(at, used)
    fits = (*tested.fits, *selected.fits)
    if selected.chosen.families:
        richer = backtest.run(at, rungs, used, selected.chosen)
        fits = (*fits, *richer.fits)
        best = rungs[rungs.index("blend" if has_trees else "logistic")]
        selected, tested = selection.confirm(selected, tested, richer, best)
    return _Trials(rungs, selected, tested, fits)


def _relearn(
    at: Snapshots, rung: Rung, settings: dict[str, Any], selected: Selection
) -> Learned | None:
    if rung in ("rule", "bgnbd"):
        return None
    rows = at.panel(-at.horizon_days, selected.chosen.families)
    used = settings if rung in ("blend", "boosting") else None
    if rows is None:
        return None
    return fitting.learn(rows, used, at.horizon_days, at.target, selected.chosen)


def _account(
    at: Snapshots, tried: _Trials, learned: Learned | None, rung: Rung, why: str
) -> Training:
    families = tried.selected.chosen.families if learned else ()
    model = backtest.fitted(at, at(0, families), rung, learned)
    rows = at.panel(-at.horizon_days, families)
    known, tested = tried.tested.measured, tried.tested
    has_test = rung in tested.promised
    return Training(
        model=model,
        amounts=value.learn(at.everything.purchases, at.horizon_days),
        why=why,
        customers=_customers(at),
        buyers=int(tested.bought.sum()),
        metrics=known.get(rung, UNDEFINED),
        baselines={name: known.get(name, UNDEFINED) for name in BASELINES},
        rungs={name: known[name] for name in propensity.RUNGS if name in known},
        windows=rows.windows() if rows is not None else [],
        calibration=metrics.calibration_table(tested.bought, tested.promised[rung])
        if has_test
        else [],
        gain=model.trees.gain() if model.trees else {},
        rounds=learned.rounds if learned else 0,
        tested=tested,
        families=tried.selected.verdicts,
        recipe=_recipe(rung, model, tried),
        tuned=tried.tuned,
        rolling=tested.rolling(),
        has_seen_a_year=-at.everything.purchases.first_day >= SEEN_A_YEAR_DAYS,
        fits=(*tried.fits, *(learned.fits if learned else ())),
    )


def _customers(at: Snapshots) -> int:
    return at.count(0) if at.target == PURCHASE else len(at(0).customer)


def _recipe(rung: Rung, model: Propensity, tried: _Trials) -> dict[str, Any]:
    """Return what was chosen, apart from what was learned from the rows."""
    linear = [family.name for family in tried.selected.chosen.linear] if model.linear else []
    is_tuned = tried.tuned is not None and tried.tuned.is_kept and model.trees is not None
    return {
        "rung": rung,
        "families": list(model.families),
        "linear_families": linear,
        "settings": tried.tuned.settings if tried.tuned and is_tuned else {},
    }
