"""kpay's models on simulated businesses, beside the ceiling of their columns and the truth.

Twenty worlds of 600 customers and four of 4,600 through kpay.ml; the ceiling has seen thirty others.
KPAY_BENCH_SEEDS takes fewer worlds.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from tests.bench import ceilings, rivals
from tests.bench.kpay_models import promised
from tests.bench.sandbox_worlds import CUTOFF_DAY, HORIZON_DAYS, START, LivedWorld, Plan

MOST_WORLDS = int(os.environ.get("KPAY_BENCH_SEEDS", "20"))
SMALL, LARGE = Plan(customers=930), Plan(customers=7100)
LEAST_OF_CEILING = {"small": 0.975, "large": 0.985}
WORLDS = {"small": 20, "large": 4}
Table = dict[str, rivals.Judged]


@pytest.fixture(scope="module")
def ceiling() -> ceilings.Ceiling:
    began = time.perf_counter()
    found = ceilings.fitted(SMALL)
    print(f"\nthe ceiling: {ceilings.WORLDS} worlds, {time.perf_counter() - began:.0f} s")
    return found


def order_book(world: LivedWorld) -> pd.DataFrame:
    lines = world.lines()
    day = (lines["at"] - pd.Timestamp(START, tz="UTC")) // pd.Timedelta(days=1)
    amount = lines["amount_minor"] / lines["amount_minor"].median()
    return pd.DataFrame({"person": lines["customer"], "day": day.astype("int64"), "amount": amount})


def judged(seed: int, plan: Plan, ceiling: ceilings.Ceiling) -> tuple[Table, str, tuple[str, ...]]:
    """Return how everybody did in one world, the rung, and the families that were kept."""
    world = LivedWorld(seed, plan)
    known = world.history(CUTOFF_DAY)
    now, chances = rivals.promises(order_book(world), CUTOFF_DAY, HORIZON_DAYS)
    assert np.array_equal(now.person, known.purchases.customer_ids)
    ours = promised(known, HORIZON_DAYS)
    chances["kpay"] = ours.chance.reindex(now.person).to_numpy(float)
    chances["ceiling"] = ceiling.promised(known)
    chances["oracle"] = world.oracle(now.person, CUTOFF_DAY, HORIZON_DAYS)
    table = {name: rivals.judge(now.bought, chance) for name, chance in chances.items()}
    kept = tuple(verdict.name for verdict in ours.training.families if verdict.is_kept)
    return table, ours.training.model.rung, kept


def mean_auc(tables: list[Table], name: str) -> float:
    return float(np.mean([table[name].auc for table in tables]))


@pytest.mark.parametrize("size", ["small", "large"])
def test_near_the_ceiling(size: str, ceiling: ceilings.Ceiling) -> None:
    plan = {"small": SMALL, "large": LARGE}[size]
    seeds = range(1, 1 + min(WORLDS[size], MOST_WORLDS))
    began = time.perf_counter()
    found = [judged(seed, plan, ceiling) for seed in seeds]
    tables = [table for table, _, _ in found]
    kept = Counter(family for _, _, families in found for family in families)
    print(
        f"\n{size}: {len(seeds)} worlds, {time.perf_counter() - began:.0f} s,"
        f" rungs {dict(Counter(rung for _, rung, _ in found))}, kept {dict(kept)}"
    )
    for name in tables[0]:
        rows = [table[name] for table in tables]
        print(
            f"  {name:<26}{mean_auc(tables, name):.4f}"
            f"   {np.mean([row.log_loss for row in rows]):.4f}"
            f"   {np.mean([row.ece for row in rows]):.3f}"
        )
    ours, least = mean_auc(tables, "kpay"), LEAST_OF_CEILING[size]
    behind = [table["RFM logistic, panel"].auc - table["kpay"].auc for table in tables]
    print(f"  of the ceiling: {ours / mean_auc(tables, 'ceiling'):.4f} (asked {least})")
    print(f"  behind RFM logistic: mean {np.mean(behind):+.4f}, worst {max(behind):+.4f}")
    assert ours >= least * mean_auc(tables, "ceiling")
    assert np.mean(behind) <= 0.005
    if size == "large":
        assert ours >= mean_auc(tables, "recency") + 0.04
        assert np.mean([table["kpay"].ece for table in tables]) <= 0.06
