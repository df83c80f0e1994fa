"""How this run behaves towards people and programs: the flags that mean the same everywhere.

The entry point takes them out of the command line, so that no command has to declare them.
"""

from __future__ import annotations

import shlex
from contextvars import ContextVar
from dataclasses import dataclass, replace

GLOBAL_FLAGS = {
    "--json": "as_json",
    "--quiet": "quiet",
    "-q": "quiet",
    "--debug": "debug",
    "--no-input": "no_input",
    "--verbose": "verbose",
    "-v": "verbose",
}


@dataclass(frozen=True, slots=True)
class Manners:
    """The global flags of one run."""

    as_json: bool = False
    quiet: bool = False
    debug: bool = False
    no_input: bool = False
    verbose: bool = False
    home: str | None = None
    words: tuple[str, ...] = ()


_current: ContextVar[Manners] = ContextVar("manners", default=Manners())  # noqa: B039 - frozen


def manners() -> Manners:
    """Return the global flags of this run."""
    return _current.get()


def adopt(chosen: Manners) -> None:
    """Make `chosen` the flags of this run."""
    _current.set(chosen)


def same_command(*more: str) -> str:
    """Return this run's command line with more words in it, ready to be pasted into a shell."""
    return _command_line(manners(), more)


def corrected_command(option: str) -> str:
    """Return this run's command line with an option like "--horizon 90d" in place of what it had."""
    name, _, _ = option.partition(" ")
    words = list(manners().words)
    at = next((n for n, word in enumerate(words) if word.partition("=")[0] == name), len(words))
    length = 1 if words[at : at + 1] != [name] else 2
    kept = (*words[:at], *shlex.split(option), *words[at + length :])
    return _command_line(replace(manners(), words=kept))


def split_flags(arguments: list[str]) -> tuple[Manners, list[str]]:
    """Take the global flags out of a command line; what follows `--` is left alone.

    Raises ValueError when --home has no folder after it.
    """
    found: dict[str, bool] = {}
    home: str | None = None
    rest: list[str] = []
    waiting = iter(arguments)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
        elif word in GLOBAL_FLAGS:
            found[GLOBAL_FLAGS[word]] = True
        elif word == "--home":
            home = next(waiting, None)
            if home is None:
                raise ValueError("--home needs a folder")
        elif word.startswith("--home="):
            home = word.removeprefix("--home=")
        else:
            rest.append(word)
    return Manners(home=home, words=tuple(rest), **found), rest


def _command_line(run: Manners, more: tuple[str, ...] = ()) -> str:
    words = list(run.words)
    place = words.index("--") if "--" in words else len(words)
    home = ["--home", run.home] if run.home else []
    return shlex.join(["kpay", *words[:place], *more, *home, *words[place:]])
