"""What is watched while a campaign goes out: its state, its readers' hours, and signs of a bad list."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RowMapping

from kpay.domain.campaign_file import CampaignFile
from kpay.domain.delivery import Fate, MailReply, fate_of_reply
from kpay.domain.enums import CampaignState
from kpay.domain.mail_customs import MailCustoms
from kpay.services.overseeing import Overseer
from kpay.store import campaigns, facts, last_look

ANSWERS: Final = 200
GONE_SHARE: Final = 0.05
"""From here on mail providers take a list for a bought one."""
COMPLAINT_SHARE: Final = 0.003
"""Gmail and Yahoo want fewer complaints than that (their rules for bulk senders, 2024)."""
COMPLAINTS: Final = 3
CLEARLY_WORSE: Final = 1.5
ANSWERED: Final = frozenset({Fate.ACCEPTED, Fate.REFUSED, Fate.NOT_ALLOWED, Fate.NO_SUCH_ADDRESS})
ADDRESSES, COMPLAINING = "addresses", "complaints"


class CampaignWatch(Overseer):
    """Ends a run when its campaign is paused or cancelled, and pauses it when the list looks bad."""

    def __init__(
        self, campaign: RowMapping, plan_id: int, settings: CampaignFile, customs: MailCustoms
    ) -> None:
        self.name, self.rate = campaign["name"], settings.rate
        self._campaign_id, self._plan_id = campaign["id"], plan_id
        self._about, self._customs = settings.not_for_owners_of, customs
        self._hours = customs.hours_for(settings)
        self._zones: dict[str, str] = {}
        self._answers: deque[bool] = deque(maxlen=ANSWERS)
        self._complaint_share = 0.0
        self._excused: dict[str, float] = {}
        self._complaints = 0

    def begin(self, connection: Connection) -> None:
        """Read the last answers, and what the creator has resumed this campaign in spite of."""
        words = last_look.last_answers(connection, self._campaign_id, ANSWERS)
        self._answers.extend(_says_nobody_is_there(one) for one in words)
        for sign in (ADDRESSES, COMPLAINING):
            self._excused[sign] = float(facts.find(connection, self._fact(sign)) or 0.0)

    def look_ahead(self, connection: Connection, rows: Sequence[RowMapping]) -> None:
        """Read the readers' zones where hours matter, and how many complained."""
        if self._hours is not None:
            emails = {row["email"] for row in rows}
            self._zones = last_look.zones(connection, self._plan_id, emails)
        self._complaints = last_look.complaints(connection, self._campaign_id)
        if self._complaints >= COMPLAINTS:
            sent = last_look.sent(connection, self._campaign_id)
            self._complaint_share = self._complaints / max(sent, 1)

    def turn_of(self, row: RowMapping, now: datetime) -> datetime | None:
        """Return when the reader's hours open, unless they are open."""
        if self._hours is None:
            return None
        opens_at = self._hours.next_open(now, self._zones.get(row["email"], self._customs.timezone))
        return None if opens_at == now else opens_at

    def needless(self, connection: Connection, emails: Collection[str]) -> set[str]:
        """Return those who own by now all that the campaign is about."""
        return last_look.owners(connection, emails, self._about) if self._about else set()

    def heard(self, reply: MailReply) -> None:
        """Remember whether there was anybody."""
        if reply.fate in ANSWERED:
            self._answers.append(reply.fate is Fate.NO_SUCH_ADDRESS)

    def asked_to_stop(self, connection: Connection) -> str | None:
        """Return why the campaign is paused or cancelled, if it is."""
        state, reason = last_look.campaign_state(connection, self._campaign_id)
        if state == CampaignState.PAUSED:
            return f"paused: {reason}" if reason else "paused"
        return "cancelled" if state == CampaignState.CANCELLED else None

    def objection(self, connection: Connection) -> str | None:
        """Return why nothing more may leave; a bad sign pauses the campaign here."""
        asked = self.asked_to_stop(connection)
        if asked is not None:
            return asked
        for sign, share, words in self._signs():
            if share > self._excused[sign] * CLEARLY_WORSE:
                facts.keep(connection, self._fact(sign), repr(share))
                campaigns.stand(connection, self._campaign_id, CampaignState.PAUSED, words)
                return f"paused: {words}"
        return None

    def _signs(self) -> list[tuple[str, float, str]]:
        """Return the signs of a bad list: which, how bad, and in words."""
        found = []
        gone = sum(self._answers)
        if len(self._answers) == ANSWERS and gone > GONE_SHARE * ANSWERS:
            words = f"{gone} of the last {ANSWERS} answers say that the address does not exist"
            found.append((ADDRESSES, gone / ANSWERS, words))
        if self._complaints >= COMPLAINTS and self._complaint_share > COMPLAINT_SHARE:
            words = (
                f"{self._complaints} readers complained ({self._complaint_share:.1%} of those sent)"
            )
            found.append((COMPLAINING, self._complaint_share, words))
        return found

    def _fact(self, sign: str) -> str:
        return f"paused {self._campaign_id} {sign}"


def _says_nobody_is_there(words: str | None) -> bool:
    code, _, rest = (words or "").partition(" ")
    return code.isdecimal() and fate_of_reply(int(code), rest) is Fate.NO_SUCH_ADDRESS
