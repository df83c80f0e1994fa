"""Writes the reference pages from the program itself: `python docs/build.py write`, or `check`."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from dataclasses import fields
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"
HEADER = "<!-- Written by `make docs` from the program; do not edit. -->\n\n"
SAID = {
    "DONE": "done",
    "BUG": "a bug in kpay: an apology and the path of a report; the traceback with `--debug`",
    "USAGE": "usage, or a question that nobody is there to answer and no `--yes`",
    "PARTIAL": "finished in part: some items failed or are uncertain; run again to go on",
    "REFUSED": "refused: not found, or not allowed in this state",
    "CONDITION": "a condition given with `--fail-if` holds",
    "INPUT": "the input is wrong: file and line are named, all problems together",
    "REMOTE": "a remote service is unreachable or refuses",
    "DISK": "the disk failed or is full; nothing was half written",
    "BUSY": "another kpay is at work; try later",
    "SETTINGS": "settings or credentials are missing or wrong",
    "INTERRUPTED": "interrupted; it is safe to run again",
}


def help_of(*words: str) -> str:
    """Return what `kpay WORDS --help` prints at 80 columns, without the flags of every command."""
    from kpay import cli

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        cli.run([*words, "--help"])
    text = out.getvalue().split("\nEverywhere:")[0]
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def commands_page() -> str:
    """Every command's help, as it is printed."""
    from kpay.cli import root_help
    from kpay.registry import ENTRIES

    parts = [HEADER + "# Commands\n", f"```text\n{root_help().strip()}\n```\n"]
    for entry in ENTRIES:
        parts.append(f"## kpay {entry.name}\n\n```text\n{help_of(entry.name)}\n```\n")
        for verb, _ in entry.verbs:
            parts.append(
                f"### kpay {entry.name} {verb}\n\n```text\n{help_of(entry.name, verb)}\n```\n"
            )
    return "\n".join(parts)


def settings_page() -> str:
    """Every setting, its variable and its default."""
    from kpay.config import KEYS, Settings
    from kpay.secrets import NAMES

    lines = [
        HEADER + "# Settings\n",
        "A setting stands in `kpay.toml`, in the environment, or in the user settings"
        " (`$XDG_CONFIG_HOME/kpay/settings.toml`). The environment goes before `kpay.toml`,"
        " `kpay.toml` before the user settings.\n",
        "| key | variable | default | what it does |",
        "| --- | --- | --- | --- |",
    ]
    for item in fields(Settings):
        if item.name in KEYS:
            default = f"`{item.default}`" if item.default != "" else ""
            help_text = item.metadata["help"].replace("|", "\\|")
            lines.append(
                f"| `{item.name}` | `KPAY_{item.name.upper()}` | {default} | {help_text} |"
            )
    lines += [
        "",
        "Secrets come from the environment, the keyring (extra `keyring`) or a `secrets.toml` of"
        " mode 600 in the business folder, never from arguments and never from `kpay.toml`.\n",
        "| secret | variable |",
        "| --- | --- |",
        *(f"| `{name}` | `{variable}` |" for name, variable in NAMES.items()),
        "",
        "`KPAY_HOME` names the business folder. `KPAY_NOW` (like `2026-10-01T09:00:00Z`) stops the"
        " clock, for rehearsals and tests. `NO_COLOR` takes colour away.",
    ]
    return "\n".join(lines) + "\n"


def exit_codes_page() -> str:
    """Every exit code."""
    from kpay.errors import ExitCode

    lines = [HEADER + "# Exit codes\n", "| code | meaning |", "| --- | --- |"]
    lines += [f"| {code.value} | {SAID[code.name]} |" for code in ExitCode]
    return "\n".join(lines) + "\n"


def schema_page() -> str:
    """Every table with its columns."""
    from sqlalchemy.dialects import sqlite
    from sqlmodel import SQLModel

    import kpay.models as models

    said = {
        model.__table__.name: (model.__doc__ or "").strip()
        for model in (getattr(models, name) for name in models.__all__)
    }
    parts = [
        HEADER + "# The store\n",
        "One SQLite file, `kpay.db`. Amounts are integers in minor units.\n",
    ]
    for table in sorted(SQLModel.metadata.tables.values(), key=lambda table: table.name):
        parts.append(
            f"## {table.name}\n\n{said[table.name]}\n\n| column | kept as | |\n| --- | --- | --- |"
        )
        for column in table.columns:
            kept = column.type.compile(sqlite.dialect())
            target = next((key.target_fullname for key in column.foreign_keys), "")
            notes = ["key"] if column.primary_key else []
            notes += [] if column.nullable else ["required"]
            notes += [f"→ {target}"] if target else []
            parts.append(f"| `{column.name}` | {kept} | {', '.join(notes)} |")
        parts.append("")
    return "\n".join(parts)


PAGES = {
    "commands.md": commands_page,
    "settings.md": settings_page,
    "exit-codes.md": exit_codes_page,
    "schema.md": schema_page,
}


def main(mode: str) -> int:
    """Write the pages, or say which are stale (exit 1)."""
    os.environ.update(COLUMNS="80", TERMINAL_WIDTH="80", TYPER_USE_RICH="0", NO_COLOR="1")
    stale = []
    for name, page in PAGES.items():
        path, text = REFERENCE / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if mode == "write":
                path.write_text(text, encoding="utf-8")
    if mode == "check" and stale:
        sys.stderr.write(f"stale: {', '.join(stale)}; next: make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
