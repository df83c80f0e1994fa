"""What a run of the sequences would do, or did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kpay.domain.document import Block, Column, Document, Table, Text

SHOWN_ROWS = 50


@dataclass(frozen=True, slots=True)
class SequenceMoves:
    """What happens to the people of one sequence: numbers of people, by reason where there is one."""

    sequence: str
    entering: int = 0
    staying: int = 0
    leaving: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_still(self) -> bool:
        """Nobody comes and nobody goes."""
        return not (self.entering or self.leaving)

    def to_json(self) -> dict[str, Any]:
        """Return the plain values."""
        return {
            "sequence": self.sequence,
            "entering": self.entering,
            "in_it": self.staying,
            "leaving": dict(self.leaving),
            "left_out": dict(self.left_out),
        }


@dataclass(frozen=True, slots=True)
class LetterDue:
    """One letter that is to be sent now; `is_held_out` when it is only counted, to measure with."""

    sequence: str
    letter: str
    email: str
    subject: str
    is_held_out: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the plain values."""
        return {
            "sequence": self.sequence,
            "letter": self.letter,
            "email": self.email,
            "subject": self.subject,
            "held_out": self.is_held_out,
        }


@dataclass(frozen=True, slots=True)
class LetterProblem:
    """Why a letter cannot be sent: to one person, or (None) at all."""

    email: str | None
    problem: str

    def to_json(self) -> dict[str, Any]:
        """Return the plain values."""
        return {"email": self.email, "problem": self.problem}


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the next run would do; `waiting` letters were queued before and have not left."""

    moves: Sequence[SequenceMoves]
    letters: Sequence[LetterDue]
    problems: Sequence[LetterProblem]
    waiting: int = 0

    @property
    def to_send(self) -> int:
        """How many letters would leave."""
        return self.waiting + sum(not letter.is_held_out for letter in self.letters)

    def to_document(self) -> Document:
        """Show who would come and go, and every letter that would leave."""
        blocks: list[Block] = []
        if self.moves:
            blocks.append(_moves_table(self.moves))
        if self.letters:
            blocks.append(self._letters_table())
        blocks += [_problem_text(self.problems)] if self.problems else []
        return Document(
            "kpay.sequence.plan/1",
            f"{counted(self.to_send, 'letter')} would be sent now; nothing was written",
            tuple(blocks),
            {
                "sequences": [one.to_json() for one in self.moves],
                "letters": [one.to_json() for one in self.letters],
                "waiting": self.waiting,
                "problems": [one.to_json() for one in self.problems],
            },
            next_steps=("kpay sequence run",) if self.moves else ("kpay sequence new welcome",),
        )

    def _letters_table(self) -> Table:
        rows = tuple(
            (one.sequence, one.letter, one.email, "held out" if one.is_held_out else one.subject)
            for one in self.letters[:SHOWN_ROWS]
        )
        columns = (Column("sequence"), Column("letter"), Column("to"), Column("subject"))
        more = len(self.letters) - SHOWN_ROWS
        return Table(columns, rows, note=f"and {more:,} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class SequenceRun:
    """What one run did. `failures` are messages that failed now, `waiting` those still to leave."""

    moves: Sequence[SequenceMoves]
    problems: Sequence[LetterProblem]
    sent: int
    failures: int
    waiting: int
    where: str
    is_live: bool

    @property
    def is_partial(self) -> bool:
        """Whether something failed, waits, or could not be written."""
        return bool(self.failures or self.waiting or self.problems)

    @property
    def is_still(self) -> bool:
        """Whether nothing happened at all."""
        return not (self.sent or self.is_partial) and all(one.is_still for one in self.moves)

    def to_document(self) -> Document:
        """Say what was sent, and who came and went."""
        payload = {
            "sent_now": self.sent,
            "failed": self.failures,
            "queued": self.waiting,
            "sequences": [one.to_json() for one in self.moves],
            "problems": [one.to_json() for one in self.problems],
        }
        if self.is_still:
            return Document(
                "kpay.sequence.run/1", "Nobody is due a letter; nothing to do", (), payload
            )
        moved = [one for one in self.moves if not one.is_still]
        blocks: list[Block] = [_moves_table(moved)] if moved else []
        blocks += [_problem_text(self.problems)] if self.problems else []
        mode = "LIVE" if self.is_live else "TEST"
        title = f"{counted(self.sent, 'letter')} sent"
        return Document(
            "kpay.sequence.run/1",
            f"{title} to {self.where} ({mode})" if self.where else title,
            tuple(blocks),
            payload,
            subtitle=self._trouble(),
            next_steps=("kpay sequence run --dry-run",) if self.is_partial else (),
        )

    def _trouble(self) -> str:
        parts = {"waiting": self.waiting, "failed": self.failures}
        return ", ".join(f"{count:,} {what}" for what, count in parts.items() if count)


def counted(count: int, thing: str) -> str:
    """Return a count with its thing: "1 letter", "2 letters"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _moves_table(moves: Sequence[SequenceMoves]) -> Table:
    columns = (
        Column("sequence"),
        Column("come in", "count"),
        Column("stay", "count"),
        Column("leave"),
        Column("left out"),
    )
    rows = tuple(
        (one.sequence, one.entering, one.staying, reasons(one.leaving), reasons(one.left_out))
        for one in moves
    )
    return Table(columns, rows)


def reasons(counts: Mapping[str, int]) -> str | None:
    """Return how many for which reason: "2 bought, 1 left the list"; None for nobody."""
    return ", ".join(f"{count:,} {why}" for why, count in sorted(counts.items())) or None


def _problem_text(problems: Sequence[LetterProblem]) -> Text:
    lines = [f"{one.email}: {one.problem}" if one.email else one.problem for one in problems]
    more = [f"and {len(lines) - SHOWN_ROWS:,} more"] if len(lines) > SHOWN_ROWS else []
    return Text("\n".join(lines[:SHOWN_ROWS] + more), "warning")
