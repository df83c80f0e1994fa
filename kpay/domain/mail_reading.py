"""Reading mail that anybody may have written, with the standard library's parser and with limits.

Only the beginning of a message is read: what a notice says stands in its first parts. Whatever the
bytes are, the one exception that leaves this module is MailUnreadable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from typing import TYPE_CHECKING, Final

READ_BYTES: Final = 1_000_000
MOST_PARTS: Final = 60
TEXT_LENGTH: Final = 100_000
HEADER_LENGTH: Final = 4_000
MOST_HEADERS: Final = 50
ENCLOSED: Final = ("message/rfc822", "message/global")
ENCLOSED_HEADERS: Final = (
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global-headers",
)
MOST_SEAMS: Final = 2_000
MOST_GROUPS: Final = 20_000
REPORT: Final = re.compile(rb"delivery-status", re.IGNORECASE)
PART: Final = re.compile(rb"^content-type[ \t]*:", re.IGNORECASE | re.MULTILINE)
LIBRARY_FAULTS: Final = (
    MessageError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
)
"""What the library is known to raise for hostile bytes, beside the errors that it declares."""

if TYPE_CHECKING:  # the type has parameters for type checkers only
    Parsed = Message[str, str]


@dataclass(frozen=True, slots=True)
class ArrivedMail:
    """A mail where it was found; `uid` is its number in a folder on a server."""

    place: str
    content: bytes
    uid: int = 0


class MailUnreadable(ValueError):
    """These bytes are no message that can be read safely."""


class Mail:
    """One message: its headers as plain text, and its parts."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed

    def header(self, name: str) -> str:
        """Return the first header of a name, decoded and on one line; "" where there is none."""
        return next(iter(self.headers(name)), "")

    def headers(self, *names: str) -> list[str]:
        """Return all headers of some names, in the order of the names."""
        return [
            _plain(value)
            for name in names
            for value in (self._parsed.get_all(name) or [])[:MOST_HEADERS]
        ]

    @property
    def content_type(self) -> str:
        """The type of the whole message, like multipart/report."""
        return self._parsed.get_content_type()

    def parameter(self, name: str) -> str:
        """Return a parameter of its Content-Type, in lower case."""
        value = self._parsed.get_param(name, "")
        return str(value[2] if isinstance(value, tuple) else value).lower()

    def parts(self) -> Iterator[Mail]:
        """Yield the leaves of the message itself, not those of a message that it encloses."""
        yield from (Mail(part) for part in _leaves(self._parsed))

    def blocks(self) -> list[Mail]:
        """Return the groups of fields of a machine-readable part (RFC 3464, RFC 5965)."""
        payload = self._parsed.get_payload()
        found = payload if isinstance(payload, list) else []
        return [Mail(one) for one in found if isinstance(one, Message)]

    def text(self) -> str:
        """Return the words of a text part, decoded as far as they can be."""
        payload = self._parsed.get_payload(decode=True)
        if not isinstance(payload, bytes):
            return ""
        charset = self._parsed.get_content_charset("utf-8")
        try:
            return payload[: 4 * TEXT_LENGTH].decode(charset, "replace")[:TEXT_LENGTH]
        except (LookupError, ValueError):
            return payload[:TEXT_LENGTH].decode("latin-1")

    def words(self) -> str:
        """Return the text of the first plain part, else nothing."""
        return next((one.text() for one in self.parts() if one.content_type == "text/plain"), "")

    def enclosed(self) -> list[Mail]:
        """Return the messages, or their headers alone, that this message gives back."""
        found: list[Mail] = []
        for part in self.parts():
            if part.content_type in ENCLOSED:
                found += part.blocks()
            elif part.content_type in ENCLOSED_HEADERS:
                # The parser takes message/* for a message, and text/* for text.
                found += part.blocks() or [_parsed(part.text().encode("utf-8", "replace"))]
        return found


def read_mail(content: bytes) -> Mail:
    """Read the first million bytes of a message; MailUnreadable when they are none."""
    beginning = content[:READ_BYTES]
    if not beginning.strip():
        raise MailUnreadable("it is empty")
    if sum(1 for _ in PART.finditer(beginning)) > MOST_PARTS:
        raise MailUnreadable(f"it has more than {MOST_PARTS} parts")
    if beginning.count(b"\n--") > MOST_SEAMS or _blank_lines_of_a_report(beginning) > MOST_GROUPS:
        raise MailUnreadable("it is cut into more pieces than any honest mail")
    mail = _parsed(beginning)
    if not mail.headers("From", "Subject", "Received", "Date", "To", "Message-ID"):
        raise MailUnreadable("it has no headers of a mail")
    return mail


def _blank_lines_of_a_report(content: bytes) -> int:
    """Count what the parser would make an object of each, where it would."""
    if REPORT.search(content) is None:
        return 0
    return content.count(b"\n\n") + content.count(b"\n\r\n")


def _parsed(content: bytes) -> Mail:
    try:
        return Mail(message_from_bytes(content, policy=policy.compat32))
    except LIBRARY_FAULTS as error:
        raise MailUnreadable(f"it cannot be taken apart ({type(error).__name__})") from error


def _leaves(parsed: Parsed) -> Iterator[Parsed]:
    payload = parsed.get_payload()
    if parsed.get_content_maintype() != "multipart" or not isinstance(payload, list):
        yield parsed
        return
    for part in payload:
        if isinstance(part, Message):
            yield from _leaves(part)


def _plain(value: object) -> str:
    """Decode a header (RFC 2047); one that lies about its encoding stays as it is."""
    raw = str(value)[:HEADER_LENGTH]
    try:
        text = str(make_header(decode_header(raw))) if "=?" in raw else raw
    except LIBRARY_FAULTS:
        text = raw
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
