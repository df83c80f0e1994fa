"""What begins a sequence, and what ends it before its last letter.

purchase                    somebody paid for something new; renewals are none
purchase of SLUG            that piece
new subscriber              somebody joined the list, or confirmed that they did
abandoned checkout          a checkout with an address that was not paid within an hour
abandoned checkout of SLUG
failed card                 a bill of a subscription that could not be taken
expiring card               the card of a running subscription expires this month or the next
ending subscription         it was cancelled and ends within 7 days
ending subscription within N days
ended subscription
quiet for N days            a customer has bought nothing for so long
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from kpay.domain.slug import is_slug

USUAL_ENDING_DAYS: Final = 7
LONGEST_DAYS: Final = 730


class TriggerKind(StrEnum):
    """What kind of thing begins a sequence."""

    PURCHASE = "purchase"
    SUBSCRIBER = "new subscriber"
    ABANDONED = "abandoned checkout"
    FAILED_CARD = "failed card"
    EXPIRING_CARD = "expiring card"
    ENDING = "ending subscription"
    ENDED = "ended subscription"
    QUIET = "quiet"


class SequenceGoal(StrEnum):
    """What a new sequence is for."""

    WELCOME = "welcome"
    PURCHASE = "purchase"
    ABANDONED = "abandoned"
    FAILED_CARD = "failed-card"
    EXPIRING_CARD = "expiring-card"
    ENDING = "ending"
    QUIET = "quiet"


K = TriggerKind
CONTRACT: Final = (K.FAILED_CARD, K.EXPIRING_CARD, K.ENDING)
"""News of a contract that the reader has, whether or not they asked for mail."""
AHEAD: Final = (K.EXPIRING_CARD, K.ENDING)
"""What lies ahead: it counts when it is noticed, even if it could have been known before."""
EXAMPLES: Final = (
    "purchase",
    "purchase of SLUG",
    "new subscriber",
    "abandoned checkout",
    "failed card",
    "expiring card",
    "ending subscription",
    "ended subscription",
    "quiet for 60 days",
)
OF_A_PIECE: Final = re.compile(r"(purchase|abandoned checkout) of (\S+)")
IN_DAYS: Final = re.compile(r"(?:(quiet) for|(ending subscription) within) (\d{1,3}) days?")


@dataclass(frozen=True, slots=True)
class Trigger:
    """What begins a sequence; `slug` is the piece it is about, `days` how long or how soon."""

    kind: TriggerKind
    slug: str | None = None
    days: int = 0

    def __str__(self) -> str:
        if self.kind is K.QUIET:
            return f"quiet for {self.days} days"
        if self.kind is K.ENDING:
            return f"ending subscription within {self.days} days"
        return f"{self.kind} of {self.slug}" if self.slug else self.kind.value


@dataclass(frozen=True, slots=True)
class Exit:
    """A purchase that ends a sequence: of a piece, or (None) of anything."""

    slug: str | None = None

    def __str__(self) -> str:
        return f"purchase of {self.slug}" if self.slug else "purchase"


def read_trigger(written: Any) -> Trigger:
    """Read a trigger; ValueError says what was probably meant."""
    text = " ".join(written.split()) if isinstance(written, str) else str(written)
    if found := OF_A_PIECE.fullmatch(text):
        return Trigger(TriggerKind(found[1]), _slug(found[2]))
    if found := IN_DAYS.fullmatch(text):
        return Trigger(TriggerKind(found[1] or found[2]), days=_days(int(found[3])))
    if text == K.QUIET.value:
        raise ValueError("say for how long (trigger: quiet for 60 days)")
    if text not in list(TriggerKind):
        close = get_close_matches(text, EXAMPLES, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(EXAMPLES)}"
        raise ValueError(f"{text!r} begins nothing ({meant})")
    kind = TriggerKind(text)
    return Trigger(kind, days=USUAL_ENDING_DAYS if kind is K.ENDING else 0)


def read_exit(word: str) -> Exit:
    """Read one exit; ValueError says what can be written."""
    text = " ".join(word.split())
    if text == "purchase":
        return Exit()
    if text.startswith("purchase of "):
        return Exit(_slug(text.removeprefix("purchase of ")))
    raise ValueError(f"{word!r} ends nothing (write purchase, or purchase of SLUG)")


def _slug(text: str) -> str:
    if not is_slug(text):
        raise ValueError(f"{text!r} is not the slug of a piece")
    return text


def _days(count: int) -> int:
    if not 0 < count <= LONGEST_DAYS:
        raise ValueError(f"{count} days are not between 1 and {LONGEST_DAYS}")
    return count
