"""What can become of one message to one person: the states, the moves between them, the replies.

    queued ──> sending ──> sent <───────┐
      │ ^         │ └────> retry ──> sending
      │ └ put back│ └────> failed       │ settled
      v           └──────> uncertain ───┘ ──> queued
    suppressed, skipped

`sending` is committed before the last byte of a message can leave, so a message that the store does
not know as `sending` was never handed over. The server owns a message from the moment it reads the
final dot; whoever dies between the dot and the answer cannot know (RFC 1047), so such a message is
`uncertain` and never sent again by itself, unless whoever takes it knows it again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from kpay.domain.enums import DeliveryState

S = DeliveryState
MOVES: Final[dict[DeliveryState, frozenset[DeliveryState]]] = {
    S.QUEUED: frozenset({S.SENDING, S.SUPPRESSED, S.SKIPPED, S.FAILED}),
    S.RETRY: frozenset({S.SENDING, S.SUPPRESSED, S.SKIPPED, S.FAILED}),
    S.SENDING: frozenset({S.SENT, S.RETRY, S.FAILED, S.UNCERTAIN, S.QUEUED}),
    S.UNCERTAIN: frozenset({S.SENT, S.FAILED, S.QUEUED}),
    S.FAILED: frozenset({S.QUEUED}),
}
WAITING: Final = (S.QUEUED, S.RETRY)
BACK_OFF: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)
)
"""How long after the 1st, 2nd... refusal a message is tried again; after the last it has failed."""
STAY: Final = timedelta(minutes=10)
"""A run stays as long as something falls due within this time."""
NOBODY_THERE: Final = ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
TOO_FAST: Final = re.compile(
    r"\b4\.7\.28\b|\brate\b|throttl|too (many|much|fast)|limit|exceed|slow down|quota",
    re.IGNORECASE,
)
NAME_GIVEN: Final = re.compile(
    r"\bqueued as ([\w.+/=-]+)|\bid=([\w.+/=-]+)|\bok:?\s+(?:\d+\s+)?([\w.+/-]{10,})",
    re.IGNORECASE,
)
"""How mail servers name what they took: Postfix and Sendmail, Exim, the large providers."""


class Fate(StrEnum):
    """What became of one attempt to hand a message over."""

    ACCEPTED = "accepted"  # the server answered 250: it owns the message now
    DEFERRED = "deferred"  # 4xx, or the connection was lost before the final dot
    REFUSED = "refused"  # 5xx: this message will never be taken
    NOT_ALLOWED = "not_allowed"  # 5.7.x: one mailbox refuses us; where all do, it is about us
    NO_SUCH_ADDRESS = "no_such_address"  # 5.1.x or 5.2.1: nobody should write there again
    UNKNOWN = "unknown"  # the connection was lost after the final dot
    UNREACHABLE = "unreachable"  # there was nobody to hand it to
    SERVER_FULL = "server_full"  # the server takes no further connection just now
    STOPPED = "stopped"  # the server refuses us, not the message
    NO_ROOM = "no_room"  # this machine's disk did not take it
    NOT_TRIED = "not_tried"  # the run was interrupted before its turn


class Scope(StrEnum):
    """Who is written to too fast: the server, or the domain of the reader."""

    SERVER = "server"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class MailReply:
    """A fate, and the server's own words; `provider_id` is its name for what it took.

    `too_fast` says whom to write to more slowly, `wait_s` how long the server asked to be left alone.
    """

    fate: Fate
    words: str = ""
    provider_id: str | None = None
    too_fast: Scope | None = None
    wait_s: float = 0.0


def state_after(fate: Fate, attempts: int) -> DeliveryState:
    """Return the state that follows `sending`; `attempts` counts this attempt too."""
    if fate is Fate.DEFERRED:
        return S.RETRY if attempts <= len(BACK_OFF) else S.FAILED
    return {
        Fate.ACCEPTED: S.SENT,
        Fate.REFUSED: S.FAILED,
        Fate.NOT_ALLOWED: S.FAILED,
        Fate.NO_SUCH_ADDRESS: S.FAILED,
        Fate.UNKNOWN: S.UNCERTAIN,
    }.get(fate, S.QUEUED)


def wait_before_retry(attempts: int) -> timedelta:
    """Return how long to wait after the `attempts`-th refusal."""
    return BACK_OFF[min(attempts, len(BACK_OFF)) - 1]


def fate_of_reply(code: int, words: str) -> Fate:
    """Read an SMTP reply (RFC 5321, RFC 3463) to one message.

    4xx is for later; 530 and its like are about us, so everything stops; 5.1.x and 5.2.1 say that
    nobody is there.
    """
    if 200 <= code < 300:
        return Fate.ACCEPTED
    if 400 <= code < 500:
        return Fate.DEFERRED
    if code in (530, 534, 535, 538):
        return Fate.STOPPED
    enhanced = words.split(" ", 1)[0]
    if enhanced.startswith("5.7."):
        return Fate.NOT_ALLOWED
    return Fate.NO_SUCH_ADDRESS if enhanced in NOBODY_THERE else Fate.REFUSED


def too_fast(code: int, words: str, *, of_recipient: bool) -> Scope | None:
    """Say who finds us too fast: 421 and 454 are the server's, words about a rate whoever is named.

    4.7.1 by itself is how servers put a stranger off for a first time, and no matter of speed.
    """
    if code in (421, 454) and not of_recipient:
        return Scope.SERVER
    if 400 <= code < 500 and speaks_of_speed(words):
        return Scope.DOMAIN if of_recipient else Scope.SERVER
    return None


def speaks_of_speed(words: str) -> bool:
    """Say whether a refusal itself says that we are too fast."""
    return TOO_FAST.search(words) is not None


def name_given(words: str) -> str | None:
    """Return the name under which a server took a message, where its 250 says one."""
    found = NAME_GIVEN.search(words)
    return next((name for name in found.groups() if name), None) if found else None
