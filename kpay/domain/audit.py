"""The audit trail: deeds in a chain of seals, so that a changed or missing one is noticed.

Each seal is HMAC-SHA-256 under the business's own key over the seal before it and the entry as
canonical JSON. Whoever has the key can write a new chain; the head, kept elsewhere, tells.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kpay.domain.document import Block, Column, Document, Figure, Figures, Table
from kpay.domain.period import instant_text

BEGINNING: Final = "0" * 64
"""What stands in the place of the seal before the first."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One entry: who it was about and what was done; `chain` is its seal."""

    id: int
    at: datetime
    action: str
    subject: str
    detail: Mapping[str, Any]
    chain: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what is sealed."""
        return {
            "id": self.id,
            "at": instant_text(self.at),
            "action": self.action,
            "subject": self.subject,
            "detail": dict(self.detail),
        }


def seal(key: str, before: str, deed: Deed) -> str:
    """Return the seal of an entry that follows the seal `before`, as hexadecimal text."""
    text = json.dumps(deed.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key.encode(), f"{before}{text}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """How far the chain holds: the last good seal, and the first entry that does not fit."""

    entries: int
    head: str
    first_bad: int | None = None
    missing_head: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether every entry fits, and the head that was asked for is among them."""
        return self.first_bad is None and self.missing_head is None

    def to_document(self) -> Document:
        """Say whether the chain holds, and its head."""
        return Document(
            "kpay.audit.verify/1",
            self._sentence(),
            (Figures((Figure("entries", self.entries), Figure("head", self.head, "text"))),),
            {
                "status": "ok" if self.is_sound else "broken",
                "entries": self.entries,
                "head": self.head,
                "first_bad": self.first_bad,
                "missing_head": self.missing_head,
            },
            next_steps=() if self.is_sound else ("kpay audit list",),
        )

    def _sentence(self) -> str:
        if self.first_bad is not None:
            return f"The audit trail is broken: entry {self.first_bad} is not as it was written"
        if self.missing_head is not None:
            return f"The audit trail is broken: it does not hold {self.missing_head} any more"
        if not self.entries:
            return "Nothing has been audited yet"
        entries = "entry is" if self.entries == 1 else "entries are"
        return f"The audit trail holds: {self.entries:,} {entries} as written"


def check(key: str, deeds: Iterable[Deed], head: str | None = None) -> AuditCheck:
    """Follow the chain from its beginning; `head` is an older head that must be on the way."""
    before, entries = BEGINNING, 0
    found = head in (None, BEGINNING)
    for deed in deeds:
        entries += 1
        if deed.id != entries or not hmac.compare_digest(seal(key, before, deed), deed.chain):
            return AuditCheck(entries - 1, before, first_bad=deed.id)
        before = deed.chain
        found = found or before == head
    return AuditCheck(entries, before, missing_head=None if found else head)


@dataclass(frozen=True, slots=True)
class AuditTrail:
    """The answer of `kpay audit list`: the newest deeds first, and how many there are in all."""

    deeds: Sequence[Deed]
    count: int

    def to_document(self) -> Document:
        """Show one line for each deed."""
        columns = (Column("at", "instant"), Column("deed"), Column("about"), Column("detail"))
        rows = tuple((one.at, one.action, one.subject, _words(one.detail)) for one in self.deeds)
        hidden = self.count - len(self.deeds)
        note = f"and {hidden:,} older ones (--limit shows more)" if hidden else ""
        blocks: tuple[Block, ...] = (Table(columns, rows, note=note),) if rows else ()
        title = f"{self.count:,} deed{'' if self.count == 1 else 's'}"
        return Document(
            "kpay.audit.list/1",
            title if rows else "Nothing has been audited yet",
            blocks,
            {"count": self.count, "deeds": [one.to_json() for one in self.deeds]},
            next_steps=("kpay audit verify",) if rows else (),
        )


def _words(detail: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(detail.items()))
