"""`kpay import`: orders, people and more from CSV files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpay.commands.options import DryRun, Yes, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import ImportKind
from kpay.domain.import_columns import COLUMNS
from kpay.errors import ExitCode, UsageProblem

if TYPE_CHECKING:
    from kpay.bootstrap import Business
    from kpay.services.confirming import ConfirmDesk

app = new_app()

Mapped = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FIELD", help="What a column of the file means."),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Leave wrong rows out instead of refusing the file.")
]
AsksConsent = Annotated[
    bool, typer.Option("--confirm", help="Ask new subscribers without a consent_source by mail.")
]


def columns_help() -> str:
    """Return the columns of every kind, for the help."""
    lines = [
        f"  {kind:<14} {' '.join(f.name + '*' * f.is_required for f in fields)}"
        for kind, fields in COLUMNS.items()
    ]
    note = "  (fx: a column usd_per_unit, or of another currency, stands for rate and base)"
    return "\n".join(["\b", "Columns (* is needed):", *lines, note])


@app.command(
    "import",
    epilog=examples(
        "kpay import orders orders.csv",
        "kpay import orders export.csv.gz --map Total=amount --map Date=ordered_at",
        "zcat people.csv.gz | kpay import subscribers - --dry-run",
        "kpay import subscribers people.csv --confirm",
        "kpay import plans plans.csv",
    )
    + "\n\n"
    + columns_help(),
)
def import_(
    kind: Annotated[ImportKind, typer.Argument(help="What the file holds.")],
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="CSV, gzip too; - is stdin.")],
    mapping: Mapped = None,
    dry_run: DryRun = False,
    skip_bad: SkipBad = False,
    asks: AsksConsent = False,
    yes: Yes = False,
) -> None:
    """Import a CSV file: all of it or nothing, and the same file twice changes nothing.

    Rows with one order_id are the lines of one order. Wrong rows are listed with their line.
    """
    from kpay.bootstrap import open_business
    from kpay.domain.importing import STDIN, Circumstances
    from kpay.presentation import progress, show
    from kpay.services.import_files import read_source
    from kpay.services.importing import import_csv

    if asks and kind is not ImportKind.SUBSCRIBERS:
        raise UsageProblem(f"--confirm asks subscribers, not {kind}", "kpay import --help")
    business = open_business()
    source = sys.stdin.buffer.read() if file == "-" else read_source(Path(file))
    circumstances = Circumstances(business.clock.now(), business.settings.timezone, dry_run, asks)
    room = _open_confirm_desk(business) if asks else None
    with progress(f"importing {kind}, rows read and written") as advance:
        result = import_csv(
            business.store,
            kind,
            source,
            name=STDIN if file == "-" else file,
            circumstances=circumstances,
            mapping=_mapping(mapping or []),
            skips_bad=skip_bad,
            advance=advance,
            ask_consent=room.asking_at(circumstances.now) if room else None,
        )
    show(result.to_document())
    if room is not None and not dry_run:
        _ask(business, room, yes)


def _open_confirm_desk(business: Business) -> ConfirmDesk:
    """Refuse before anything is imported where nobody could be asked."""
    room = business.confirm_desk()
    room.check()
    return room


def _ask(business: Business, room: ConfirmDesk, yes: bool) -> None:
    """Send the questions that wait; those that a no keeps back wait for `kpay deliver`."""
    from kpay.presentation import confirm, note, progress

    count = room.count_waiting()
    if not count:
        return
    confirm(room.question(count), yes=yes)
    with progress("asking", count) as advance:
        report = room.send_waiting(business.passing(), advance)
    note(report.sentence)
    if report.is_partial:
        raise typer.Exit(ExitCode.PARTIAL)


def _mapping(words: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        column, equals, name = word.rpartition("=")
        if not (equals and column and name):
            raise UsageProblem(f"--map {word} is not COLUMN=FIELD", "kpay import --help")
        pairs[column] = name
    return pairs
