"""`kpay segment`: readable predicates over people, by name."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import AsOf, examples
from kpay.commands.options import app as new_app

app = new_app("Name groups of people by what is known of them.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the segment is called.")]


def language_help() -> str:
    """Return what may be asked of people, for the help."""
    from kpay.domain.person_fields import FIELDS

    lines = [f"  {name:<16} {field.said}" for name, field in FIELDS.items()]
    words = "  all subscribers customers prospects; owns('SLUG') bought('SLUG') tag('NAME')"
    more = "  segment('NAME') subscribed(); and or not in ( ) == != < <= > >="
    return "\n".join(["\b", "What may be asked:", *lines, words, more])


@app.command(
    epilog=examples(
        "kpay segment create buyers --where \"customers and not owns('async-python')\"",
        'kpay segment create warm --where "propensity >= 0.2 and last_mail_days > 14" --replace',
        """kpay segment create slipping --where "rfm == 'needs attention'\"""",
    )
    + "\n\n"
    + language_help(),
)
def create(
    name: Name,
    where: Annotated[str, typer.Option("--where", help="For whom it holds.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Change a segment that there is already.")
    ] = False,
) -> None:
    """Keep a predicate under a name; a campaign's audience may be that name.

    What is unknown of a person compares as false; whoever was never mailed has
    last_mail_days without end.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import segments

    business = open_business()
    now = business.clock.now()
    show(segments.create(business.store, name, where, replaces=replace, now=now))


@app.command("list", epilog=examples("kpay segment list", "kpay segment list --json"))
def list_() -> None:
    """List segments with how many people are in each now, and how many may be mailed."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import segments

    business = open_business()
    currency = business.settings.base_currency
    show(segments.list_segments(business.store, currency=currency, now=business.clock.now()))


@app.command("show", epilog=examples("kpay segment show warm"))
def show_(name: Name) -> None:
    """Show what a segment means, who is not mailed and why, and ten of its people."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import segments

    business = open_business()
    currency = business.settings.base_currency
    show(segments.show_segment(business.store, name, currency=currency, now=business.clock.now()))


@app.command(
    epilog=examples(
        "kpay segment groups",
        "kpay segment groups --as-of 2026-06-30 --months 12",
    )
)
def groups(
    as_of: AsOf = None,
    months: Annotated[
        int, typer.Option("--months", min=1, max=60, help="How many months of movement.")
    ] = 6,
) -> None:
    """Tell customers apart: how lately, how often and for how much they buy, and in which way.

    Shows how many are in each group, their share of revenue, what defines it, and who moved from month
    to month. Groups are kept: a segment may ask for rfm and behaviour.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import progress, show
    from kpay.services.groups import show_groups

    business = open_business()
    settings = business.settings
    with progress("telling customers apart"):
        found = show_groups(
            business.store,
            as_of=as_of,
            months=months,
            currency=settings.base_currency,
            now=business.clock.now(),
            timezone=settings.timezone,
        )
    show(found)


@app.command(epilog=examples("kpay segment remove warm"))
def remove(name: Name) -> None:
    """Forget a segment; nobody's place on the list changes."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import segments

    show(segments.remove(open_business().store, name))
