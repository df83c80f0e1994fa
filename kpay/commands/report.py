"""`kpay report`: what was earned, what recurs, who buys what, and how it compares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kpay.commands.options import AsOf, Out, Since, Until, examples
from kpay.commands.options import app as new_app
from kpay.domain.enums import MrrPolicy, OutputFormat, ReportSection
from kpay.manners import manners

if TYPE_CHECKING:
    from kpay.bootstrap import Business
    from kpay.domain.document import Document
    from kpay.services.reporting.making import Asked

app = new_app()

EXAMPLES = examples(
    "kpay report",
    "kpay report revenue --month 2026-10",
    "kpay report revenue --since 2026-01-01 --until 2026-06-30 --out half-year.html",
    "kpay report mrr --policy chartmogul --format csv",
    "kpay report mrr --explain churn@2026-09",
    "kpay report --fail-if 'gross_churn_share > 8%' --quiet",
    "kpay report summary --as-of 2026-09-30 --json",
    "kpay report summary --mail",
)
Month = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="One month.")]
Format = Annotated[OutputFormat | None, typer.Option("--format", help="How to write the answer.")]
Csv = Annotated[bool, typer.Option("--csv", help="The same as --format csv.")]
Policy = Annotated[MrrPolicy, typer.Option("--policy", help="Whose definition of MRR holds.")]
Explain = Annotated[
    str | None,
    typer.Option("--explain", metavar="METRIC[@MONTH]", help="The rows behind a figure."),
]
FailIf = Annotated[
    list[str] | None,
    typer.Option("--fail-if", metavar="CONDITION", help="Exit with 10 when this holds."),
]
Emails = Annotated[bool, typer.Option("--emails", help="Name people by their whole address.")]
Mail = Annotated[
    bool, typer.Option("--mail", help="Mail it to report_to, once a week whatever runs how often.")
]


@app.command(epilog=EXAMPLES)
def report(
    section: Annotated[
        ReportSection, typer.Argument(metavar="SECTION", help="What about.")
    ] = ReportSection.SUMMARY,
    month: Month = None,
    since: Since = None,
    until: Until = None,
    as_of: AsOf = None,
    policy: Policy = MrrPolicy.KPAY,
    explain: Explain = None,
    fail_if: FailIf = None,
    emails: Emails = False,
    fmt: Format = None,
    csv: Csv = False,
    out: Out = None,
    mail: Mail = False,
) -> None:
    """Report figures that can be opened: money, subscribers, customers, content, mail.

    With --fail-if and --quiet nothing is printed unless a condition holds.
    """
    from kpay.bootstrap import open_business
    from kpay.bootstrap.reports import report_desk
    from kpay.presentation import show
    from kpay.services.reporting.making import Asked

    business = open_business()
    asked = Asked(month, since, until, as_of, policy, emails)
    desk = report_desk(business, asked, section)
    if mail:
        show(mailed(business, asked, section))
    elif out or not (fail_if and manners().quiet):
        document = desk.opened(explain, section) if explain else desk.document(section)
        show(document, OutputFormat.CSV if csv else fmt, out, fill_page=business.fill_page)
    desk.raise_if(fail_if or [], section)


def mailed(business: Business, asked: Asked, section: ReportSection) -> Document:
    """Mail a report to the creator; say that it left, or that it had left before."""
    from kpay.bootstrap.mail import report_post
    from kpay.presentation.mail_page import in_words

    return report_post(business, in_words).mail(section, asked)
