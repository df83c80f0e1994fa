"""`kpay sequence`: letters that follow by themselves on what somebody did."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import DryRun, Yes, examples
from kpay.commands.options import app as new_app
from kpay.domain.sequence_triggers import SequenceGoal
from kpay.errors import ExitCode

app = new_app("Letters that follow by themselves on what somebody did.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The folder sequences/NAME.")]


@app.command(
    epilog=examples("kpay sequence new welcome", "kpay sequence new card-failed --for failed-card")
)
def new(
    name: Name,
    goal: Annotated[
        SequenceGoal, typer.Option("--for", help="What begins it.")
    ] = SequenceGoal.WELCOME,
) -> None:
    """Write a whole sequence to be edited."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import sequence_lists

    show(sequence_lists.new(open_business().mail_desk(), name, goal))


@app.command("list", epilog=examples("kpay sequence list", "kpay sequence list --json"))
def list_sequences() -> None:
    """List sequences: who is in them, what was sent, and why people left."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import sequence_lists

    show(sequence_lists.listed(open_business().mail_desk()))


@app.command("show", epilog=examples("kpay sequence show welcome"))
def show_sequence(name: Name) -> None:
    """Show a sequence, its letters, and who gets which one next."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import sequence_lists

    show(sequence_lists.shown(open_business().mail_desk(), name))


@app.command(
    epilog=examples(
        "kpay sequence run --dry-run   # who would come in, and which letters would leave",
        'kpay schedule add sequences "*/15 * * * *" -- sequence run --yes',
    )
)
def run(dry_run: DryRun = False, yes: Yes = False) -> None:
    """Let people in and out of all sequences, and send the letters that are due.

    A sequence begins with what happens after its first run; nobody gets a letter twice. Exit 3 means
    that something failed or waits.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import confirm, progress, show
    from kpay.services import sequences
    from kpay.services.passing import Stopwatch

    business = open_business()
    desk, now = business.mail_desk(), business.clock.now()
    if dry_run or not yes:
        outlook = sequences.look(desk, now)
        if dry_run:
            show(outlook.to_document())
            return
        if outlook.to_send:
            confirm(sequences.question(desk, outlook), yes=yes)
    with progress("sending") as advance:
        report = sequences.run(desk, passing=Stopwatch(now), advance=advance)
    show(report.to_document())
    if report.is_partial:
        raise typer.Exit(ExitCode.PARTIAL)


@app.command(epilog=examples("kpay sequence results welcome --days 30"))
def results(
    name: Name,
    days: Annotated[
        int, typer.Option("--days", min=1, max=365, help="How long after it began.")
    ] = 30,
) -> None:
    """Show what a sequence brought, beside people who were held out of it."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import sequence_lists

    business = open_business()
    desk, now = business.mail_desk(), business.clock.now()
    show(sequence_lists.results(desk, name, now, days=days).to_document())
