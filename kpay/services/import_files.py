"""Reading a CSV file for an import: gzip or plain, UTF-8, with a header, every row with its line."""

from __future__ import annotations

import csv
import gzip
import io
import re
import shlex
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from kpay.domain.enums import ImportKind
from kpay.domain.import_columns import COLUMNS, field_names
from kpay.domain.importing import STDIN
from kpay.errors import InputInvalid, Problem, UsageProblem

GZIP_MAGIC = b"\x1f\x8b"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
SEPARATORS = ",;\t"
PER_UNIT = re.compile(r"([A-Za-z]{3})_per_unit", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A decoded file: its name for messages, its header, and the text that begins with it."""

    name: str
    header: tuple[str, ...]
    text: str
    separator: str
    first_line: int = 1

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row that is not blank, with the line on which it begins.

        Raises InputInvalid where the text stops being CSV.
        """
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.separator)
        line = before = self.first_line
        try:
            for cells in reader:
                if line > before and any(cells):
                    yield line, cells
                line = before + reader.line_num
        except csv.Error as error:
            raise _unreadable(self.name, line, f"is not CSV ({error})") from error


def read_source(path: Path) -> bytes:
    """Return the bytes of a file; raise InputInvalid when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputInvalid(
            str(path),
            [Problem(str(path), None, None, f"cannot be read: {error.strerror}")],
            f"ls -l {path}",
        ) from error


def open_csv(source: bytes, name: str) -> CsvFile:
    """Unpack, decode and find header and separator; raise InputInvalid naming the line."""
    text = _decoded(_unpacked(source, name), name)
    blank_lines = text.count("\n", 0, len(text) - len(text.lstrip("\r\n")))
    text = text.lstrip("\r\n")
    first = text.partition("\n")[0]
    if not first.strip():
        raise _unreadable(name, 1, "is empty: a header with the column names is needed")
    separator = max(SEPARATORS, key=first.count)
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise _unreadable(name, blank_lines + 1, f"is not CSV ({error})") from error
    names = tuple(cell.strip() for cell in header)
    return CsvFile(name, names, text, separator, blank_lines + 1)


def find_columns(
    file: CsvFile, kind: ImportKind, mapping: Mapping[str, str]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return where each field stands, and the columns that are not used.

    `mapping` names a field for a column of the file; other columns are matched by their name.
    Raises UsageProblem for a wrong mapping, InputInvalid for a missing or doubled column.
    """
    _check_mapping(file, kind, mapping)
    known = field_names(kind)
    taken = set(mapping.values())
    positions: dict[str, int] = {}
    unused: list[str] = []
    problems: list[Problem] = []
    for position, column in enumerate(file.header):
        name = mapping.get(column) or column.lower()
        if name not in known or (column not in mapping and name in taken):
            unused.append(column)
        elif name in positions:
            problems.append(Problem(file.name, 1, column, "stands in the header twice"))
        else:
            positions[name] = position
    missing = _missing(file, kind, positions, unused)
    if missing:
        raise InputInvalid(
            file.name, [*problems, *missing], _a_mapping(file, kind, missing, unused)
        )
    if problems:
        raise InputInvalid(file.name, problems, _look_at(file))
    return positions, tuple(column for column in unused if column)


@dataclass(frozen=True, slots=True)
class QuotedRates:
    """A column of rates whose header says the base: usd_per_unit."""

    column: str
    base: str


def quoted_rates(file: CsvFile, mapping: Mapping[str, str]) -> QuotedRates | None:
    """Return the column that has what a unit is worth in a base; None where another has the rates."""
    if "rate" in mapping.values() or "rate" in map(str.lower, file.header):
        return None
    found = (
        QuotedRates(column, match[1].lower())
        for column in file.header
        if (match := PER_UNIT.fullmatch(column)) and column not in mapping
    )
    return next(found, None)


def _unpacked(source: bytes, name: str) -> bytes:
    if not source.startswith(GZIP_MAGIC):
        return source
    try:
        return gzip.decompress(source)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(name, None, f"is a damaged gzip file ({error})") from error


def _decoded(source: bytes, name: str) -> str:
    if source.startswith(UTF16_MARKS):
        raise _unreadable(name, 1, "is UTF-16; save it as UTF-8", _recoded(name, "utf-16"))
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise _unreadable(
            name,
            line,
            f"is not UTF-8 (byte 0x{source[error.start]:02x}); save it as UTF-8",
            _recoded(name, "cp1252"),
        ) from error


def _recoded(name: str, encoding: str) -> str:
    """Return what writes a file anew as UTF-8; the Windows code page is the likeliest of the old."""
    if name == STDIN:
        return "kpay import --help"
    new = str(Path(name).with_stem(f"{Path(name).stem}-utf8"))
    return f"iconv -f {encoding} -t utf-8 {shlex.quote(name)} > {shlex.quote(new)}"


def _look_at(file: CsvFile) -> str:
    return f"head -1 {shlex.quote(file.name)}" if file.name != STDIN else "kpay import --help"


def _a_mapping(file: CsvFile, kind: ImportKind, missing: list[Problem], unused: list[str]) -> str:
    """Return the command that takes the likeliest other column for the first that is missing."""
    wanted = missing[0].column or ""
    others = [column for column in unused if column]
    if not others:
        return _look_at(file)
    named = {column.lower().replace(" ", "_"): column for column in others}
    close = get_close_matches(wanted, named, n=1, cutoff=0.3)
    column = named[close[0]] if close else others[0]
    return shlex.join(
        [
            "kpay",
            "import",
            kind,
            "-" if file.name == STDIN else file.name,
            "--map",
            f"{column}={wanted}",
        ]
    )


def _unreadable(
    name: str, line: int | None, problem: str, hint: str = "kpay import --help"
) -> InputInvalid:
    return InputInvalid(name, [Problem(name, line, None, problem)], hint)


def _check_mapping(file: CsvFile, kind: ImportKind, mapping: Mapping[str, str]) -> None:
    known = field_names(kind)
    for column, name in mapping.items():
        if column not in file.header:
            raise UsageProblem(
                f"--map {column}={name}: {file.name} has no column {column!r}"
                + _did_you_mean(column, file.header),
                _look_at(file),
            )
        if name not in known:
            raise UsageProblem(
                f"--map {column}={name}: {kind} have no field {name!r} "
                f"(but {', '.join(known)}){_did_you_mean(name, known)}",
                "kpay import --help",
            )
    if len(set(mapping.values())) < len(mapping):
        raise UsageProblem("--map gives one field to two columns", "kpay import --help")


def _missing(
    file: CsvFile, kind: ImportKind, positions: Mapping[str, int], unused: Sequence[str]
) -> list[Problem]:
    return [
        Problem(file.name, 1, field.name, f"no such column{_did_you_mean(field.name, unused)}")
        for field in COLUMNS[kind]
        if field.is_required and field.name not in positions
    ]


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
