"""From orders to a model: backtest every rung, choose one, refit it on everything known.

The backtest stands `horizon` days before the as-of date, learns from windows that had ended by then
and is judged on what came after. Which rungs are tried depends on how many customers there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from kpay.ml import metrics, panel, propensity, value
from kpay.ml.features import RFM, Snapshot, snapshot
from kpay.ml.frames import Floats
from kpay.ml.history import History
from kpay.ml.logistic import sigmoid
from kpay.ml.metrics import UNDEFINED, Metrics
from kpay.ml.panel import Panel
from kpay.ml.propensity import Learned, Propensity, Rung

FEWEST_FOR_MODEL: Final = 50
FEWEST_REPEAT_BUYERS: Final = 20
FEWEST_FOR_LOGISTIC: Final = 200
FEWEST_FOR_BLEND: Final = 1_000
FEWEST_FOR_BOOSTING: Final = 3_000
FEWEST_POSITIVES: Final = 20
AUC_TOLERANCE: Final = 0.005
LOSS_TOLERANCE: Final = 0.003
BASELINES: Final = ("recency", "rfm_logistic", "bgnbd")


@dataclass(frozen=True, slots=True)
class Backtest:
    """What every rung and baseline promised at the test cutoff, and what came."""

    now: Snapshot
    bought: Floats
    promised: dict[str, Floats]
    measured: dict[str, Metrics]


@dataclass(frozen=True, slots=True)
class Training:
    """A trained model with its account of itself."""

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


class Snapshots:
    """Features at each cutoff, computed once and shared by the backtest and the final fit."""

    def __init__(self, everything: History, horizon_days: int) -> None:
        self.everything = everything
        self.horizon_days = horizon_days
        self._taken: dict[int, Snapshot] = {}

    def __call__(self, cutoff: int) -> Snapshot:
        """Return the features as of day `cutoff`."""
        if cutoff not in self._taken:
            self._taken[cutoff] = snapshot(self.everything, cutoff, self.horizon_days)
        return self._taken[cutoff]

    def panel(self, last: int) -> Panel | None:
        """Return the panel whose latest label window begins at day `last`."""
        days = panel.cutoffs(self.everything.purchases, self.horizon_days, last)
        rows = panel.build(self.everything, self.horizon_days, days, self)
        return rows if rows is not None and rows.positives >= FEWEST_POSITIVES else None


def train(everything: History, horizon_days: int, settings: dict[str, Any]) -> Training:
    """Train on everything known at day 0; raise ValueError without a single customer.

    `settings` are LightGBM's parameters, from `boosting.parameters`.
    """
    if len(everything.purchases.customer_ids) == 0:
        raise ValueError("there is no purchase to learn from")
    at = Snapshots(everything, horizon_days)
    rungs = allowed_rungs(at, horizon_days)
    uses_trees = "blend" in rungs or "boosting" in rungs
    tested = backtest(at, rungs, settings if uses_trees else None)
    rung, why = choose(tested, rungs, len(at(0).customer))
    needs_trees = rung in ("blend", "boosting")
    learned = _relearn(at, rung, settings if needs_trees else None)
    return _account(at, tested, learned, rung, why)


def allowed_rungs(at: Snapshots, horizon_days: int) -> list[Rung]:
    """Return the rungs worth trying, highest first.

    A rung that learns from labels needs a window that ended by the test cutoff; BG/NBD and the rule
    need none, and are all there is when the horizon is longer than the history can label.
    """
    if not _is_enough(at(0)):
        return ["rule"]
    rungs: list[Rung] = ["bgnbd", "rule"]
    size = len(at(-horizon_days).customer)
    if at.panel(-2 * horizon_days) is None or at.panel(-horizon_days) is None:
        return rungs
    if size >= FEWEST_FOR_LOGISTIC:
        rungs.insert(0, "logistic")
    if size >= FEWEST_FOR_BLEND:
        rungs.insert(0, "blend")
    if size >= FEWEST_FOR_BOOSTING:
        rungs.insert(0, "boosting")
    return rungs


def _is_enough(now: Snapshot) -> bool:
    repeat_buyers = int((now.seen.repeats > 0).sum())
    return len(now.customer) >= FEWEST_FOR_MODEL and repeat_buyers >= FEWEST_REPEAT_BUYERS


def backtest(at: Snapshots, rungs: list[Rung], settings: dict[str, Any] | None) -> Backtest:
    """Fit every rung and baseline on windows that ended by the test cutoff, and measure them."""
    cutoff = -at.horizon_days
    now = at(cutoff)
    bought = panel.labels(at.everything.purchases, now.customer, cutoff, at.horizon_days)
    rows = at.panel(2 * cutoff)
    learned = propensity.learn(rows, settings) if rows is not None else None
    promised = _promises(now, rungs, learned, at.horizon_days)
    measured = {name: metrics.measure(bought, chance) for name, chance in promised.items()}
    return Backtest(now, bought, promised, measured)


def _promises(
    now: Snapshot, rungs: list[Rung], learned: Learned | None, horizon_days: int
) -> dict[str, Floats]:
    if len(now.customer) == 0:
        return {}
    promised = {"bgnbd": sigmoid(now.columns["bg_logit"])}
    for rung in rungs:
        fitted = (
            learned.rung(rung, horizon_days, now.bg)
            if learned
            else Propensity(rung, horizon_days, now.bg)
        )
        promised[rung] = fitted.probability(now)
    if learned:
        promised["recency"] = learned.recency.probability(now.matrix(("log_recency",)))
        promised["rfm_logistic"] = learned.rfm.probability(now.matrix(RFM))
    return promised


def choose(tested: Backtest, rungs: list[Rung], customers: int) -> tuple[Rung, str]:
    """Return the highest rung that does not lose on the backtest, and why in a sentence.

    `customers` are those known today. When every rung loses to a baseline, the one with the least
    log loss stays.
    """
    if rungs == ["rule"]:
        return "rule", (
            f"{customers} customers; a model needs {FEWEST_FOR_MODEL} of them "
            f"and {FEWEST_REPEAT_BUYERS} who came back"
        )
    fallen: list[str] = []
    for index, rung in enumerate(rungs):
        lost_to = _lost_to(tested, rung, [*rungs[index + 1 :], *BASELINES])
        if lost_to is None:
            return rung, "; ".join([_size_reason(tested, rungs, customers), *fallen])
        fallen.append(f"{rung} lost to {lost_to} on the backtest")
    least = min(rungs, key=lambda rung: tested.measured[rung].log_loss or np.inf)
    return least, "; ".join([*fallen, f"{least} has the least log loss of them"])


def _size_reason(tested: Backtest, rungs: list[Rung], customers: int) -> str:
    size = len(tested.now.customer)
    if size == 0:
        return f"{customers} customers, and a history shorter than the horizon"
    if "logistic" not in rungs and size >= FEWEST_FOR_LOGISTIC:
        return f"{customers} customers, and a history too short to learn from past windows"
    return f"{size} customers were known at the backtest"


def _lost_to(tested: Backtest, rung: Rung, simpler: list[str]) -> str | None:
    if rung not in tested.promised or tested.measured[rung].auc is None:
        return None
    if rung == "boosting" and not _promises_better(tested, "boosting", "blend"):
        return "blend"
    return next((name for name in simpler if _is_worse(tested, rung, name)), None)


def _is_worse(tested: Backtest, ours: str, theirs: str) -> bool:
    """Tell whether ours ranks worse by more than .005 AUC and noise, or is worse on both measures."""
    if theirs == ours or theirs not in tested.promised:
        return False
    gain, error = metrics.auc_advantage(
        tested.bought, tested.promised[ours], tested.promised[theirs]
    )
    ranks_worse = gain < -max(AUC_TOLERANCE, error)
    return ranks_worse or (gain < 0 and _promises_better(tested, theirs, ours))


def _promises_better(tested: Backtest, ours: str, theirs: str) -> bool:
    """Tell whether our log loss is smaller by more than its standard error, and by .003."""
    gain, error = metrics.loss_advantage(
        tested.bought, tested.promised[ours], tested.promised[theirs]
    )
    return gain > max(error, LOSS_TOLERANCE)


def _relearn(at: Snapshots, rung: Rung, settings: dict[str, Any] | None) -> Learned | None:
    if rung in ("rule", "bgnbd"):
        return None
    rows = at.panel(-at.horizon_days)
    return propensity.learn(rows, settings) if rows is not None else None


def _account(
    at: Snapshots, tested: Backtest, learned: Learned | None, rung: Rung, why: str
) -> Training:
    today = at(0)
    horizon = at.horizon_days
    model = (
        learned.rung(rung, horizon, today.bg) if learned else Propensity(rung, horizon, today.bg)
    )
    rows = at.panel(-horizon)
    known = tested.measured
    has_test = rung in tested.promised
    return Training(
        model=model,
        amounts=value.learn(at.everything.purchases, horizon),
        why=why,
        customers=len(today.customer),
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
    )
