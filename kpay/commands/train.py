"""`kpay train`: learn who will buy."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kpay.commands.options import AsOf, ExamplesFirst, Learned, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import Device

if TYPE_CHECKING:
    from kpay.bootstrap import Business
    from kpay.domain.document import Document

app = new_app()
USUAL_TUNING = "5m"

EXAMPLES = examples(
    "kpay train",
    "kpay train --horizon 30d",
    "kpay train --as-of 2026-06-30 --horizon 90d --json",
    "kpay train --target content:sourdough-course",
    "kpay train --target uplift                     # whom a mail moves, from past holdouts",
    "kpay train --device gpu --threads 4",
    "kpay train --tune 10m",
)


Where = Annotated[
    Device,
    typer.Option(
        "--device", help="Where to train; auto takes a graphics card only where it is faster."
    ),
]
Tune = Annotated[
    str | None,
    typer.Option(
        "--tune", metavar="[5m]", help="Try other settings for so long; keep them if they win."
    ),
]


class TrainCommand(ExamplesFirst):
    """A command whose `--tune` may stand alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a bare `--tune` its usual time."""
        filled = []
        for word, following in zip_longest(args, args[1:], fillvalue="-"):
            filled.append(word)
            if word == "--tune" and following.startswith("-"):
                filled.append(USUAL_TUNING)
        return super().parse_args(ctx, filled)


@app.command(epilog=EXAMPLES, cls=TrainCommand)
def train(
    horizon: Annotated[
        str, typer.Option("--horizon", metavar="90d", help="How far ahead a purchase counts.")
    ] = "90d",
    target: Learned = "purchase",
    as_of: AsOf = None,
    device: Where = Device.AUTO,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=64, help="Else chosen by the rows.")
    ] = None,
    tune: Tune = None,
) -> None:
    """Train the model of who will buy, and show it beside simple baselines."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import training
    from kpay.services.vantage import budget_s, horizon_days

    business = open_business()
    if target == "uplift":
        show(_whom_mail_moves(business, as_of))
        return
    seconds = budget_s(tune) if tune else None
    asked = training.Asked(horizon_days(horizon), as_of, device, threads, target, seconds)
    show(
        training.train(
            business.store,
            business.folder("models"),
            asked,
            now=business.clock.now(),
            timezone=business.settings.timezone,
            cache=business.cache,
            tune=business.tuner(seconds) if seconds else None,
            encoder=business.text_encoder,
        ).to_document()
    )


def _whom_mail_moves(business: Business, as_of: str | None) -> Document:
    """Learn from the holdouts of past campaigns; their fortnight is the horizon."""
    from kpay.services import uplift

    return uplift.train(
        business.store,
        business.folder("models"),
        as_of=as_of,
        now=business.clock.now(),
        timezone=business.settings.timezone,
    ).to_document()
