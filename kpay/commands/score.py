"""`kpay score`: how likely each customer is to buy."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import AsOf, Out, Target, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import OutputFormat

app = new_app()

EXAMPLES = examples(
    "kpay score",
    "kpay score --csv --out scores.csv",
    "kpay score --as-of 2026-06-30 --json",
    "kpay score --target renewal",
)


@app.command(epilog=EXAMPLES)
def score(
    as_of: AsOf = None,
    target: Target = "purchase",
    csv: Annotated[bool, typer.Option("--csv", help="Write every row as CSV.")] = False,
    out: Out = None,
) -> None:
    """Score every customer with the champion, or with the newest model of a day."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import scoring

    business = open_business()
    scores = scoring.score(
        business.store,
        business.folder("models"),
        as_of=as_of,
        now=business.clock.now(),
        timezone=business.settings.timezone,
        target=target,
        encoder=business.text_encoder,
    )
    show(scores.to_document(whole=csv or out is not None), OutputFormat.CSV if csv else None, out)
