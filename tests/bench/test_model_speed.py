"""Training on a million orders, beside as many LightGBM fits and a pandas pass; two minutes.

`KPAY_BENCH_CUSTOMERS=20000 make bench` measures a smaller business.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

CUSTOMERS = int(os.environ.get("KPAY_BENCH_CUSTOMERS", "200000"))
MOST_OF_FLOOR = 1.3
LEAST_CUSTOMERS_A_SECOND = 100_000
MOST_MB = 1_500


def child(role: str, given: str = "") -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.model_speed_cases", role, str(CUSTOMERS)],
        input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_training_costs_little_more_than_its_trees_and_a_pass_over_the_orders() -> None:
    ours = child("kpay")
    floor = child("floor", json.dumps(ours))
    floor_s = floor["features_s"] + floor["fits_s"]
    ratio = ours["train_s"] / floor_s
    a_second = ours["customers"] / ours["predict_s"]
    rounds = sum(fit["rounds"] for fit in ours["fits"])
    print(f"\n  {ours['orders']:,} orders of {ours['customers']:,} customers, rung {ours['rung']}")
    print(f"  train {ours['train_s']:.1f} s (gathering {ours['gather_s']:.1f} s)")
    print(
        f"  floor {floor_s:.1f} s: features {floor['features_s']:.1f} s, {len(ours['fits'])} fits"
    )
    print(f"        of {rounds} rounds {floor['fits_s']:.1f} s; ratio {ratio:.2f}")
    print(
        f"  score {ours['score_s']:.1f} s, of it {a_second:,.0f} customers a second from the matrix"
    )
    print(f"  memory {ours['train_peak_mb']:.0f} MB (floor {floor['peak_mb']:.0f} MB)")
    assert ratio <= MOST_OF_FLOOR
    assert a_second >= LEAST_CUSTOMERS_A_SECOND
    assert ours["peak_mb"] <= MOST_MB
