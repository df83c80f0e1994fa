"""What is shown of segments: how many people they hold now, and how many of them may be mailed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from kpay.domain.document import Column, Document, Figure, Figures, Table, Text
from kpay.domain.period import instant_text

WHY_NOT: Final = {
    "suppressed": "must not be mailed (opted out, complained or bounced)",
    "no_consent": "not on the list, or not confirmed",
    "unreachable": "an address that mail servers do not take",
}


@dataclass(slots=True)
class SegmentCount:
    """A segment and the people found in it; `problem` says why it cannot be read any more."""

    name: str
    where: str
    created_at: datetime
    words: str = ""
    problem: str | None = None
    people: int = 0
    left_out: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WHY_NOT, 0))
    examples: list[tuple[str, str]] = field(default_factory=list)

    @property
    def mailable(self) -> int:
        """How many of them may be mailed."""
        return self.people - sum(self.left_out.values())

    def to_json(self) -> Mapping[str, object]:
        """Return what `segment list` says of it."""
        is_known = self.problem is None
        return {
            "name": self.name,
            "where": self.where,
            "people": self.people if is_known else None,
            "mailable": self.mailable if is_known else None,
            "problem": self.problem,
            "created_at": instant_text(self.created_at),
        }


def listing(found: Sequence[SegmentCount]) -> Document:
    """Return all segments with their counts."""
    rows = tuple(
        (one.name, one.people, one.mailable, one.where)
        if one.problem is None
        else (one.name, None, None, f"{one.where}  ({one.problem})")
        for one in found
    )
    columns = (
        Column("segment"),
        Column("people", "count"),
        Column("may be mailed", "count"),
        Column("where"),
    )
    title = f"{len(found)} segment{'' if len(found) == 1 else 's'}"
    return Document(
        "kpay.segment.list/1",
        title if found else "There is no segment yet.",
        (Table(columns, rows),) if found else (),
        {"segments": [one.to_json() for one in found]},
        next_steps=()
        if found
        else ("""kpay segment create warm --where "customers and last_mail_days > 14\"""",),
    )


def portrait(one: SegmentCount) -> Document:
    """Return one segment: what it means, how many people are in it, and some of them."""
    reasons = tuple((WHY_NOT[reason], count) for reason, count in one.left_out.items() if count)
    blocks = (
        Text(f"Everyone for whom this holds: {one.words}."),
        Figures((Figure("people", one.people), Figure("may be mailed", one.mailable))),
        *(
            (Table((Column("not mailed because"), Column("people", "count")), reasons),)
            if reasons
            else ()
        ),
        *(
            (Table((Column("for example"), Column("name")), tuple(one.examples)),)
            if one.examples
            else ()
        ),
    )
    return Document(
        "kpay.segment.show/1",
        f"{one.name}: {one.where}",
        blocks,
        {
            **one.to_json(),
            "words": one.words,
            "left_out": dict(one.left_out),
            "examples": [{"email": email, "name": name} for email, name in one.examples],
        },
    )
