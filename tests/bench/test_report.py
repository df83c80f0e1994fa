"""Reports on 100,000 and on 1,000,000 payments, cold, in CPU seconds.

Beside them in the same run: importing what a store and a frame need, and for each report the bare SQL
that computes its sums.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kpay.domain.enums import ReportSection
from tests.bench import bare_sums, big_business

ROUNDS = 3
MOST_S = 2.0
MOST_TIMES = 4.0
SIZES = {"100,000": 100_000, "1,000,000": 1_000_000}
FLOOR = (sys.executable, "-c", "import sqlmodel, pandas")


def cpu_s(command: Sequence[str], home: Path) -> float:
    """Return the CPU seconds, user and system, of a command that must succeed."""
    before = os.times()
    subprocess.run(
        list(command), cwd=home, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    after = os.times()
    return (
        after.children_user - before.children_user + after.children_system - before.children_system
    )


def median_s(command: Sequence[str], home: Path) -> float:
    cpu_s(command, home)
    return statistics.median(cpu_s(command, home) for _ in range(ROUNDS))


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Businesses of both sizes."""
    made = {}
    for name, payments in SIZES.items():
        home = tmp_path_factory.mktemp("shop") / "big"
        subprocess.run([kpay(), "init", str(home)], check=True, capture_output=True)
        big_business.fill(home / "kpay.db", payments)
        made[name] = home
    return made


def kpay() -> str:
    return str(Path(sys.executable).with_name("kpay"))


def test_the_summary_grows_slower_than_the_business(shops: dict[str, Path]) -> None:
    taken = {}
    floor = median_s(FLOOR, Path.cwd())
    print(f"\n  importing sqlmodel + pandas: {floor:.2f} s CPU")
    for name, home in shops.items():
        taken[name] = median_s(_report("summary"), home)
        print(f"  summary of {name}: {taken[name]:.2f} s, {taken[name] / floor:.2f} of the floor")
    small, large = taken.values()
    assert small <= MOST_S
    assert large <= MOST_TIMES * small


@pytest.mark.parametrize("section", [one for one in ReportSection if one in bare_sums.SUMS])
def test_each_report_stands_beside_its_bare_sums(
    section: ReportSection, shops: dict[str, Path]
) -> None:
    start = median_s((sys.executable, "-c", "import sqlite3"), Path.cwd())
    import_s = median_s(FLOOR, Path.cwd())
    for name, home in shops.items():
        bare_command = (sys.executable, bare_sums.__file__, "kpay.db", section)
        bare = max(median_s(bare_command, home) - start, 0.001)
        whole = median_s(_report(section), home)
        print(
            f"\n  {section} of {name}: {whole:.2f} s CPU ({import_s:.2f} s of it imports); bare SQL "
            f"{bare:.2f} s; beyond imports {max(whole - import_s, 0) / bare:.1f} times the bare SQL"
        )
        assert whole > 0


def _report(section: str) -> tuple[str, ...]:
    return (kpay(), "report", section, "--as-of", str(big_business.LAST_DAY), "--json")
