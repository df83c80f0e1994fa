"""The pictures of a backtest: ROC, precision over recall, gain, and who would have been mailed.

Customers of equal probability enter a curve together, so that no curve depends on their order.
Points are shares from 0 to 1; long curves are thinned, ends kept.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from kpay.ml.frames import Floats, Ints

MOST_POINTS: Final = 80
DECIMALS: Final = 4
TENTHS: Final = 10
TENTHS_MAILED: Final = 2
"""A campaign to the likeliest mails the top two tenths: the `high` band of the scores."""

Points = list[list[float]]


def curves(bought: Floats, probability: Floats) -> dict[str, Any]:
    """Return ROC, precision-recall and gain curves and the lift of every tenth; {} without both classes.

    `roc` are (share of others, share of buyers) reached, `precision_recall` are (recall, precision),
    `gain` are (share of customers, share of buyers).
    """
    if len(bought) == 0 or bought.min() == bought.max():
        return {}
    buyers, others = _steps(bought, probability)
    reached = buyers / buyers[-1]
    everybody = buyers + others
    return {
        "roc": _thin(others / others[-1], reached),
        "precision_recall": _thin(reached[1:], buyers[1:] / everybody[1:]),
        "gain": _thin(everybody / everybody[-1], reached),
        "tenths": tenths(bought, probability),
    }


def _steps(bought: Floats, probability: Floats) -> tuple[Floats, Floats]:
    """Return how many buyers and others are at or above each distinct probability, from none on."""
    _, rank = np.unique(-probability, return_inverse=True)
    buyers = np.cumsum(np.bincount(rank, bought))
    others = np.cumsum(np.bincount(rank, 1 - bought))
    return np.append(0.0, buyers), np.append(0.0, others)


def _thin(x: Floats, y: Floats) -> Points:
    """Return at most MOST_POINTS points, evenly spaced along the path."""
    path = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    wanted = np.linspace(0, path[-1], MOST_POINTS)
    kept = np.unique(np.searchsorted(path, wanted).clip(0, len(x) - 1))
    rounded = np.round(np.column_stack([x[kept], y[kept]]), DECIMALS)
    points: Points = rounded.tolist()
    return points


def tenths(bought: Floats, probability: Floats) -> list[dict[str, float]]:
    """Return customers, buyers, promised buyers and lift of each tenth, the likeliest first."""
    base = float(bought.mean())
    parts = np.array_split(likeliest_first(probability), min(TENTHS, len(bought)))
    return [
        {
            "customers": len(part),
            "buyers": int(bought[part].sum()),
            "promised": round(float(probability[part].sum()), 2),
            "lift": round(float(bought[part].mean()) / base, DECIMALS) if base else 0.0,
        }
        for part in parts
    ]


def likeliest_first(probability: Floats) -> Ints:
    """Return the rows in the order in which a campaign would take them."""
    return np.argsort(-probability, kind="stable")


def at_cutoff(bought: Floats, probability: Floats) -> dict[str, Any]:
    """Return what mailing the likeliest fifth would have done; {} with fewer than ten customers.

    `tp` were mailed and bought, `fp` mailed and did not, `fn` not mailed and bought, `tn` neither.
    Undefined measures are None.
    """
    count = len(bought)
    if count < TENTHS:
        return {}
    tenth = np.arange(count) * TENTHS // count  # as the deciles of the scores
    order = likeliest_first(probability)
    mailed, left = order[tenth < TENTHS_MAILED], order[tenth >= TENTHS_MAILED]
    tp, fn = int(bought[mailed].sum()), int(bought[left].sum())
    fp, tn = len(mailed) - tp, len(left) - fn
    return {
        "share_mailed": TENTHS_MAILED / TENTHS,
        "probability": round(float(probability[mailed[-1]]), 6),
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "precision": _share(tp, tp + fp),
        "recall": _share(tp, tp + fn),
        "f1": _share(2 * tp, 2 * tp + fp + fn),
        "accuracy": _share(tp + tn, count),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
