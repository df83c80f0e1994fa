"""Small simulated businesses with a known law, for the tests of the models."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd

START = datetime(2025, 1, 1, tzinfo=UTC)
END = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 365


def orders(rows: list[tuple[int, float, int, str, str]]) -> pd.DataFrame:
    """Return an orders frame from (customer, days after START, minor units, currency, content)."""
    customer, day, amount, currency, content = zip(*rows, strict=True) if rows else ((),) * 5
    start = pd.Timestamp(START).as_unit("us")
    return pd.DataFrame(
        {
            "customer": np.array(customer, dtype=np.int64),
            "at": start + pd.to_timedelta(np.array(day, dtype=float), unit="D").as_unit("us"),
            "amount_minor": np.array(amount, dtype=np.int64),
            "currency": np.array(currency, dtype=str),
            "content": np.array(content, dtype=str),
            "order": np.arange(len(rows), dtype=np.int64),
        }
    )


def bg_nbd_orders(
    customers: int, *, seed: int, r: float = 0.6, alpha: float = 4.0, a: float = 0.8, b: float = 3.0
) -> pd.DataFrame:
    """Simulate people who buy at their own weekly rate and may leave after each purchase."""
    generator = np.random.default_rng(seed)
    rows: list[tuple[int, float, int, str, str]] = []
    for customer in range(customers):
        rate_days = generator.gamma(r, 1 / alpha) / 7
        leaving = generator.beta(a, b)
        day = float(generator.uniform(0, DAYS * 0.75))
        amount = int(generator.gamma(4, 500)) + 100
        while day < DAYS:
            rows.append((customer, day, amount, "usd", f"piece-{generator.integers(8)}"))
            if len(rows) > 1 and generator.random() < leaving and rows[-2][0] == customer:
                break
            day += float(generator.exponential(1 / max(rate_days, 1e-9)))
    return orders(rows)


def membership_orders(customers: int, *, seed: int) -> pd.DataFrame:
    """Simulate a shop in which every third person pays on the same day of each 30 until they stop."""
    generator = np.random.default_rng(seed + 1)
    rows: list[tuple[int, float, int, str, str]] = []
    for customer in range(customers, customers + customers // 3):
        day = float(generator.uniform(0, DAYS * 0.75))
        while day < DAYS and (day < 1 or generator.random() > 0.08):
            rows.append((customer, day, 900, "usd", "club"))
            day += 30.0
    singles = bg_nbd_orders(customers - customers // 3, seed=seed)
    return pd.concat([singles, orders(rows)], ignore_index=True)
