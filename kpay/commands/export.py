"""`kpay export`: orders, people and more as files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kpay.commands.options import Out, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import ImportKind, OutputFormat
from kpay.errors import UsageProblem
from kpay.manners import manners

app = new_app()


class ExportFormat(StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@app.command(
    epilog=examples(
        "kpay export orders > orders.csv",
        "kpay export subscribers --out people.csv",
        "kpay export orders --format parquet --out orders.parquet",
    )
)
def export(
    kind: Annotated[ImportKind, typer.Argument(help="What to write.")],
    fmt: Annotated[ExportFormat | None, typer.Option("--format", help="csv when left out.")] = None,
    out: Out = None,
) -> None:
    """Export as CSV, JSON or Parquet; `kpay import` reads the CSV back unchanged.

    A text cell that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import note, show, write_text
    from kpay.services.exporting import columns_of
    from kpay.services.exporting import export as export_rows

    chosen = fmt or (ExportFormat.JSON if manners().as_json else ExportFormat.CSV)
    if chosen is ExportFormat.PARQUET and out in (None, "-"):
        raise UsageProblem(
            "Parquet is written to a file", f"kpay export {kind} --out {kind}.parquet"
        )
    business = open_business()
    exported = export_rows(business.store, kind)
    if chosen is ExportFormat.PARQUET:
        business.write_parquet(columns_of(exported.plain_rows()), Path(str(out)))
    elif chosen is ExportFormat.JSON:
        show(exported.to_document(), OutputFormat.JSON, out)
    else:
        write_text(exported.to_csv(), out)
    if out not in (None, "-"):
        note(f"{len(exported.rows):,} rows written to {out}")
