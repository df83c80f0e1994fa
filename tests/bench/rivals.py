"""What a model must beat, fitted from nothing but orders: own code, so that it can referee kpay's.

An order book has one row for each order: `person` and `day` are whole numbers, `amount` is in multiples of
its currency's median. A cutoff `c` knows the rows with `day < c`; all learn from windows that end by `c`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WINDOWS_DAYS = (30, 60, 90, 180, 365)
STEP_DAYS = 14
MOST_CUTOFFS = 12
LEAST_HISTORY_DAYS = 30
LIGHTGBM_DEFAULTS = {"objective": "binary", "verbosity": -1, "num_threads": 1, "seed": 1}
RFM = ("log_recency", "log_repeats", "log_value", "log_tenure")


@dataclass(frozen=True)
class Seen:
    """The people known at a cutoff and their columns, and whether they bought in the horizon."""

    person: Ints
    columns: pd.DataFrame
    bought: Floats


@dataclass(frozen=True)
class Judged:
    """How well probabilities met what came."""

    auc: float
    log_loss: float
    ece: float


def judge(bought: Floats, promised: Floats) -> Judged:
    """Return the usual measures, by scikit-learn; NaN where only one thing happened."""
    if len(np.unique(bought)) < 2:
        return Judged(float("nan"), float("nan"), float("nan"))
    loss = float(log_loss(bought, np.clip(promised, 1e-6, 1 - 1e-6)))
    return Judged(float(roc_auc_score(bought, promised)), loss, calibration_error(bought, promised))


def calibration_error(bought: Floats, promised: Floats, bins: int = 10) -> float:
    """Return the mean distance of ten equally full bins from what came."""
    parts = np.array_split(np.argsort(promised, kind="stable"), bins)
    gaps = [
        len(part) * abs(promised[part].mean() - bought[part].mean()) for part in parts if len(part)
    ]
    return float(sum(gaps) / len(bought))


def seen(orders: pd.DataFrame, cutoff: int, horizon_days: int) -> Seen:
    """Return what the plain columns know when day `cutoff` begins, and what came after it."""
    days = (
        orders[orders["day"] < cutoff]
        .groupby(["person", "day"], sort=True)["amount"]
        .agg(["sum", "size"])
        .reset_index()
    )
    came = orders[(orders["day"] >= cutoff) & (orders["day"] < cutoff + horizon_days)]
    columns = _columns(days, cutoff)
    person = columns.index.to_numpy(np.int64)
    bought = np.isin(person, came["person"].to_numpy()).astype(float)
    return Seen(person, columns, bought)


def _columns(days: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    by_person = days.groupby("person", sort=True)
    first, last = by_person["day"].min(), by_person["day"].max()
    count, total = by_person.size(), by_person["sum"].sum()
    gap = days["day"].diff().where(days["person"].diff() == 0)
    gaps = gap.groupby(days["person"])
    found = pd.DataFrame(
        {
            "recency": cutoff - 1 - last,
            "tenure": cutoff - 1 - first,
            "repeats": count - 1,
            "mean_value": total / count,
            "largest": by_person["sum"].max(),
            "last_value": by_person["sum"].last(),
            "orders_a_day": by_person["size"].sum() / count,
            "mean_gap": gaps.mean(),
            "gap_spread": gaps.std(),
            "last_gap": gaps.last(),
        }
    )
    for window in WINDOWS_DAYS:
        recent = days[days["day"] >= cutoff - window].groupby("person")["sum"]
        found[f"count_{window}"] = recent.size().reindex(found.index, fill_value=0)
        found[f"value_{window}"] = recent.sum().reindex(found.index, fill_value=0.0)
    found["overdue"] = found["recency"] / found["mean_gap"].clip(lower=1)
    found["pace"] = count / (found["tenure"] + 30)
    found["trend"] = found["last_value"] / found["mean_value"].clip(lower=0.01)
    found["log_recency"] = np.log1p(found["recency"])
    found["log_repeats"] = np.log1p(found["repeats"])
    found["log_value"] = np.log1p(found["mean_value"].clip(lower=0))
    found["log_tenure"] = np.log1p(found["tenure"])
    return found


def panel(orders: pd.DataFrame, cutoff: int, horizon_days: int) -> list[Seen]:
    """Return past windows that had ended by the cutoff, the latest first."""
    earliest = int(orders["day"].min()) + LEAST_HISTORY_DAYS
    at = [cutoff - horizon_days - STEP_DAYS * index for index in range(MOST_CUTOFFS)]
    windows = [seen(orders, day, horizon_days) for day in at if day >= earliest]
    return [window for window in windows if 0 < window.bought.sum() < len(window.bought)]


def promises(
    orders: pd.DataFrame, cutoff: int, horizon_days: int
) -> tuple[Seen, dict[str, Floats]]:
    """Return what each rival promises everybody known at the cutoff; a rival that cannot is left out."""
    now = seen(orders, cutoff, horizon_days)
    found = {"BG/NBD": bg_nbd(now, horizon_days)}
    windows = panel(orders, cutoff, horizon_days)
    if not windows:
        return now, found
    latest, every = windows[:1], windows
    tried: list[tuple[str, Callable[..., Floats], Sequence[Seen]]] = [
        ("recency", lambda rows, at: _logistic(rows, at, ("log_recency",)), every),
        ("RFM logistic, latest", lambda rows, at: _logistic(rows, at, RFM), latest),
        ("RFM logistic, panel", lambda rows, at: _logistic(rows, at, RFM), every),
        ("LightGBM defaults, latest", _lightgbm, latest),
        ("LightGBM defaults, panel", _lightgbm, every),
    ]
    return now, found | {name: fit(rows, now) for name, fit, rows in tried}


def _rows(windows: Sequence[Seen], names: Sequence[str]) -> tuple[Floats, Floats]:
    columns = np.vstack([window.columns[list(names)].to_numpy(float) for window in windows])
    return columns, np.concatenate([window.bought for window in windows])


def _logistic(windows: Sequence[Seen], now: Seen, names: Sequence[str]) -> Floats:
    columns, bought = _rows(windows, names)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(columns, bought)
    return np.asarray(model.predict_proba(now.columns[list(names)].to_numpy(float))[:, 1])


def _lightgbm(windows: Sequence[Seen], now: Seen) -> Floats:
    names = list(now.columns)
    columns, bought = _rows(windows, names)
    model = lightgbm.train(LIGHTGBM_DEFAULTS, lightgbm.Dataset(columns, bought))
    return np.asarray(model.predict(now.columns[names].to_numpy(float)))


def bg_nbd(now: Seen, horizon_days: int) -> Floats:
    """Return P(any purchase) of Fader, Hardie and Lee (2005), maximum likelihood, weeks.

    The likelihood is equation (6) in logarithms; P(alive) times one minus the Gamma-Poisson chance of
    silence is exact, because who is alive and silent has not had a chance to leave.
    """
    repeats = now.columns["repeats"].to_numpy(float)
    observed = now.columns["tenure"].to_numpy(float) / 7
    last = observed - now.columns["recency"].to_numpy(float) / 7
    rows, count = np.unique(np.column_stack([repeats, last, observed]), axis=0, return_counts=True)

    def loss(logs: Floats) -> float:
        return -float(count @ _bg_likelihood(np.exp(logs), *rows.T)) / count.sum()

    starts = ((0.5, 8.0, 1.0, 2.5), (0.25, 4.0, 0.5, 3.0), (2.0, 20.0, 0.3, 10.0))
    fits = [
        minimize(loss, np.log(start), method="L-BFGS-B", bounds=[(-9.0, 9.0)] * 4)
        for start in starts
    ]
    r, alpha, a, b = np.exp(min(fits, key=lambda fit: float(fit.fun)).x)
    left = (
        a
        / (b + np.maximum(repeats, 1) - 1)
        * ((alpha + observed) / (alpha + last)) ** (r + repeats)
    )
    alive = 1 / (1 + np.where(repeats > 0, left, 0.0))
    silent = ((alpha + observed) / (alpha + observed + horizon_days / 7)) ** (r + repeats)
    return np.asarray(alive * (1 - silent))


def _bg_likelihood(parameters: Floats, x: Floats, last: Floats, observed: Floats) -> Floats:
    r, alpha, a, b = parameters
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    here = betaln(a, b + x) - (r + x) * np.log(alpha + observed)
    gone = np.where(
        x > 0, betaln(a + 1, b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + last), -np.inf
    )
    return np.asarray(shared + np.logaddexp(here, gone))
