"""Which device and how many threads LightGBM gets.

A creator's panel never reaches the size at which a graphics card pays, so below it `auto` means the CPU
without asking. Everywhere else a card is tried first, in a child process: real drivers hang and
crash, and an OpenCL driver that runs on the CPU itself is some thirty times slower than LightGBM's own.
The trial trains on both and compares: a card whose model ranks otherwise is not used, however fast.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from kpay.domain.enums import Device

ONE_THREAD_BELOW_ROWS: Final = 50_000
MOST_THREADS: Final = 8
CARD_FROM_CELLS: Final = 500_000 * 50  # rows x columns
FASTER_BY: Final = 1.3
LARGEST_AUC_DIFFERENCE: Final = 0.002
CARDS: Final = (Device.CUDA, Device.GPU)
CPU_IN_A_NAME: Final = ("cpu", "pocl", "pthread", "llvm", "portable")
ANSWER: Final = "KPAY TRIAL "
PROGRAM: Final = """
import json, sys, time
import numpy, lightgbm
device, rows, columns, rounds, settings = sys.argv[1], *map(int, sys.argv[2:5]), json.loads(sys.argv[5])
draw = numpy.random.default_rng(0)
cells = draw.gamma(.7, 3., (rows, columns))
log_odds = 1.5 * numpy.log1p(cells[:, 0]) - numpy.log1p(cells[:, 1]) * numpy.log1p(cells[:, 2])
bought = (log_odds + draw.logistic(size=rows) > numpy.median(log_odds)).astype(float)
def auc(score):
    rank = numpy.unique(score.round(9), return_inverse=True)[1]
    yes, no = numpy.bincount(rank, bought), numpy.bincount(rank, 1 - bought)
    return float((yes * (no.cumsum() - no / 2)).sum() / yes.sum() / no.sum())
def lap(device):
    chosen = {**settings, "device_type": device}
    def train(rounds):
        return lightgbm.train(chosen, lightgbm.Dataset(cells, bought, params=chosen), rounds)
    train(1)
    began = time.perf_counter()
    model = train(rounds)
    seconds = time.perf_counter() - began
    score = model.predict(cells, num_threads=1)
    return seconds, auc(score), bool(numpy.isfinite(score).all())
answers = [*lap("cpu"), *lap(device)]
print("\\nKPAY TRIAL " + json.dumps(answers), flush=True)
"""


class DeviceRefused(ValueError):
    """The device that was asked for by name cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a trial is."""

    rows: int
    columns: int
    rounds: int
    limit_s: float


TINY: Final = Size(2_000, 6, 5, 30.0)
RACE_ROWS: Final = 50_000
RACE_ROUNDS: Final = 10
RACE_LIMIT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Lap:
    """How long a trial took on the CPU and on the card."""

    cpu_s: float
    card_s: float


Trial: TypeAlias = Callable[[Device, Size], Lap | str]
"""Runs a trial on a card; a text says why it cannot be used."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for, what is used, and why."""

    asked: Device
    used: Device
    why: str
    threads: int


def choose(asked: Device, rows: int, columns: int, threads: int, trial: Trial) -> Choice:
    """Choose the device; raise DeviceRefused when one that was asked for by name does not work."""
    if asked is Device.CPU:
        return Choice(asked, Device.CPU, "asked for", threads)
    if asked is Device.AUTO:
        used, why = _fastest(rows, columns, trial)
        return Choice(asked, used, why, threads)
    found = trial(asked, TINY)
    if isinstance(found, str):
        raise DeviceRefused(f"--device {asked} does not work here: {found}")
    return Choice(asked, asked, "asked for, and a trial model came out as on the CPU", threads)


def _fastest(rows: int, columns: int, trial: Trial) -> tuple[Device, str]:
    if rows * columns < CARD_FROM_CELLS:
        why = f"{rows:,} rows of {columns} columns are far below the size at which a graphics card pays"
        return Device.CPU, why
    said = []
    for card in CARDS:
        found = trial(card, TINY)
        if not isinstance(found, str):
            found = trial(card, Size(RACE_ROWS, columns, RACE_ROUNDS, RACE_LIMIT_S))
        if isinstance(found, str):
            said.append(f"{card}: {found}")
            continue
        faster = found.cpu_s / max(found.card_s, 1e-9)
        told = f"{card} took {found.card_s:.2f} s for what the CPU did in {found.cpu_s:.2f} s"
        if faster >= FASTER_BY:
            return card, told
        said.append(told)
    return Device.CPU, "; ".join(said)


def default_threads(rows: int, cores: int) -> int:
    """Return 1 for a small panel, where threads cost more than they bring, else the free cores."""
    return 1 if rows < ONE_THREAD_BELOW_ROWS else max(1, min(MOST_THREADS, cores))


def judge(status: int, out: str, err: str) -> Lap | str:
    """Read a finished trial: its times when it is sound and ran on a real card, else the reason."""
    said = [*out.splitlines(), *err.splitlines()]
    answers = [line.removeprefix(ANSWER) for line in said if line.startswith(ANSWER)]
    if status != 0 or not answers:
        reasons = [line for line in err.splitlines() if "Error" in line]
        return reasons[-1].split("Error: ", 1)[-1] if reasons else f"the trial ended with {status}"
    cpu_s, cpu_auc, _, card_s, card_auc, is_finite = json.loads(answers[-1])
    card = next((line for line in said if "GPU Device" in line), "")
    if any(word in card.casefold() for word in CPU_IN_A_NAME):
        return "its OpenCL driver runs on the CPU, which is slower than --device cpu"
    if not is_finite or card_auc <= 0.5:
        return "a trial model came out wrong"
    if abs(card_auc - cpu_auc) > LARGEST_AUC_DIFFERENCE:
        return f"a trial model ranks otherwise (AUC {card_auc:.4f}, on the CPU {cpu_auc:.4f})"
    return Lap(cpu_s, card_s)
