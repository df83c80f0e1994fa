"""What it costs until a command answers, as multiples of `python -c pass` in the same run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kpay.registry import ENTRIES

ROUNDS = 15


def test_startup(medians, tmp_path: Path) -> None:
    kpay = str(Path(sys.executable).with_name("kpay"))
    home = tmp_path / "shop"
    subprocess.run([kpay, "init", str(home), "--example"], check=True, capture_output=True)
    names = {"_KPAY_COMPLETE": "complete_bash", "COMP_WORDS": "kpay s", "COMP_CWORD": "1"}
    slugs = {
        "_KPAY_COMPLETE": "complete_bash",
        "COMP_WORDS": "kpay content show a",
        "COMP_CWORD": "3",
    }
    cases = {
        "python -c pass": ([sys.executable, "-c", "pass"], {}),
        "kpay": ([kpay], {}),
        "kpay --help": ([kpay, "--help"], {}),
        "kpay --version": ([kpay, "--version"], {}),
        "completion of names": ([kpay], names),
        "completion of slugs": ([kpay], slugs),
    }
    limits = dict.fromkeys(cases, 2.0) | {"completion of slugs": 4.0}
    for entry in ENTRIES:
        cases[f"kpay {entry.name} --help"] = ([kpay, entry.name, "--help"], {})
        limits[f"kpay {entry.name} --help"] = 8.0
    found = medians(cases, ROUNDS, str(home))
    floor = found["python -c pass"]
    print(
        f"\nfloor (python -c pass): {floor * 1000:.1f} ms, medians of {ROUNDS} interleaved rounds"
    )
    for name, seconds in found.items():
        print(f"  {name:<28} {seconds / floor:5.2f} x   (at most {limits[name]:.0f})")
    over = {
        name: seconds / floor for name, seconds in found.items() if seconds / floor > limits[name]
    }
    assert not over
