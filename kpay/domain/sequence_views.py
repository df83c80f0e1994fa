"""Sequences as `kpay sequence list` and `show` tell them, and what one has brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kpay.domain import effect_words as words
from kpay.domain.campaign_results import effects_table
from kpay.domain.document import Block, Cell, Column, Document, Table, Text
from kpay.domain.experiment import USUAL_LEVEL, Effect, effect
from kpay.domain.money import Money
from kpay.domain.period import instant_text
from kpay.domain.sequence_report import counted, reasons


@dataclass(frozen=True, slots=True)
class SequenceLine:
    """One sequence in the list; `flaw` is what keeps it from running."""

    name: str
    trigger: str
    letters: int
    inside: int
    sent: int
    ended: Mapping[str, int]
    flaw: str = ""

    def cells(self) -> tuple[Cell, ...]:
        """Return the row of a table."""
        return (
            self.name,
            self.flaw or self.trigger,
            self.letters,
            self.inside,
            self.sent,
            reasons(self.ended),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the plain values."""
        return {
            "sequence": self.name,
            "trigger": self.trigger,
            "letters": self.letters,
            "in_it": self.inside,
            "sent": self.sent,
            "ended": dict(self.ended),
            "problem": self.flaw or None,
        }


def list_document(lines: Sequence[SequenceLine]) -> Document:
    """Show one line for each sequence."""
    columns = (
        Column("sequence"),
        Column("begins with"),
        Column("letters", "count"),
        Column("in it", "count"),
        Column("sent", "count"),
        Column("ended"),
    )
    steps = ("kpay sequence run --dry-run",) if lines else ("kpay sequence new welcome",)
    return Document(
        "kpay.sequence.list/1",
        counted(len(lines), "sequence"),
        (Table(columns, tuple(line.cells() for line in lines)),) if lines else (),
        {"sequences": [line.to_json() for line in lines]},
        next_steps=steps,
    )


@dataclass(frozen=True, slots=True)
class LetterLine:
    """One letter of a sequence as it is shown."""

    name: str
    after: str
    condition: str | None
    subject: str


@dataclass(frozen=True, slots=True)
class MemberLine:
    """Somebody in a sequence: since when, which letter comes next, and when at the earliest."""

    email: str
    began_at: datetime
    next_letter: str | None
    due_at: datetime | None
    is_held_out: bool


@dataclass(frozen=True, slots=True)
class SequenceCard:
    """The answer of `kpay sequence show`."""

    line: SequenceLine
    settings: Mapping[str, str]
    letters: Sequence[LetterLine]
    members: Sequence[MemberLine]
    note: str

    def to_document(self) -> Document:
        """Show settings, letters, and who is in it."""
        line = self.line
        blocks: list[Block] = [
            Table((Column("setting"), Column("value")), tuple(self.settings.items())),
            self._letter_table(),
        ]
        blocks += [self._member_table()] if self.members else []
        blocks += [Text(self.note)] if self.note else []
        return Document(
            "kpay.sequence.show/1",
            f"{line.name}: {counted(line.inside, 'person') if line.inside == 1 else f'{line.inside:,} people'} in it",
            tuple(blocks),
            {
                **line.to_json(),
                "settings": dict(self.settings),
                "letters": [
                    {
                        "letter": one.name,
                        "after": one.after,
                        "if": one.condition,
                        "subject": one.subject,
                    }
                    for one in self.letters
                ],
                "people": [
                    {
                        "email": one.email,
                        "began_at": instant_text(one.began_at),
                        "next_letter": one.next_letter,
                        "due_at": instant_text(one.due_at) if one.due_at else None,
                        "held_out": one.is_held_out,
                    }
                    for one in self.members
                ],
            },
            next_steps=("kpay sequence run --dry-run",),
        )

    def _letter_table(self) -> Table:
        columns = (Column("letter"), Column("after"), Column("if"), Column("subject"))
        rows = tuple((one.name, one.after, one.condition, one.subject) for one in self.letters)
        return Table(columns, rows, title="Letters")

    def _member_table(self) -> Table:
        hidden = self.line.inside - len(self.members)
        columns = (
            Column("who"),
            Column("since", "instant"),
            Column("next letter"),
            Column("from", "instant"),
        )
        rows = tuple(
            (
                one.email,
                one.began_at,
                "held out" if one.is_held_out else one.next_letter,
                one.due_at,
            )
            for one in self.members
        )
        return Table(
            columns, rows, title="In it", note=f"and {hidden:,} more" if hidden > 0 else ""
        )


@dataclass(frozen=True, slots=True)
class SequenceResults:
    """What a sequence brought: those who might have been mailed beside those who never were.

    Everybody counts from when it began for them, and only once all `days` are over. The ranges hold
    however often they are looked at.
    """

    sequence: str
    currency: str
    days: int
    too_young: int
    buyers: Effect
    money: Effect

    def to_document(self) -> Document:
        """Show both groups, the difference and the verdict."""
        verdict = words.verdict(self.buyers, self.money.revenue, self.currency, what="The sequence")
        usual = effect(self.buyers.treated, self.buyers.held_out, USUAL_LEVEL)
        usual_money = effect(self.money.treated, self.money.held_out, USUAL_LEVEL)
        return Document(
            "kpay.sequence.results/1",
            f"{self.sequence}: what it brought",
            (self._arms(), effects_table(self.buyers, {self.currency: self.money}), Text(verdict)),
            {
                "sequence": self.sequence,
                "days": self.days,
                "too_young": self.too_young,
                "treated": self.buyers.treated.people,
                "held_out": self.buyers.held_out.people,
                "outcomes": {
                    "buyers": words.buyers_json(self.buyers, usual),
                    "revenue_minor": words.revenue_json(self.money, usual_money, self.currency),
                },
                "verdict": verdict,
            },
            subtitle=f"orders within {self.days} days, before refunds; {self.too_young:,} people too new",
            next_steps=(f"kpay sequence show {self.sequence}",),
        )

    def _arms(self) -> Table:
        rows = tuple(
            (name, arm.people, arm.buyers, arm.share, Money(spent.total_minor, self.currency))
            for name, arm, spent in (
                ("in the sequence", self.buyers.treated, self.money.treated),
                ("held out", self.buyers.held_out, self.money.held_out),
            )
        )
        columns = (
            Column("group"),
            Column("people", "count"),
            Column("buyers", "count"),
            Column("share", "share"),
            Column("paid", "money"),
        )
        return Table(columns, rows)
