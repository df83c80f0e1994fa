"""Orders to judge models on: files named by the environment, else made-up sets of similar shape.

KPAY_BENCH_RETAIL and KPAY_BENCH_CDNOW name files that `kpay import orders` takes (CSV, gzip).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.bench import rivals

# Read before the suite takes kpay's settings out of the environment.
NAMED = {name: os.environ.get(f"KPAY_BENCH_{name.upper()}") for name in ("retail", "cdnow")}
CUTOFFS = {
    "retail": (date(2011, 7, 1), date(2011, 8, 10), date(2011, 9, 10)),
    "cdnow": (date(1998, 1, 1), date(1998, 4, 1)),
}
HORIZON_DAYS = 90
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Shape:
    """A made-up set: who buys how often, and for how long; rates are a week."""

    customers: int
    first: date
    days: int
    arriving_days: int
    rate: tuple[float, float]  # gamma shape, and mean purchases a week
    leaving: tuple[float, float]  # beta
    season: float = 0.0


SHAPES = {
    "retail": Shape(2200, date(2010, 12, 1), 374, 330, (0.8, 0.12), (0.6, 8.0), 0.35),
    "cdnow": Shape(2350, date(1997, 1, 1), 546, 84, (0.25, 0.055), (0.8, 2.4)),
}


def source(name: str, folder: Path) -> tuple[Path, bool]:
    """Return a set's file of orders, and whether it is the real one."""
    named = NAMED[name]
    if named:
        return Path(named), True
    return made_up(SHAPES[name], folder / f"{name}.csv.gz"), False


def made_up(shape: Shape, path: Path) -> Path:
    """Write orders of people who buy at their own rate until they leave."""
    draw = np.random.default_rng(7)
    rows: list[tuple[int, int, float]] = []
    for person in range(shape.customers):
        rate = max(draw.gamma(shape.rate[0], shape.rate[1] / shape.rate[0]), 1e-4)
        leaves, usual = draw.beta(*shape.leaving), float(np.exp(draw.normal(3.5, 0.8)))
        day = draw.uniform(0, shape.arriving_days)
        while day < shape.days:
            season = 1 + shape.season * np.sin(2 * np.pi * (day / 365 - 0.5))
            rows.append((person, int(day), usual * float(np.exp(draw.normal(0, 0.4)))))
            if draw.random() < leaves:
                break
            day += draw.exponential(7 / (rate * season))
    return write(rows, shape.first, path)


def write(
    rows: list[tuple[int, int, float]], first: date, path: Path, currency: str = "usd"
) -> Path:
    """Write (person, day, amount) as a file of orders."""
    frame = pd.DataFrame(rows, columns=["person", "day", "amount"])
    start = datetime(first.year, first.month, first.day, 12, tzinfo=UTC)
    pd.DataFrame(
        {
            "order_id": np.arange(len(frame)),
            "email": "c" + frame["person"].astype(str) + "@example.com",
            "ordered_at": [
                (start + timedelta(days=int(day))).strftime("%Y-%m-%dT%H:%M:%SZ")
                for day in frame["day"]
            ],
            "amount": frame["amount"].round(2),
            "currency": currency,
            "product": "item",
            "quantity": 1,
            "country": "",
        }
    ).to_csv(path, index=False)
    return path


def order_book(path: Path) -> pd.DataFrame:
    """Return a file as the rivals read it: one row an order, `person`, `day` since 1970, `amount`."""
    lines = pd.read_csv(path, dtype={"order_id": str, "email": str, "product": str})
    at = pd.to_datetime(lines["ordered_at"], utc=True, format="ISO8601")
    frame = pd.DataFrame(
        {
            "order": lines["order_id"],
            "email": lines["email"].str.lower(),
            "day": (at - pd.Timestamp(EPOCH, tz="UTC")).dt.days.astype(np.int64),
            "amount": lines["amount"].astype(float),
        }
    )
    orders = frame.groupby("order", sort=False).agg(
        email=("email", "first"), day=("day", "first"), amount=("amount", "sum")
    )
    orders["person"] = pd.factorize(orders["email"], sort=True)[0].astype(np.int64)
    orders["amount"] /= orders["amount"][orders["amount"] > 0].median()
    return orders.reset_index(drop=True)


