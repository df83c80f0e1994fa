"""Which device and how many threads LightGBM gets.

A creator's panel never reaches the size at which a graphics card pays, so `auto` means the CPU without
asking. A card that is asked for is tried in a child process first: real drivers hang and crash, and
an OpenCL driver that runs on the CPU itself is some thirty times slower than LightGBM's own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kpay.domain.enums import Device

ONE_THREAD_BELOW_ROWS: Final = 50_000
MOST_THREADS: Final = 8
PROBE_LIMIT_S: Final = 30.0
CPU_IN_A_NAME: Final = ("cpu", "pocl", "pthread", "llvm", "portable")
PROBE: Final = """
import sys
import numpy, lightgbm
columns = numpy.random.default_rng(0).normal(size=(2000, 6))
bought = (columns[:, 0] + columns[:, 1] > 0).astype(float)
settings = {"objective": "binary", "device_type": sys.argv[1], "verbosity": 2, "num_threads": 1,
            "min_data_in_leaf": 20, "max_bin": 63}
model = lightgbm.train(settings, lightgbm.Dataset(columns, bought), 5)
score = model.predict(columns)
ok = bool(numpy.isfinite(score).all()) and score[bought > 0].mean() > score[bought == 0].mean()
print("\\nPROBE", "ok" if ok else "wrong")
"""


class DeviceRefused(ValueError):
    """The device that was asked for by name cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for, what is used, and why."""

    asked: Device
    used: Device
    why: str
    threads: int


def choose(
    asked: Device,
    rows: int,
    threads: int | None = None,
    *,
    probe: Callable[[str], str | None] | None = None,
) -> Choice:
    """Choose device and threads; raise DeviceRefused when a device asked by name does not work.

    `probe` returns None for a device that works, else the reason why not; the default one trains a
    tiny model in a child process.
    """
    count = threads if threads else default_threads(rows)
    if asked is Device.CPU:
        return Choice(asked, Device.CPU, "asked for", count)
    if asked is Device.AUTO:
        why = f"{rows} rows are far below the size at which a graphics card pays"
        return Choice(asked, Device.CPU, why, count)
    problem = (probe or probe_device)(asked)
    if problem is not None:
        raise DeviceRefused(f"--device {asked} does not work here: {problem}")
    return Choice(asked, asked, "asked for, and a trial model came out right", count)


def default_threads(rows: int) -> int:
    """Return 1 for a small panel, where threads cost more than they bring, else the free cores."""
    return 1 if rows < ONE_THREAD_BELOW_ROWS else min(MOST_THREADS, available_cores())


def available_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def probe_device(device_type: str, limit_s: float = PROBE_LIMIT_S) -> str | None:
    """Train a tiny model on the device in a child process; return why it does not work, or None."""
    try:
        ended = subprocess.run(  # noqa: S603 - our own interpreter and our own text
            [sys.executable, "-c", PROBE, device_type],
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"a trial model did not end within {limit_s:.0f} s"
    except OSError as problem:
        return f"the trial could not be started ({problem.strerror})"
    return judge_probe(ended.returncode, ended.stdout, ended.stderr)


def judge_probe(status: int, out: str, err: str) -> str | None:
    """Read a finished trial: None when it is sound and ran on a real card, else the reason."""
    said = f"{out}\n{err}"
    if status != 0:
        reasons = [line for line in err.splitlines() if "Error" in line]
        return reasons[-1].split("Error: ", 1)[-1] if reasons else f"the trial ended with {status}"
    if "PROBE ok" not in said:
        return "a trial model came out wrong"
    card = next((line for line in said.splitlines() if "GPU Device" in line), "")
    if any(word in card.casefold() for word in CPU_IN_A_NAME):
        return "its OpenCL driver runs on the CPU, which is slower than --device cpu"
    return None
