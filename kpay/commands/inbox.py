"""`kpay inbox`: act on what came back."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import DryRun, examples
from kpay.commands.options import app as new_app
from kpay.errors import UsageProblem

app = new_app()


@app.command(
    epilog=examples(
        "kpay inbox bounces.mbox --dry-run  # what would be done",
        "kpay inbox ~/Maildir/.bounces      # a Maildir, or a folder of .eml files",
        "kpay inbox --imap                  # what is new in the folder of imap_url",
    )
)
def inbox(
    source: Annotated[
        str | None, typer.Argument(metavar="FILE|DIR|-", help="mbox, .eml, Maildir; - is stdin.")
    ] = None,
    imap: Annotated[bool, typer.Option("--imap", help="Read the folder of imap_url.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Act on bounces, complaints, unsubscribes and confirmations.

    A notice counts only if it proves to be about a message that was sent; the rest is listed for you.
    Reading a mail twice changes nothing, and no mail is ever deleted.
    """
    from kpay.bootstrap import open_business
    from kpay.domain.inbox_report import InboxReport
    from kpay.presentation import show
    from kpay.services.inbox_folder import read_folder

    if imap == (source is not None):
        raise UsageProblem("name a file or folder of mail, or --imap", "kpay inbox --help")
    business = open_business()
    reader = business.inbox_reader(dry_run=dry_run)
    if source is not None:
        entries = reader.read(business.mails_in(source))
        show(InboxReport(source, tuple(entries), dry_run).to_document())
        return
    box = business.letterbox()
    show(InboxReport(box.where, tuple(read_folder(box, reader)), dry_run).to_document())
