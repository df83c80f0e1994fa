"""`kpay demo`: a whole business day in a simulated world, offline, measured against the truth."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples

app = new_app()


@app.command(
    epilog=examples("kpay demo", "kpay demo my-demo --seed 3", "kpay demo --customers 4000")
)
def demo(
    folder: Annotated[
        str | None,
        typer.Argument(metavar="DIR", help="A new folder (else kpay-demo, kpay-demo-2...)."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which world.")] = 1,
    customers: Annotated[
        int, typer.Option("--customers", min=200, max=30_000, help="How many buyers.")
    ] = 2000,
    days: Annotated[int, typer.Option("--days", min=180, max=1500, help="Days of history.")] = 540,
) -> None:
    """Watch a whole business day run: publish, sell, learn, mail, measure, report, forecast.

    Everything happens on this machine: a simulated Stripe and a mail server on loopback, people
    with known habits, and kpay's own commands. At the end kpay's answers stand beside the truth.
    """
    from kpay.bootstrap import live_a_day, new_demo_folder
    from kpay.errors import PartialResult
    from kpay.presentation import show, tell
    from kpay.sandbox import Sandbox

    home = new_demo_folder(folder)
    with Sandbox(seed, customers=customers, days=days) as world:
        told = live_a_day(world, home, say=tell, seed=seed, days=days)
    show(told.to_document())
    if told.failed:
        raise PartialResult(
            "the demo did not hold: " + ", ".join(verdict.measured for verdict in told.failed),
            f"kpay demo --seed {seed + 1}",
        )
