"""`kpay report`: what was earned, what recurs, and how it compares."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import AsOf, Format, Out, Since, Until, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import OutputFormat, ReportSection

app = new_app()

EXAMPLES = examples(
    "kpay report",
    "kpay report revenue --month 2026-10",
    "kpay report revenue --since 2026-01-01 --until 2026-06-30 --out half-year.html",
    "kpay report mrr --format csv",
    "kpay report summary --as-of 2026-09-30 --json",
)
Month = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="One month.")]
Csv = Annotated[bool, typer.Option("--csv", help="The same as --format csv.")]


@app.command(epilog=EXAMPLES)
def report(
    section: Annotated[
        ReportSection, typer.Argument(metavar="|".join(ReportSection), help="What about.")
    ] = ReportSection.SUMMARY,
    month: Month = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    fmt: Format = None,
    csv: Csv = False,
    out: Out = None,
) -> None:
    """Report the first figures to look at, revenue from gross to net, or recurring revenue."""
    from kpay.bootstrap import open_business
    from kpay.bootstrap.reports import section_module
    from kpay.presentation import show
    from kpay.services.reporting.making import report as make
    from kpay.services.reporting.making import scope_of

    business = open_business()
    scope = scope_of(
        month=month,
        since=since,
        until=until,
        as_of=as_of,
        now=business.clock.now(),
        timezone=business.settings.timezone,
        base_currency=business.settings.base_currency,
        last_sync=business.last_success("sync"),
    )
    document = make(business.store, section_module(section).document, scope)
    chosen = OutputFormat.CSV if csv else fmt
    show(document, chosen, out, fill_page=business.fill_page)
