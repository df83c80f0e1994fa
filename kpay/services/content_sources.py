"""Finding and reading the creator's files, and everything that is wrong with all of them at once."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from kpay.domain.front_matter import Piece, read_piece, slug_of
from kpay.domain.preview import first_blocks
from kpay.domain.source_file import SourceFile
from kpay.errors import InputInvalid, NotFound, Problem
from kpay.ports import SourceReader

ENDINGS = (".md", ".markdown")


@dataclass(frozen=True, slots=True)
class ReadPiece:
    """A piece that was read: its slug, its text, and its files as paths from the business's folder."""

    slug: str
    piece: Piece
    body: str
    preview: str
    file: str
    attachments: tuple[str, ...]
    cover: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class KnownPiece:
    """What the store knows of a piece: under which slug, from which file."""

    slug: str
    file: str


def find_files(home: Path, named: Sequence[str], start: Path) -> list[Path]:
    """Return the content files that were named (files or folders), or all in content/.

    Raises NotFound for a name that is neither.
    """
    places = [_place(name, home, start) for name in named] or [home / "content"]
    found: dict[Path, None] = {}
    for place in places:
        files = [place] if place.is_file() else sorted(_files_below(place))
        found.update(dict.fromkeys(files))
    return list(found)


def read_pieces(
    reader: SourceReader, home: Path, files: Iterable[Path], known: Sequence[KnownPiece]
) -> list[ReadPiece]:
    """Read every file; raise InputInvalid with all the problems of all of them."""
    reading = _Reading(reader, home, {item.file: item.slug for item in known})
    for path in files:
        reading.take(path)
    reading.compare(known)
    if reading.problems:
        first = shlex.quote(str(home / reading.problems[0].file))
        raise InputInvalid("the content", reading.problems, f"$EDITOR {first}")
    return reading.pieces


class _Reading:
    """The files read so far, and their problems."""

    def __init__(self, reader: SourceReader, home: Path, slugs: Mapping[str, str]) -> None:
        self._reader = reader
        self._home = home
        self._slugs = slugs
        self.pieces: list[ReadPiece] = []
        self.problems: list[Problem] = []
        self._sources: dict[str, SourceFile] = {}

    def take(self, path: Path) -> None:
        name = name_in(self._home, path)
        try:
            source = self._reader.read(path, name)
        except InputInvalid as error:
            self.problems += error.problems
            return
        self._sources[name] = source
        piece, flaws = read_piece(source.written)
        for key, problem in flaws:
            self._complain(name, key, problem)
        if piece is not None:
            self._take_piece(path, source, piece)

    def _take_piece(self, path: Path, source: SourceFile, piece: Piece) -> None:
        before = self._slugs.get(source.name)
        slug = piece.chosen_slug or before or slug_of(piece, path.stem)
        if before and slug != before:
            problem = f"it was published as {before!r}; sales hang on that slug, so it stays"
            self._complain(source.name, "slug", problem)
        if not slug:
            self._complain(
                source.name, "slug", "the title makes no slug; write one (slug: my-piece)"
            )
        attached = self._beside(path, source.name, "files", piece.files)
        cover = self._beside(path, source.name, "cover", (piece.cover,) if piece.cover else ())
        preview = piece.preview
        self.pieces.append(
            ReadPiece(
                slug=slug,
                piece=piece,
                body=source.body,
                preview=first_blocks(source.body, preview) if isinstance(preview, int) else preview,
                file=source.name,
                attachments=tuple(name_in(self._home, file) for file in attached),
                cover=name_in(self._home, cover[0]) if cover else None,
                digest=digest_of(slug, source, [*attached, *cover]),
            )
        )

    def _beside(self, path: Path, name: str, key: str, files: Sequence[str]) -> list[Path]:
        found = []
        for file in files:
            beside = path.parent / file
            if beside.is_file():
                found.append(beside)
            else:
                self._complain(name, key, f"there is no file {file!r} beside it")
        return found

    def compare(self, known: Sequence[KnownPiece]) -> None:
        """Find slugs that are used twice, and pieces that are named but do not exist."""
        first: dict[str, str] = {
            item.slug: item.file
            for item in known
            if item.file not in self._sources and (self._home / item.file).is_file()
        }
        for piece in self.pieces:
            other = first.setdefault(piece.slug, piece.file)
            if other != piece.file:
                key = "slug" if piece.piece.chosen_slug else "title"
                self._complain(piece.file, key, f"{piece.slug!r} is the slug of {other} already")
        slugs = sorted({piece.slug for piece in self.pieces} | {item.slug for item in known})
        for piece in self.pieces:
            for slug in piece.piece.includes:
                if slug not in slugs or slug == piece.slug:
                    self._complain(piece.file, "includes", _no_such_piece(slug, slugs, "include"))
            for slug in piece.piece.after:
                if slug not in slugs or slug == piece.slug:
                    self._complain(piece.file, "after", _no_such_piece(slug, slugs, "come after"))
        self._compare_order()

    def _compare_order(self) -> None:
        """Find pieces that come after each other in a ring: nobody could ever begin."""
        before = {piece.slug: set(piece.piece.after) for piece in self.pieces}
        for piece in self.pieces:
            if piece.slug in _all_before(piece.slug, before):
                self._complain(piece.file, "after", f"{piece.slug!r} would come after itself")

    def _complain(self, name: str, key: str, problem: str) -> None:
        line = self._sources[name].lines.get(key, 1)
        self.problems.append(Problem(name, line, key, problem))


def name_in(home: Path, path: Path) -> str:
    """Return a file's path from the business's folder, or its whole path when it is elsewhere."""
    full = path.resolve()
    return (
        full.relative_to(home.resolve()).as_posix()
        if full.is_relative_to(home.resolve())
        else str(full)
    )


def digest_of(slug: str, source: SourceFile, files: Sequence[Path]) -> str:
    """Return what changes when anything about a piece does: its settings, its text or its files.

    The settings are taken as they were written, so that a new kpay sees no change in an old file.
    """
    said = json.dumps([slug, source.written, source.body], ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(said.encode())
    for path in files:
        with path.open("rb") as file:  # in pieces: an attached film does not fit into memory
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _place(name: str, home: Path, start: Path) -> Path:
    for place in (start / name, home / name, home / "content" / name):
        if place.exists():
            return place
    raise NotFound("file or folder", name, f"ls {home / 'content'}")


def _files_below(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS and path.is_file() and not _is_hidden(path, folder)
    ]


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)


def _all_before(slug: str, before: Mapping[str, set[str]]) -> set[str]:
    """Return everything that comes before a piece, however far."""
    found: set[str] = set()
    waiting = list(before.get(slug, ()))
    while waiting:
        one = waiting.pop()
        if one not in found and one != slug:
            waiting += before.get(one, ())
        found.add(one)
    return found


def _no_such_piece(slug: str, slugs: Sequence[str], verb: str) -> str:
    close = get_close_matches(slug, slugs, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return f"there is no piece {slug!r} to {verb}{meant}"
