"""The part of the composition root that sends and reads mail; see kpay.bootstrap."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from kpay.bootstrap import Business
    from kpay.config import Settings
    from kpay.domain.document import Document
    from kpay.domain.letterhead import Letterhead
    from kpay.domain.mail_reading import ArrivedMail
    from kpay.domain.person import Person
    from kpay.domain.uplift_report import Aim
    from kpay.ports import Mailer
    from kpay.services.examining_mail import MailProbes
    from kpay.services.mail_desk import MailDesk, Weighed
    from kpay.services.reporting.mailing import ReportPost, WrittenReport

    InWords = Callable[[Document], tuple[str, Mapping[str, Any]]]

DOCTOR_TIMEOUT_S = 10


def mailer_of(business: Business) -> Mailer:
    """Take mail: as files in outbox/, to the SMTP server of the settings, or to Resend."""
    if business.settings.mail == "outbox":
        from kpay.adapters.outbox_mailer import OutboxMailer

        return OutboxMailer(business.folder("outbox"))
    if business.settings.mail == "resend":
        from kpay.adapters.resend_mailer import ResendMailer

        return ResendMailer(
            lambda: business.secret("resend_key").reveal(),
            business.settings.resend_api_base,
            business.settings.smtp_timeout_s,
        )
    from kpay.adapters.smtp_mailer import SmtpMailer

    return SmtpMailer(
        business.settings.smtp_url,
        lambda: business.secret("smtp_password").reveal(),
        business.settings.smtp_timeout_s,
    )


def letterhead_of(settings: Settings) -> Letterhead:
    """What stands above and below every message."""
    from kpay.domain.letterhead import Letterhead

    return Letterhead(
        business=settings.name,
        sender=settings.mail_from,
        postal_address=settings.postal_address,
        unsubscribe_url=settings.unsubscribe_url,
        unsubscribe_mailto=settings.unsubscribe_mailto,
        site_url=settings.site_url,
        bounce_address=settings.bounce_address,
    )


def desk_of(business: Business) -> MailDesk:
    """What campaigns and deliveries need; the way out is opened only when something is sent."""
    from kpay.adapters.front_matter import FrontMatterFiles
    from kpay.adapters.markdown import SafeMarkdown
    from kpay.adapters.signing import Signer
    from kpay.domain.hours import parse_hours
    from kpay.domain.mail_customs import MailCustoms
    from kpay.domain.pacing import MailLimits
    from kpay.services.mail_desk import MailDesk

    settings = business.settings
    return MailDesk(
        store=business.store,
        home=business.home,
        letterhead=letterhead_of(settings),
        renderer=business.renderer(),
        markdown=SafeMarkdown(),
        reader=FrontMatterFiles(),
        signer=Signer(business.home, "unsubscribe"),
        open_mailer=lambda: mailer_of(business),
        recommend=lambda emails: recommended(business, emails),
        weigh=weigh,
        persuade=lambda connection, people, price, now: persuade(
            business, connection, people, price, now
        ),
        one_click_problem=one_click_problem,
        base_currency=settings.base_currency,
        allows_live=settings.live,
        customs=MailCustoms(
            timezone=settings.timezone,
            open_hours=parse_hours(settings.quiet_hours).others if settings.quiet_hours else None,
            rest_days=settings.mail_rest_days,
            value_rule=settings.value_rule,
            receipts=settings.receipts,
        ),
        limits=MailLimits(
            per_second=settings.mail_per_second,
            per_hour=settings.mail_per_hour,
            per_day=settings.mail_per_day,
            per_domain_minute=settings.mail_per_domain_minute,
            warm_up=settings.warm_up,
            connections=settings.mail_connections,
        ),
    )


def report_post(business: Business, in_words: InWords) -> ReportPost:
    """Mail reports to the creator; `in_words` writes a report as text and as values of its page."""
    from kpay.services.reporting.mailing import ReportPost

    @cache
    def written(asked: tuple[tuple[str, Any], ...]) -> WrittenReport:
        return written_report(business, dict(asked), in_words)

    return ReportPost(
        business.mail_desk(),
        business.settings.report_to,
        lambda asked: written(tuple(sorted(asked.items()))),
        business.passing(),
    )


def written_report(
    business: Business, asked: Mapping[str, Any], in_words: InWords
) -> WrittenReport:
    """Make a report of a section with its options, as a mail has it."""
    from kpay.bootstrap.reports import report_desk
    from kpay.domain.enums import ReportSection
    from kpay.domain.period import local_day
    from kpay.services.reporting.mailing import WrittenReport
    from kpay.services.reporting.making import Asked

    section = ReportSection(asked["section"])
    options = {name: value for name, value in asked.items() if name != "section"}
    desk = report_desk(business, Asked(**options), section)
    document = desk.document(section)
    text, values = in_words(document)
    around = {"business": letterhead_of(business.settings).shown_business, "language": "en"}
    renderer = business.renderer()
    page = renderer.render("email/report.html", {**around, **values})
    scope = desk.scope
    end = min(scope.period.end, scope.as_of) if scope.period else scope.as_of
    last_day = local_day(end - timedelta(seconds=1), scope.timezone)
    return WrittenReport(document.title, text, renderer.inline_styles(page), last_day)


def mails_at(path: str) -> Iterator[ArrivedMail]:
    """Read the mails of a file or folder, or of standard input ("-")."""
    from kpay.adapters.mailbox import mails_in, mails_of

    if path == "-":
        return mails_of(sys.stdin.buffer, "standard input")
    return mails_in(Path(path))


def recommended(business: Business, emails: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return for each address which pieces it may want next, and why."""
    from kpay.services.recommending import recommend

    found = recommend(
        business.store,
        None,
        3,
        now=business.clock.now(),
        timezone=business.settings.timezone,
        among=emails,
    )
    return {
        row.email: [{"content": item.content, "because": item.because} for item in row.items]
        for row in found.rows
    }


def weigh(
    connection: Connection, people: Sequence[Person], about: Sequence[str], now: datetime
) -> Weighed:
    """Say who is worth a mail about something."""
    from kpay.services.attention import worth

    return worth(connection, people, about, now)


def persuade(
    business: Business,
    connection: Connection,
    people: Sequence[Person],
    price: float,
    now: datetime,
) -> Aim:
    """Say whom a mail moves."""
    from kpay.services.uplift import aim

    return aim(connection, business.folder("models"), people, price, now)


def one_click_problem(url: str) -> str | None:
    """Try an unsubscribe address as a mailbox provider would; return why it would not do."""
    from kpay.adapters import http

    return http.one_click_problem(url)


def mail_probes(home: Path, settings: Settings, environment: Mapping[str, str]) -> MailProbes:
    """Ask the world how it sees this sender; the store is not opened, nothing is waited for long."""
    from kpay.adapters.dns import NameServers
    from kpay.adapters.signing import Signer
    from kpay.bootstrap import Business
    from kpay.services.examining_mail import MailProbes

    patience_s = min(settings.smtp_timeout_s, DOCTOR_TIMEOUT_S)
    business = Business(home, replace(settings, smtp_timeout_s=patience_s), environment)
    letterhead = letterhead_of(settings)

    def try_one_click() -> str | None:
        token = Signer(home, "unsubscribe").sign("test")
        return one_click_problem(letterhead.unsubscribe_link(token))

    return MailProbes(NameServers(), letterhead, lambda: mailer_of(business), try_one_click)
