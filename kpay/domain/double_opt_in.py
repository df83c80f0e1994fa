"""Double opt-in: asking by mail whether somebody wants to be on the list, and what their yes proves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from kpay.domain.address import email_hash
from kpay.domain.letterhead import Letterhead
from kpay.domain.message import sender_address

SOURCE: Final = "double opt-in"
MOST_ASKED: Final = 2
REST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """How often an address was asked, and when last."""

    times: int = 0
    last_at: datetime | None = None

    def objection(self, now: datetime) -> str | None:
        """Return why it is not asked now, or None: twice at most, and a day apart."""
        if self.times >= MOST_ASKED:
            return f"was asked {self.times} times and is not asked again"
        if self.last_at is not None and now - self.last_at < REST:
            return "was asked less than a day ago"
        return None


def wording(business: str) -> str:
    """Return what a reader agrees to."""
    return f"Yes, I want to get mail from {business}. I can leave the list at any time."


def occasion(email: str, number: int) -> str:
    """Return the name of one question to one person; it outlives their row in the list."""
    return f"confirm {email_hash(email)[:24]} {number}"


def token_text(subscriber_id: int, email: str) -> str:
    """Return what a link signs: a row of the list, and whose it was, since numbers are used again."""
    return f"{subscriber_id} {email_hash(email)[:24]}"


def read_token_text(text: str) -> tuple[int, str] | None:
    """Return row number and the beginning of the address's hash, or None for another text."""
    number, _, digest = text.partition(" ")
    is_ours = number.isascii() and number.isdecimal() and len(number) < 19 and len(digest) == 24
    return (int(number), digest) if is_ours else None


def is_of(digest: str, email: str) -> bool:
    """Say whether a token was made for an address."""
    return email_hash(email).startswith(digest)


def confirm_link(letterhead: Letterhead, confirm_url: str, token: str) -> str:
    """Return where a reader says yes: the https address, else a mail to the creator."""
    if confirm_url:
        return f"{confirm_url}{'&' if '?' in confirm_url else '?'}t={token}"
    address = letterhead.unsubscribe_mailto or sender_address(letterhead.sender)
    return f"mailto:{quote(address, safe='@')}?subject=confirm%20{token}"
