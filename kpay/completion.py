"""Completion of command names, verbs, slugs, campaigns and addresses, without importing typer.

It speaks the protocol of typer's own completion scripts (`kpay completion bash` prints one), and
leaves options to typer.
"""

from __future__ import annotations

import os
import sys

from kpay.registry import BY_NAME, ENTRIES, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


MOST = 200
QUERIES = {
    "slug": "SELECT slug, title FROM content WHERE substr(slug, 1, ?) = ? ORDER BY slug LIMIT ?",
    "email": "SELECT email, name FROM customer WHERE substr(email, 1, ?) = ? ORDER BY email LIMIT ?",
    "segment": (
        "SELECT name, predicate FROM segment WHERE substr(name, 1, ?) = ? ORDER BY name LIMIT ?"
    ),
    "order": (
        "SELECT external_id, email FROM orders WHERE substr(external_id, 1, ?) = ?"
        " ORDER BY external_id LIMIT ?"
    ),
}
Offer = tuple[str, str]


def answer(environment: Mapping[str, str]) -> bool:
    """Write the offers for a half-typed command line; False leaves the answer to typer."""
    shell = environment["_KPAY_COMPLETE"].removeprefix("complete_")
    if shell not in ("bash", "zsh", "fish"):
        return False
    found = offers(*_typed(shell, environment))
    if found is None:
        return False
    sys.stdout.write(_formatted(shell, found))
    return True


def typed_words(environment: Mapping[str, str]) -> list[str]:
    """Return the finished words after `kpay`."""
    shell = environment["_KPAY_COMPLETE"].removeprefix("complete_")
    return _typed(shell, environment)[0]


def _typed(shell: str, environment: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the finished words after `kpay` and the word being typed."""
    if shell == "bash":
        words = environment.get("COMP_WORDS", "").split()
        position = int(environment.get("COMP_CWORD", "0"))
        return words[1:position], words[position] if position < len(words) else ""
    text = environment.get("_TYPER_COMPLETE_ARGS", "")
    words = text.split()
    if not text or text[-1].isspace():
        return words[1:], ""
    return words[1:-1], words[-1]


def offers(finished: list[str], typed: str) -> list[Offer] | None:
    """Return what could come next with its description; None where only typer knows (options)."""
    if typed.startswith("-"):
        return None
    words = [word for word in finished if not word.startswith("-")]
    if not words:
        return _beginning([(entry.name, entry.help) for entry in ENTRIES], typed)
    entry = BY_NAME.get(words[0])
    if entry is None:
        return []
    if entry.verbs and len(words) == 1:
        return _beginning(list(entry.verbs), typed)
    return _argument(entry, words, typed)


def _argument(entry: Entry, words: list[str], typed: str) -> list[Offer] | None:
    kind = entry.completes.get(words[1] if entry.verbs and len(words) > 1 else "")
    if kind is None:
        return None
    home = _home()
    if home is None:
        return []
    if kind == "campaign":
        names = sorted(path.stem for path in (home / "campaigns").glob("*.md"))
        return _beginning([(name, "") for name in names], typed)
    if kind == "sequence":
        folders = sorted(path.name for path in (home / "sequences").glob("*/"))
        return _beginning([(name, "") for name in folders], typed)
    return _from_store(home / "kpay.db", QUERIES[kind], typed)


def _beginning(candidates: list[Offer], typed: str) -> list[Offer]:
    return [offer for offer in candidates if offer[0].startswith(typed)]


def _home() -> Path | None:
    from pathlib import Path

    named = os.environ.get("KPAY_HOME")
    start = Path(named) if named else Path.cwd()
    return next((at for at in (start, *start.parents) if (at / "kpay.toml").is_file()), None)


def _from_store(path: Path, query: str, typed: str) -> list[Offer]:
    """Ask the store with plain sqlite3: SQLAlchemy would cost ten times as much."""
    import sqlite3
    from contextlib import closing

    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=0.2)) as store:
            return list(store.execute(query, (len(typed), typed, MOST)))
    except sqlite3.Error:
        return []  # a half-typed line is no place for an error


def _formatted(shell: str, found: list[Offer]) -> str:
    if shell == "bash":
        return "\n".join(name for name, _ in found) + "\n"
    if shell == "fish":
        return "\n".join(f"{name}\t{text}" if text else name for name, text in found) + "\n"
    quoted = (f'"{_zsh(name)}":"{_zsh(text or name)}"' for name, text in found)
    return "_arguments '*: :((" + "\n".join(quoted) + "))'" if found else "_files"


def _zsh(text: str) -> str:
    """Quote for zsh's _arguments, as typer's script expects it."""
    for sign in ("'", '"', "$", "`", ":"):
        text = text.replace(sign, f"\\{sign}" if sign != "'" else "''")
    return text
