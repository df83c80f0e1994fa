"""`kpay config`: the settings that hold, and where each came from."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples

app = new_app()


@app.command(epilog=examples("kpay config", "kpay config timezone", "kpay config --show-origin"))
def config(
    key: Annotated[
        str | None, typer.Argument(help="One setting; all of them when left out.")
    ] = None,
    show_origin: Annotated[
        bool, typer.Option("--show-origin", help="Say where each value came from.")
    ] = False,
) -> None:
    """Show settings. Secrets are never shown."""
    from kpay.bootstrap import settings_without_business
    from kpay.presentation import show
    from kpay.services.settings import describe

    show(describe(settings_without_business(), key, show_origin=show_origin))
