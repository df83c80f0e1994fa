"""Reports on 200,000 lines, cold, beside importing what a store and a frame need in the same run.

Finding: most of a report's time is the import of the store; its own statements take a third.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench.test_import_orders import made_up

MOST_OF_FLOOR = 2.0
MOST_S = 2.5


def test_reports(tmp_path: Path, medians: Callable[..., dict[str, float]]) -> None:
    kpay = str(Path(sys.executable).with_name("kpay"))
    home = tmp_path / "shop"
    subprocess.run([kpay, "init", str(home)], check=True, capture_output=True)
    source = str(made_up(tmp_path / "orders.csv.gz"))
    subprocess.run([kpay, "import", "orders", source], cwd=home, check=True, capture_output=True)
    cases = {
        "floor": ([sys.executable, "-c", "import sqlmodel, pandas"], {}),
        "summary": ([kpay, "report", "--month", "2025-06", "--json"], {}),
        "revenue": ([kpay, "report", "revenue", "--json"], {}),
        "mrr": ([kpay, "report", "mrr", "--json"], {}),
    }
    taken = medians(cases, 5, str(home))
    for name, seconds in taken.items():
        print(f"\n  {name:<8} {seconds:.2f} s, {seconds / taken['floor']:.2f} of the floor")
    for name in ("summary", "revenue", "mrr"):
        assert taken[name] <= max(MOST_S, MOST_OF_FLOOR * taken["floor"]), name
