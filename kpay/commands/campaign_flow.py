"""`kpay campaign pause|resume|cancel|reconcile`: stopping a mailing, and settling what is uncertain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kpay.commands.options import Yes, examples
from kpay.errors import ExitCode, UsageProblem

if TYPE_CHECKING:
    from kpay.bootstrap import Business
    from kpay.domain.reconcile_report import ReconcileReport
    from kpay.services.reconciling import Wishes

Name = Annotated[str, typer.Argument(metavar="NAME", help="The file campaigns/NAME.md.")]
Logs = Annotated[
    list[str] | None,
    typer.Option("--log", metavar="FILE|-", help="The mail server's log; several are one."),
]
Mbox = Annotated[
    str | None,
    typer.Option("--mbox", metavar="FILE|DIR", help="Bounces and replies, as for kpay inbox."),
]


def pause(name: Name) -> None:
    """Let nothing more leave for now.

    A run that is sending ends before its next message; what is on its way is finished.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import campaign_control

    show(campaign_control.pause(open_business().mail_desk(), name))


def resume(name: Name) -> None:
    """Lift a pause; `kpay campaign send` goes on.

    Where kpay paused by itself, it does not pause again for the same reason unless it got clearly worse.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import campaign_control

    show(campaign_control.resume(open_business().mail_desk(), name))


def cancel(name: Name, yes: Yes = False) -> None:
    """End a campaign for good.

    What waits is never sent; what was sent stays sent, and its results can be read.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import confirm, show
    from kpay.services import campaign_control

    desk = open_business().mail_desk()
    confirm(f"cancel {name!r} for good, so that nothing more of it is ever sent?", yes=yes)
    show(campaign_control.cancel(desk, name))


def reconcile(
    name: Name,
    *,
    log: Logs = None,
    mbox: Mbox = None,
    sent: Annotated[
        list[str] | None, typer.Option("--sent", metavar="EMAIL", help="This one arrived.")
    ] = None,
    unsent: Annotated[
        list[str] | None, typer.Option("--unsent", metavar="EMAIL", help="This one did not.")
    ] = None,
    resend: Annotated[
        bool,
        typer.Option("--resend-uncertain", help="Queue them all again: some may get two."),
    ] = False,
    yes: Yes = False,
) -> None:
    """Settle messages that may have arrived.

    What a log names has arrived. What it does not name is queued again, but only if the log holds every
    message that the server acknowledged. Without options the uncertain ones are listed.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import confirm, show
    from kpay.services.reconciling import Wishes

    by_hand = bool(sent or unsent or resend)
    if bool(log) + bool(mbox) + by_hand > 1:
        raise UsageProblem(
            "settle by a log, by mail or by hand, one after the other", f"{HOW} {name} --help"
        )
    if resend:
        confirm(f"send uncertain messages of {name!r} again, though some may get two?", yes=yes)
    wishes = Wishes(sent or (), unsent or (), resend) if by_hand else None
    report = _settled(open_business(), name, log, mbox, wishes)
    show(report.to_document())
    if report.is_partial:
        raise typer.Exit(ExitCode.PARTIAL)


HOW = "kpay campaign reconcile"


def _settled(
    business: Business, name: str, log: list[str] | None, mbox: str | None, wishes: Wishes | None
) -> ReconcileReport:
    from kpay.services import reconciling

    desk, now = business.mail_desk(), business.clock.now()
    if log:
        return reconciling.by_log(desk, name, _lines(log), now)
    if mbox:
        reader = business.inbox_reader(dry_run=False)
        return reconciling.by_mail(desk, name, reader.read(business.mails_in(mbox)))
    if wishes:
        return reconciling.by_hand(desk, name, wishes, now)
    return reconciling.listed(desk, name)


def _lines(files: list[str]) -> list[str]:
    """Return the lines of logs, gzipped or plain."""
    import gzip
    import sys

    from kpay.services.import_files import GZIP_MAGIC, read_source

    lines: list[str] = []
    for file in files:
        content = sys.stdin.buffer.read() if file == "-" else read_source(Path(file))
        if content.startswith(GZIP_MAGIC):
            content = gzip.decompress(content)
        lines += content.decode("utf-8", "replace").splitlines()
    return lines


def add_to(app: typer.Typer) -> None:
    """Add these to the commands of `kpay campaign`."""
    app.command(epilog=examples("kpay campaign pause hello"))(pause)
    app.command(epilog=examples("kpay campaign resume hello", "kpay campaign send hello"))(resume)
    app.command(epilog=examples("kpay campaign cancel hello --yes"))(cancel)
    app.command(
        epilog=examples(
            "kpay campaign reconcile hello                          # what is uncertain",
            "kpay campaign reconcile hello --log /var/log/mail.log  # let the server tell",
            "kpay campaign reconcile hello --mbox bounces.mbox       # or what came back",
            "kpay campaign reconcile hello --sent ana@example.com --unsent li@example.com",
        )
    )(reconcile)
