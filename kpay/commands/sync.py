"""`kpay sync`: read every sale from the payment provider into the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples
from kpay.errors import ExitCode, UsageProblem
from kpay.manners import manners

if TYPE_CHECKING:
    from kpay.bootstrap import Business
    from kpay.domain.sync_report import SyncReport

app = new_app()


@app.command(
    epilog=examples(
        "kpay sync                    # what is new or changed since the last time",
        "kpay sync --watch            # and again whenever Stripe tells of something",
        "kpay sync --full             # everything again, and what is gone there",
        "kpay sync --only charges --only refunds",
        "kpay sync --verify           # compare every movement and payout with Stripe's",
        "kpay sync --rebuild          # derive all anew from what is kept, offline",
    )
)
def sync(
    full: Annotated[bool, typer.Option("--full", help="Read everything again.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="RESOURCE", help="Read one kind of object; repeatable."),
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare the money with Stripe, to the cent.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Derive all anew from what is kept; needs no key.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, until Ctrl-C.")] = False,
    every: Annotated[
        str | None, typer.Option("--every", metavar="TIME", help="How often --watch looks: 60s.")
    ] = None,
) -> None:
    """Read sales, refunds, subscriptions and money from Stripe; run it as often as you like.

    Only what is new or changed is read and written, and new buyers get what they bought by mail.
    A list that the key may not read is named, and the rest is read (exit 3).
    """
    _refuse_contradictions(is_plain=not (full or only or verify), rebuild=rebuild, watch=watch)
    from kpay.bootstrap import open_business
    from kpay.presentation import progress, show
    from kpay.services.syncing import SyncWish

    every_s = _seconds(every, is_watching=watch)
    business = open_business()
    if rebuild:
        show(business.rebuild())
        return
    if watch:
        _watch(business, every_s)
    with progress("reading from Stripe") as advance:
        report = business.sync(SyncWish(full, tuple(only or ()), verify), advance, _announce)
    _show(report)
    if report.is_partial:
        raise typer.Exit(ExitCode.PARTIAL)


def _refuse_contradictions(*, is_plain: bool, rebuild: bool, watch: bool) -> None:
    if (rebuild or watch) and not (is_plain and rebuild is not watch):
        alone = "--rebuild" if rebuild else "--watch"
        raise UsageProblem(f"{alone} stands alone", f"kpay sync {alone}")


def _seconds(every: str | None, *, is_watching: bool) -> int:
    """Return how often to look; UsageProblem for what is no time, too often, or not asked for."""
    from kpay.domain.period import parse_duration_s
    from kpay.services.watching import LEAST_EVERY_S

    if every and not is_watching:
        raise UsageProblem("--every says how often --watch looks", "kpay sync --watch --every 60s")
    try:
        seconds = parse_duration_s(every or "60s")
    except ValueError as error:
        raise UsageProblem(str(error), "--every 60s") from error
    if seconds < LEAST_EVERY_S:
        raise UsageProblem(f"more often than every {LEAST_EVERY_S}s is not polite", "--every 60s")
    return seconds


def _show(report: SyncReport) -> None:
    """Show a report: tables to a person, lines to a log."""
    from kpay.presentation import say, show, wants_lines

    if manners().quiet and not report.is_worth_saying:
        return
    if wants_lines():
        say(report.to_lines())
    else:
        show(report.to_document())


def _watch(business: Business, every_s: int) -> None:
    """Sync again and again: a line for each sync that found something, an object with --json."""
    from kpay.presentation import note, say, show, warn

    def tell(report: SyncReport) -> None:
        if manners().as_json:
            show(report.to_document())
        elif report.is_worth_saying or not manners().quiet:
            say(report.to_lines())

    note(f"Looking for news every {every_s} s; Ctrl-C ends it at any moment, and nothing is lost.")
    business.watch(every_s, tell, warn)


def _announce(text: str) -> None:
    """Say at once what makes this run a long one; cron hears it too, unless it wants quiet."""
    from kpay.presentation import warn

    if not manners().quiet:
        warn(text)
