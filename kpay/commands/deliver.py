"""`kpay deliver`: mail buyers what they bought."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import Yes, examples
from kpay.commands.options import app as new_app
from kpay.errors import ExitCode, UsageProblem

app = new_app()


@app.command(
    epilog=examples(
        "kpay deliver --pending", "kpay deliver --yes", "kpay deliver --resend ana@example.com"
    )
)
def deliver(
    pending: Annotated[bool, typer.Option("--pending", help="Only show what is owed.")] = False,
    resend: Annotated[
        str | None, typer.Option("--resend", metavar="EMAIL", help="Send all of it once more.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Mail buyers what they bought: each purchase once, by itself after every sync.

    The text travels in the mail and small files with it. Whoever left the list gets it too.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import confirm, progress, show
    from kpay.services import delivering

    if pending and resend:
        raise UsageProblem("--pending and --resend do not go together", "kpay deliver --pending")
    business = open_business()
    desk, now = business.mail_desk(), business.clock.now()
    owed = delivering.pending(desk, now=now)
    if pending:
        show(owed.to_document())
        return
    if resend or owed.owed:
        confirm(delivering.question(desk, owed, resend), yes=yes)
    if resend:
        delivering.queue_again(desk, resend, now=now)
    with progress("delivering", len(owed.owed)) as advance:
        report = business.deliver(advance)
    show(report.to_document())
    if report.is_partial:
        raise typer.Exit(ExitCode.PARTIAL)
