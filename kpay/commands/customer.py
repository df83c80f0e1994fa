"""`kpay customer`: who has bought."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples

app = new_app("List and show customers.")


@app.command("list", epilog=examples("kpay customer list", "kpay customer list -n 20"))
def list_(
    count: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many to show.")] = 50,
    everyone: Annotated[bool, typer.Option("--all", help="Show all of them.")] = False,
) -> None:
    """List customers, the latest buyers first."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.people import list_customers

    business = open_business()
    limit = None if everyone else count
    timezone = business.settings.timezone
    show(list_customers(business.store, limit=limit, timezone=timezone).to_document())


@app.command("show", epilog=examples("kpay customer show ana@example.com"))
def show_(
    email: Annotated[str, typer.Argument(help="The address, or the name in imported books.")],
) -> None:
    """Show one customer: orders, what they own, subscriptions, place on the mailing list."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.people import show_customer

    business = open_business()
    show(show_customer(business.store, email, business.settings.timezone).to_document())
