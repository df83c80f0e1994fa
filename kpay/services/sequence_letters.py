"""The letters of sequences: what they may ask for, compiled once, and written for one person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from kpay.domain.audience import AudienceUnknown, Person, Predicate
from kpay.domain.letterhead import Letterhead
from kpay.domain.message import Draft, wire_address, write_message
from kpay.domain.origins import BuyLinks, Origin, OriginKind
from kpay.domain.reader_name import shown_name
from kpay.domain.return_path import TOKEN_HEADER, reference_of
from kpay.domain.sequences import Enrolled
from kpay.errors import InputInvalid, Problem
from kpay.ports import Envelope, FilledLetter, Letter, LetterSource
from kpay.services import segments
from kpay.services.letters import BLANK, REFERENCE, with_origin
from kpay.services.letters import LAYOUT as MARKETING_LAYOUT
from kpay.services.mail_desk import MailDesk
from kpay.services.sequence_files import WrittenLetter, WrittenSequence
from kpay.services.shown_content import shown_pieces
from kpay.store import content

SERVICE_LAYOUT: Final = "email/service"
SERVICE_HEADERS: Final = (("X-Kpay-Kind", "service"), ("Auto-Submitted", "auto-generated"))
NAMES: Final = (
    "name",
    "email",
    "event",
    "content",
    "contents",
    "recommendations",
    "owned",
    "band",
    "links",
    "campaign",
)
"""The values that a letter of a sequence may ask for."""
RECOMMENDED: Final = "recommendations"

Piece = Mapping[str, Any]


class Script:
    """A sequence made ready: every letter compiled, every name in it known.

    Raises InputInvalid for what is wrong with its files in this business: an audience, a piece that is
    not published, a value that nobody has.
    """

    def __init__(self, desk: MailDesk, connection: Connection, written: WrittenSequence) -> None:
        self.written, self._desk = written, desk
        self._pieces: Mapping[str, Piece] = shown_pieces(connection, desk.letterhead)
        self._check_about()
        self._links = BuyLinks(content.buy_addresses(connection))
        self.wants = entry_condition(connection, written)
        self._conditions = {
            one.name: _predicate(
                connection, one.settings.condition, one.file, key="if", lines=one.lines
            )
            for one in written.letters
        }
        self._letters = {one.name: self._compiled(one) for one in written.letters}

    def holds(self, letter: WrittenLetter, person: Person) -> bool:
        """Say whether a letter is for somebody: its `if`."""
        return self._conditions[letter.name](person)

    def asks_recommendations(self, letter: WrittenLetter) -> bool:
        """Say whether a letter shows what its reader may want next."""
        return RECOMMENDED in self._letters[letter.name].names

    def context(
        self, enrolled: Enrolled, person: Person, advice: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return the plain values of one letter to one person, as they are kept until it has left."""
        settings = self.written.settings
        about = [dict(self._pieces[slug]) for slug in settings.about]
        own = self._pieces.get(enrolled.slug or "")
        name = shown_name(person.name) or shown_name(enrolled.name)
        return {
            "name": name or settings.nameless,
            "event": dict(enrolled.event),
            "campaign": self.written.name,
            "band": person.band,
            "content": about[0] if about else dict(own or {}),
            "contents": about,
            "owned": [self._pieces[slug] for slug in sorted(person.owned) if slug in self._pieces],
            RECOMMENDED: [
                {**self._pieces[one["content"]], "because": one["because"]}
                for one in advice
                if one["content"] in self._pieces
            ],
        }

    def fill(self, letter: WrittenLetter, email: str, context: Mapping[str, Any]) -> FilledLetter:
        """Fill a letter without sending it; InputInvalid or ValueError say what is wrong."""
        wire_address(email)
        unsubscribe = self._desk.letterhead.unsubscribe_link("preview")
        return self._filled(letter.name, email, context, unsubscribe)

    def envelope(
        self, letter: str, row: RowMapping, letterhead: Letterhead, now: datetime
    ) -> Envelope:
        """Write the message of one delivery, under the letterhead as it may be used now."""
        token = self._desk.signer.sign(reference_of(row["message_id"]))
        unsubscribe = letterhead.unsubscribe_link(token)
        filled = self._filled(letter, row["email"], row["context"], unsubscribe, row["id"])
        headers: Sequence[tuple[str, str]] = (*SERVICE_HEADERS, (TOKEN_HEADER, token))
        if not self.written.settings.is_service:
            headers = letterhead.list_headers(self.written.name, "sequence", token)
        draft = Draft(
            sender=letterhead.sender,
            recipient=row["email"],
            message_id=row["message_id"],
            subject=filled.subject,
            text=filled.text,
            html=filled.html,
            sent_at=now,
            headers=headers,
        )
        sender = letterhead.envelope_sender(row["message_id"])
        return Envelope(sender, wire_address(row["email"]), row["message_id"], write_message(draft))

    def _filled(
        self,
        letter: str,
        email: str,
        context: Mapping[str, Any],
        unsubscribe: str,
        message: int | None = None,
    ) -> FilledLetter:
        reference = Origin(OriginKind.SEQUENCE, self.written.name).reference(message)
        site = self._desk.letterhead.site_url
        links = {"unsubscribe": unsubscribe, "site": site, "reference": reference}
        known = {name: value for name, value in context.items() if value not in (*BLANK, {})}
        values = with_origin(known, reference)
        return self._letters[letter].fill({**values, "email": email, "links": links})

    def _compiled(self, letter: WrittenLetter) -> Letter:
        letterhead, settings = self._desk.letterhead, self.written.settings
        compiled = self._desk.renderer.letter(
            LetterSource(
                file=letter.file,
                subject=letter.settings.subject,
                body=self._links.tagged(letter.body, REFERENCE),
                first_line=letter.first_line,
                layout=SERVICE_LAYOUT if settings.is_service else MARKETING_LAYOUT,
                values={
                    "business": letterhead.shown_business,
                    "postal_address": letterhead.postal_address,
                    "site_url": letterhead.site_url,
                    "language": self._language(),
                },
            )
        )
        _check_names(letter, compiled.names)
        return compiled

    def _language(self) -> str:
        about = self.written.settings.about
        return str(self._pieces[about[0]]["language"]) if about else "en"

    def _check_about(self) -> None:
        settings, problems = self.written.settings, []
        named = {
            "about": settings.about,
            "trigger": (settings.trigger.slug,),
            "exit": tuple(one.slug for one in settings.exits),
        }
        for key, slugs in named.items():
            for slug in slugs:
                if slug and slug not in self._pieces:
                    close = get_close_matches(slug, self._pieces, n=1)
                    meant = f" (did you mean {close[0]!r}?)" if close else ""
                    text = f"there is no published piece called {slug!r}{meant}"
                    line = self.written.lines.get(key)
                    problems.append(Problem(self.written.file, line, key, text))
        if problems:
            raise InputInvalid(self.written.file, problems, "kpay content list")


