"""Builds the wheel, installs it with its runtime dependencies only, and uses it in an empty folder.

Run by `make wheel`. A checkout would hide a template that the wheel does not carry, and the tests'
environment a dependency that the wheel does not name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command, show it, and stop at the first that fails."""
    sys.stderr.write(f"+ {' '.join(Path(str(word)).name for word in command[:4])}\n")
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "OMP_WAIT_POLICY", "OMP_NUM_THREADS")
    names = [
        name
        for name in os.environ
        if name in keep or name.startswith(("PIP_", "SSL_", "REQUESTS_"))
    ]
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, text=True, capture_output=True, check=False,
        env={name: os.environ[name] for name in names},
    )  # fmt: skip
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-4000:] + done.stderr[-4000:])
        sys.exit(f"{command[0]} ended with {done.returncode}")
    return done.stdout


def build(folder: Path) -> Path:
    """Build the wheel and check what travels in it."""
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        ROOT,
    )
    (wheel,) = folder.glob("kpay-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for part in (
        "kpay/templates/",
        "kpay/examples/content/",
        "kpay/store/migrations/versions/0001",
    ):
        assert any(name.startswith(part) for name in names), f"the wheel lacks {part}"
    return wheel


def environment(folder: Path) -> Path:
    """Make (once) an environment with the runtime lock only."""
    python = folder / "bin" / "python"
    stamp = folder / "lock.txt"
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != lock:
        shutil.rmtree(folder, ignore_errors=True)
        run(sys.executable, "-m", "venv", folder)
        run(
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "-r",
            ROOT / "requirements.lock",
        )
        stamp.write_text(lock, encoding="utf-8")
    return python


def main(folder: Path) -> None:
    """Build, install, and run kpay as a new user would."""
    with tempfile.TemporaryDirectory() as scratch:
        wheel = build(Path(scratch))
        python = environment(folder.absolute())
        run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheel)
        run(python, "-m", "pip", "check")
        kpay, empty = python.with_name("kpay"), Path(scratch) / "empty"
        empty.mkdir()
        assert "kpay COMMAND" in run(kpay, "--help", cwd=empty)
        run(kpay, "init", cwd=empty)
        run(kpay, "doctor", cwd=empty)
        told = run(kpay, "demo", "day", "--seed", "2", cwd=empty)
        sys.stderr.write(told[-3000:])
    sys.stderr.write("the wheel works\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
