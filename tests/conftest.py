"""What every test gets: a clean environment, no network but loopback, and ways to run kpay."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

NOW = "2026-10-01T09:00:00Z"
LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


@dataclass(frozen=True)
class Result:
    """How one run of kpay ended."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture(autouse=True, scope="session")
def children_hear_ctrl_c() -> None:
    """Undo what a shell does to a suite in the background: have it and its children ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give the test its own home folder and none of the caller's kpay settings."""
    for name in list(os.environ):
        if name.startswith(("KPAY_", "STRIPE_", "_KPAY")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("KPAY_NOW", NOW)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(
            LOOPBACK
        ):
            raise AssertionError(f"a test tried to reach {address}; start a server on loopback")
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


def run_kpay(
    *arguments: str, home: Path | None = None, env: Mapping[str, str] | None = None, input: str = ""
) -> Result:
    """Run the command line inside this process and catch what it says."""
    from kpay import cli
    from kpay.manners import Manners, adopt

    out, err = io.StringIO(), io.StringIO()
    before = dict(os.environ)
    stdin = sys.stdin
    try:
        os.environ.update(env or {})
        sys.stdin = io.TextIOWrapper(io.BytesIO(input.encode()), encoding="utf-8")
        words = (
            [*arguments, "--home", str(home)] if home and "--" not in arguments else list(arguments)
        )
        if home and "--" in arguments:
            words = ["--home", str(home), *arguments]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.run(words)
    finally:
        sys.stdin = stdin
        os.environ.clear()
        os.environ.update(before)
        adopt(Manners())
    return Result(code, out.getvalue(), err.getvalue())


def digest_of_tables(store: Path) -> str:
    """Return one hash of every row of every table, whatever order the rows lie in."""
    summed = hashlib.sha256()
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
        for (name,) in names.fetchall():
            rows = connection.execute(f"SELECT * FROM {name}")
            for row in sorted(map(repr, rows)):
                summed.update(f"{name}{row}".encode())
    return summed.hexdigest()


@pytest.fixture
def table_digest() -> Callable[[Path], str]:
    """What a store holds, as one text."""
    return digest_of_tables


@pytest.fixture
def kpay() -> Callable[..., Result]:
    """The command line, in this process."""
    return run_kpay


@pytest.fixture
def kpay_process() -> Callable[..., Result]:
    """The installed script, in a process of its own."""

    def run(
        *arguments: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        input: str = "",
    ) -> Result:
        script = Path(sys.executable).with_name("kpay")
        done = subprocess.run(
            [str(script), *arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            input=input,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def business(tmp_path: Path) -> Path:
    """The folder of a fresh, empty business."""
    home = tmp_path / "business"
    result = run_kpay("init", str(home))
    assert result.exit_code == 0, result.stderr
    for sample in ("content/my-first-piece.md", "campaigns/hello.md"):
        (home / sample).unlink()
    return home
