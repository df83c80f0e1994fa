"""The demo's day in a small world: it holds, and every command of it typed twice changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import pytest

from kpay.sandbox import Sandbox
from kpay.services.demonstrating import Day

CHANGES = {"init", "publish", "import", "sync", "train", "campaign"}


def digest_of_files(home: Path) -> dict[str, str]:
    """Return a hash of every file that is meant for people, with its time of writing."""
    folders = ("site", "content", "campaigns", "models", "outbox")
    return {
        str(
            path.relative_to(home)
        ): f"{path.stat().st_mtime_ns} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for folder in folders
        for path in sorted((home / folder).rglob("*"))
        if path.is_file()
    }


class TwiceShell:
    """Runs every command twice and holds the second run to having changed nothing anywhere."""

    def __init__(self, home: Path, kpay: Callable, world: Sandbox, table_digest: Callable) -> None:
        self.home, self.kpay, self.world = home, kpay, world
        self.table_digest = table_digest
        self.one_at_a_time = Lock()  # inside this process stdout and the folder are everyone's

    def state(self) -> tuple[object, ...]:
        mailed = len(self.world.mailbox)
        return (
            self.table_digest(self.home / "kpay.db"),
            digest_of_files(self.home),
            self.world.digest(),
            mailed,
        )

    def run(self, words: Sequence[str], settings: Mapping[str, str]) -> int:
        with inside(self.home):
            first = self.kpay(*words, env=settings)
            assert first.exit_code == 0, f"{words}: {first.stdout}{first.stderr}"
            before = self.state()
            second = self.kpay(*words, env=settings)
            assert second.exit_code == 0, f"{words}: {second.stdout}{second.stderr}"
            assert self.state() == before, f"{words} changed something the second time"
        if words[0] in CHANGES and words[:2] != ("campaign", "results"):
            said = second.stdout.lower()
            assert "nothing" in said, f"{words} does not say that nothing was to do: {said}"
        return 0

    def ask(self, words: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
        with self.one_at_a_time, inside(self.home):
            result = self.kpay(*words, env=settings)
        assert result.exit_code == 0, result.stderr
        return result.exit_code, result.stdout


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def test_every_command_of_the_day_typed_twice_changes_nothing(
    kpay, table_digest, tmp_path: Path
) -> None:
    home = tmp_path / "day"
    home.mkdir()
    with Sandbox(3, customers=250, days=200) as world:
        told = Day(
            world, TwiceShell(home, kpay, world, table_digest), home, lambda text: None, 3
        ).live(200)
    ledger = [verdict for verdict in told.verdicts if verdict.measured.startswith("ledger")]
    assert ledger
    assert all(verdict.holds for verdict in ledger)


@pytest.mark.parametrize("seed", [2])
def test_the_demo_holds_as_a_person_types_it(kpay_process, tmp_path: Path, seed: int) -> None:
    result = kpay_process(
        "demo", "day", "--seed", str(seed), "--customers", "600", "--days", "360", cwd=tmp_path
    )
    assert result.exit_code == 0, result.stdout[-3000:] + result.stderr
    assert "Measured against truth" in result.stdout
    for command in ("init", "publish", "sync", "train", "recommend", "campaign plan", "campaign send",
                    "campaign results", "report", "forecast"):  # fmt: skip
        assert f"$ kpay {command}" in result.stdout
    assert (tmp_path / "day" / "kpay.db").exists()


def test_the_demo_wants_a_fresh_folder(kpay, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    result = kpay("demo", str(tmp_path), "--json")
    assert result.exit_code == 4
    assert "fresh folder" in json.loads(result.stderr)["error"]["message"]
