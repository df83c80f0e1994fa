"""`kpay schedule`: commands that run by themselves."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples

app = new_app("Run commands by themselves: a tick from cron, or in the foreground.")
WORDS = {"ignore_unknown_options": True}
Name = Annotated[str, typer.Argument(metavar="NAME", help="What the job is called.")]


@app.command(
    "add",
    context_settings=WORDS,
    epilog=examples(
        'kpay schedule add nightly "15 4 * * *" -- sync',
        'kpay schedule add weekly --cron "0 7 * * 1" -- report --out logs/week.html',
    ),
)
def add(
    name: Name,
    words: Annotated[
        list[str],
        typer.Argument(metavar="[CRON] -- COMMAND...", help="Five cron fields, then a command."),
    ],
    cron: Annotated[
        str | None, typer.Option("--cron", metavar="CRON", help="The cron line, if not above.")
    ] = None,
) -> None:
    """Schedule a kpay command; the cron line is in the zone of the business."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.registry import BY_NAME
    from kpay.services import scheduling

    business = open_business()
    line, command = (cron, words) if cron else (words[0], words[1:])
    document = scheduling.add(
        business.store,
        business.timetable(),
        name,
        line,
        command,
        known=tuple(BY_NAME),
        now=business.clock.now(),
    )
    show(document)


@app.command("list", epilog=examples("kpay schedule list", "kpay schedule list --json"))
def list_jobs() -> None:
    """List jobs: when each is due next, and how it last ended."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import scheduling

    business = open_business()
    show(scheduling.listing(business.store, business.settings.timezone))


@app.command("remove", epilog=examples("kpay schedule remove nightly"))
def remove(name: Name) -> None:
    """Remove a job."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import scheduling

    show(scheduling.remove(open_business().store, name))


@app.command(
    "tick", epilog=examples("kpay schedule tick", "*/5 * * * * kpay --home DIR schedule tick")
)
def tick() -> None:
    """Run what is due, once; says nothing when all is well. Made for one line in a crontab."""
    from kpay.bootstrap import open_business
    from kpay.manners import manners
    from kpay.presentation import show
    from kpay.services import scheduling

    business = open_business()
    ticked = business.tick()
    if manners().as_json or ticked.lines():
        show(ticked.to_document())
    scheduling.raise_if_failed(ticked)


@app.command("run", epilog=examples("kpay schedule run", "kpay schedule run --every 10"))
def run(
    every: Annotated[
        int, typer.Option("--every", min=1, metavar="SECONDS", help="How often to look.")
    ] = 20,
) -> None:
    """Run jobs as they fall due, in the foreground, until Ctrl-C."""
    from kpay.bootstrap import open_business
    from kpay.presentation import note, warn
    from kpay.services import scheduling

    business = open_business()
    note(f"looking every {every} s for jobs that are due; Ctrl-C ends")
    business.ticker().every(every, lambda: scheduling.beat(business.tick, warn))
