"""How a message is known again when something comes back of it.

A message's reference is the first part of its Message-ID. It stands in the envelope sender too
(bounces+REFERENCE@example.com), where servers send what they could not deliver, and signed in a
header of its own, for those that replace the Message-ID. It is computed with the business's key, so
whoever never saw the message cannot know it, and a forged notice is told from a genuine one.
"""

from __future__ import annotations

import re
from typing import Final

from kpay.domain.message import wire_address

TOKEN_HEADER: Final = "X-Kpay-Token"  # noqa: S105 - the name of a header
REFERENCE: Final = re.compile(r"[a-z2-7]{32}")
TAGGED: Final = re.compile(r"\+([a-z2-7]{32})@", re.IGNORECASE)
LONGEST_LOCAL_PART: Final = 64  # RFC 5321, section 4.5.3.1.1
REFERENCE_LENGTH: Final = 32


def reference_of(message_id: str) -> str:
    """Return the reference of a message: the first part of its Message-ID."""
    return message_id.strip("<> \t\r\n").partition("@")[0]


def return_path(bounce_address: str, message_id: str) -> str:
    """Return the envelope sender that names one message; ValueError for a wrong `bounce_address`."""
    local, _, domain = wire_address(bounce_address).rpartition("@")
    return f"{local}+{reference_of(message_id)}@{domain}"


def references_in(addresses: str) -> frozenset[str]:
    """Return the references that stand in addresses like bounces+REFERENCE@example.com."""
    return frozenset(found.lower() for found in TAGGED.findall(addresses))


def bounce_address_problem(address: str) -> str | None:
    """Return why an address cannot carry a reference, or None."""
    try:
        local, _, domain = wire_address(address).rpartition("@")
    except ValueError as error:
        return str(error)
    room = LONGEST_LOCAL_PART - REFERENCE_LENGTH - len("+")
    if not local or "." not in domain or set(local) & set('"()[]:\\'):
        return f"{address!r} is not an address like bounces@example.com"
    if len(local) > room:
        return f"{local!r} is too long to carry a reference (at most {room} letters)"
    return None
