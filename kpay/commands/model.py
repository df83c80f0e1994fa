"""`kpay model`: the trained models and what they see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from kpay.commands.options import Format, Learned, Out, Target, examples
from kpay.commands.options import app as new_app

app = new_app("List, show and choose trained models.")


@app.command("list", epilog=examples("kpay model list", "kpay model list --json"))
def list_() -> None:
    """List models, the newest first."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.model_shelf import list_models

    business = open_business()
    show(list_models(business.store, business.folder("models")))


@app.command(
    "show",
    epilog=examples(
        "kpay model show",
        "kpay model show 3f2a91 --json",
        "kpay model show --target renewal",
        "kpay model show --out model.html",
    ),
)
def show_(
    run: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The champion of the target when left out.")
    ] = None,
    target: Target = "purchase",
    no_drift: Annotated[
        bool, typer.Option("--no-drift", help="Do not read today's customers to compare with.")
    ] = False,
    fmt: Format = None,
    out: Out = None,
) -> None:
    """Show one model's card: how good it is, what it looks at, whether it is still true."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.presentation.model_page import model_page_values
    from kpay.services.modelling import show_model

    business = open_business()
    document = show_model(
        business.store,
        business.folder("models"),
        run,
        target,
        now=business.clock.now(),
        timezone=business.settings.timezone,
        drift=not no_drift,
        encoder=business.text_encoder,
    )

    def fill_page(values: Mapping[str, Any]) -> str:
        if document.payload["target"] == "uplift":
            return business.fill_page(values)
        return business.fill_page(model_page_values(document.payload), "report/model.html")

    show(document, fmt, out, fill_page=fill_page)


@app.command(
    "explain",
    epilog=examples(
        "kpay model explain ana@example.com", "kpay model explain ana@example.com --target renewal"
    ),
)
def explain(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="A customer.")],
    target: Target = "purchase",
) -> None:
    """Say why a customer got their score, in words."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.explained import explain as make

    business = open_business()
    found = make(
        business.store,
        business.folder("models"),
        email,
        target,
        now=business.clock.now(),
        timezone=business.settings.timezone,
        encoder=business.text_encoder,
    )
    show(found.to_document())


@app.command("promote", epilog=examples("kpay model promote 3f2a91"))
def promote(
    run: Annotated[str, typer.Argument(metavar="ID", help="A model, or how its id begins.")],
) -> None:
    """Let a model score from now on, whatever the backtest said."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import model_shelf

    business = open_business()
    folder = business.folder("models")
    show(model_shelf.promote(business.store, folder, run, business.clock.now()))


@app.command(
    "rollback", epilog=examples("kpay model rollback", "kpay model rollback --target refund")
)
def rollback(target: Learned = "purchase") -> None:
    """Go back to the champion before the present one."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import model_shelf

    business = open_business()
    show(model_shelf.rollback(business.store, business.folder("models"), target))
