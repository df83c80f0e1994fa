"""What a bounce says about an address: read from Action and Status, not from a list of phrases.

RFC 3464 has the fields, RFC 3463 the status codes. A code says who is to blame: an address that
does not exist (hard), a full or slow mailbox (soft), or ourselves, which is nobody else's fault.
Where a server wrote words only (qmail, Exim, old Exchange), one clear code among them is believed
and anything else is left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from kpay.domain.mail_reading import Mail
from kpay.domain.message import wire_address

WORDS_KEPT: Final = 300
STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
AFTER_A_CODE: Final = re.compile(r"(?:\b[45]\d\d[ -]+#?|#)([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
MAILBOX_FULL: Final = re.compile(
    r"mailbox[\w ]{0,20} full|\bquota\b|insufficient storage|out of storage", re.IGNORECASE
)
ABOUT_US: Final = re.compile(r"5\.(1\.[78]|2\.3|3\.4|5\.\d+|6\.\d+|7\.\d+)")
"""Our sender, the size and form of our message, a policy against us (RFC 3463, section 3)."""
NOBODY_THERE: Final = re.compile(r"5\.(1\.\d+|2\.1)")
NAMED_BY_QMAIL: Final = re.compile(r"^<([^<>\s]{1,128}@[^<>\s@]{1,255})>:[ \t\r]*$", re.MULTILINE)
COPY_BEGINS: Final = re.compile(
    r"^-{2,80}.{0,40}(?:copy of the message|original message|returned message).*$",
    re.IGNORECASE | re.MULTILINE,
)
XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")


class Severity(IntEnum):
    """What a bounce means, the gravest last."""

    ARRIVED = 0
    DELAYED = 1
    UNCLEAR = 2
    ABOUT_US = 3
    SOFT = 4
    HARD = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """What a server says about one recipient, who may be named in two ways or not at all."""

    recipients: tuple[str, ...]
    action: str
    status: str
    words: str

    @property
    def severity(self) -> Severity:
        """How much this says against the address."""
        if self.action in ("delivered", "relayed", "expanded"):
            return Severity.ARRIVED
        if self.action == "delayed":
            return Severity.DELAYED
        if self.action not in ("failed", "") or not self.status:
            return Severity.UNCLEAR
        return _severity_of(self.status, self.words)


def _severity_of(status: str, words: str) -> Severity:
    if status.startswith("2."):
        return Severity.ARRIVED
    if status.startswith("4.") or MAILBOX_FULL.search(words):
        return Severity.SOFT
    if ABOUT_US.fullmatch(status):
        return Severity.ABOUT_US
    return Severity.HARD if NOBODY_THERE.fullmatch(status) else Severity.SOFT


def judged(failures: Sequence[Failure], email: str) -> tuple[Severity, Failure] | None:
    """Return what failures say of the address that was mailed, and the one that says it.

    Where somebody else is named, the address exists and forwards: that is soft at the most.
    """
    known = _spellings(email)
    own = [one for one in failures if not one.recipients or known & set(one.recipients)]
    gravest = max(own or failures, key=lambda one: one.severity, default=None)
    if gravest is None:
        return None
    severity = gravest.severity
    return (severity if own else min(severity, Severity.SOFT)), gravest


def _spellings(email: str) -> set[str]:
    found = {email.lower()}
    with suppress(ValueError):
        found.add(wire_address(email).lower())
    return found


def failures_of_fields(blocks: Iterable[Mail]) -> tuple[Failure, ...]:
    """Read the blocks of a message/delivery-status part; those without an Action are not failures."""
    return tuple(_failure(block) for block in blocks if block.header("Action"))


def _failure(block: Mail) -> Failure:
    said = block.header("Diagnostic-Code")
    status = _status_in(block.header("Status"))
    exact = AFTER_A_CODE.search(said) or STATUS.search(said)
    if exact and (not status or status.endswith(".0.0")):
        status = exact.group(1)
    return Failure(
        recipients=_recipients(block.headers("Original-Recipient", "Final-Recipient")),
        action=block.header("Action").split(" ")[0].strip(";,.()").lower(),
        status=status or _status_of_code(said),
        words=said[:WORDS_KEPT],
    )


def _status_in(text: str) -> str:
    found = STATUS.search(text)
    return found.group(1) if found else ""


def _status_of_code(said: str) -> str:
    found = re.search(r"\b([45])\d\d\b", said)
    return f"{found.group(1)}.0.0" if found else ""


def _recipients(values: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses of fields like "rfc822; li@example.com", decoded and as they stand."""
    found: dict[str, None] = {}
    for value in values:
        address = value.rpartition(";")[2].strip().strip("<>").lower()
        decoded = XTEXT.sub(lambda code: chr(int(code.group(1), 16)), value.rpartition(";")[2])
        for spelling in (address, decoded.strip().strip("<>").lower()):
            if "@" in spelling:
                found[spelling] = None
    return tuple(found)


def failures_in_words(text: str, named: Iterable[str]) -> tuple[Failure, ...]:
    """Read a bounce that has words only; `named` are recipients that its headers name.

    Codes that do not agree are as good as none.
    """
    copy = COPY_BEGINS.search(text)
    before = text[: copy.start()] if copy else text
    recipients = tuple(
        dict.fromkeys(one.lower() for one in (*named, *NAMED_BY_QMAIL.findall(before)))
    )
    statuses = list(dict.fromkeys(AFTER_A_CODE.findall(before)))
    words = _line_of(before, statuses[0]) if statuses else " ".join(before.split())
    meanings = {_severity_of(status, before) for status in statuses}
    status = statuses[0] if len(meanings) == 1 else ""
    return (Failure(recipients, "", status, words[:WORDS_KEPT]),)


def _line_of(text: str, status: str) -> str:
    return next((" ".join(line.split()) for line in text.splitlines() if status in line), "")
