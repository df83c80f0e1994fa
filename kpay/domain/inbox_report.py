"""What reading an inbox came to: what was done, and what a person should look at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from kpay.domain.document import Block, Column, Document, Table, Text

ROWS_SHOWN: Final = 50


class Meaning(StrEnum):
    """What a mail turned out to be."""

    HARD_BOUNCE = "hard bounce"
    SOFT_BOUNCE = "soft bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    CONFIRM = "confirmation"
    DELAYED = "delayed"
    ARRIVED = "arrived"
    ABOUT_US = "refusal of us"
    UNCLEAR = "unclear bounce"
    UNPROVEN = "unproven"
    AUTOMATIC = "automatic answer"
    REPLY = "reply"
    OTHER = "other mail"
    UNREADABLE = "unreadable"


NEEDS_EYES: Final = frozenset(
    {Meaning.ABOUT_US, Meaning.UNCLEAR, Meaning.UNPROVEN, Meaning.UNREADABLE}
)


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One mail that was read. `deed` is what was done about it, "" for nothing.

    `email` is the reader that it is about, where that is proven.
    """

    place: str
    meaning: Meaning
    email: str | None = None
    deed: str = ""
    words: str = ""
    needs_eyes: bool = False


@dataclass(frozen=True, slots=True)
class InboxReport:
    """Everything that one reading came to."""

    where: str
    entries: tuple[InboxEntry, ...]
    is_rehearsal: bool = False

    def to_document(self) -> Document:
        """Counts, what was done, and what needs a person's eyes."""
        done = [entry for entry in self.entries if entry.deed]
        eyes = [entry for entry in self.entries if entry.needs_eyes]
        counts = Counter(entry.meaning.value for entry in self.entries)
        blocks: tuple[Block, ...] = (
            *([_counted(counts)] if counts else []),
            *([_deeds(done)] if done else []),
            *([_for_eyes(eyes)] if eyes else []),
            *([Text("Nothing was changed: this was a rehearsal.")] if self.is_rehearsal else []),
        )
        payload = {
            "where": self.where,
            "dry_run": self.is_rehearsal,
            "mails": len(self.entries),
            "counts": dict(counts),
            "done": [_to_json(entry) for entry in done],
            "needs_eyes": [_to_json(entry) for entry in eyes],
        }
        return Document("kpay.inbox/1", self._title(len(done), len(eyes)), blocks, payload)

    def _title(self, done: int, eyes: int) -> str:
        mails = len(self.entries)
        if not mails:
            return f"Nothing new in {self.where}."
        title = f"{mails:,} mail{'' if mails == 1 else 's'} read in {self.where}"
        return f"{title}: {done:,} acted on, {eyes:,} for you to look at."


def _counted(counts: Counter[str]) -> Table:
    columns = (Column("what"), Column("mails", "count"))
    return Table(columns, tuple(counts.most_common()))


def _deeds(entries: list[InboxEntry]) -> Table:
    columns = (Column("email"), Column("what"), Column("done"), Column("server's words"))
    rows = tuple(
        (entry.email, entry.meaning.value, entry.deed, entry.words)
        for entry in entries[:ROWS_SHOWN]
    )
    return Table(columns, rows, title="Done", note=_left_out(entries))


def _for_eyes(entries: list[InboxEntry]) -> Table:
    columns = (Column("where"), Column("what"), Column("why it was left alone"))
    rows = tuple((entry.place, entry.meaning.value, entry.words) for entry in entries[:ROWS_SHOWN])
    return Table(columns, rows, title="For you to look at", note=_left_out(entries))


def _left_out(entries: list[InboxEntry]) -> str:
    more = len(entries) - ROWS_SHOWN
    return f"and {more:,} more: kpay inbox ... --json lists all" if more > 0 else ""


def _to_json(entry: InboxEntry) -> dict[str, Any]:
    return {
        "place": entry.place,
        "what": entry.meaning.value,
        "email": entry.email,
        "done": entry.deed or None,
        "words": entry.words,
    }
