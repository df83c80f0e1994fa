"""`kpay campaign`: write, plan, send and measure a mailing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kpay.commands import campaign_flow
from kpay.commands.options import Since, Until, Yes, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import CampaignGoal, CampaignTarget
from kpay.errors import ExitCode, UsageProblem

app = new_app("Write, plan, send and measure a mailing.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The file campaigns/NAME.md.")]

Whom = Annotated[
    CampaignTarget | None,
    typer.Option("--target", help="Whom of the audience (else what the file says: all)."),
]
Opens = Annotated[
    bool | None,
    typer.Option("--open/--no-open", help="Show the page in the browser (at a terminal: yes)."),
]


@app.command(
    epilog=examples(
        "kpay campaign new autumn --about sourdough-basics",
        "kpay campaign new come-back --for winback",
        "kpay campaign new next --for upsell --segment warm",
        "kpay campaign new berlin --audience \"tag('berlin') and not owns('sourdough-basics')\"",
    )
)
def new(
    name: Name,
    goal: Annotated[
        CampaignGoal | None, typer.Option("--for", help="What it is for (else launch).")
    ] = None,
    about: Annotated[
        str | None,
        typer.Option("--about", metavar="SLUG", help="The piece it is about (else the newest)."),
    ] = None,
    segment: Annotated[
        str | None, typer.Option("--segment", metavar="NAME", help="Whom it is for.")
    ] = None,
    audience: Annotated[
        str | None, typer.Option("--audience", metavar="EXPR", help="Whom, as an expression.")
    ] = None,
) -> None:
    """Write a whole draft that can be planned as it is.

    From what is published, who is meant, and which subjects worked before. Edit it in campaigns/.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services.campaign_drafts import DraftWish
    from kpay.services.campaign_drafts import new as draft

    business = open_business()
    wish = DraftWish(name, goal, about, segment, audience)
    show(draft(business.mail_desk(), wish, business.clock.now()))


@app.command("list", epilog=examples("kpay campaign list"))
def list_campaigns() -> None:
    """List campaigns and where each stands."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import campaigns

    show(campaigns.listed(open_business().mail_desk()))


@app.command("show", epilog=examples("kpay campaign show hello"))
def show_campaign(name: Name) -> None:
    """Show a campaign and where its messages stand."""
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import campaigns

    show(campaigns.shown(open_business().mail_desk(), name))


@app.command(
    epilog=examples(
        "kpay campaign plan hello",
        "kpay campaign plan hello --target persuadables # only those whom a mail moves",
        "kpay campaign plan hello --json",
    )
)
def plan(name: Name, target: Whom = None, opens: Opens = None) -> None:
    """Freeze whom to mail and every letter.

    Draws whom to hold back, fills each letter, says what is wrong with it, and writes samples with a
    page to look at. Nothing is sent, and planning again without a change changes nothing.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import is_attended, progress, show
    from kpay.services.campaign_planning import plan as make
    from kpay.services.preview_page import with_samples

    business = open_business()
    desk, now = business.mail_desk(), business.clock.now()
    with progress(f"planning {name}"):
        made = make(desk, name, now, target=target)
        planned = with_samples(desk, made, business.preview_folder(name), now)
    if planned.samples and is_attended() and opens is not False:
        business.open_page(Path(planned.samples) / "index.html")
    show(planned.to_document())


