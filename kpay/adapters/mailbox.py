"""Mail in files: an mbox, a Maildir, .eml files or a folder of them, or standard input.

Nothing is changed or moved, and of each message only the beginning is kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from kpay.domain.mail_reading import READ_BYTES, ArrivedMail
from kpay.errors import DiskProblem, NotFound

SEPARATOR: Final = b"From "
LONGEST_LINE: Final = 1_000_000
MAIL_ENDINGS: Final = (".eml", ".mbox", ".mbx", ".msg")


def mails_in(path: Path) -> Iterator[ArrivedMail]:
    """Yield the mails of a file or folder, in a fixed order; NotFound or DiskProblem."""
    if not path.exists():
        raise NotFound("file or folder of mail", str(path), f"ls -l {path.parent}")
    try:
        for file in _files_of(path):
            with file.open("rb") as stream:
                yield from mails_of(stream, str(file))
    except OSError as error:
        raise DiskProblem(
            f"{error.filename or path} cannot be read: {error.strerror}", f"ls -l {path}"
        ) from error


def _files_of(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    if (path / "cur").is_dir() and (path / "new").is_dir():
        found = [*(path / "cur").iterdir(), *(path / "new").iterdir()]
    else:
        found = [one for one in path.iterdir() if one.suffix.lower() in MAIL_ENDINGS]
    return sorted(one for one in found if one.is_file() and not one.name.startswith("."))


def mails_of(stream: BinaryIO, name: str) -> Iterator[ArrivedMail]:
    """Yield the mails of an open file: those of an mbox, else the one that it is."""
    first = stream.readline(LONGEST_LINE)
    if not first.startswith(SEPARATOR):
        content = first + stream.read(max(READ_BYTES - len(first), 0))
        if content.strip():
            yield ArrivedMail(name, content)
        return
    for number, content in enumerate(_messages(stream), 1):
        yield ArrivedMail(f"{name} #{number}", content)


def _messages(stream: BinaryIO) -> Iterator[bytes]:
    """Cut what follows the first separator of an mbox; a separator follows an empty line."""
    lines: list[bytes] = []
    length = 0
    is_after_blank = False
    while line := stream.readline(LONGEST_LINE):
        if is_after_blank and line.startswith(SEPARATOR):
            yield b"".join(lines)
            lines, length = [], 0
        elif length < READ_BYTES:
            lines.append(_unquoted(line))
            length += len(line)
        is_after_blank = not line.strip()
    yield b"".join(lines)


def _unquoted(line: bytes) -> bytes:
    """Take away the sign that keeps a line of the text from looking like a separator."""
    is_quoted = line.startswith(b">") and line.lstrip(b">").startswith(SEPARATOR)
    return line[1:] if is_quoted else line
