"""Who imports whom, beyond what the import contracts can say; and what each command loads."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kpay.registry import ENTRIES

KPAY = Path(__file__).parents[2] / "kpay"
HEAVY = {
    "pandas", "numpy", "scipy", "sklearn", "lightgbm", "sqlmodel", "sqlalchemy",
    "stripe", "jinja2", "apscheduler", "requests", "alembic",
}  # fmt: skip
ONLY_HERE = {
    "stripe": ("adapters/stripe_",),
    "requests": ("adapters/http", "adapters/stripe_", "adapters/resend_"),
    "apscheduler": ("adapters/scheduler",),
    "jinja2": ("adapters/renderer", "adapters/letter"),
    "smtplib": ("adapters/smtp",),
    "imaplib": ("adapters/imap",),
    "dns": ("adapters/dns",),
    "frontmatter": ("adapters/",),
    "rich": ("presentation/",),
    "alembic": ("store/upgrade", "store/migrations/"),
    "importlib": ("cli", "secrets", "adapters/", "services/"),
}


def modules() -> list[Path]:
    return sorted(KPAY.rglob("*.py"))


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


@pytest.mark.parametrize("library", ONLY_HERE)
def test_a_library_is_imported_in_its_own_place_only(library: str) -> None:
    for path in modules():
        name = path.relative_to(KPAY).with_suffix("").as_posix()
        if any(module.split(".")[0] == library for module in imported(path)):
            assert name.startswith(ONLY_HERE[library]), f"{name} imports {library}"


def test_modules_are_loaded_by_name_in_the_entry_only() -> None:
    for path in modules():
        if path.name != "cli.py":
            assert "import_module" not in path.read_text(encoding="utf-8"), path


def test_pandas_stays_in_frames_and_ml() -> None:
    for path in modules():
        name = path.relative_to(KPAY).as_posix()
        if "pandas" in imported(path):
            assert name.startswith("ml/") or name == "store/frames.py", name


def test_nothing_unpickles() -> None:
    for path in modules():
        assert not imported(path) & {"pickle", "joblib", "shelve", "dill", "marshal"}, path


def loaded_by(*words: str) -> set[str]:
    code = (
        "import sys\nfrom kpay import cli\nsys.stdout = open('/dev/null', 'w')\n"
        f"code = cli.run({list(words)!r})\nassert code == 0, code\n"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=60, check=True, env=dict(os.environ),
    )  # fmt: skip
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [("--help",), ("--version",), ()])
def test_the_entry_answers_without_typer(words: tuple[str, ...]) -> None:
    loaded = loaded_by(*words)
    assert not loaded & (HEAVY | {"typer", "rich", "pydantic", "dataclasses", "re"})


@pytest.mark.parametrize("name", [entry.name for entry in ENTRIES])
def test_the_help_of_a_command_loads_nothing_heavy(name: str) -> None:
    assert not loaded_by(name, "--help") & (HEAVY | {"rich"})