@app.command(
    epilog=examples(
        "kpay campaign preview hello", "kpay campaign preview hello --email ana@example.com"
    )
)
def preview(
    name: Name,
    email: Annotated[
        str | None, typer.Option("--email", metavar="EMAIL", help="Whose message to write.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", metavar="DIR", help="Where (else outbox/preview/NAME)."),
    ] = None,
    opens: Opens = None,
) -> None:
    """Write sample messages of a plan, and a page that shows them.

    As .eml, .html and .txt files, by day and by night, on a phone and on a desk; nothing is sent.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import is_attended, show
    from kpay.services.preview_page import write_preview

    business = open_business()
    folder = Path(out) if out else business.preview_folder(name)
    made = write_preview(business.mail_desk(), name, folder, business.clock.now(), email=email)
    if is_attended() and opens is not False:
        business.open_page(made.page)
    show(made.to_document())


@app.command(
    "test",
    epilog=examples(
        "kpay campaign test hello --to me@example.com",
        "kpay campaign test hello --to me@example.com --as ana@example.com --yes",
    ),
)
def send_test(
    name: Name,
    to: Annotated[str, typer.Option("--to", metavar="EMAIL", help="Your own address.")],
    reader: Annotated[
        str | None, typer.Option("--as", metavar="EMAIL", help="Whose message it is.")
    ] = None,
    variant: Annotated[
        str, typer.Option("--variant", metavar="LETTER", help="Which of several subjects.")
    ] = "A",
    yes: Yes = False,
) -> None:
    """Send one message to yourself.

    It says [Test] in its subject, its unsubscribe link takes nobody off the list, and no result
    counts it.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import confirm, show
    from kpay.services import trial_letter

    business = open_business()
    desk, now = business.mail_desk(), business.clock.now()
    trial = trial_letter.prepare(desk, name, to, now, reader=reader, variant=variant)
    confirm(trial.question, yes=yes)
    show(trial_letter.send(trial))


@app.command(
    epilog=examples(
        "kpay campaign send hello                       # plan, show, ask, send",
        "kpay campaign send hello --plan 1f2e3d4c --yes # exactly that plan",
        "kpay campaign send hello --target persuadables # only those whom a mail moves",
    )
)
def send(
    name: Name,
    plan_hash: Annotated[
        str | None, typer.Option("--plan", metavar="HASH", help="Send this plan and no other.")
    ] = None,
    target: Whom = None,
    yes: Yes = False,
) -> None:
    """Send a campaign; nobody gets two.

    Run it again and it goes on where it stopped. Without --plan it is planned first. Exit 3 means that something failed, is uncertain or waits.
    """
    from kpay.bootstrap import open_business
    from kpay.manners import manners
    from kpay.presentation import confirm, is_attended, progress, show
    from kpay.services import campaign_sending
    from kpay.services.passing import Stopwatch

    business = open_business()
    desk, now = business.mail_desk(), business.clock.now()
    if plan_hash and target:
        raise UsageProblem("a plan says whom it is for", f"kpay campaign plan {name} --target all")
    ready = campaign_sending.prepare(desk, name, plan_hash, now, target=target)
    if ready.waiting:
        if is_attended() and not (yes or ready.plan.is_sent or manners().as_json):
            show(ready.shown)
        confirm(ready.question, yes=yes)
    with progress("sending", ready.waiting) as advance:
        report = campaign_sending.send(desk, ready, passing=Stopwatch(now), advance=advance)
    show(report.to_document())
    if report.is_partial:
        raise typer.Exit(ExitCode.PARTIAL)


campaign_flow.add_to(app)


@app.command(
    epilog=examples(
        "kpay campaign results hello",
        "kpay campaign results                          # all finished sends together",
        "kpay campaign results hello --level 99 --json",
    )
)
def results(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="The file campaigns/NAME.md; else all.")
    ] = None,
    level: Annotated[
        float, typer.Option("--level", metavar="PERCENT", help="Of the intervals.")
    ] = 95.0,
    days: Annotated[
        int | None, typer.Option("--days", min=1, max=365, help="After the first message; 14.")
    ] = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Show what campaigns really earned.

    What mailed people bought is compared with what held-out people bought, with honest ranges. One
    campaign is judged once, 14 days after its first message; all together after 5, 10, 20, 40 ...
    sends. --since and --until choose among them by the day of the first message.
    """
    from kpay.bootstrap import open_business
    from kpay.presentation import show
    from kpay.services import experiments

    if not 50 <= level < 100:
        raise UsageProblem(f"--level {level:g} is not between 50 and 100", "kpay campaign results")
    if name and (since or until):
        raise UsageProblem("days choose among all campaigns", f"kpay campaign results {name}")
    if days and not name:
        raise UsageProblem("--days needs a campaign", "kpay campaign results NAME --days 30")
    business = open_business()
    now, share = business.clock.now(), level / 100
    if name:
        found = experiments.results(business.mail_desk(), name, now, level=share, days=days or 14)
        show(found.to_document())
    else:
        asked = experiments.asked_days(since, until, now=now, timezone=business.settings.timezone)
        pooled = experiments.pooled(business.mail_desk(), now, level=share, chosen=asked)
        show(pooled.to_document())
