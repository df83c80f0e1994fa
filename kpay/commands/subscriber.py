"""`kpay subscriber`: the mailing list."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples
from kpay.domain.enums import SubscriberStatus

app = new_app("Keep the mailing list.")

Email = Annotated[str, typer.Argument(help="The address.")]


@app.command(
    epilog=examples(
        "kpay subscriber add ana@example.com --name Ana",
        'kpay subscriber add li@example.com --source "asked at the fair" --tags glazing',
    )
)
def add(
    email: Email,
    name: Annotated[str, typer.Option("--name", help="What they are called.")] = "",
    source: Annotated[str, typer.Option("--source", help="How they agreed to be mailed.")] = "",
    timezone: Annotated[str | None, typer.Option("--timezone", help="Where they are.")] = None,
    tags: Annotated[str, typer.Option("--tags", help="Words separated by ; or ,")] = "",
) -> None:
    """Put someone on the mailing list, with the proof of consent."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.mailing_list import Newcomer, add_subscriber

    business = open_business()
    newcomer = Newcomer(email, name, source, timezone, tags)
    show(add_subscriber(business.store, newcomer, business.clock.now()))


@app.command(
    "list", epilog=examples("kpay subscriber list", "kpay subscriber list --status unsubscribed")
)
def list_(
    status: Annotated[
        SubscriberStatus | None, typer.Option("--status", help="Only those of this status.")
    ] = None,
) -> None:
    """List subscribers by address."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.mailing_list import list_subscribers

    show(list_subscribers(open_business().store, status))


@app.command(epilog=examples("kpay subscriber remove ana@example.com"))
def remove(email: Email) -> None:
    """Take someone off the list; the address is never mailed again."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.mailing_list import remove_subscriber

    business = open_business()
    show(remove_subscriber(business.store, email, business.clock.now()))
