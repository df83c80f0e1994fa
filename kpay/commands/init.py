"""`kpay init`: a new business in a folder."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples

app = new_app()


@app.command(epilog=examples("kpay init", "kpay init my-business", "kpay init try-it --example"))
def init(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Where; made if missing.")] = ".",
    example: Annotated[
        bool, typer.Option("--example", help="Start with the example workspace instead.")
    ] = False,
) -> None:
    """Start a new business: settings, a first piece of content, a first campaign, an empty store."""
    from kpay.bootstrap import start_business
    from kpay.presentation import show

    show(start_business(folder, with_example=example).to_document())
