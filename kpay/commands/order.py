"""`kpay order`: what was sold."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import Format, Since, Until, examples
from kpay.commands.options import app as new_app

app = new_app("List and show orders.")


@app.command(
    "list",
    epilog=examples(
        "kpay order list",
        "kpay order list --since 2026-09-01 --until 2026-09-30",
        "kpay order list --customer ana@example.com --format csv",
    ),
)
def list_(
    since: Since = None,
    until: Until = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="EMAIL", help="Only this person's.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 30,
    fmt: Format = None,
) -> None:
    """List orders, newest first."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.order_book import asked_time, list_orders

    business = open_business()
    period = asked_time(since, until, now=business.clock.now(), timezone=business.settings.timezone)
    show(list_orders(business.store, period, customer=customer, limit=limit).to_document(), fmt)


@app.command("show", epilog=examples("kpay order show ch_3Pabc", "kpay order show 17 --json"))
def show_(
    order: Annotated[str, typer.Argument(help="Its number, or any of its ids at Stripe.")],
) -> None:
    """Show one order: lines, what was given back, rights, and the ids to find it at Stripe."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.order_book import show_order

    show(show_order(open_business().store, order).to_document())
