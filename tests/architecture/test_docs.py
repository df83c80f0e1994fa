"""The reference pages are what the program says, and every command explains itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from kpay.registry import ENTRIES, PANELS

ROOT = Path(__file__).parents[2]


def test_the_reference_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "build.py"), "check"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_command_has_help_with_examples(entry, kpay) -> None:
    assert entry.panel in PANELS
    for words in [(entry.name,), *((entry.name, verb) for verb, _ in entry.verbs)]:
        text = kpay(*words, "--help").stdout
        assert "Usage: kpay" in text
        if not entry.verbs or len(words) == 2:
            assert "Examples:" in text, words


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.verbs], ids=lambda e: e.name)
def test_the_registry_names_every_verb(entry, kpay) -> None:
    text = kpay(entry.name, "--help").stdout
    if "Commands:" not in text:  # a bare verb whose first argument is one of a few words
        choices = text.split("\n  SECTION <")[1].split(">")[0]
        assert choices.split("|") == [verb for verb, _ in entry.verbs]
        return
    listed = text.split("Commands:")[1].split("Options:")[0]
    verbs = {
        line.split()[0]
        for line in listed.splitlines()
        if line.startswith("  ") and line[2:3].strip()
    }
    assert verbs == {verb for verb, _ in entry.verbs}


def test_everything_public_explains_itself() -> None:
    bare = []
    for path in sorted((ROOT / "kpay").rglob("*.py")):
        for node in [tree := ast.parse(path.read_text(encoding="utf-8")), *tree.body]:
            is_documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            name = getattr(node, "name", "module")
            if is_documented and not name.startswith("_") and not ast.get_docstring(node):
                bare.append(f"{path.name}:{name}")
    assert not bare


def test_decisions_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_nothing_names_a_machine_or_a_registry() -> None:
    forbidden = [
        "/wor" + "k/",
        "pypi" + ".org",
        "/opt/" + "pypi",
        "index" + "-url",
        "find" + "-links",
    ]
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    for name in filter(None, listed):
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".lock", ".html", ".txt", ""} and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [word for word in forbidden if word in text], name
