"""`kpay recommend`: what each person may want next."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import Out, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import OutputFormat

app = new_app()

EXAMPLES = examples(
    "kpay recommend",
    "kpay recommend ana@example.com -n 3",
    "kpay recommend --all --json",
    "kpay recommend --all --csv --out recommendations.csv",
    "kpay recommend --evaluate",
)


@app.command(epilog=EXAMPLES)
def recommend(
    email: Annotated[
        str | None, typer.Argument(metavar="[EMAIL]", help="One person; everybody when left out.")
    ] = None,
    everybody: Annotated[bool, typer.Option("--all", help="List everybody, not twenty.")] = False,
    count: Annotated[int, typer.Option("-n", min=1, max=100, help="How many for each.")] = 5,
    trial: Annotated[
        bool,
        typer.Option("--evaluate", help="Try the recommendations on the past and show how good."),
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write every row as CSV.")] = False,
    out: Out = None,
) -> None:
    """Recommend what each person has not got and may want next, and say why."""
    from kpay.bootstrap import open_business
    from kpay.errors import UsageProblem
    from kpay.presentation import show
    from kpay.services import recommend_trial, recommending

    if email and everybody:
        raise UsageProblem("one EMAIL and --all do not go together", f"kpay recommend {email}")
    if trial and (email or everybody):
        raise UsageProblem("--evaluate is about everybody", "kpay recommend --evaluate")
    business = open_business()
    now, timezone = business.clock.now(), business.settings.timezone
    output = OutputFormat.CSV if csv else None
    if trial:
        tried = recommend_trial.evaluate(business.store, now=now, timezone=timezone)
        show(tried.to_document(), output, out)
        return
    found = recommending.recommend(business.store, email, count, now=now, timezone=timezone)
    whole = everybody or csv or out is not None
    show(found.to_document(whole=whole), output, out)
