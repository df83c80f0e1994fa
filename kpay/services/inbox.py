"""Acting on what came back. A notice counts only when it proves that its sender saw our message.

The proof is a reference made with the business's key (kpay.domain.return_path): without one, anybody
could have a buyer taken off the list with a made-up bounce. Whatever is not proven or not clear is
shown and left alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RowMapping

from kpay.domain.bounces import Severity, judged
from kpay.domain.enums import DeliveryState, NoticeKind
from kpay.domain.inbox_report import NEEDS_EYES, InboxEntry, Meaning
from kpay.domain.mail_reading import ArrivedMail, MailUnreadable
from kpay.domain.return_path import REFERENCE
from kpay.domain.returned_mail import Returned, ReturnedKind, read_returned
from kpay.errors import KpayError
from kpay.ports import TokenSigner
from kpay.services import reconciling
from kpay.store import audience, notices
from kpay.store.engine import Store

MAILS_A_TRANSACTION: Final = 100
SOFT_BOUNCES: Final = 3
LAST_MESSAGES: Final = 5
"""An address is given up when so many of its last messages bounced softly."""
HAVE_LEFT: Final = (DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.SENDING)
MEANINGS: Final = {
    Severity.HARD: Meaning.HARD_BOUNCE,
    Severity.SOFT: Meaning.SOFT_BOUNCE,
    Severity.ABOUT_US: Meaning.ABOUT_US,
    Severity.UNCLEAR: Meaning.UNCLEAR,
    Severity.DELAYED: Meaning.DELAYED,
    Severity.ARRIVED: Meaning.ARRIVED,
}
LETTERS: Final = {
    ReturnedKind.AUTOMATIC: Meaning.AUTOMATIC,
    ReturnedKind.REPLY: Meaning.REPLY,
    ReturnedKind.OTHER: Meaning.OTHER,
}
NOTICES: Final = {
    Meaning.HARD_BOUNCE: NoticeKind.HARD_BOUNCE,
    Meaning.SOFT_BOUNCE: NoticeKind.SOFT_BOUNCE,
    Meaning.COMPLAINT: NoticeKind.COMPLAINT,
    Meaning.UNSUBSCRIBE: NoticeKind.UNSUBSCRIBE,
}
REASONS: Final = {
    Meaning.HARD_BOUNCE: ("bounce", "never mailed again"),
    Meaning.COMPLAINT: ("complaint", "never mailed again"),
    Meaning.UNSUBSCRIBE: ("unsubscribe", "taken off the list"),
}

Confirm = Callable[[Connection, str, datetime], str]
"""Confirms a place on the list by its token and returns whose; KpayError when it cannot be."""


class _Rehearsed(Exception):
    """Takes a transaction back."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A mail that was read, and the message of ours that it proves to be about."""

    mail: ArrivedMail
    returned: Returned
    delivery: RowMapping | None
    meaning: Meaning
    status: str = ""
    words: str = ""


