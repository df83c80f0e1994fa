"""`kpay audit`: what was done to other people's money."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import Format, examples
from kpay.commands.options import app as new_app
from kpay.errors import ExitCode

app = new_app("List what was done, and prove that nothing of it was changed.")


@app.command("list", epilog=examples("kpay audit list", "kpay audit list -n 200 --format csv"))
def list_(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 30,
    fmt: Format = None,
) -> None:
    """List refunds and other deeds that cannot be taken back, newest first."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.auditing import trail

    show(trail(open_business().store, limit).to_document(), fmt)


@app.command(
    epilog=examples(
        "kpay audit verify",
        "kpay audit verify --head 5f2c...   # a head that you wrote down earlier",
    )
)
def verify(
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="HEX", help="An earlier head that must still be there."),
    ] = None,
) -> None:
    """Check the seal of every entry, and print the newest one: the head.

    The first entry that is not as it was written is named (exit 3). Entries cut off at the end are
    noticed by a head that was written down elsewhere.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import auditing

    found = auditing.verify(open_business().store, head)
    show(found.to_document())
    if not found.is_sound:
        raise typer.Exit(ExitCode.PARTIAL)
