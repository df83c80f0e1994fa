"""Double opt-in: who is not proven to want mail is asked by mail, and is mailed only after a yes.

A question is transactional: it goes to somebody who is not on the list yet, but never to an address
that must not be mailed, at most twice ever and at least a day apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain import double_opt_in
from kpay.domain.confirm_report import AskedReport
from kpay.domain.double_opt_in import SOURCE, Asked
from kpay.domain.enums import DeliveryState, MailKind, SubscriberStatus
from kpay.domain.message import Draft, wire_address, write_message
from kpay.domain.reader_name import shown_name
from kpay.domain.return_path import TOKEN_HEADER, reference_of
from kpay.errors import Refused, SettingsInvalid
from kpay.ports import Envelope, TokenSigner
from kpay.services import sending
from kpay.services.mail_desk import MailDesk
from kpay.services.passing import PassingTime
from kpay.services.sending import Advance
from kpay.store import confirmations, deliveries, subscribers
from kpay.store.deliveries import Purpose

QUESTIONS = Purpose(kind=MailKind.CONFIRMATION)
HEADERS = (("X-Kpay-Kind", "confirmation"), ("Auto-Submitted", "auto-generated"))
AGAIN = "kpay deliver"
UNPROVEN = "kpay subscriber list --status unconfirmed"
LOCK_WAIT_S = 30.0


@dataclass(frozen=True)
class ConfirmDesk:
    """A mail room that asks for consent; `signer` signs for this purpose only."""

    desk: MailDesk
    signer: TokenSigner
    confirm_url: str = ""

    def question(self, count: int) -> str:
        """Return what is asked before mail is sent: TEST or LIVE, and how much."""
        mailer = self.desk.open_mailer()
        people = "one person" if count == 1 else f"{count:,} people"
        return f"{'LIVE' if mailer.is_live else 'TEST'} mail: ask {people} to confirm, over {mailer.where}?"

    def queue(
        self, connection: Connection, emails: Iterable[str] | None, now: datetime, *, again: bool
    ) -> int:
        """Queue one question to each unconfirmed person who may be asked now; return how many.

        `emails` are those in question, None for everyone; without `again`, nobody is asked twice.
        """
        chosen = self.due(connection, emails, now, again=again)
        rows = [self._delivery(one, number, now) for one, number in chosen]
        queued = deliveries.queue_occasions(connection, MailKind.CONFIRMATION, rows)
        if queued:
            confirmations.note_asked(connection, [one["id"] for one, _ in chosen], now)
        return queued

    def asking_at(self, now: datetime) -> Callable[[Connection, Iterable[str]], int]:
        """Return what queues a question to those of some addresses who were never asked."""
        return lambda connection, emails: self.queue(connection, emails, now, again=False)

    def count_waiting(self) -> int:
        """Return how many questions have not left yet."""
        with self.desk.store.reading() as connection:
            return len(confirmations.waiting(connection))

    def due(
        self, connection: Connection, emails: Iterable[str] | None, now: datetime, *, again: bool
    ) -> list[tuple[RowMapping, int]]:
        """Return who would be asked now, each with the number of the question."""
        people = confirmations.unconfirmed(connection, emails)
        known = confirmations.asked(connection, [one["email"] for one in people])
        refused = subscribers.opted_out_among(connection, [one["email"] for one in people])
        chosen = []
        for one in people:
            asked = known.get(one["email"], Asked())
            is_due = asked.objection(now) is None and (again or not asked.times)
            if is_due and one["email"] not in refused:
                chosen.append((one, asked.times + 1))
        return chosen

    def _delivery(self, one: RowMapping, number: int, now: datetime) -> dict[str, Any]:
        email = one["email"]
        occasion = double_opt_in.occasion(email, number)
        return {
            "occasion": occasion,
            "email": email,
            "customer_id": None,
            "state": DeliveryState.QUEUED.value,
            "message_id": self.desk.identity(occasion, email),
            "context": {
                "name": shown_name(one["name"]),
                "token": double_opt_in.token_text(one["id"], email),
                "wording": double_opt_in.wording(self.desk.letterhead.shown_business),
            },
            "due_at": now,
            "is_test": not self.desk.allows_live,
        }

    def send_waiting(
        self, passing: PassingTime, advance: Advance = lambda count: None
    ) -> AskedReport:
        """Send the questions that wait; raises SettingsInvalid, Refused, RemoteProblem or Busy.

        What was not sent stays queued. Whoever has confirmed or left meanwhile is not asked.
        """
        store = self.desk.store
        with store.reading() as connection:
            needless = confirmations.no_longer_asked(connection)
            before = deliveries.tally(connection, QUESTIONS)
            is_waiting = bool(confirmations.waiting(connection))
        if not is_waiting and not before.get(DeliveryState.SENDING):
            return AskedReport()
        if needless:
            with store.writing() as connection:
                deliveries.set_aside(
                    connection, needless, DeliveryState.SKIPPED, "no longer to be asked"
                )
        self.check()
        mailer = self.desk.mailer()
        with sending.sending_lock(store, kind=MailKind.CONFIRMATION, wait_s=LOCK_WAIT_S):
            run = sending.Run(
                store,
                mailer,
                lambda row: self.envelope(row, passing.now()),
                purpose=QUESTIONS,
                rules=sending.MARKETING,
                passing=passing,
                again=AGAIN,
                advance=advance,
                limits=self.desk.limits,
            )
            run.go()
        with store.reading() as connection:
            after = deliveries.tally(connection, QUESTIONS)
            left = len(confirmations.waiting(connection))
        sent = after.get(DeliveryState.SENT, 0) - before.get(DeliveryState.SENT, 0)
        return AskedReport(sent, left, run.failures, mailer.where, mailer.is_live)

    def check(self) -> None:
        """Raise SettingsInvalid where no question can be written with these settings."""
        problem = self.desk.letterhead.problem()
        if problem:
            raise SettingsInvalid(problem, "kpay config mail_from")
        if self.confirm_url and not self.confirm_url.startswith("https://"):
            raise SettingsInvalid("confirm_url must begin with https://", "kpay config confirm_url")

    def envelope(self, row: RowMapping, now: datetime) -> Envelope:
        """Write one question; ValueError for an address that cannot be mailed."""
        letterhead, context = self.desk.letterhead, row["context"]
        token = self.signer.sign(context["token"])
        values: Mapping[str, Any] = {
            "business": letterhead.shown_business,
            "postal_address": letterhead.postal_address,
            "language": "en",
            "name": context["name"],
            "email": row["email"],
            "wording": context["wording"],
            "confirm_url": double_opt_in.confirm_link(letterhead, self.confirm_url, token),
            "is_by_mail": not self.confirm_url,
        }
        page = self.desk.renderer.render("email/confirm.html", values)
        known_again = self.desk.signer.sign(reference_of(row["message_id"]))
        draft = Draft(
            sender=letterhead.sender,
            recipient=row["email"],
            message_id=row["message_id"],
            subject=f"Please confirm: mail from {letterhead.shown_business}",
            text=self.desk.renderer.render("email/confirm.txt", values),
            html=self.desk.renderer.inline_styles(page),
            sent_at=now,
            headers=(*HEADERS, (TOKEN_HEADER, known_again)),
        )
        return Envelope(
            letterhead.envelope_sender(row["message_id"]),
            wire_address(row["email"]),
            row["message_id"],
            write_message(draft),
        )

    def confirm_by_mail(self, connection: Connection, token: str, at: datetime) -> str:
        """Take a yes that came as a mail; like `confirm`."""
        return self.confirm(connection, token, at, "mail")

    def confirm(self, connection: Connection, token: str, at: datetime, how: str) -> str:
        """Take somebody's yes by the token of their link, and return whose it was.

        Raises Refused for a token that is not genuine, or of somebody who must not be mailed.
        """
        text = self.signer.read(token)
        if text is None:
            raise Refused("that token is not one of ours, or a part of it is missing", UNPROVEN)
        return confirm(connection, text, at, how)


def confirm(connection: Connection, token_text: str, at: datetime, how: str) -> str:
    """Put the person of a genuine token on the list with the proof of it, once; return the address.

    `how` says by which way the yes came ("mail", "link"). Raises Refused where the person is not
    on the list any more, or must not be mailed: an old link brings nobody back who has left.
    """
    read = double_opt_in.read_token_text(token_text)
    row = confirmations.find(connection, read[0]) if read else None
    if read is None or row is None or not double_opt_in.is_of(read[1], row["email"]):
        raise Refused("nobody waits to be confirmed by that token", UNPROVEN)
    email: str = row["email"]
    if subscribers.opted_out_among(connection, [email]):
        raise Refused(
            f"{email} has left the list since, and an old link does not bring anybody back",
            "kpay subscriber list --status unsubscribed",
        )
    if row["status"] == SubscriberStatus.SUBSCRIBED and row["confirmed_at"] is not None:
        return email
    words = confirmations.wording_sent(connection, email) or row["consent_wording"] or ""
    confirmations.accept(
        connection,
        row["id"],
        source=SOURCE,
        wording=f"{words} (answered by {how})".strip(),
        at=at,
    )
    return email
