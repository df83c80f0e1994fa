"""Settling uncertain messages: by a server's own log, by hand, or by sending them once more on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping

from kpay.domain.address import normal_email
from kpay.domain.enums import CampaignState, DeliveryState
from kpay.domain.inbox_report import InboxEntry
from kpay.domain.reconcile_report import ReconcileReport, UncertainMessage
from kpay.domain.server_log import ServerLog
from kpay.errors import NotFound
from kpay.services import campaign_control, sending
from kpay.services.mail_desk import MailDesk
from kpay.store import campaigns, outbox
from kpay.store.deliveries import Purpose

IN_THE_LOG = "found in the server's log"
NOT_IN_THE_LOG = "not in the server's log, which is whole"
BY_HAND = "settled by hand"
ON_PURPOSE = "sent once more on purpose"
SHOWN_MISSING = 20


def settle(
    connection: Connection,
    ids: Iterable[int],
    state: DeliveryState,
    why: str,
    now: datetime,
) -> int:
    """Settle uncertain messages as sent, failed or queued; return how many were uncertain still.

    Whatever is not uncertain is left as it is, so a late bounce changes nothing that is known.
    """
    return outbox.settle_uncertain(connection, ids, state, why, now)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the creator knows: addresses that got their message, and addresses that did not."""

    sent: Sequence[str] = ()
    unsent: Sequence[str] = ()
    resend: bool = False


def listed(desk: MailDesk, name: str) -> ReconcileReport:
    """Return what is uncertain of a campaign; what a dead run left on its way is uncertain too."""
    return _Case(desk, name).report(0, 0)


def by_log(desk: MailDesk, name: str, lines: Iterable[str], now: datetime) -> ReconcileReport:
    """Settle by a log: what it names has arrived; what it does not name waits again, if it is whole.

    It is whole where it names every message of this campaign that the server acknowledged.
    """
    case = _Case(desk, name)
    with sending.sending_lock(desk.store):
        with desk.store.reading() as connection:
            known = {
                bare(identity): email
                for email, identity in outbox.acknowledged(connection, case.purpose)
            }
        unsettled = {bare(row["message_id"]): row for row in case.uncertain()}
        log = ServerLog(frozenset(known) | frozenset(unsettled))
        log.read(lines)
        arrived = [row["id"] for identity, row in unsettled.items() if identity in log.accepted]
        named = log.accepted | log.doubtful
        lost = [row["id"] for identity, row in unsettled.items() if identity not in named]
        missing = tuple(sorted(known[one] for one in known.keys() - log.accepted))
        problem = _problem(lost, missing, len(known), log)
        with desk.store.writing() as connection:
            sent = settle(connection, arrived, DeliveryState.SENT, IN_THE_LOG, now)
            queued = 0 if problem else case.queue(connection, lost, NOT_IN_THE_LOG, now)
        return case.report(sent, queued, problem, missing[:SHOWN_MISSING] if problem else ())


def by_mail(desk: MailDesk, name: str, entries: Iterable[InboxEntry]) -> ReconcileReport:
    """Settle by what came back, acting on it as it is read: whatever answers a message proves that
    it arrived. Mail can never prove that a message did not.
    """
    case = _Case(desk, name)
    with sending.sending_lock(desk.store):
        before = len(case.uncertain())
        for _ in entries:
            pass
        return case.report(before - len(case.uncertain()), 0)


def by_hand(desk: MailDesk, name: str, wishes: Wishes, now: datetime) -> ReconcileReport:
    """Settle what the creator knows; NotFound for an address that is not uncertain."""
    case = _Case(desk, name)
    with sending.sending_lock(desk.store):
        unsettled = {row["email"]: row["id"] for row in case.uncertain()}
        sent = [_known(unsettled, email, name) for email in wishes.sent]
        unsent = [_known(unsettled, email, name) for email in wishes.unsent]
        rest = [one for one in unsettled.values() if one not in {*sent, *unsent}]
        with desk.store.writing() as connection:
            arrived = settle(connection, sent, DeliveryState.SENT, BY_HAND, now)
            queued = case.queue(connection, unsent, BY_HAND, now)
            if wishes.resend:
                queued += case.queue(connection, rest, ON_PURPOSE, now)
        return case.report(arrived, queued)


def bare(identity: str) -> str:
    """Return a Message-ID without its angle brackets."""
    return identity.strip("<>")


class _Case:
    """The uncertain messages of one campaign."""

    def __init__(self, desk: MailDesk, name: str) -> None:
        self._desk, self._name = desk, name
        self._campaign = campaign_control.find(desk, name)
        self.purpose = Purpose(self._campaign["id"])

    def uncertain(self) -> Sequence[RowMapping]:
        """Return them, with what a dead run left on its way; only while nobody sends."""
        with self._desk.store.reading() as connection:
            has_lost = outbox.has_lost(connection, self.purpose)
        if has_lost:
            with self._desk.store.writing() as connection:
                outbox.give_up_on_lost(connection, self.purpose)
        with self._desk.store.reading() as connection:
            return outbox.uncertain(connection, self.purpose)

    def queue(self, connection: Connection, ids: Sequence[int], why: str, now: datetime) -> int:
        """Let messages wait again, and their campaign go on; of a cancelled one nothing ever does."""
        if not ids:
            return 0
        if self._campaign["state"] == CampaignState.CANCELLED:
            settle(connection, ids, DeliveryState.SKIPPED, campaign_control.CANCELLED, now)
            return 0
        if self._campaign["state"] == CampaignState.SENT:
            campaigns.stand(connection, self._campaign["id"], CampaignState.SENDING, None)
        return settle(connection, ids, DeliveryState.QUEUED, why, now)

    def report(
        self, sent: int, queued: int, problem: str | None = None, missing: Sequence[str] = ()
    ) -> ReconcileReport:
        """Return what was settled and what is left."""
        with self._desk.store.reading() as connection:
            rows = outbox.uncertain(connection, self.purpose)
        left = tuple(
            UncertainMessage(
                row["email"],
                row["message_id"],
                row["began_at"],
                (row["claimed_by"] or "").partition(" ")[0],
                row["server_reply"] or "",
            )
            for row in rows
        )
        return ReconcileReport(self._name, sent, queued, left, problem, tuple(missing))


def _known(unsettled: dict[str, int], email: str, name: str) -> int:
    found = unsettled.get(normal_email(email))
    if found is None:
        raise NotFound("uncertain message to", email, f"kpay campaign reconcile {name}")
    return found


def _problem(
    lost: Sequence[int], missing: Sequence[str], acknowledged: int, log: ServerLog
) -> str | None:
    """Say why a log does not prove that what it does not name never arrived."""
    if not lost:
        return None
    if not log.accepted:
        return "the log names no message of this campaign, so it proves nothing about it"
    if missing:
        return (
            f"the log is not whole: it lacks {len(missing):,} of {acknowledged:,} messages that the "
            f"server acknowledged (the first to {missing[0]}), so it does not prove that "
            f"{len(lost):,} more never arrived"
        )
    return None
