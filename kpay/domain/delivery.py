"""What can become of one message to one person: the states, the moves between them, the replies.

    queued ──> sending ──> sent
      │ ^         │ └────> retry ──> sending
      │ └ put back│ └────> failed
      v           └──────> uncertain
    suppressed

`sending` is committed before the last byte of a message can leave, so a message that the store does
not know as `sending` was never handed over. The server owns a message from the moment it reads the
final dot; whoever dies between the dot and the answer cannot know (RFC 1047), so such a message is
`uncertain` and never sent again by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from kpay.domain.enums import DeliveryState

S = DeliveryState
MOVES: Final[dict[DeliveryState, frozenset[DeliveryState]]] = {
    S.QUEUED: frozenset({S.SENDING, S.SUPPRESSED, S.FAILED}),
    S.RETRY: frozenset({S.SENDING, S.SUPPRESSED, S.FAILED}),
    S.SENDING: frozenset({S.SENT, S.RETRY, S.FAILED, S.UNCERTAIN, S.QUEUED}),
}
WAITING: Final = (S.QUEUED, S.RETRY)
BACK_OFF: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)
)
"""How long after the 1st, 2nd... refusal a message is tried again; after the last it has failed."""
STAY: Final = timedelta(minutes=10)
"""A run stays as long as something falls due within this time."""


class Fate(StrEnum):
    """What became of one attempt to hand a message over."""

    ACCEPTED = "accepted"  # the server answered 250: it owns the message now
    DEFERRED = "deferred"  # 4xx, or the connection was lost before the final dot
    REFUSED = "refused"  # 5xx: this message will never be taken
    NO_SUCH_ADDRESS = "no_such_address"  # 5.1.x or 5.2.1: nobody should write there again
    UNKNOWN = "unknown"  # the connection was lost after the final dot
    UNREACHABLE = "unreachable"  # there was nobody to hand it to
    STOPPED = "stopped"  # the server refuses us, not the message
    NO_ROOM = "no_room"  # this machine's disk did not take it
    NOT_TRIED = "not_tried"  # the run was interrupted before its turn


@dataclass(frozen=True, slots=True)
class MailReply:
    """A fate, and the server's own words."""

    fate: Fate
    words: str = ""


def state_after(fate: Fate, attempts: int) -> DeliveryState:
    """Return the state that follows `sending`; `attempts` counts this attempt too."""
    if fate is Fate.DEFERRED:
        return S.RETRY if attempts <= len(BACK_OFF) else S.FAILED
    return {
        Fate.ACCEPTED: S.SENT,
        Fate.REFUSED: S.FAILED,
        Fate.NO_SUCH_ADDRESS: S.FAILED,
        Fate.UNKNOWN: S.UNCERTAIN,
    }.get(fate, S.QUEUED)


def wait_before_retry(attempts: int) -> timedelta:
    """Return how long to wait after the `attempts`-th refusal."""
    return BACK_OFF[min(attempts, len(BACK_OFF)) - 1]


def fate_of_reply(code: int, words: str) -> Fate:
    """Read an SMTP reply (RFC 5321, RFC 3463) to one message.

    4xx is for later; 530, 535 and 5.7.x are about us, not the message, so everything stops; 5.1.x
    and 5.2.1 say that nobody is there.
    """
    if 200 <= code < 300:
        return Fate.ACCEPTED
    if 400 <= code < 500:
        return Fate.DEFERRED
    enhanced = words.split(" ", 1)[0]
    if code in (530, 535) or enhanced.startswith("5.7."):
        return Fate.STOPPED
    if enhanced in ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"):
        return Fate.NO_SUCH_ADDRESS
    return Fate.REFUSED
