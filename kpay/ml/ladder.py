"""Which rung of the ladder stands: how many customers there are, and what past days say."""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.backtest import Backtest
from kpay.ml.features import Snapshot
from kpay.ml.propensity import Rung
from kpay.ml.snapshots import Snapshots
from kpay.ml.targets import PURCHASE

FEWEST_FOR_MODEL: Final = 50
FEWEST_REPEAT_BUYERS: Final = 20
FEWEST_FOR_LOGISTIC: Final = 200
FEWEST_FOR_TREES: Final = 300
FEWEST_FOR_BLEND: Final = 1_000
FEWEST_FOR_BOOSTING: Final = 3_000
AUC_TOLERANCE: Final = 0.005
LOSS_TOLERANCE: Final = 0.003
CLEARLY: Final = 2.5  # standard errors, for trees in a business smaller than they usually need
DOUBTED: Final = 2.0  # standard errors, for a fall on thin evidence
BASELINES: Final = ("recency", "rfm_logistic", "bgnbd")


def allowed_rungs(at: Snapshots) -> list[Rung]:
    """Return the rungs worth trying, highest first.

    A rung that learns from labels needs a window that ended by the test cutoff; BG/NBD and the rule
    need none, and are all there is when the horizon is longer than the history can label.
    """
    is_purchase = at.target == PURCHASE
    if is_purchase and not _is_enough(at(0)):
        return ["rule"]
    rungs: list[Rung] = ["bgnbd", "rule"] if is_purchase else ["rule"]
    size = len(at(-at.horizon_days).customer)
    if at.panel(-2 * at.horizon_days) is None or at.panel(-at.horizon_days) is None:
        return rungs
    if size >= FEWEST_FOR_LOGISTIC:
        rungs.insert(0, "logistic")
    if size >= FEWEST_FOR_TREES:
        rungs = ["boosting", "blend", *rungs]
    return rungs


def _is_enough(now: Snapshot) -> bool:
    repeat_buyers = int((now.seen.repeats > 0).sum())
    return len(now.customer) >= FEWEST_FOR_MODEL and repeat_buyers >= FEWEST_REPEAT_BUYERS


def choose(
    tested: Backtest, rungs: list[Rung], customers: int, *, has_families: bool = False
) -> tuple[Rung, str]:
    """Return the rung that the backtest leaves standing, and why in a sentence.

    The highest rung that is usual for the size stays unless it loses to a simpler one or a baseline;
    one above it must be better beyond doubt. `customers` are those known today. When every rung loses,
    the one with the least log loss stays.
    """
    if len(rungs) == 1:
        return rungs[0], _why_so_low(tested, customers)
    usual = _usual(rungs, tested.size, has_families=has_families)
    fallen: list[str] = []
    for index, rung in enumerate(usual):
        lost_to = _lost_to(tested, rung, [*usual[index + 1 :], *BASELINES])
        if lost_to is None:
            risen = _risen(tested, rung, rungs)
            climbed = [f"{risen} beats {rung} on the backtest"] if risen else []
            proof = [*fallen, *climbed] or _unbeaten(tested, rung)
            return risen or rung, "; ".join([_size(tested, rungs, customers), *proof])
        fallen.append(f"{rung} lost to {lost_to} on the backtest")
    least = min(usual, key=lambda rung: tested.measured[rung].log_loss or np.inf)
    return least, "; ".join([*fallen, f"{least} has the least log loss of them"])


def _usual(rungs: list[Rung], size: int, *, has_families: bool) -> list[Rung]:
    """Return the rungs that need no proof; more than purchases to look at makes trees worth it early."""
    enough = FEWEST_FOR_TREES if has_families else FEWEST_FOR_BLEND
    above = {"boosting"} if size >= enough else {"boosting", "blend"}
    return [rung for rung in rungs if rung not in above]


def _why_so_low(tested: Backtest, customers: int) -> str:
    if tested.target == PURCHASE:
        return (
            f"{customers} customers; a model needs {FEWEST_FOR_MODEL} of them "
            f"and {FEWEST_REPEAT_BUYERS} who came back"
        )
    return f"{customers} customers in question, and too few past cases to learn from: " + (
        "the survival of renewals" if tested.target.kind == "renewal" else "the rate of the past"
    )


def _unbeaten(tested: Backtest, rung: Rung) -> list[str]:
    if rung not in tested.promised or tested.measured[rung].auc is None:
        return []
    days = 1 + len(tested.earlier)
    where = "the past day tested" if days == 1 else f"the {days} past days tested"
    return [f"nothing simpler does better on {where}"]


def _size(tested: Backtest, rungs: list[Rung], customers: int) -> str:
    size = tested.size
    if size == 0:
        return f"{customers} customers, and a history shorter than the horizon"
    if "logistic" not in rungs and size >= FEWEST_FOR_LOGISTIC:
        return f"{customers} customers, and a history too short to learn from past windows"
    return f"{size} customers were known at the backtest"


def _risen(tested: Backtest, rung: Rung, rungs: list[Rung]) -> Rung | None:
    """Return the rung above this one that saves most log loss beyond doubt, if any does."""
    size = tested.size
    found: list[tuple[float, Rung]] = []
    for above in rungs[: rungs.index(rung)]:
        if above not in tested.promised:
            continue
        enough = FEWEST_FOR_BOOSTING if above == "boosting" else FEWEST_FOR_BLEND
        gain, error = tested.loss_gain(above, rung)
        doubt = error * (1.0 if size >= enough else CLEARLY)
        if gain > max(doubt, LOSS_TOLERANCE) and not _is_worse(tested, above, rung):
            found.append((gain, above))
    return max(found)[1] if found else None


def _lost_to(tested: Backtest, rung: Rung, simpler: list[str]) -> str | None:
    if rung not in tested.promised or tested.measured[rung].auc is None:
        return None
    return next((name for name in simpler if _is_worse(tested, rung, name)), None)


def _is_worse(tested: Backtest, ours: str, theirs: str) -> bool:
    """Tell whether ours ranks worse by more than .005 AUC and noise, or is worse on both measures.

    A single window is doubted, and so is that a model which learns from more windows than the tests
    had loses to one that learns less from them.
    """
    if theirs == ours or theirs not in tested.promised:
        return False
    doubted = DOUBTED if theirs == "logistic" or not tested.earlier else 1.0
    gain, error = tested.auc_gain(ours, theirs)
    if gain < -max(AUC_TOLERANCE, doubted * error):
        return True
    saved, doubt = tested.loss_gain(theirs, ours)
    return gain < 0 and saved > max(doubted * doubt, LOSS_TOLERANCE)
