"""Where things are written: results to stdout or a file, everything else to stderr."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from kpay.domain.document import Document
from kpay.domain.enums import OutputFormat, PageFormat
from kpay.errors import UsageProblem
from kpay.files import write_whole
from kpay.manners import manners
from kpay.presentation import signs, writers
from kpay.presentation.cells import harmless

DEEDS = frozenset(
    f"kpay.{deed}"
    for deed in (
        "init", "publish", "content.archive", "sync", "sync.rebuild", "import", "deliver", "train", "report.mail",
        "campaign.new", "campaign.send", "inbox", "schedule.add", "schedule.remove", "sequence.new", "sequence.run",
        "subscriber.add", "subscriber.remove",
    )
)  # fmt: skip
TROUBLES = (
    "is_trouble",
    "failed",
    "uncertain",
    "queued",
    "bad",
    "not_on_sale",
    "problems",
    "needs_eyes",
)
FillPage = Callable[[Mapping[str, Any]], str]


def show(
    document: Document,
    fmt: OutputFormat | PageFormat | None = None,
    out: str | None = None,
    *,
    fill_page: FillPage | None = None,
) -> None:
    """Write a document to stdout, or whole and at once to the file or folder `out` ("-" is stdout).

    Without a format, --json or the file's ending names it; `fill_page` fills the template of HTML.
    """
    if out is not None and not out.strip():
        raise UsageProblem("--out is empty: it takes a file or a folder", "--out .")
    if manners().quiet and not out and goes_without_saying(document):
        return
    usual = OutputFormat.JSON if manners().as_json else format_of(out)
    chosen = OutputFormat(fmt) if fmt else usual
    if out in (None, "-") and chosen is OutputFormat.TABLE:
        from kpay.presentation.terminal import print_document  # noqa: PLC0415 - rich

        print_document(document)
        return
    target = out and destination(out, document.schema, chosen)
    text = as_text(document, chosen, fill_page)
    if target in (None, "-"):
        text = signs.written_in(sys.stdout.encoding, text, chosen)
    write_text(text, target)
    if target and target != "-":
        note(f"written to {target}")


def goes_without_saying(document: Document) -> bool:
    """Say whether a document only tells that something was done, and that all went well."""
    payloads = [document.payload]
    payloads += [part for part in document.payload.values() if isinstance(part, Mapping)]
    return (
        document.schema.partition("/")[0] in DEEDS
        and document.payload.get("status") != "partial"
        and not any(payload.get(key) for payload in payloads for key in TROUBLES)
    )


def format_of(out: str | None) -> OutputFormat:
    """Return the format that a file's ending names, else a table."""
    ending = Path(out or "").suffix.lower().removeprefix(".")
    known = {"htm": "html", "markdown": "md", "journal": "ledger"}.get(ending, ending)
    return OutputFormat(known) if known in set(OutputFormat) else OutputFormat.TABLE


def destination(out: str, schema: str, fmt: OutputFormat) -> str:
    """Return the file to write: `out` itself, or in the folder `out` one named for the document."""
    if out == "-" or not Path(out).is_dir():
        return out
    name = schema.partition("/")[0].replace(".", "-")
    return str(Path(out) / f"{name}.{'txt' if fmt is OutputFormat.TABLE else fmt}")


def as_text(document: Document, fmt: OutputFormat, fill_page: FillPage | None = None) -> str:
    """Return a document in a text format; HTML needs what fills its template."""
    if fmt in document.texts:
        return document.texts[fmt]
    if fmt is OutputFormat.LEDGER:
        problem = "only the books can be written as a ledger"
        raise UsageProblem(problem, "kpay report books --format ledger")
    if fmt is OutputFormat.HTML and fill_page:
        from kpay.presentation.pages import page_values  # noqa: PLC0415 - only for a page

        return fill_page(page_values(document))
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


def wants_lines() -> bool:
    """Say whether a log is better served with lines than with tables: nobody watches, no --json."""
    return not sys.stdout.isatty() and not manners().as_json


def say(lines: Iterable[str]) -> None:
    """Write lines to stdout, at once."""
    text = "".join(f"{harmless(line)}\n" for line in lines)
    sys.stdout.write(signs.within(sys.stdout.encoding, text))
    sys.stdout.flush()


def write_text(text: str, out: str | None = None) -> None:
    """Write text to stdout, or to a file for its owner only; DiskProblem when it cannot be."""
    if out is None or out == "-":
        sys.stdout.write(text)
        return
    write_whole(Path(out), text.encode())


def note(text: str) -> None:
    """Say something to a person at a terminal; cron, pipes and --quiet do not hear it."""
    if sys.stderr.isatty() and not manners().quiet and not manners().as_json:
        sys.stderr.write(text + "\n")


def tell(text: str) -> None:
    """Say where a long performance is: on stdout, in colour where there is a terminal.

    With --json it goes to stderr, because stdout carries the one object.
    """
    stream = sys.stderr if manners().as_json else sys.stdout
    from kpay.presentation.terminal import wants_colour  # noqa: PLC0415 - rich

    style = "\x1b[1;36m" if text.startswith("$ ") else "\x1b[2m"
    line = f"{style}{text}\x1b[0m" if wants_colour(stream) else text
    stream.write(f"\n{line}\n")
    stream.flush()


def warn(text: str) -> None:
    """Say something that matters even under cron."""
    sys.stderr.write(f"warning: {text}\n")
