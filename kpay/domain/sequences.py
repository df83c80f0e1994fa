"""How somebody goes through a sequence: which letter is next, when, and why it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol

from kpay.domain.sequence_triggers import Exit

OCCASION: Final = "sequence"
BUCKETS: Final = 2**32


class EndReason(StrEnum):
    """Why somebody is no longer in a sequence."""

    FINISHED = "finished"
    BOUGHT = "bought"
    OWNS_IT = "owns it"
    OVER = "no longer so"
    LEFT = "left the list"
    REMOVED = "sequence removed"
    HELD_OUT = "held out"
    IN_IT_ALREADY = "in it already"


class Named(Protocol):
    """Something with a name."""

    @property
    def name(self) -> str:
        """The name."""
        ...


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Somebody in a sequence; `id` is None before it is written down.

    `done` are the letters that were sent or passed over, `slug` the piece and `event` the words of
    what began it.
    """

    email: str
    key: str
    began_at: datetime
    due_at: datetime | None
    id: int | None = None
    customer_id: int | None = None
    name: str = ""
    slug: str | None = None
    event: Mapping[str, str] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    is_held_out: bool = False

    @property
    def context(self) -> dict[str, Any]:
        """The plain values that are kept with the enrolment."""
        return {
            "name": self.name,
            "slug": self.slug,
            "event": dict(self.event),
            "done": list(self.done),
            "held_out": self.is_held_out,
        }


@dataclass(frozen=True, slots=True)
class Bought:
    """One thing that somebody bought or was given the right to: a piece, or (None) anything at all."""

    email: str
    at: datetime
    slug: str | None = None


def next_letter(letters: Sequence[Named], done: Iterable[str]) -> int | None:
    """Return which letter comes next, or None after the last.

    It is the first behind all that are done: what is put in front of those later is not made up for.
    """
    handled = set(done)
    places = [number for number, letter in enumerate(letters) if letter.name in handled]
    first = places[-1] + 1 if places else 0
    return first if first < len(letters) else None


def due_after(due_at: datetime, last_sent_at: datetime | None, delay: timedelta) -> datetime:
    """Return when a letter may go: when it is due, and no sooner than its delay after the last."""
    return due_at if last_sent_at is None else max(due_at, last_sent_at + delay)


def bought_out(
    enrolled: Enrolled, exits: Sequence[Exit], bought: Iterable[Bought]
) -> EndReason | None:
    """Return BOUGHT when somebody bought what ends the sequence after it began for them."""
    wanted = {one.slug for one in exits}
    leaves = any(one.at > enrolled.began_at and one.slug in wanted for one in bought)
    return EndReason.BOUGHT if leaves else None


def is_held_out(sequence: str, email: str, share: float) -> bool:
    """Draw by lot whether somebody is never mailed, to measure with; the same lot at every time."""
    digest = hashlib.sha256(f"{OCCASION} {sequence}\0{email}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * BUCKETS


def occasion(sequence: str, letter: str, enrolment_id: int) -> str:
    """Return the one name under which a letter may go to somebody once."""
    return f"{OCCASION} {sequence} {letter} {enrolment_id}"


def read_occasion(text: str) -> tuple[str, str]:
    """Return the sequence and the letter that an occasion names."""
    _, sequence, letter, _ = text.split(" ")
    return sequence, letter
