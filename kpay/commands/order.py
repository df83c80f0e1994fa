"""`kpay order`: what was sold."""

from __future__ import annotations

from typing import Annotated

import typer

from kpay.commands.options import DryRun, Format, Since, Until, Yes, examples
from kpay.commands.options import app as new_app
from kpay.domain.refunding import RefundReason
from kpay.errors import ExitCode

app = new_app("List, show, resend and refund orders.")
Order = Annotated[str, typer.Argument(help="Its number, or any of its ids at Stripe.")]


@app.command(
    "list",
    epilog=examples(
        "kpay order list",
        "kpay order list --since 2026-09-01 --until 2026-09-30",
        "kpay order list --customer ana@example.com --format csv",
    ),
)
def list_(
    since: Since = None,
    until: Until = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="EMAIL", help="Only this person's.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 30,
    fmt: Format = None,
) -> None:
    """List orders, newest first."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.order_book import asked_time, list_orders

    business = open_business()
    period = asked_time(since, until, now=business.clock.now(), timezone=business.settings.timezone)
    show(list_orders(business.store, period, customer=customer, limit=limit).to_document(), fmt)


@app.command("show", epilog=examples("kpay order show ch_3Pabc", "kpay order show 17 --json"))
def show_(order: Order) -> None:
    """Show one order: lines, fees and net, what was given back, rights, and its ids at Stripe."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.order_book import show_order

    show(show_order(open_business().store, order).to_document())


@app.command(epilog=examples("kpay order resend ch_3Pabc", "kpay order resend 17 --yes"))
def resend(order: Order, yes: Yes = False) -> None:
    """Mail once more what an order bought; what waits to be mailed goes with it."""
    from kpay.bootstrap import open_business
    from kpay.presentation import confirm, progress, show
    from kpay.services import redelivering

    business = open_business()
    desk, now = business.mail_desk(), business.clock.now()
    parcel = redelivering.parcel_of_order(desk, order, now=now)
    confirm(parcel.question(desk), yes=yes)
    redelivering.queue_again(desk, parcel, now=now)
    with progress("delivering", len(parcel.rights)) as advance:
        report = business.deliver(advance)
    show(report.to_document())
    if report.is_partial:
        raise typer.Exit(ExitCode.PARTIAL)


@app.command(
    epilog=examples(
        "kpay order refund ch_3Pabc",
        "kpay order refund 17 --amount 19.99 --reason requested_by_customer",
        "kpay order refund 17 --dry-run",
    )
)
def refund(
    order: Order,
    amount: Annotated[
        str | None, typer.Option("--amount", metavar="A", help='Like "19.99"; else all of it.')
    ] = None,
    reason: Annotated[
        RefundReason | None, typer.Option("--reason", help="Why, as Stripe is told.")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    despite_policy: Annotated[
        bool, typer.Option("--despite-policy", help="Even when the sale is older than refund_days.")
    ] = False,
) -> None:
    """Give money back through Stripe, once, and end the right to what was bought when all is back.

    Cut off anywhere, the same command goes on: nothing is ever given back twice.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import confirm, show
    from kpay.services import refunding

    business = open_business()
    wish = refunding.RefundWish(order, amount, reason, despite_policy)
    policy, now = business.refund_policy(), business.clock.now()
    plan = refunding.plan(business.store, wish, policy=policy, now=now)
    if dry_run:
        show(plan.to_document())
        return
    desk = business.refund_desk()
    confirm(plan.question, yes=yes)
    show(refunding.give_back(business.store, desk, plan, now=now).to_document())
