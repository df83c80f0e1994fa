"""`kpay train`: learn who will buy."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import AsOf, Target, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import Device

app = new_app()

EXAMPLES = examples(
    "kpay train",
    "kpay train --horizon 30d",
    "kpay train --as-of 2026-06-30 --horizon 90d --json",
    "kpay train --target content:sourdough-course",
    "kpay train --device gpu --threads 4",
)


@app.command(epilog=EXAMPLES)
def train(
    horizon: Annotated[
        str, typer.Option("--horizon", metavar="90d", help="How far ahead a purchase counts.")
    ] = "90d",
    target: Target = "purchase",
    as_of: AsOf = None,
    device: Annotated[
        Device,
        typer.Option(
            "--device", help="Where to train; auto takes a graphics card only where it is faster."
        ),
    ] = Device.AUTO,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=64, help="Else chosen by the rows.")
    ] = None,
) -> None:
    """Train the model of who will buy, and show it beside simple baselines."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import training
    from kpay.services.vantage import horizon_days

    business = open_business()
    asked = training.Asked(horizon_days(horizon), as_of, device, threads, target)
    show(
        training.train(
            business.store,
            business.folder("models"),
            asked,
            now=business.clock.now(),
            timezone=business.settings.timezone,
            cache=business.cache,
        ).to_document()
    )
