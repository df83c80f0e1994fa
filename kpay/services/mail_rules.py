"""Who must not get a message any more, and what an answer makes of one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping

from kpay.domain.delivery import Fate, MailReply, state_after, wait_before_retry
from kpay.domain.enums import DeliveryState, MailKind
from kpay.domain.pacing import MailLimits
from kpay.store import last_look

BOUNCED = "bounce"
LAST_IN_LINE = timedelta(seconds=1)
UNTRIED = frozenset(
    {Fate.NOT_TRIED, Fate.UNREACHABLE, Fate.SERVER_FULL, Fate.STOPPED, Fate.NO_ROOM}
)


@dataclass(frozen=True, slots=True)
class Rules:
    """Who must not get these messages: `refuses` sees why an address is suppressed, if it is.

    `asks_the_list` holds for marketing: whoever has left the list is not mailed either.
    """

    refuses: Callable[[str], bool]
    asks_the_list: bool

    def paced(self, limits: MailLimits) -> MailLimits:
        """Return how fast these may leave: nobody waits for what they bought until a sender is warm."""
        return limits if self.asks_the_list else replace(limits, warm_up=False)

    def refused(self, connection: Connection, emails: Collection[str]) -> set[str]:
        """Return those addresses that must not be mailed any more."""
        reasons = last_look.suppressed(connection, emails)
        found = {email for email, reason in reasons.items() if self.refuses(reason)}
        return found | last_look.left_the_list(connection, emails) if self.asks_the_list else found


MARKETING = Rules(refuses=lambda reason: True, asks_the_list=True)
REPORT = Rules(refuses=lambda reason: True, asks_the_list=False)
PURCHASE = Rules(refuses=lambda reason: reason == BOUNCED, asks_the_list=False)
RULES = {
    MailKind.CAMPAIGN: MARKETING,
    MailKind.SEQUENCE: MARKETING,
    MailKind.PURCHASE: PURCHASE,
    MailKind.RECEIPT: PURCHASE,
    MailKind.CONFIRMATION: MARKETING,
    MailKind.REPORT: REPORT,
}
"""What each kind of message asks; whoever has left is not even asked whether to come back."""


def outcome_of(row: RowMapping, reply: MailReply, now: datetime) -> dict[str, Any]:
    """Return what becomes of a delivery after one attempt, for `store.outbox.settle`."""
    tried = reply.fate not in UNTRIED
    attempts = row["attempts"] + tried
    state = state_after(reply.fate, attempts)
    return {
        "delivery": row["id"],
        "new_state": state.value,
        "new_due_at": _due_at(row, reply, state, attempts, now),
        "new_sent_at": now if state is DeliveryState.SENT else None,
        "new_attempts": attempts,
        "reply": reply.words or None,
        "name": reply.provider_id,
    }


def _due_at(
    row: RowMapping, reply: MailReply, state: DeliveryState, attempts: int, now: datetime
) -> datetime:
    """Return when a message is tried next; one that stopped a run comes last in the next."""
    if state is DeliveryState.RETRY:
        return now + max(wait_before_retry(attempts), timedelta(seconds=reply.wait_s))
    due_at: datetime = row["due_at"]
    return now + LAST_IN_LINE if reply.fate is Fate.STOPPED else due_at
