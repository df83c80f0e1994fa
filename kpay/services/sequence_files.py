"""Sequences as the creator keeps them: a folder in sequences/, with sequence.md and one file a letter.

Letters follow each other in the order of the numbers that their names begin with. The name without
its number is what nobody gets twice, so letters may be put in between, moved and rewritten at any time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from kpay.domain.campaign_file import Flaw
from kpay.domain.sequence_file import (
    LetterSettings,
    SequenceSettings,
    read_letter,
    read_sequence,
)
from kpay.domain.slug import is_slug, slugify
from kpay.domain.source_file import SourceFile
from kpay.errors import InputInvalid, NotFound, Problem, Refused, UsageProblem
from kpay.files import disk_problems, write_new
from kpay.ports import SourceReader

FOLDER = "sequences"
SETTINGS = "sequence.md"
NUMBERED = re.compile(r"(\d{1,6})-?(.*)")
LAST = 10**6
Read = Callable[[Mapping[str, Any]], tuple[Any, list[Flaw]]]


@dataclass(frozen=True, slots=True)
class WrittenLetter:
    """One letter of a sequence, named without its number; `lines` are for later complaints."""

    name: str
    file: str
    settings: LetterSettings
    body: str
    first_line: int
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class WrittenSequence:
    """A sequence that was read and found valid; `note` is what its creator wrote beside it."""

    name: str
    settings: SequenceSettings
    letters: tuple[WrittenLetter, ...]
    note: str
    lines: Mapping[str, int]

    @property
    def file(self) -> str:
        """The file of its settings, as it is called in messages."""
        return f"{FOLDER}/{self.name}/{SETTINGS}"

    def letter(self, name: str) -> WrittenLetter | None:
        """Return a letter by its name, if it is still there."""
        return next((one for one in self.letters if one.name == name), None)


def names(home: Path) -> list[str]:
    """Return the names of all sequences: the folders in sequences/."""
    folder = home / FOLDER
    if not folder.is_dir():
        return []
    return sorted(
        path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._"
    )


def read(reader: SourceReader, home: Path, name: str) -> WrittenSequence:
    """Read a sequence; NotFound, or InputInvalid with every mistake in all its files."""
    folder = path_of(home, name)
    if not folder.is_dir():
        close = get_close_matches(name, names(home), n=1)
        hint = f"kpay sequence show {close[0]}" if close else f"kpay sequence new {name}"
        raise NotFound("sequence", name, hint)
    problems: list[Problem] = []
    settings, source = _read_file(reader, folder / SETTINGS, name, read_sequence, problems)
    letters = _read_letters(reader, folder, name, problems)
    if not letters and not problems:
        text = f"the sequence has no letter (put one beside it, like {FOLDER}/{name}/1-hello.md)"
        problems.append(Problem(f"{FOLDER}/{name}/{SETTINGS}", 1, None, text))
    if problems or settings is None or source is None:
        raise InputInvalid(f"{FOLDER}/{name}", problems, f"kpay sequence show {name}")
    return WrittenSequence(name, settings, tuple(letters), source.body.strip(), source.lines)


def _read_letters(
    reader: SourceReader, folder: Path, name: str, problems: list[Problem]
) -> list[WrittenLetter]:
    letters: list[WrittenLetter] = []
    paths = [path for path in folder.glob("*.md") if path.name != SETTINGS]
    for number, path in enumerate(sorted(paths, key=_in_order)):
        file = f"{FOLDER}/{name}/{path.name}"
        if not is_slug(path.stem):
            better = f" (call it {slugify(path.stem) or '1-hello'}.md)"
            problems.append(Problem(file, None, None, f"is no name for a letter{better}"))
            continue

        def read_one(
            values: Mapping[str, Any], is_first: bool = number == 0
        ) -> tuple[LetterSettings | None, list[Flaw]]:
            return read_letter(values, is_first=is_first)

        settings, source = _read_file(reader, path, name, read_one, problems)
        if settings is None or source is None:
            continue
        if not source.body:
            problems.append(Problem(file, source.first_line, None, "the letter is empty"))
        plain = _plain_name(path.stem)
        if plain in (one.name for one in letters):
            problems.append(Problem(file, None, None, f"another letter is called {plain!r} too"))
        letters.append(
            WrittenLetter(plain, file, settings, source.body, source.first_line, source.lines)
        )
    return letters


def _in_order(path: Path) -> tuple[int, str]:
    """Order names as people count: 2-more before 10-last, and what has no number after them."""
    number = NUMBERED.fullmatch(path.stem)
    return (int(number[1]), path.stem) if number else (LAST, path.stem)


def _plain_name(stem: str) -> str:
    number = NUMBERED.fullmatch(stem)
    return number[2] if number and number[2] else stem


def _read_file(
    reader: SourceReader, path: Path, name: str, read_values: Read, problems: list[Problem]
) -> tuple[Any, SourceFile | None]:
    """Read one file's front matter; what is wrong with it joins the problems."""
    file = f"{FOLDER}/{name}/{path.name}"
    try:
        source = reader.read(path, file)
    except InputInvalid as error:
        problems.extend(error.problems)
        return None, None
    settings, flaws = read_values(source.values)
    problems.extend(
        Problem(file, source.lines.get(flaw.key, 1), flaw.key, flaw.problem) for flaw in flaws
    )
    return settings, source


def path_of(home: Path, name: str, verb: str = "show") -> Path:
    """Return where a sequence's folder is; UsageProblem for a name that is no plain word."""
    if not is_slug(name):
        better = slugify(name) or "welcome"
        raise UsageProblem(
            f"{name!r} is not a sequence's name (small letters, digits and hyphens)",
            f"kpay sequence {verb} {better}",
        )
    return home / FOLDER / name


def create(home: Path, name: str, texts: Mapping[str, str]) -> list[str]:
    """Write the files of a new sequence, its settings last; Refused when it is there already."""
    folder = path_of(home, name, "new")
    if folder.exists():
        raise Refused(f"{FOLDER}/{name} is there already", f"kpay sequence show {name}")
    with disk_problems(folder):
        folder.mkdir(mode=0o700, parents=True)
    for file in sorted(texts, key=lambda one: one == SETTINGS):
        write_new(folder / file, texts[file].encode())
    return [f"{FOLDER}/{name}/{file}" for file in texts]
