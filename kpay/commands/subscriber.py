"""`kpay subscriber`: the mailing list."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import Yes, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import SubscriberStatus

app = new_app("Keep the mailing list.")

Email = Annotated[str, typer.Argument(help="The address.")]


@app.command(
    epilog=examples(
        "kpay subscriber add ana@example.com --name Ana",
        'kpay subscriber add li@example.com --source "asked at the fair" --tags glazing',
        "kpay subscriber add mo@example.com --confirm",
    )
)
def add(
    email: Email,
    name: Annotated[str, typer.Option("--name", help="What they are called.")] = "",
    source: Annotated[str, typer.Option("--source", help="How they agreed to be mailed.")] = "",
    timezone: Annotated[str | None, typer.Option("--timezone", help="Where they are.")] = None,
    tags: Annotated[str, typer.Option("--tags", help="Words separated by ; or ,")] = "",
    asks: Annotated[
        bool, typer.Option("--confirm", help="Ask them by mail first (double opt-in).")
    ] = False,
    yes: Yes = False,
) -> None:
    """Put someone on the mailing list, with the proof of consent.

    With --confirm they are mailed one question, and nothing else until they have said yes.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import confirm, show
    from kpay.services.asking_consent import add_and_ask
    from kpay.services.mailing_list import Newcomer, add_subscriber

    business = open_business()
    newcomer = Newcomer(email, name, source, timezone, tags)
    if not asks:
        show(add_subscriber(business.store, newcomer, business.clock.now()))
        return
    room = business.confirm_desk()
    confirm(room.question(1), yes=yes)
    show(add_and_ask(room, newcomer, business.passing()))


@app.command(epilog=examples("kpay subscriber confirm TOKEN"))
def confirm(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="What their link carries.")],
) -> None:
    """Take the yes of someone who was asked; twice changes nothing.

    For the page at confirm_url: it is given the token as ?t=TOKEN.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.asking_consent import note_yes

    business = open_business()
    show(note_yes(business.confirm_desk(), token, business.passing()))


@app.command(epilog=examples("kpay subscriber remind", "kpay subscriber remind --yes"))
def remind(yes: Yes = False) -> None:
    """Ask those once more who were asked a day ago or longer and have not said yes.

    Nobody is asked more than twice, ever.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import confirm, progress, show
    from kpay.services import asking_consent

    business = open_business()
    room, passing = business.confirm_desk(), business.passing()
    count = asking_consent.count_silent(room, passing)
    if count:
        confirm(room.question(count), yes=yes)
    with progress("asking", count) as advance:
        show(asking_consent.remind(room, passing, advance))


@app.command(
    "list", epilog=examples("kpay subscriber list", "kpay subscriber list --status unsubscribed")
)
def list_(
    status: Annotated[
        SubscriberStatus | None, typer.Option("--status", help="Only those of this status.")
    ] = None,
) -> None:
    """List subscribers by address."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.mailing_list import list_subscribers

    show(list_subscribers(open_business().store, status))


@app.command("show", epilog=examples("kpay subscriber show ana@example.com"))
def show_(email: Email) -> None:
    """Show someone's place on the list, with the proof of consent."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.mailing_list import show_subscriber

    show(show_subscriber(open_business().store, email))


@app.command(epilog=examples("kpay subscriber remove ana@example.com"))
def remove(email: Email) -> None:
    """Take someone off the list; the address is never mailed again."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.mailing_list import remove_subscriber

    business = open_business()
    show(remove_subscriber(business.store, email, business.clock.now()))