def order_lines(path: Path) -> pd.DataFrame:
    """Return a file's lines as kpay's models read them; what an order costs stands on its first."""
    lines = pd.read_csv(path, dtype={"order_id": str, "email": str, "product": str})
    at = pd.to_datetime(lines["ordered_at"], utc=True, format="ISO8601")
    frame = pd.DataFrame(
        {
            "customer": pd.factorize(lines["email"].str.lower(), sort=True)[0].astype(np.int64),
            "at": at.astype("datetime64[us, UTC]"),
            "amount_minor": np.rint(lines["amount"].astype(float) * 100).astype(np.int64),
            "currency": lines["currency"],
            "content": lines["product"].fillna(""),
            "order": pd.factorize(lines["order_id"])[0].astype(np.int64),
        }
    )
    return frame.sort_values("at", kind="stable").reset_index(drop=True)


def number(day: date) -> int:
    """Return the days since 1970."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class Answer:
    """What the installed command said: everybody's probability, and the account of the training."""

    promised: pd.Series[float]  # by email
    trained: Mapping[str, Any]


class Shop:
    """A business that holds a file's orders; every question is asked of a fresh copy of it."""

    def __init__(self, orders: Path, folder: Path) -> None:
        self._folder = folder
        self._home = folder / "shop"
        self._asked = 0
        kpay("init", str(self._home))
        settings = self._home / "kpay.toml"
        kept = [
            line
            for line in settings.read_text(encoding="utf-8").splitlines()
            if not line.startswith("timezone")
        ]
        settings.write_text("\n".join(['timezone = "UTC"', *kept]) + "\n", encoding="utf-8")
        kpay("import", "orders", str(orders), "--yes", "--home", str(self._home))

    def ask(self, cutoff: date, horizon_days: int = HORIZON_DAYS) -> Answer:
        """Train and score through the command line on what was known when the day `cutoff` began.

        `--as-of` names the last known day, so it is the day before the cutoff.
        """
        self._asked += 1
        home = self._folder / f"asked{self._asked}"
        shutil.copytree(self._home, home)
        as_of = ("--as-of", str(cutoff - timedelta(days=1)), "--home", str(home))
        trained = kpay("train", "--horizon", f"{horizon_days}d", "--json", *as_of)
        kpay("score", "--csv", "--out", str(home / "scores.csv"), *as_of)
        scores = pd.read_csv(home / "scores.csv")
        shutil.rmtree(home)
        return Answer(scores.set_index("email")["propensity"], json.loads(trained))


def kpay(*arguments: str) -> str:
    """Run the installed command and return what it printed; fail with what it complained of."""
    command = str(Path(sys.executable).with_name("kpay"))
    done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stderr}{done.stdout}"
    return done.stdout


def compared(
    orders: pd.DataFrame, answer: Answer, cutoff: date, horizon_days: int = HORIZON_DAYS
) -> dict[str, rivals.Judged]:
    """Judge kpay and its rivals by what came in the horizon, on the same people."""
    now, promised = rivals.promises(orders, number(cutoff), horizon_days)
    emails = orders.drop_duplicates("person").set_index("person")["email"]
    ours = answer.promised.reindex(emails.loc[now.person])
    assert not ours.isna().any(), f"{int(ours.isna().sum())} known customers have no score"
    assert len(ours) == len(answer.promised), "somebody was scored who had not bought"
    promised["kpay"] = ours.to_numpy(float)
    return {name: rivals.judge(now.bought, chance) for name, chance in promised.items()}
