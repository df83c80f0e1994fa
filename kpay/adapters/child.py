"""Running kpay itself as a child process, the way a creator or cron would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


class KpayChild:
    """Runs kpay's command line in a folder, with no kpay settings but those it is given."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, words: Sequence[str], settings: Mapping[str, str]) -> int:
        """Run a command that writes to our own stdout and stderr; return its exit code."""
        sys.stdout.flush()
        return self._start(words, settings, capture=False).returncode

    def ask(self, words: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
        """Run a command and return its exit code and what it wrote to stdout."""
        done = self._start(words, settings, capture=True)
        return done.returncode, done.stdout

    def _start(
        self, words: Sequence[str], settings: Mapping[str, str], *, capture: bool
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-m", "kpay", *words],
            cwd=self._folder,
            env={**_environment_without_settings(), **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            check=False,
        )


def _environment_without_settings() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("KPAY_")}
