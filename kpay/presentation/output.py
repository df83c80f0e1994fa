"""Where things are written: results to stdout or a file, everything else to stderr."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from kpay.domain.document import Document
from kpay.domain.enums import OutputFormat
from kpay.errors import DiskProblem, UsageProblem
from kpay.manners import manners
from kpay.presentation import writers


def show(document: Document, fmt: OutputFormat | None = None, out: str | None = None) -> None:
    """Write a document to stdout, or whole and at once to the file `out` ("-" is stdout)."""
    chosen = OutputFormat.JSON if manners().as_json and fmt is None else fmt or OutputFormat.TABLE
    if out is None and chosen is OutputFormat.TABLE:
        from kpay.presentation.terminal import print_document  # noqa: PLC0415 - rich

        print_document(document)
        return
    write_text(as_text(document, chosen), out)


def as_text(document: Document, fmt: OutputFormat) -> str:
    """Return a document in a text format; HTML is the report renderer's."""
    if fmt is OutputFormat.JSON:
        return writers.to_json(document)
    if fmt is OutputFormat.CSV:
        return writers.to_csv(document)
    if fmt is OutputFormat.MD:
        return writers.to_markdown(document)
    if fmt is OutputFormat.TABLE:
        from kpay.presentation.terminal import print_document  # noqa: PLC0415 - rich

        buffer = io.StringIO()
        print_document(document, buffer)
        return buffer.getvalue()
    raise UsageProblem("only reports can be written as HTML", "kpay report --help")


def write_text(text: str, out: str | None = None) -> None:
    """Write text to stdout, or to a 0600 file that appears whole or not at all."""
    if out is None or out == "-":
        sys.stdout.write(text)
        return
    path = Path(out)
    part = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DiskProblem(
            f"{out} cannot be written: {error.strerror}", f"ls -ld {path.parent}"
        ) from error


def note(text: str) -> None:
    """Say something to a person at a terminal; cron, pipes and --quiet do not hear it."""
    if sys.stderr.isatty() and not manners().quiet and not manners().as_json:
        sys.stderr.write(text + "\n")


def warn(text: str) -> None:
    """Say something that matters even under cron."""
    sys.stderr.write(f"warning: {text}\n")
