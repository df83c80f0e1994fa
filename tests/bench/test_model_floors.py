"""kpay's models on businesses that nothing was tuned on: they must never lose to simple rivals.

By kpay.ml, many seeds each; the mean over seeds is what is asserted, the worst seed is shown. About
ten minutes. KPAY_BENCH_SEEDS takes fewer, KPAY_BENCH_SETS (names, comma-separated) only some.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from kpay.ml.frames import purchases
from kpay.ml.history import History
from tests.bench import rivals
from tests.bench.kpay_models import promised
from tests.bench.made_up_sets import DAYS, SETS, START, MadeUp, order_book

AUC_TOLERANCE = 0.005
LOSS_TOLERANCE = 0.003
MOST_SEEDS = int(os.environ.get("KPAY_BENCH_SEEDS", "100"))
CHOSEN = os.environ.get("KPAY_BENCH_SETS", ",".join(SETS)).split(",")
Table = dict[str, rivals.Judged]


def judged(made: MadeUp, seed: int) -> tuple[Table, str]:
    """Return how everybody did on one seed, and the rung that kpay chose."""
    orders, cutoff = made.orders(seed), DAYS - made.horizon_days
    now, chances = rivals.promises(order_book(orders), cutoff, made.horizon_days)
    known = orders[orders["at"] < START + timedelta(cutoff)]
    ours = promised(History(purchases(known, START + timedelta(cutoff))), made.horizon_days)
    chances["kpay"] = ours.chance.reindex(now.person).to_numpy(float)
    found = {name: rivals.judge(now.bought, chance) for name, chance in chances.items()}
    return found, ours.training.model.rung


def best_rfm(table: Table) -> float:
    return max(table[name].auc for name in table if name.startswith("RFM"))


@pytest.mark.parametrize("name", CHOSEN)
def test_no_simple_rival_wins(name: str) -> None:
    made = SETS[name]
    seeds = range(1, 1 + min(made.seeds, MOST_SEEDS))
    tables, rungs = zip(*(judged(made, seed) for seed in seeds), strict=True)
    print(f"\n{name}, {made.horizon_days} d, {len(seeds)} seeds, rungs {dict(Counter(rungs))}")
    for rival in tables[0]:
        rows = [table[rival] for table in tables if rival in table]
        print(
            f"  {rival:<26}{np.mean([row.auc for row in rows]):.4f}"
            f"   {np.mean([row.log_loss for row in rows]):.4f}"
            f"   {np.mean([row.ece for row in rows]):.3f}"
        )
    behind = [best_rfm(table) - table["kpay"].auc for table in tables]
    worse = [table["kpay"].log_loss - table["BG/NBD"].log_loss for table in tables]
    print(
        f"  behind the better RFM logistic: mean {np.mean(behind):+.4f}, worst {max(behind):+.4f}"
    )
    print(f"  log loss above BG/NBD's:        mean {np.mean(worse):+.4f}, worst {max(worse):+.4f}")
    assert np.mean(behind) <= AUC_TOLERANCE
    assert np.mean(worse) <= LOSS_TOLERANCE
