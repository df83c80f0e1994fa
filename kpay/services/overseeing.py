"""What is watched while messages leave: whether the run is still wanted, and whether it is us they refuse."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from kpay.domain.delivery import Fate, MailReply

IN_A_ROW = 20
"""So many mailboxes in a row do not each have something against us: somebody before them has."""


class Overseer:
    """Lets everything pass; campaigns have one of their own.

    `name` and `rate` are a campaign's, which may ask for so many messages an hour at most.
    """

    name: str = ""
    rate: int | None = None

    def begin(self, connection: Connection) -> None:
        """Read what earlier runs have left."""

    def look_ahead(self, connection: Connection, rows: Sequence[RowMapping]) -> None:
        """Learn what must be known of messages before their turn."""

    def turn_of(self, row: RowMapping, now: datetime) -> datetime | None:
        """Return when a message may leave, if not now."""
        return None

    def needless(self, connection: Connection, emails: Collection[str]) -> set[str]:
        """Return those addresses to which the message has nothing to say any more."""
        return set()

    def heard(self, reply: MailReply) -> None:
        """Take one answer in."""

    def asked_to_stop(self, connection: Connection) -> str | None:
        """Return why somebody wants the run to end, if so."""
        return None

    def objection(self, connection: Connection) -> str | None:
        """Return why nothing more may leave, if so; asked in each transaction that marks messages."""
        return None


class Distrust:
    """Tells one mailbox that refuses us (5.7.x) from a server that refuses everything of ours."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        """The messages refused so since the last one that was taken."""
        self.words = ""
        self._heard_others = False

    def heard(self, number: int, reply: MailReply) -> None:
        """Take one answer in."""
        if reply.fate is Fate.NOT_ALLOWED:
            self.ids.append(number)
            self.words = reply.words
        elif reply.fate is Fate.ACCEPTED:
            self.ids.clear()
            self._heard_others = True
        elif reply.fate in (Fate.REFUSED, Fate.NO_SUCH_ADDRESS, Fate.DEFERRED, Fate.UNKNOWN):
            self._heard_others = True

    @property
    def is_us(self) -> bool:
        """Whether too many in a row were refused so."""
        return len(self.ids) >= IN_A_ROW

    @property
    def is_us_after_all(self) -> bool:
        """Whether a run is over in which nothing else was ever answered."""
        return bool(self.ids) and not self._heard_others
