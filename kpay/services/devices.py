"""Trying a graphics card in a child process, and remembering what came of it.

What is remembered keeps a run's device, and with it the run's name, from changing between two
trainings because a race was close.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from kpay.domain.enums import Device
from kpay.domain.period import instant_text, parse_instant
from kpay.errors import DiskProblem
from kpay.files import write_whole
from kpay.ml import boosting, device
from kpay.ml.device import Choice, Lap, Size
from kpay.services.machine import card_fingerprint, free_cores

FILE: Final = "graphics-cards.json"
REMEMBERED: Final = timedelta(days=7)
MOST_REMEMBERED: Final = 50

Run = Callable[[list[str], float], Lap | str]


def choose(
    asked: Device, rows: int, columns: int, threads: int | None, *, cache: Path, now: datetime
) -> Choice:
    """Choose device and threads; raise DeviceRefused when a device asked by name does not work."""
    count = threads or device.default_threads(rows, free_cores())
    memory = Memory(cache / FILE, now)
    is_by_name = asked in device.CARDS

    def trial(card: Device, size: Size) -> Lap | str:
        return memory.trial(card, size, count, is_by_name=is_by_name)

    return device.choose(asked, rows, columns, count, trial)


class Memory:
    """Trials that were run on this machine; a file that cannot be read or written is as good as none."""

    def __init__(self, path: Path, now: datetime, run: Run | None = None) -> None:
        self._path = path
        self._now = now
        self._run = run or run_trial

    def trial(self, card: Device, size: Size, threads: int, *, is_by_name: bool) -> Lap | str:
        """Return what came of a trial, run anew when none is remembered.

        A card that failed and is asked for by name is tried again: somebody may have mended it.
        """
        key = _key(card, size, threads)
        known = self._read()
        found = self._fresh(known.get(key))
        if found is None or (is_by_name and isinstance(found, str)):
            found = self._run(_words(card, size, threads), size.limit_s)
            self._keep({**known, key: _kept(found, self._now)})
        return found

    def _fresh(self, kept: Any) -> Lap | str | None:
        try:
            age = self._now - parse_instant(kept["at"])
            if not timedelta() <= age < REMEMBERED:
                return None
            problem = kept["problem"]
            return str(problem) if problem else Lap(float(kept["cpu_s"]), float(kept["card_s"]))
        except (KeyError, TypeError, ValueError):
            return None

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _keep(self, known: dict[str, Any]) -> None:
        kept = dict(list(known.items())[-MOST_REMEMBERED:])
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(kept).encode())
        except (OSError, DiskProblem):
            return  # the next training asks again


def _key(card: Device, size: Size, threads: int) -> str:
    shape = f"{size.rows}x{size.columns}x{size.rounds}"
    return f"{card} {shape} {threads} {version('lightgbm')} {card_fingerprint()}"


def _kept(found: Lap | str, now: datetime) -> dict[str, Any]:
    at = instant_text(now)
    if isinstance(found, str):
        return {"at": at, "problem": found}
    return {"at": at, "problem": None, "cpu_s": found.cpu_s, "card_s": found.card_s}


def _words(card: Device, size: Size, threads: int) -> list[str]:
    settings = {**boosting.parameters(threads), "verbosity": 2, "min_data_in_leaf": 20}
    shape = [str(size.rows), str(size.columns), str(size.rounds)]
    return [card.value, *shape, json.dumps(settings)]


def run_trial(words: list[str], limit_s: float) -> Lap | str:
    """Train on the CPU and on a card in a child process; return the times, or why the card is no use."""
    try:
        ended = subprocess.run(  # noqa: S603 - our own interpreter and our own text
            [sys.executable, "-P", "-c", device.PROGRAM, *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"a trial model did not end within {limit_s:g} s"
    except OSError as problem:
        return f"the trial could not be started ({problem.strerror})"
    return device.judge(ended.returncode, ended.stdout, ended.stderr)
