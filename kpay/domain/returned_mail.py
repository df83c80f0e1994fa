"""What came back: a bounce, a complaint, a wish to leave or to join, an automatic answer, a reply.

Deciding what a mail is needs nothing but the mail. Whether it is believed is decided later, by the
references in it: see kpay.domain.return_path.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from typing import Final

from kpay.domain.bounces import Failure, failures_in_words, failures_of_fields
from kpay.domain.mail_reading import Mail, read_mail
from kpay.domain.return_path import REFERENCE, TOKEN_HEADER, reference_of, references_in

WISH: Final = re.compile(r"(unsubscribe|confirm)[ :]+([\w.~-]{8,400})", re.IGNORECASE)
MESSAGE_ID: Final = re.compile(r"<([a-z2-7]{32})@[^<>\s]{1,255}>")
COPIED_HEADER: Final = re.compile(
    rf"^[> \t]*(Message-ID|{TOKEN_HEADER}):[ \t]*(\S+)[ \t\r]*$", re.IGNORECASE | re.MULTILINE
)
ARRIVED_FOR: Final = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")
DAEMONS: Final = ("mailer-daemon", "mailerdaemon", "mail-daemon", "postmaster")
NO_COMPLAINTS: Final = ("not-spam", "auth-failure")
AUTOMATIC_SUBJECT: Final = re.compile(
    r"(automatic reply|auto(matic)?[- ]?response|autoreply|out of (the )?office|abwesenheit)",
    re.IGNORECASE,
)


class ReturnedKind(StrEnum):
    """What a mail in the inbox is."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    CONFIRM = "confirm"
    AUTOMATIC = "automatic"
    REPLY = "reply"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Returned:
    """A mail that was read. `references` and signed `tokens` say which of our messages it is about.

    `fingerprint` is of this mail, however often and in whatever folder it is found.
    """

    kind: ReturnedKind
    references: tuple[str, ...]
    tokens: tuple[str, ...]
    failures: tuple[Failure, ...]
    sender: str
    subject: str
    fingerprint: str


def read_returned(content: bytes) -> Returned:
    """Read a mail that arrived; MailUnreadable when it cannot be."""
    mail = read_mail(content)
    reports = [part for part in mail.parts() if part.content_type.startswith("message/")]
    status = _part(reports, "message/delivery-status", "message/global-delivery-status")
    feedback = _part(reports, "message/feedback-report")
    failures: tuple[Failure, ...] = ()
    tokens: tuple[str, ...] = ()
    wish = WISH.fullmatch(mail.header("Subject").strip())
    if status is not None:
        kind, failures = ReturnedKind.BOUNCE, failures_of_fields(status.blocks())
    elif feedback is not None:
        kind = _kind_of_feedback(feedback)
    elif wish is not None:
        kind, tokens = ReturnedKind(wish.group(1).lower()), (wish.group(2),)
    elif _is_from_a_daemon(mail):
        kind = ReturnedKind.BOUNCE
        failures = failures_in_words(mail.words(), _named(mail))
    else:
        kind = _kind_of_letter(mail)
    if kind is ReturnedKind.BOUNCE or feedback is not None:
        references, tokens = _what_it_gives_back(mail, feedback)
    else:
        references = tuple(dict.fromkeys(_answered(mail)))
    return Returned(
        kind=kind,
        references=references,
        tokens=tokens,
        failures=failures,
        sender=parseaddr(mail.header("From"))[1][:320],
        subject=mail.header("Subject")[:200],
        fingerprint=_fingerprint(mail, content),
    )


def _part(parts: Iterable[Mail], *types: str) -> Mail | None:
    return next((part for part in parts if part.content_type in types), None)


def _kind_of_feedback(feedback: Mail) -> ReturnedKind:
    """Tell a complaint from the other reports that share its form (RFC 5965, section 7.3)."""
    types = {block.header("Feedback-Type").lower() for block in feedback.blocks()}
    return ReturnedKind.OTHER if types & set(NO_COMPLAINTS) else ReturnedKind.COMPLAINT


def _is_from_a_daemon(mail: Mail) -> bool:
    local = parseaddr(mail.header("From"))[1].partition("@")[0].lower()
    return local.startswith(DAEMONS) or bool(mail.header("X-Failed-Recipients"))


def _named(mail: Mail) -> list[str]:
    return [one.strip() for one in mail.header("X-Failed-Recipients").split(",") if "@" in one]


def _kind_of_letter(mail: Mail) -> ReturnedKind:
    if _is_automatic(mail):
        return ReturnedKind.AUTOMATIC
    return ReturnedKind.REPLY if any(_answered(mail)) else ReturnedKind.OTHER


def _is_automatic(mail: Mail) -> bool:
    """Say whether a machine answered (RFC 3834, section 5, and what went before it)."""
    submitted = mail.header("Auto-Submitted").lower()
    return (
        bool(submitted and not submitted.startswith("no"))
        or bool(mail.headers("X-Autoreply", "X-Autorespond", "X-Autoresponder"))
        or mail.header("Precedence").lower() in ("auto_reply", "auto-reply")
        or AUTOMATIC_SUBJECT.match(mail.header("Subject")) is not None
    )


def _answered(mail: Mail) -> Iterator[str]:
    for value in mail.headers("In-Reply-To", "References"):
        yield from MESSAGE_ID.findall(value)
    # Automatic answers go to the envelope sender (RFC 3834, section 4).
    for value in mail.headers(*ARRIVED_FOR):
        yield from sorted(references_in(value))


def _what_it_gives_back(
    mail: Mail, feedback: Mail | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the references and the signed tokens in a notice, the surest first."""
    tagged = mail.headers(*ARRIVED_FOR)
    for block in feedback.blocks() if feedback else ():
        tagged += block.headers("Original-Mail-From")
    found = [reference for value in tagged for reference in sorted(references_in(value))]
    tokens: list[str] = []
    for message in mail.enclosed():
        tokens += message.headers(TOKEN_HEADER)
        found += [one for value in message.headers("Return-Path") for one in references_in(value)]
        found += [reference_of(value) for value in message.headers("Message-ID")]
    for name, value in COPIED_HEADER.findall(mail.words()):
        if name.lower() == TOKEN_HEADER.lower():
            tokens.append(value)
        else:
            found.append(reference_of(value))
    references = dict.fromkeys(one for one in found if REFERENCE.fullmatch(one))
    return tuple(references), tuple(dict.fromkeys(tokens))


def _fingerprint(mail: Mail, content: bytes) -> str:
    """Hash the notice's own Message-ID, else its text whatever its line ends."""
    identity = mail.header("Message-ID").encode("utf-8", "replace")
    if not identity:
        identity = b"\n".join(line.rstrip() for line in content.splitlines())
    return hashlib.sha256(identity).hexdigest()
