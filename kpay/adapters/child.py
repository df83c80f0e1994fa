"""kpay's own commands as child processes: a demo's, seen by everyone, and jobs, kept in a log."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from kpay.files import OWNER_ONLY, disk_problems
from kpay.ports import JobOutcome

TAIL_BYTES = 4_000

log = logging.getLogger(__name__)


class Shell:
    """Runs kpay in a folder as a creator would, with no kpay settings but those it is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, words: Sequence[str], settings: Mapping[str, str]) -> int:
        """Run a command that writes to our own stdout and stderr; return its exit code."""
        sys.stdout.flush()
        return _run_kpay(words, self._folder, environment=_only(settings)).returncode

    def ask(self, words: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
        """Run a command and return its exit code and what it wrote to stdout."""
        done = _run_kpay(words, self._folder, environment=_only(settings), out=subprocess.PIPE)
        return done.returncode, done.stdout.decode()


class JobChild:
    """Runs the jobs of a business, each in a process of its own."""

    def __init__(self, home: Path, logs: Path) -> None:
        self._home = home
        self._logs = logs

    def run(self, name: str, command: Sequence[str]) -> JobOutcome:
        """Run a command in the business's folder to its end; logs/job-NAME.log keeps what it says."""
        words = ["--home", str(self._home), "--no-input", *command]
        path = self._logs / f"job-{name}.log"
        with disk_problems(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        log.info("job %s: kpay %s", name, " ".join(command))
        with os.fdopen(descriptor, "r+b") as said_to:
            done = _run_kpay(words, self._home, out=said_to, err=said_to)
            said_to.seek(max(0, os.fstat(said_to.fileno()).st_size - TAIL_BYTES))
            said = said_to.read().decode("utf-8", "replace").strip()
        log.info("job %s ended with %d", name, done.returncode)
        return JobOutcome(done.returncode, said, str(path))


def _run_kpay(
    words: Sequence[str],
    folder: Path,
    *,
    environment: Mapping[str, str] | None = None,
    out: IO[bytes] | int | None = None,
    err: IO[bytes] | None = None,
) -> subprocess.CompletedProcess[Any]:
    """Run kpay to its end in a folder, with nobody to answer its questions.

    -P keeps Python from importing what lies in that folder instead of its own modules.
    """
    return subprocess.run(  # noqa: S603 - our own interpreter, words never see a shell
        [sys.executable, "-P", "-m", "kpay", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        check=False,
    )


def _only(settings: Mapping[str, str]) -> dict[str, str]:
    """Return our environment with these kpay settings in place of its own."""
    ours = {name: text for name, text in os.environ.items() if not name.startswith("KPAY_")}
    return ours | dict(settings)
