"""What the speed of training is measured with: orders, kpay's training, and a floor of the same work.

Run as a module, each role in its own process so that its peak memory is its own:
`python -m tests.bench.model_speed_cases kpay|floor CUSTOMERS` prints one JSON object; the floor reads
the account of kpay's fits from standard input. Seconds are the processor's: the machine may be shared.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import defaultdict
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

DAYS = 1095
ORDERS_A_CUSTOMER = 5
FIRST = pd.Timestamp("2023-01-01", tz="UTC")
HORIZON_DAYS = 90
WINDOWS_DAYS = (30, 60, 90, 180, 365)
MOST_ROWS = 60_000


def orders(customers: int, seed: int = 1) -> pd.DataFrame:
    """Make up five orders a customer: people buy at their own rate and may leave after each."""
    draw = np.random.default_rng(seed)
    rate_days = draw.gamma(0.6, 1 / 2.0, customers) / 7
    leaving, usual = draw.beta(0.8, 3.0, customers), draw.gamma(4, 500, customers) + 100
    who, when = (
        [np.arange(customers)],
        [draw.integers(0, DAYS - 60, customers) + draw.random(customers)],
    )
    active, at = who[0], when[0]
    while len(active):
        stays = draw.random(len(active)) >= leaving[active] * (len(when) > 1)
        active = active[stays]
        at = at[stays] + draw.exponential(1 / np.maximum(rate_days[active], 1e-9))
        active, at = active[at < DAYS], at[at < DAYS]
        who.append(active)
        when.append(at)
    customer, day = np.concatenate(who), np.concatenate(when)
    later = np.sort(
        draw.permutation(np.arange(customers, len(customer)))[: (ORDERS_A_CUSTOMER - 1) * customers]
    )
    kept = np.concatenate([np.arange(customers), later])
    kept = kept[np.argsort(day[kept], kind="stable")]
    spent = np.rint(draw.gamma(5, usual[customer[kept]] / 5)).astype(np.int64)
    return pd.DataFrame(
        {
            "customer": customer[kept].astype(np.int64),
            "at": FIRST.as_unit("us")
            + pd.to_timedelta(day[kept] * 86_400e6, unit="us").as_unit("us"),
            "amount_minor": spent,
            "currency": np.full(len(kept), "usd"),
            "content": [f"piece-{number}" for number in draw.integers(0, 40, len(kept))],
            "order": np.arange(len(kept), dtype=np.int64),
        }
    )


def until(frame: pd.DataFrame) -> datetime:
    return (frame["at"].max().normalize() + pd.Timedelta(days=1)).to_pydatetime()


def kpay(frame: pd.DataFrame) -> dict[str, Any]:
    """Train and score as the services do, from the frame of order lines."""
    from kpay.ml import boosting, scoring, training
    from kpay.ml.frames import purchases
    from kpay.ml.history import History

    fits = recorded_fits(boosting.lightgbm)
    began = time.process_time()
    known = History(purchases(frame, until(frame)))
    gathered = time.process_time()
    found = training.train(known, HORIZON_DAYS, boosting.parameters(threads=1))
    trained = time.process_time()
    train_peak = peak_mb()
    fits = list(fits.values())
    scored_from = time.process_time()
    scores = scoring.score(known, found.model, found.amounts)
    scored = time.process_time()
    model = found.model
    now = model.look(known)
    ready = time.process_time()
    model.probability(now)
    return {
        "train_s": trained - began,
        "gather_s": gathered - began,
        "score_s": scored - scored_from,
        "predict_s": time.process_time() - ready,
        "orders": len(frame),
        "customers": len(scores),
        "rung": model.rung,
        "fits": fits,
        "cutoffs": [window["cutoff_day"] for window in found.windows],
        "train_peak_mb": train_peak,
        "peak_mb": peak_mb(),
    }


def recorded_fits(lightgbm: Any) -> dict[int, dict[str, int]]:
    """Count the rounds of every booster from now on, with the shape of its rows."""
    fits: dict[int, dict[str, int]] = defaultdict(dict)
    update = lightgbm.Booster.update
    seen: list[Any] = []

    def counted(booster: Any, *arguments: Any, **named: Any) -> bool:
        if not any(booster is other for other in seen):
            seen.append(booster)
        number = next(i for i, other in enumerate(seen) if other is booster)
        rows = booster.train_set.num_data()
        before = fits[number].get("rounds", 0)
        fits[number] = {"rows": rows, "columns": booster.num_feature(), "rounds": before + 1}
        return bool(update(booster, *arguments, **named))

    lightgbm.Booster.update = counted
    return fits


def floor(frame: pd.DataFrame, account: dict[str, Any]) -> dict[str, Any]:
    """A pandas pass over the same cutoffs, and LightGBM fits of the same number, shape and rounds."""
    from kpay.ml import boosting

    began = time.process_time()
    days = customer_days(frame)
    chosen = whole_customers(days, len(account["cutoffs"]))
    sample = days[days["customer"].isin(chosen)]
    parts = [columns_at(sample, cutoff) for cutoff in account["cutoffs"]]
    everybody = [columns_at(days, cutoff) for cutoff in (-HORIZON_DAYS, 0)]
    matrix = np.vstack([part.to_numpy(float) for part in parts])
    features = time.process_time()
    bought = (np.nan_to_num(matrix[:, 3]) > np.median(np.nan_to_num(matrix[:, 3]))).astype(float)
    for fit in account["fits"]:
        rows = np.resize(np.arange(len(matrix)), fit["rows"])
        wide = np.resize(np.arange(matrix.shape[1]), fit["columns"])
        columns = matrix[np.ix_(rows, wide)] + 1e-9 * np.arange(fit["columns"])
        settings = boosting.parameters(threads=1)
        boosting.lightgbm.train(
            settings,
            boosting.lightgbm.Dataset(columns, bought[rows], params=settings),
            fit["rounds"],
        )
    return {
        "features_s": features - began,
        "fits_s": time.process_time() - features,
        "everybody": len(everybody[-1]),
        "peak_mb": peak_mb(),
    }


def customer_days(frame: pd.DataFrame) -> pd.DataFrame:
    day = (frame["at"].dt.normalize() - until(frame)).dt.days
    return (
        frame.assign(day=day)
        .groupby(["customer", "day"], sort=True)
        .agg(
            amount=("amount_minor", "sum"), lines=("order", "size"), contents=("content", "nunique")
        )
        .reset_index()
    )


def whole_customers(days: pd.DataFrame, cutoffs: int) -> np.ndarray:
    everybody = days["customer"].unique()
    share = MOST_ROWS / max(1, cutoffs) / len(everybody)
    return np.random.default_rng(0).permutation(everybody)[: int(min(1.0, share) * len(everybody))]


def columns_at(days: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    """A straight group-by of what is known at a cutoff: totals, windows, rhythm."""
    past = days[days["day"] < cutoff]
    gaps = past["day"].diff().where(past["customer"].diff() == 0)
    grouped = past.assign(gap=gaps).groupby("customer", sort=True)
    columns = grouped.agg(
        bought=("day", "size"), lines=("lines", "sum"), contents=("contents", "sum"),
        value=("amount", "sum"), largest=("amount", "max"), last_value=("amount", "last"),
        first=("day", "first"), last=("day", "last"), mean_gap=("gap", "mean"),
        gap_spread=("gap", "std"), last_gap=("gap", "last"),
    )  # fmt: skip
    for window in WINDOWS_DAYS:
        recent = past[past["day"] >= cutoff - window].groupby("customer")["amount"]
        columns[f"bought_{window}"] = recent.size()
        columns[f"value_{window}"] = recent.sum()
    columns["overdue"] = (cutoff - columns["last"]) / columns["mean_gap"]
    columns["pace"] = columns["bought"] / (cutoff - columns["first"] + 30)
    columns["mean_value"] = columns["value"] / columns["bought"]
    return columns


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    role, rows = sys.argv[1], orders(int(sys.argv[2]))
    answer = kpay(rows) if role == "kpay" else floor(rows, json.load(sys.stdin))
    sys.stdout.write(json.dumps(answer) + "\n")
