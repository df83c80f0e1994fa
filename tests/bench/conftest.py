"""Measuring in pairs: every case once a round, in turn, so that a noisy machine is noisy to all."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

import pytest

Case = tuple[Sequence[str], Mapping[str, str]]


def spent(case: Case, cwd: str) -> float:
    """Run a command once and return its wall time in seconds."""
    command, environment = case
    began = time.perf_counter()
    subprocess.run(
        list(command), cwd=cwd, env={**os.environ, **environment},
        stdin=subprocess.DEVNULL, capture_output=True, check=True,
    )  # fmt: skip
    return time.perf_counter() - began


@pytest.fixture
def medians() -> Callable[[Mapping[str, Case], int, str], dict[str, float]]:
    """Run all cases in rounds and return the median seconds of each."""

    def measure(cases: Mapping[str, Case], rounds: int, cwd: str) -> dict[str, float]:
        for case in cases.values():
            spent(case, cwd)
        taken: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, case in cases.items():
                taken[name].append(spent(case, cwd))
        return {name: statistics.median(times) for name, times in taken.items()}

    return measure
