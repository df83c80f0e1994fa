"""Where a sale came from: a token in every buy link, which the provider gives back with the sale.

The token says in what the link stood: a page, a campaign's mail, or the mail that brought a purchase.
It is a hash of that, so nothing need be stored to write it or to know it again, the same page has
the same bytes in every store, and whoever sees the link learns no name and no address. In a mail the
number of the message follows. Stripe takes letters, digits, dashes and underscores, 200 at most, and
silently drops anything else (docs.stripe.com/payment-links/url-parameters).
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

AT_THE_TILL: Final = "client_reference_id"
"""The query parameter of a payment link that comes back as the checkout's reference."""
ON_A_PAGE: Final = "from"
"""The query parameter of a page of the site, whose buy button hands the value on."""
REFERENCE: Final = re.compile(r"(kp[a-z2-7]{16})(?:-([1-9][0-9]{0,17}))?")
CACHED_TOKENS: Final = 256
END_OF_SENTENCE: Final = ".,;:!?"


class OriginKind(StrEnum):
    """What a buy link stood in."""

    PAGE = "page"
    CAMPAIGN = "campaign"
    PURCHASE = "purchase"
    SEQUENCE = "sequence"


@lru_cache(CACHED_TOKENS)
def _token_of(kind: OriginKind, name: str) -> str:
    digest = hashlib.sha256(f"kpay origin\0{kind}\0{name}".encode()).digest()
    return f"kp{b32encode(digest[:10]).decode().lower()}"


@dataclass(frozen=True, slots=True)
class Origin:
    """A page or a bought piece (by its slug), or a campaign or a sequence (by its name)."""

    kind: OriginKind
    name: str

    @property
    def token(self) -> str:
        """Eighteen letters and digits, always the same for the same origin."""
        return _token_of(self.kind, self.name)

    def reference(self, message: int | None = None) -> str:
        """Return what a link carries: the token, in a mail with the number of the message."""
        return self.token if message is None else f"{self.token}-{message}"


@dataclass(frozen=True, slots=True)
class Reference:
    """What came back with a sale: an origin's token, and the message's number if it was a mail."""

    token: str
    message: int | None


def read_reference(text: str | None) -> Reference | None:
    """Return what a sale's reference says, or None for one that is the creator's own."""
    found = REFERENCE.fullmatch(text or "")
    if found is None:
        return None
    return Reference(found[1], int(found[2]) if found[2] else None)


def carrying(address: str, reference: str, parameter: str = AT_THE_TILL) -> str:
    """Return an address with the reference in its query; one that has a reference keeps its own."""
    front, mark, fragment = address.partition("#")
    query = front.partition("?")[2]
    if f"{parameter}=" in query and parameter in dict(parse_qsl(query, keep_blank_values=True)):
        return address
    front = front.rstrip("?&")
    joint = "&" if "?" in front else "?"
    return f"{front}{joint}{parameter}={reference}{mark}{fragment}"


class BuyLinks:
    """Finds the addresses at which things are bought in texts that a creator wrote."""

    def __init__(self, addresses: Iterable[str]) -> None:
        known = sorted({address for address in addresses if address}, key=len, reverse=True)
        anyone = "|".join(map(re.escape, known)) or "(?!)"
        query = r"(?:\?(?:\{\{.*?\}\}|[^\s<>()\[\]\"'`])*)?"
        self._known = re.compile(rf"(?:{anyone})(?![\w/-]){query}")

    def tagged(self, text: str, reference: str) -> str:
        """Return the text with the reference on each buy link; what is in its query stays."""

        def tag(found: re.Match[str]) -> str:
            address = found[0].rstrip(END_OF_SENTENCE)
            return carrying(address, reference) + found[0][len(address) :]

        return self._known.sub(tag, text)
