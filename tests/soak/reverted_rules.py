"""Takes back the rule behind each pitfall, one at a time, and expects the pitfall's test to turn red.

    python -m tests.soak.reverted_rules [PITFALL...]

Works on a copy. Exits 1 when a test does not notice, when a rule's text is not found once in its file, or
when a test is red although nothing was taken back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.fakes.servers import ROOT
from tests.soak.rules import RULES, Rule

COPIED: Final = ("kpay", "tests", "templates", "examples", "pyproject.toml")
GREEN, RED = 0, 1


def tested(copy: Path, tests: Sequence[str]) -> int:
    """Run tests against the copy and return how pytest ended."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
    ]
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*command, *tests], cwd=copy, env=env, capture_output=True, check=False)
    return done.returncode


def is_noticed(copy: Path, rule: Rule) -> str:
    """Take a rule back, run its test, put the rule in again; return a word for how that went."""
    files = {copy / file: (copy / file).read_text(encoding="utf-8") for file, *_ in rule.edits()}
    changed = dict(files)
    for file, text, instead in rule.edits():
        if changed[copy / file].count(text) != 1:
            return "TEXT NOT FOUND"
        changed[copy / file] = changed[copy / file].replace(text, instead)
    for path, reverted in changed.items():
        path.write_text(reverted, encoding="utf-8")
    try:
        ended = tested(copy, [rule.test])
    finally:
        for path, whole in files.items():
            path.write_text(whole, encoding="utf-8")
    return {RED: "red", GREEN: "STILL GREEN"}.get(ended, f"PYTEST ENDED WITH {ended}")


def main(*pitfalls: str) -> int:
    """Check every rule, or those of some pitfalls; return the exit code."""
    rules = [one for one in RULES if not pitfalls or str(one.pitfall) in pitfalls]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        whole = tested(copy, sorted({one.test for one in rules}))
        print(f"with every rule: {'green' if whole == GREEN else 'RED'}", flush=True)
        unnoticed = 0
        for rule in rules:
            found = is_noticed(copy, rule)
            unnoticed += found != "red"
            print(f"{rule.pitfall:>3}  {found:<12} {rule.meaning}", flush=True)
    print(f"{len(rules)} rules taken back, {unnoticed} not noticed")
    return 0 if whole == GREEN and not unnoticed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
