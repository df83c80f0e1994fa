"""Files, functions and argument lists stay small enough to be read at a glance."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
KPAY = ROOT / "kpay"
FILE_LINES, DOMAIN_LINES, FUNCTION_LINES, COMMAND_LINES, POSITIONAL = 400, 250, 60, 40, 6


def sources() -> list[Path]:
    return sorted(KPAY.rglob("*.py"))


def functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def test_files_are_short() -> None:
    long = {}
    for path in sources():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > (DOMAIN_LINES if "domain" in path.parts else FILE_LINES):
            long[str(path.relative_to(ROOT))] = lines
    assert not long


def test_functions_are_short() -> None:
    long = {}
    for path in sources():
        limit = COMMAND_LINES if "commands" in path.parts else FUNCTION_LINES
        for function in functions(path):
            lines = (function.end_lineno or 0) - function.lineno + 1
            if lines > limit:
                long[f"{path.relative_to(ROOT)}:{function.name}"] = lines
    assert not long


def test_argument_lists_are_short() -> None:
    long = {}
    for path in sources():
        for function in functions(path):
            if "commands" in path.parts and function.decorator_list:
                continue  # a command is called by typer, by name
            names = [argument.arg for argument in function.args.args]
            count = len([name for name in names if name not in ("self", "cls")])
            if count > POSITIONAL and function.name != "__init__":
                long[f"{path.relative_to(ROOT)}:{function.name}"] = count
    assert not long


def test_names_say_what_they_hold() -> None:
    vague = {"data", "info", "manager", "helper", "helpers", "utils", "util", "process", "misc"}
    for path in sources():
        assert not vague & set(path.stem.split("_")), path
        for function in functions(path):
            assert function.name.strip("_") not in vague, f"{path}:{function.name}"