def entry_condition(connection: Connection, written: WrittenSequence) -> Predicate:
    """Return who may enter a sequence: its `audience`."""
    text, file = written.settings.audience, written.file
    return _predicate(connection, text, file, key="audience", lines=written.lines)


def _predicate(
    connection: Connection, text: str | None, file: str, *, key: str, lines: Mapping[str, int]
) -> Predicate:
    if text is None:
        return lambda person: True
    try:
        return segments.predicate_of(connection, text)
    except AudienceUnknown as error:
        raise InputInvalid(file, [Problem(file, lines.get(key), key, str(error))]) from error


def _check_names(letter: WrittenLetter, asked: frozenset[str]) -> None:
    problems = []
    for name in sorted(asked - set(NAMES)):
        close = get_close_matches(name, NAMES, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(NAMES)}"
        text = f"{name!r} is unknown ({meant})"
        problems.append(Problem(letter.file, _line_of(letter, name), None, text))
    if problems:
        raise InputInvalid(letter.file, problems)


def _line_of(letter: WrittenLetter, name: str) -> int | None:
    """Return the first line of a letter's file that uses a name inside a tag."""
    used = re.compile(r"\{[{%][^}]*\b" + re.escape(name) + r"\b")
    if used.search(letter.settings.subject):
        return letter.lines.get("subject")
    lines = letter.body.splitlines()
    return next((at for at, line in enumerate(lines, letter.first_line) if used.search(line)), None)
