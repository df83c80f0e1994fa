"""The command tree as data, so that help and completion import nothing.

`verbs` are the commands of a noun; a bare verb has none. `completes` names what the first argument
of a command is, so that the shell can offer it: "slug", "campaign", "email" or "order".
"""

from __future__ import annotations


class Entry:
    """One top-level command: where it lives and its one line of help.

    A plain class: importing dataclasses would double the time that `kpay --help` takes.
    """

    __slots__ = ("completes", "help", "name", "panel", "target", "verbs")

    def __init__(
        self,
        name: str,
        panel: str,
        help: str,  # noqa: A002 - the word the table uses
        target: str,
        verbs: tuple[tuple[str, str], ...] = (),
        completes: dict[str, str] | None = None,
    ) -> None:
        self.name = name
        self.panel = panel
        self.help = help
        self.target = target
        self.verbs = verbs
        self.completes = completes or {}


EVERYWHERE_HELP = (
    ("--home DIR", "The business folder (else KPAY_HOME, else found upward from here)."),
    ("--json", "Print one JSON object instead of tables."),
    ("--quiet, -q", "Print nothing when all is well; what was asked for still comes."),
    ("--verbose, -v", "Say more about what is going on."),
    ("--no-input", "Never ask; refuse instead (exit 2)."),
    ("--debug", "Show the traceback of a bug."),
    ("--help, -h", "Show help."),
)
CAMPAIGN_VERBS = tuple("show plan preview test send pause resume cancel reconcile results".split())
PANELS = ("Start", "Publish and sell", "Learn", "Mail", "Know", "Automate")

