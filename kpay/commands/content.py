"""`kpay content`: what is published."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples
from kpay.domain.enums import ContentKind

app = new_app("List and show what is published.")


@app.command("list", epilog=examples("kpay content list", "kpay content list --kind course"))
def list_(
    kind: Annotated[ContentKind | None, typer.Option("--kind", help="Only this kind.")] = None,
) -> None:
    """List content, newest first, with what each piece has sold."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.catalogue import list_content

    show(list_content(open_business().store, kind=kind).to_document())


@app.command("show", epilog=examples("kpay content show my-first-piece"))
def show_(slug: Annotated[str, typer.Argument(help="The piece's slug.")]) -> None:
    """Show one piece: price, page, payment link, sales and versions."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.catalogue import show_content

    show(show_content(open_business().store, slug).to_document())


@app.command(epilog=examples("kpay content archive my-first-piece"))
def archive(slug: Annotated[str, typer.Argument(help="The piece's slug.")]) -> None:
    """Take a piece off the site and off sale; who bought it keeps it."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.archiving import archive as archive_piece

    business = open_business()
    archived = archive_piece(business.workplace(), slug, business.clock.now())
    show(archived.to_document())
    archived.raise_trouble()


@app.command(epilog=examples("kpay content feedback", "kpay content feedback my-first-piece"))
def feedback(
    slug: Annotated[str | None, typer.Argument(help="Only what is about this piece.")] = None,
) -> None:
    """Show what people said: mood, topics, the least happy and the happiest."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.opinions import feedback_on

    business = open_business()
    show(feedback_on(business.store, slug, business.clock.now()).to_document())
