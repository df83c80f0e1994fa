"""`kpay sync`: read every sale from the payment provider into the store."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples
from kpay.errors import ExitCode
from kpay.manners import manners

app = new_app()


@app.command(
    epilog=examples(
        "kpay sync                    # what is new or changed since the last time",
        "kpay sync --full             # everything again",
        "kpay sync --only charges --only refunds",
        "kpay sync --verify           # compare every movement and payout with Stripe's",
    )
)
def sync(
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="RESOURCE", help="Read one kind of object; repeatable."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare the money with Stripe, to the cent.")
    ] = False,
) -> None:
    """Read sales, refunds, subscriptions and money from Stripe; run it as often as you like.

    Only what is new or changed is read and written, and new buyers get what they bought by mail.
    A list that the key may not read is named, and the rest is read (exit 3).
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import progress, show
    from kpay.services.syncing import SyncWish

    business = open_business()
    wish = SyncWish(full, tuple(only or ()), verify)
    with progress("reading from Stripe") as advance:
        report = business.sync(wish, advance)
    if report.is_worth_saying or not manners().quiet:
        show(report.to_document())
    if report.is_partial:
        raise typer.Exit(ExitCode.PARTIAL)
