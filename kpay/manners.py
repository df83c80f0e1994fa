"""How this run behaves towards people and programs: the flags that mean the same everywhere.

The entry point takes them out of the command line, so that no command has to declare them.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

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


_current: ContextVar[Manners] = ContextVar("manners", default=Manners())  # noqa: B039 - frozen


def manners() -> Manners:
    """Return the global flags of this run."""
    return _current.get()


def adopt(chosen: Manners) -> None:
    """Make `chosen` the flags of this run."""
    _current.set(chosen)


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
    return Manners(home=home, **found), rest
