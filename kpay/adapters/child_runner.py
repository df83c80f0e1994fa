"""Jobs as child processes: `python -m kpay ...` with the same business, its words kept in a file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kpay.errors import DiskProblem
from kpay.ports import JobOutcome

TAIL_BYTES = 4_000


class ChildRunner:
    """Runs kpay's own commands, each in a process of its own."""

    def __init__(self, home: Path, logs: Path) -> None:
        self._home = home
        self._logs = logs

    def run(self, name: str, command: Sequence[str]) -> JobOutcome:
        """Run a command in the business's folder to its end; logs/job-NAME.log keeps what it says.

        -P keeps Python from importing what lies in that folder instead of its own modules.
        """
        words = [sys.executable, "-P", "-m", "kpay", "--home", str(self._home), "--no-input"]
        path = self._logs / f"job-{name}.log"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise DiskProblem(f"{path}: {error.strerror}", f"ls -ld {self._logs}") from error
        with os.fdopen(descriptor, "r+b") as log:
            done = subprocess.run(  # noqa: S603 - our own interpreter, words never see a shell
                [*words, *command],
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
            )
            log.seek(max(0, os.fstat(log.fileno()).st_size - TAIL_BYTES))
            said = log.read().decode("utf-8", "replace").strip()
        return JobOutcome(done.returncode, said, str(path))