@dataclass(frozen=True)
class InboxReader:
    """Reads mails and acts on them; `dry_run` does everything and takes it back."""

    store: Store
    signer: TokenSigner
    confirm: Confirm
    now: datetime
    dry_run: bool = False

    def read(self, mails: Iterable[ArrivedMail]) -> Iterator[InboxEntry]:
        """Read mails, a hundred in one transaction, and yield what each came to."""
        batch: list[ArrivedMail] = []
        for mail in mails:
            batch.append(mail)
            if len(batch) == MAILS_A_TRANSACTION:
                yield from self.take(batch)
                batch = []
        yield from self.take(batch)

    def take(self, mails: Sequence[ArrivedMail]) -> list[InboxEntry]:
        """Read a few mails and act on them in one transaction; one that is wrong holds up none."""
        with self.store.reading() as connection:
            found = [self._find(connection, mail) for mail in mails]
        if all(isinstance(one, InboxEntry) or _is_idle(one) for one in found):
            return [one if isinstance(one, InboxEntry) else _entry(one) for one in found]
        entries: list[InboxEntry] = []
        with suppress(_Rehearsed), self.store.writing() as connection:
            for one in found:
                entries.append(one if isinstance(one, InboxEntry) else self._act(connection, one))
            if self.dry_run:
                raise _Rehearsed
        return entries

    def _find(self, connection: Connection, mail: ArrivedMail) -> _Found | InboxEntry:
        try:
            returned = read_returned(mail.content)
        except MailUnreadable as error:
            return InboxEntry(mail.place, Meaning.UNREADABLE, words=str(error), needs_eyes=True)
        delivery = notices.delivery_of(connection, self._references(returned))
        return _judged(mail, returned, delivery)

    def _references(self, returned: Returned) -> list[str]:
        signed = [self.signer.read(token) for token in returned.tokens]
        genuine = [text for text in signed if text and REFERENCE.fullmatch(text)]
        if returned.kind is ReturnedKind.UNSUBSCRIBE:
            return genuine
        return [*dict.fromkeys((*genuine, *returned.references))]

    def _act(self, connection: Connection, found: _Found) -> InboxEntry:
        if found.meaning is Meaning.CONFIRM:
            return self._confirmed(connection, found)
        delivery = found.delivery
        if delivery is None:
            return _entry(found)
        deed = ""
        if delivery["state"] == DeliveryState.UNCERTAIN:
            why = f"it arrived: a mail came back ({found.meaning})"
            ids, state = [delivery["id"]], DeliveryState.SENT
            settled = reconciling.settle(connection, ids, state, why, self.now)
            deed = "message settled as sent" if settled else ""
        if found.meaning in NOTICES and notices.add(connection, _notice(found, delivery, self.now)):
            deed = self._consequence(connection, found.meaning, delivery["email"])
        return _entry(found, deed)

    def _consequence(self, connection: Connection, meaning: Meaning, email: str) -> str:
        """Do what a new notice asks for; return it in words."""
        if meaning is Meaning.SOFT_BOUNCE:
            count = notices.soft_among_last(connection, email, LAST_MESSAGES)
            if count < SOFT_BOUNCES:
                return f"noted ({count} of the last {LAST_MESSAGES})"
            audience.opt_out(connection, [email], "bounce", self.now)
            return f"never mailed again: {count} of the last {LAST_MESSAGES} bounced"
        reason, words = REASONS[meaning]
        audience.opt_out(connection, [email], reason, self.now)
        return words

    def _confirmed(self, connection: Connection, found: _Found) -> InboxEntry:
        try:
            email = self.confirm(connection, found.returned.tokens[0], self.now)
        except KpayError as error:
            return InboxEntry(
                found.mail.place, Meaning.UNPROVEN, words=error.message, needs_eyes=True
            )
        return InboxEntry(found.mail.place, Meaning.CONFIRM, email, "on the list")


def _judged(mail: ArrivedMail, returned: Returned, delivery: RowMapping | None) -> _Found:
    """Say what a mail means, given the message of ours that it is proven to be about."""
    if returned.kind in LETTERS:
        return _Found(mail, returned, delivery, LETTERS[returned.kind])
    if returned.kind is ReturnedKind.CONFIRM:
        return _Found(mail, returned, None, Meaning.CONFIRM)
    has_left = delivery is not None and delivery["state"] in HAVE_LEFT
    if delivery is None or not (has_left or returned.kind is ReturnedKind.UNSUBSCRIBE):
        words = f"a {returned.kind} that proves to be about no message that was sent"
        return _Found(mail, returned, None, Meaning.UNPROVEN, words=words)
    if returned.kind is not ReturnedKind.BOUNCE:
        return _Found(mail, returned, delivery, Meaning(returned.kind.value))
    verdict = judged(returned.failures, delivery["email"])
    if verdict is None:
        return _Found(mail, returned, delivery, Meaning.UNCLEAR, words=returned.subject)
    severity, failure = verdict
    words = failure.words or returned.subject
    return _Found(mail, returned, delivery, MEANINGS[severity], failure.status, words)


def _is_idle(found: _Found) -> bool:
    """Say whether there can be nothing to write about a mail."""
    if found.meaning is Meaning.CONFIRM:
        return False
    if found.delivery is None:
        return True
    return found.meaning not in NOTICES and found.delivery["state"] != DeliveryState.UNCERTAIN


def _entry(found: _Found, deed: str = "") -> InboxEntry:
    needs_eyes = found.meaning in NEEDS_EYES
    about = f"{found.delivery['email']}: " if needs_eyes and found.delivery is not None else ""
    return InboxEntry(
        place=found.mail.place,
        meaning=found.meaning,
        email=found.delivery["email"] if found.delivery is not None else None,
        deed=deed,
        words=f"{about}{found.words}",
        needs_eyes=needs_eyes,
    )


def _notice(found: _Found, delivery: RowMapping, now: datetime) -> dict[str, object]:
    kind = NOTICES[found.meaning]
    mark = f"{kind} {delivery['id']} {found.returned.fingerprint}"
    return {
        "fingerprint": hashlib.sha256(mark.encode()).hexdigest(),
        "kind": kind.value,
        "email": delivery["email"],
        "delivery_id": delivery["id"],
        "noticed_at": now,
        "status": found.status or None,
        "words": found.words,
    }
