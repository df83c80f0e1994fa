"""Killing `kpay sync` in the middle of its work, and saying where that was."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kpay.adapters.signing import signing_key
from tests.conftest import digest_of_tables

Where = Literal["before", "between", "after"]
POLL_S: Final = 0.004


@dataclass(frozen=True)
class Course:
    """When a whole run first committed objects, and last anything, in seconds from its start."""

    first_commit_s: float
    last_commit_s: float
    end_s: float


class Victim:
    """A business that is synced, killed, and synced again."""

    def __init__(self, template: Path, home: Path, environment: Mapping[str, str]) -> None:
        self.home = home
        self._environment = {**os.environ, **environment}
        shutil.copytree(template, home)

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.home / "kpay.db"

    def start(self, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a sync in a process group of its own; `more` is told to it by its environment."""
        script = str(Path(sys.executable).with_name("kpay"))
        return subprocess.Popen(
            [script, "sync", "--home", str(self.home)],
            env={**self._environment, **(more or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def sync(self) -> Course:
        """Sync to the end and say when it committed."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as watcher:
            began, commits, seen = time.monotonic(), [], _version(watcher)
            child = self.start()
            while child.poll() is None:
                version = _version(watcher)
                if version != seen and (commits or _has_objects(watcher)):
                    commits.append(time.monotonic() - began)
                seen = version
                time.sleep(POLL_S)
        assert child.returncode == 0, child.returncode
        ended = time.monotonic() - began
        return Course(min(commits, default=ended), max(commits, default=ended), ended)

    def kill_after(self, seconds: float) -> bool:
        """Start a sync and kill its whole group after a while; say whether it was still running."""
        child = self.start()
        try:
            child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
        return child.wait() == -signal.SIGKILL

    def kill_at_commit(self, number: int) -> bool:
        """Start a sync and kill its whole group once it has committed objects so many times.

        Returns whether it was still running.
        """
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as watcher:
            seen, commits = _version(watcher), 0
            child = self.start()
            while child.poll() is None and commits < number:
                time.sleep(POLL_S)
                version = _version(watcher)
                commits += version != seen and _has_objects(watcher)
                seen = version
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
        return child.wait() == -signal.SIGKILL

    def where(self, finished: str) -> Where:
        """Say how far the store is: without an object, as a whole run leaves it, or between the two."""
        if not self.objects():
            return "before"
        return "after" if self.digest() == finished else "between"

    def objects(self) -> int:
        """Return how many objects are kept."""
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM provider_object").fetchone()[0])

    def digest(self) -> str:
        """Return one text for every row of every table."""
        return digest_of_tables(self.store)


def new_template(folder: Path, environment: Mapping[str, str]) -> Path:
    """Begin a business that every victim is a copy of."""
    home = folder / "template"
    script = str(Path(sys.executable).with_name("kpay"))
    env = {**os.environ, **environment}
    subprocess.run([script, "init", str(home)], env=env, check=True, capture_output=True)
    signing_key(home)  # made now, so that every victim signs alike
    return home


def _has_objects(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT EXISTS (SELECT 1 FROM provider_object)").fetchone()[0])


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
