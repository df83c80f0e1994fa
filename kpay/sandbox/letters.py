"""Letters that arrived: headers, links, and what a reader would make of them."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from functools import cached_property
from typing import Final, cast
from urllib.parse import parse_qsl, unquote, urlsplit

_URL: Final = re.compile(rb"https?://[^\s\"'<>\\)]+")
_HEADERS: Final = BytesHeaderParser()


@dataclass(frozen=True)
class Letter:
    """One accepted message to one recipient; `order` counts all letters from 0."""

    order: int
    sender: str
    recipient: str
    raw: bytes

    @cached_property
    def headers(self) -> Message:
        """Return the headers; names are matched without regard to case."""
        return _HEADERS.parsebytes(self.raw)

    @property
    def size(self) -> int:
        """Return the length in bytes."""
        return len(self.raw)

    @property
    def message_id(self) -> str:
        """Return the Message-ID, empty when there is none."""
        return str(self.headers.get("Message-ID", "")).strip()

    @property
    def subject(self) -> str:
        """Return the subject as a person reads it."""
        return str(make_header(decode_header(str(self.headers.get("Subject", "")))))

    @property
    def campaign(self) -> str:
        """Return the name of the campaign the letter belongs to, empty for none."""
        return unquote(str(self.headers.get("X-Kpay-Campaign", "")).strip())

    @property
    def is_marketing(self) -> bool:
        """Tell mail that can be unsubscribed from; deliveries of what was bought are not."""
        if str(self.headers.get("X-Kpay-Kind", "")).strip().lower() == "delivery":
            return False
        return self.headers.get("List-Unsubscribe") is not None

    @cached_property
    def message(self) -> EmailMessage:
        """Return the whole message, parsed."""
        return message_from_bytes(self.raw, policy=policy.default)

    @cached_property
    def links(self) -> tuple[str, ...]:
        """Return every address in the body once, in order."""
        found = (url for part in self._texts() for url in _URL.findall(part))
        return tuple(dict.fromkeys(url.decode("utf-8", "replace").rstrip(".,;") for url in found))

    def _texts(self) -> Iterator[bytes]:
        """Return the decoded texts; base64 needs the slow parser, anything else does not."""
        if b"base64" not in self.raw.lower():
            body = self.raw.partition(b"\r\n\r\n")[2]
            is_quoted = b"quoted-printable" in self.raw
            yield binascii.a2b_qp(body) if is_quoted else body
            return
        for part in self.message.walk():
            if part.get_content_maintype() == "text":
                yield cast(bytes, part.get_payload(decode=True))

    def slugs(self, known: set[str], slug_by_url: dict[str, str]) -> tuple[str, ...]:
        """Return the pieces the letter links to: their pages or their payment links."""
        found = [_slug(url, slug_by_url) for url in self.links]
        return tuple(dict.fromkeys(slug for slug in found if slug in known))

    def references(self, slug_by_url: dict[str, str]) -> dict[str, str]:
        """Return what the links to pieces carry to the checkout, by piece."""
        found = {}
        for url in self.links:
            query = dict(parse_qsl(urlsplit(url.replace("&amp;", "&")).query))
            reference = query.get("client_reference_id") or query.get("from")
            if reference:
                found[_slug(url, slug_by_url)] = reference
        return found


def _slug(url: str, slug_by_url: dict[str, str]) -> str:
    return slug_by_url.get(url.partition("?")[0]) or _last_part(url)


def _last_part(url: str) -> str:
    path = urlsplit(url).path.rstrip("/")
    return unquote(path.rsplit("/", 1)[-1]).removesuffix(".html")