ENTRIES: tuple[Entry, ...] = (
    Entry("init", "Start", "Start a new business in a folder.", "kpay.commands.init"),
    Entry(
        "demo",
        "Start",
        "Watch a whole business day run, offline, without keys.",
        "kpay.commands.demo",
    ),
    Entry(
        "doctor",
        "Start",
        "Check settings, store, keys, mail, disk and models.",
        "kpay.commands.doctor",
    ),
    Entry("config", "Start", "Show settings and where each comes from.", "kpay.commands.config"),
    Entry(
        "completion", "Start", "Print the completion script of a shell.", "kpay.commands.completion"
    ),
    Entry(
        "publish",
        "Publish and sell",
        "Publish Markdown as content that can be bought.",
        "kpay.commands.publish",
    ),
    Entry(
        "content",
        "Publish and sell",
        "List and show what is published.",
        "kpay.commands.content",
        (
            ("list", "List content."),
            ("show", "Show one piece."),
            ("archive", "Take a piece off the site and off sale."),
            ("feedback", "Show what people said about content."),
        ),
        {"show": "slug", "archive": "slug", "feedback": "slug"},
    ),
    Entry(
        "sync",
        "Publish and sell",
        "Read every sale from Stripe into the store.",
        "kpay.commands.sync",
    ),
    Entry(
        "order",
        "Publish and sell",
        "List, show, resend and refund orders.",
        "kpay.commands.order",
        (
            ("list", "List orders."),
            ("show", "Show one order."),
            ("resend", "Mail again what an order bought."),
            ("refund", "Give money back."),
        ),
        dict.fromkeys(("show", "resend", "refund"), "order"),
    ),
    Entry("deliver", "Publish and sell", "Mail buyers what they bought.", "kpay.commands.deliver"),
    Entry(
        "customer",
        "Publish and sell",
        "List and show customers.",
        "kpay.commands.customer",
        (("list", "List customers."), ("show", "Show one customer.")),
        {"show": "email"},
    ),
    Entry(
        "import",
        "Publish and sell",
        "Bring in orders, people and more as CSV.",
        "kpay.commands.import_",
    ),
    Entry(
        "export",
        "Publish and sell",
        "Write orders, people and more as CSV or JSON.",
        "kpay.commands.export",
    ),
    Entry("train", "Learn", "Train the model of who will buy.", "kpay.commands.train"),
    Entry("score", "Learn", "Score every customer.", "kpay.commands.score"),
    Entry(
        "model",
        "Learn",
        "List, show and choose trained models.",
        "kpay.commands.model",
        (
            ("list", "List models."),
            ("show", "Show one model."),
            ("explain", "Say why a customer got their score."),
            ("promote", "Let a model score from now on."),
            ("rollback", "Go back to the champion before."),
        ),
        {"explain": "email"},
    ),
    Entry(
        "recommend",
        "Learn",
        "Recommend what each person may want next.",
        "kpay.commands.recommend",
        completes={"": "email"},
    ),
    Entry(
        "subscriber",
        "Mail",
        "Keep the mailing list.",
        "kpay.commands.subscriber",
        (
            ("add", "Add a subscriber."),
            ("confirm", "Take the yes of one who was asked."),
            ("remind", "Ask the silent once more."),
            ("list", "List subscribers."),
            ("show", "Show the proof of consent."),
            ("remove", "Take one off the list."),
        ),
        {"remove": "email", "show": "email"},
    ),
    Entry(
        "segment",
        "Mail",
        "Name groups of people by what is known of them.",
        "kpay.commands.segment",
        (
            ("create", "Keep a predicate under a name."),
            ("list", "List segments with their counts."),
            ("show", "Show what one means, and who is in it."),
            ("remove", "Forget one."),
            ("groups", "Tell customers apart by how they buy."),
        ),
        {"show": "segment", "remove": "segment"},
    ),
    Entry(
        "campaign",
        "Mail",
        "Write, plan, send and measure a mailing.",
        "kpay.commands.campaign",
        (
            ("new", "Write a draft."),
            ("list", "List campaigns."),
            ("show", "Show one."),
            ("plan", "Freeze audience and text, and show everything."),
            ("preview", "Write sample messages."),
            ("test", "Send one to yourself."),
            ("send", "Send what was planned."),
            ("pause", "Let nothing more leave for now."),
            ("resume", "Lift a pause."),
            ("cancel", "End one for good."),
            ("reconcile", "Settle messages that may have arrived."),
            ("results", "Show what it really earned."),
        ),
        dict.fromkeys(CAMPAIGN_VERBS, "campaign"),
    ),
    Entry("inbox", "Mail", "Act on bounces, complaints and unsubscribes.", "kpay.commands.inbox"),
    Entry(
        "sequence",
        "Mail",
        "Letters that follow by themselves on what somebody did.",
        "kpay.commands.sequence",
        (
            ("new", "Write a draft."),
            ("list", "List sequences and who is in them."),
            ("show", "Show one."),
            ("run", "Send what is due."),
            ("results", "Show what one has brought."),
        ),
        dict.fromkeys(("show", "results"), "sequence"),
    ),
    Entry(
        "report",
        "Know",
        "Report revenue, MRR and more; open any figure.",
        "kpay.commands.report",
        (
            ("summary", "The first figures to look at."),
            ("revenue", "Gross to net, and what was paid out."),
            ("mrr", "Recurring revenue and what moved it."),
            ("cohorts", "Who stays, and who buys again."),
            ("customers", "Who brings what, and who is lapsing."),
            ("content", "What each piece brings, and how it fades."),
            ("topics", "What is wanted, and what could be made."),
            ("funnel", "From reach to revenue."),
            ("campaigns", "What mailings earned and cost."),
            ("profit", "Costs, and what a customer costs and brings."),
            ("tax", "Tax by country and rate."),
            ("books", "Every posting, for an accountant."),
            ("all", "Everything in one document."),
        ),
    ),
    Entry("forecast", "Know", "Forecast revenue with an honest range.", "kpay.commands.forecast"),
    Entry(
        "schedule",
        "Automate",
        "Run commands by themselves.",
        "kpay.commands.schedule",
        (
            ("add", "Add a job."),
            ("list", "List jobs."),
            ("remove", "Remove a job."),
            ("run", "Run jobs as they fall due."),
            ("tick", "Run what is due, once (for cron)."),
        ),
    ),
    Entry(
        "audit",
        "Automate",
        "Show and prove what was done to other people's money.",
        "kpay.commands.audit",
        (("list", "List deeds."), ("verify", "Check every seal.")),
    ),
)

BY_NAME = {entry.name: entry for entry in ENTRIES}


def similar(word: str) -> str | None:
    """Return the command that a mistyped word most likely meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only on the way to an error

    close = get_close_matches(word, BY_NAME, n=1, cutoff=0.6)
    return close[0] if close else None
