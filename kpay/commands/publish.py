"""`kpay publish`: Markdown becomes content that can be read and bought."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kpay.commands.options import DryRun, examples
from kpay.commands.options import app as new_app

app = new_app()


@app.command(
    epilog=examples(
        "kpay publish                                  # what changed in content/",
        "kpay publish content/my-course.md",
        "kpay publish launch/ --at 2026-12-01T09:00",
        "kpay publish draft.md --draft",
    )
)
def publish(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE|FOLDER", help="What to publish; all of content/."),
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Keep it in the store, without page or offer.")
    ] = False,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Publish from this moment on.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Publish Markdown files: content with versions, a page each, and an offer at Stripe if it costs.

    The front matter says title, kind, summary, tags and price ("29 usd", "9 eur/month", "free",
    "from 5 usd"). Publishing again does only what is missing or changed.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.publishing import publish, wish_from

    business = open_business()
    outcome = publish(
        business.workplace(),
        files or [],
        wish_from(at, business.settings.timezone, is_draft=draft, is_named=bool(files)),
        start=Path.cwd(),
        now=business.clock.now(),
        is_rehearsal=dry_run,
    )
    show(outcome.result.to_document())
    outcome.raise_trouble()
