"""Mailing a report to the creator: one mail a report and week, however often it is asked for.

What waits is kept as the question, not as the answer: a report of a moment is the same whenever it is
made, so a mail that could not leave is written anew when it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import RowMapping

from kpay.domain.address import normal_email
from kpay.domain.document import Document, done
from kpay.domain.enums import DeliveryState, MailKind
from kpay.domain.message import Draft, sender_address, wire_address, write_message
from kpay.domain.period import instant_text
from kpay.domain.return_path import TOKEN_HEADER, reference_of
from kpay.errors import PartialResult, Refused, SettingsInvalid
from kpay.ports import Envelope
from kpay.services import sending
from kpay.services.mail_desk import MailDesk
from kpay.services.passing import PassingTime
from kpay.services.reporting.making import Asked
from kpay.store import deliveries, last_look
from kpay.store.deliveries import Purpose

REPORTS: Final = Purpose(kind=MailKind.REPORT)
HEADERS: Final = (("X-Kpay-Kind", "report"), ("Auto-Submitted", "auto-generated"))
LOCK_WAIT_S: Final = 30.0
SCHEMA: Final = "kpay.report.mail/1"


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A report as a mail has it; `html` carries its own styles, `last_day` is the last one in it."""

    title: str
    text: str
    html: str
    last_day: date

    @property
    def week(self) -> str:
        """The ISO week in which the report ends: "2026-W47"."""
        year, week, _ = self.last_day.isocalendar()
        return f"{year}-W{week:02}"


Write = Callable[[Mapping[str, Any]], WrittenReport]
"""Makes a report from what was asked (its section and options, with the moment it is of)."""


@dataclass(frozen=True)
class ReportPost:
    """Carries reports to their reader: `report_to`, or where that is empty the sender."""

    desk: MailDesk
    report_to: str
    write: Write
    passing: PassingTime

    def mail(self, section: str, options: Asked) -> Document:
        """Mail a report of a section once a week, with those that could not leave before.

        Raises SettingsInvalid, Refused, RemoteProblem or Busy; PartialResult when it was not taken.
        """
        asked = self._plainly(section, options)
        letter = self.write(asked)
        occasion = f"report {asked['section']} {letter.week}"
        self._refuse_the_unwilling()
        mailer = self.desk.mailer()
        with self.desk.store.reading() as connection:
            before = deliveries.of_occasion(connection, occasion)
        if before is not None and before["state"] == DeliveryState.SENT:
            return _answer(asked, letter, before["email"], is_new=False)
        if before is None:
            with self.desk.store.writing() as connection:
                row = self._delivery(occasion, asked, letter, self.passing.now())
                deliveries.queue_occasions(connection, MailKind.REPORT, [row])
        self._send()
        with self.desk.store.reading() as connection:
            after = deliveries.of_occasion(connection, occasion)
        if after is None or after["state"] != DeliveryState.SENT:
            raise _not_taken(asked, letter, after)
        return _answer(asked, letter, after["email"], is_new=True, where=mailer.where)

    def _plainly(self, section: str, options: Asked) -> dict[str, Any]:
        """Return what was asked as plain values, with the moment that the report is of."""
        as_of = options.as_of or instant_text(self.passing.now())
        return {"section": str(section), **asdict(options), "as_of": as_of}

    @cached_property
    def recipient(self) -> str:
        """The creator's address; raises SettingsInvalid where there is none."""
        problem = self.desk.letterhead.problem()
        if problem:
            raise SettingsInvalid(problem, "kpay config mail_from")
        try:
            return normal_email(sender_address(self.report_to or self.desk.letterhead.sender))
        except ValueError as error:
            raise SettingsInvalid(f"report_to: {error}", "kpay config report_to") from error

    def _refuse_the_unwilling(self) -> None:
        with self.desk.store.reading() as connection:
            reasons = last_look.suppressed(connection, [self.recipient])
        if reasons:
            raise Refused(
                f"{self.recipient} must not be mailed ({reasons[self.recipient]}), no report either",
                "kpay config report_to",
            )

    def _delivery(
        self, occasion: str, asked: Mapping[str, Any], letter: WrittenReport, now: datetime
    ) -> dict[str, Any]:
        return {
            "occasion": occasion,
            "email": self.recipient,
            "customer_id": None,
            "state": DeliveryState.QUEUED.value,
            "message_id": self.desk.identity(occasion, self.recipient),
            "context": {"asked": dict(asked), "week": letter.week},
            "due_at": now,
            "is_test": not self.desk.allows_live,
        }

    def _send(self) -> None:
        desk = self.desk
        with sending.sending_lock(desk.store, kind=MailKind.REPORT, wait_s=LOCK_WAIT_S):
            sending.Run(
                desk.store,
                desk.mailer(),
                self._envelope,
                purpose=REPORTS,
                rules=sending.RULES[MailKind.REPORT],
                passing=self.passing,
                again="kpay report summary --mail",
                limits=desk.limits,
            ).go()

    def _envelope(self, row: RowMapping) -> Envelope:
        letterhead = self.desk.letterhead
        letter = self.write(row["context"]["asked"])
        token = self.desk.signer.sign(reference_of(row["message_id"]))
        draft = Draft(
            sender=letterhead.sender,
            recipient=row["email"],
            message_id=row["message_id"],
            subject=f"{letter.title} {letter.week} · {letterhead.shown_business}",
            text=letter.text,
            html=letter.html,
            sent_at=self.passing.now(),
            headers=(*HEADERS, (TOKEN_HEADER, token)),
        )
        return Envelope(
            letterhead.envelope_sender(row["message_id"]),
            wire_address(row["email"]),
            row["message_id"],
            write_message(draft),
        )


def _answer(
    asked: Mapping[str, Any], letter: WrittenReport, email: str, *, is_new: bool, where: str = ""
) -> Document:
    said = (
        f"mailed to {email} over {where}" if is_new else f"mailed to {email} before; nothing to do"
    )
    payload = {
        "section": asked["section"],
        "week": letter.week,
        "to": email,
        "sent": int(is_new),
    }
    return done(SCHEMA, f"{letter.title} {letter.week}: {said}.", payload)


def _not_taken(
    asked: Mapping[str, Any], letter: WrittenReport, after: RowMapping | None
) -> PartialResult:
    state = after["state"] if after else DeliveryState.QUEUED.value
    reply = f" ({after['server_reply']})" if after and after["server_reply"] else ""
    waits = state in (DeliveryState.QUEUED, DeliveryState.RETRY)
    what = "waits and goes with the next one" if waits else f"is {state}"
    return PartialResult(
        f"the mail of {letter.title} {letter.week} {what}{reply}",
        f"kpay report {asked['section']} --mail" if waits else "kpay doctor",
    )
