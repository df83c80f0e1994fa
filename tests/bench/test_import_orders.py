"""Importing orders beside the floor: gunzip, csv and one bare sqlite3.executemany of the same rows.

KPAY_BENCH_ORDERS may name another file of orders (CSV, gzip) to measure on.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

# Read before the suite takes kpay's settings out of the environment.
NAMED = os.environ.get("KPAY_BENCH_ORDERS")
LINES = 200_000
COLUMNS = (
    "order_id",
    "email",
    "ordered_at",
    "amount",
    "currency",
    "product",
    "quantity",
    "country",
)


def made_up(path: Path) -> Path:
    """Write a shop's orders: about nine lines an order, two thousand customers."""
    draw = random.Random(7)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        line = order = 0
        while line < LINES:
            order += 1
            at = (start + timedelta(minutes=order * 20)).strftime("%Y-%m-%dT%H:%M:%SZ")
            email = f"c{draw.randrange(2000)}@example.com"
            for _ in range(draw.randrange(1, 18)):
                amount = f"{draw.randrange(50, 9000) / 100:.2f}"
                product = str(draw.randrange(3000))
                writer.writerow(
                    [order, email, at, amount, "gbp", product, draw.randrange(1, 20), "GB"]
                )
                line += 1
    return path


def floor(source: Path, target: Path) -> float:
    """Read and insert the rows with nothing but the standard library; return the seconds."""
    began = time.perf_counter()
    store = sqlite3.connect(target, isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute(f"CREATE TABLE line ({', '.join(COLUMNS)})")
    store.execute("BEGIN")
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        store.executemany(f"INSERT INTO line VALUES ({', '.join('?' * len(COLUMNS))})", rows)
    store.execute("COMMIT")
    store.close()
    return time.perf_counter() - began


def test_import_orders(tmp_path: Path) -> None:
    source = Path(NAMED) if NAMED else made_up(tmp_path / "orders.csv.gz")
    kpay = str(Path(sys.executable).with_name("kpay"))
    ratios = []
    for turn in range(3):
        home = tmp_path / f"shop{turn}"
        subprocess.run([kpay, "init", str(home)], check=True, capture_output=True)
        bare = floor(source, tmp_path / f"bare{turn}.db")
        began = time.perf_counter()
        subprocess.run(
            [kpay, "import", "orders", str(source), "--home", str(home)],
            check=True,
            capture_output=True,
        )
        ours = time.perf_counter() - began
        ratios.append(bare / ours)
        print(
            f"\n  floor {bare:.2f} s, kpay import orders {ours:.2f} s (whole process): {bare / ours:.2f} of it"
        )
    assert sorted(ratios)[1] >= 0.10
