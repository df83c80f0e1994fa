"""One message of a campaign to the creator's own mailbox, before anyone else gets it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from kpay.domain.delivery import Fate
from kpay.domain.document import Document, done
from kpay.domain.message import Draft, message_id, wire_address, write_message
from kpay.errors import Refused, RemoteProblem, UsageProblem
from kpay.ports import Envelope, FilledLetter, Mailer, TokenSigner
from kpay.services.campaign_planning import plan
from kpay.services.frozen_plan import FrozenPerson, FrozenPlan
from kpay.services.letters import Press
from kpay.services.mail_desk import MailDesk
from kpay.services.preview_page import chosen_people, kept_with_people, one_of_plan

MARK = "[Test] "
HARMLESS = "test"


class HarmlessTokens:
    """Signs the same for everyone, so that leaving by a test's link takes nobody off the list."""

    def __init__(self, signer: TokenSigner) -> None:
        self._token = signer.sign(HARMLESS)

    def sign(self, text: str) -> str:
        """Return the token that stands for nobody."""
        return self._token

    def read(self, token: str) -> str | None:
        """Read nothing: a test proves nothing."""
        return None


@dataclass(frozen=True, slots=True)
class Trial:
    """A message that may be sent: whose it is, to whom it goes, and over what."""

    campaign: str
    reader: str
    mailer: Mailer
    envelope: Envelope
    subject: str

    @property
    def question(self) -> str:
        """What is asked before it leaves."""
        mode = "LIVE mail" if self.mailer.is_live else "TEST mail"
        return (
            f"{mode}: send {self.campaign!r} as {self.reader} would get it to "
            f"{self.envelope.recipient} over {self.mailer.where}?"
        )


def prepare(
    desk: MailDesk, name: str, to: str, now: datetime, *, reader: str | None, variant: str
) -> Trial:
    """Write the message; plans the campaign first where its file changed.

    `reader` is whose message it is, else the first of those that a preview shows. Raises NotFound,
    Refused or UsageProblem where there is nothing to send or nowhere to send it.
    """
    recipient = _recipient(to, name)
    shown = plan(desk, name, now)
    if desk.letterhead.problem():
        raise Refused(desk.letterhead.problem() or "", "kpay config mail_from")
    frozen = kept_with_people(desk, name)[1]
    labels = frozen.wording.labels
    if variant not in labels:
        raise UsageProblem(
            f"{name!r} has no subject {variant!r} (it has {', '.join(labels)})",
            f"kpay campaign test {name} --to {to}",
        )
    person = _person(desk, name, frozen, reader)
    signer = HarmlessTokens(desk.signer)
    press = Press(frozen.wording, desk.letterhead, desk.renderer, signer)
    filled = press.fill(person.email, person.context, variant)
    envelope = _envelope(desk, shown.campaign, recipient, filled, signer, now)
    return Trial(name, person.email, desk.mailer(), envelope, MARK + filled.subject)


def send(trial: Trial) -> Document:
    """Hand it over. It is no delivery: nothing is written down, and results do not count it."""
    connection = trial.mailer.connect()
    try:
        reply = connection.deliver(trial.envelope)
    finally:
        connection.close()
    again = f"kpay campaign test {trial.campaign} --to {trial.envelope.recipient}"
    if reply.fate is not Fate.ACCEPTED:
        words = reply.words or reply.fate.value
        raise RemoteProblem(f"{trial.mailer.where} did not take the test: {words}", again)
    return done(
        "kpay.campaign.test/1",
        f"Sent to {trial.envelope.recipient} over {trial.mailer.where}: {trial.subject}",
        {
            "campaign": trial.campaign,
            "to": trial.envelope.recipient,
            "as": trial.reader,
            "subject": trial.subject,
            "message_id": trial.envelope.message_id,
            "live": trial.mailer.is_live,
            "reply": reply.words,
        },
        f"kpay campaign send {trial.campaign}",
    )


def _recipient(to: str, name: str) -> str:
    try:
        return wire_address(to.strip())
    except ValueError as error:
        hint = f"kpay campaign test {name} --to you@example.com"
        raise UsageProblem(f"--to: {error}", hint) from error


def _person(desk: MailDesk, name: str, frozen: FrozenPlan, reader: str | None) -> FrozenPerson:
    if reader is not None:
        return one_of_plan(desk, name, frozen, reader)
    people = chosen_people(desk, frozen)
    if not people:
        raise Refused(
            f"nobody gets {name!r}, so there is no message to test", f"kpay campaign plan {name}"
        )
    return people[0][0]


def _envelope(
    desk: MailDesk,
    campaign: str,
    recipient: str,
    filled: FilledLetter,
    signer: HarmlessTokens,
    now: datetime,
) -> Envelope:
    """Write the message under an identity of its own, so that a second test is a second message."""
    letterhead = desk.letterhead
    identity = message_id(f"test {secrets.token_hex(8)}", recipient, letterhead.domain)
    headers = letterhead.list_headers(campaign, HARMLESS, signer.sign(HARMLESS))
    content = write_message(
        Draft(
            sender=letterhead.sender,
            recipient=recipient,
            message_id=identity,
            subject=MARK + filled.subject,
            text=filled.text,
            html=filled.html,
            sent_at=now,
            headers=headers,
        )
    )
    return Envelope(letterhead.envelope_sender(identity), recipient, identity, content)
