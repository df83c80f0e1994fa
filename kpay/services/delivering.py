"""Delivering purchases: every new right to a piece makes exactly one mail to its buyer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping

from kpay.domain.address import normal_email
from kpay.domain.delivery import WAITING
from kpay.domain.delivery_report import DeliveryReport, OwedDelivery, PendingDeliveries
from kpay.domain.enums import DeliveryState, MailKind
from kpay.domain.period import instant_text, parse_instant
from kpay.errors import Interrupted, KpayError, NotFound, SettingsInvalid
from kpay.services import notices, receipts, sending
from kpay.services.mail_desk import MailDesk
from kpay.services.passing import PassingTime
from kpay.services.purchase_letters import PurchasePress
from kpay.services.selling import SELLING_SINCE
from kpay.services.sending import Advance
from kpay.store import confirmations, deliveries, facts
from kpay.store import receipts as receipt_rows
from kpay.store.deliveries import Purpose

SINCE = "deliver_since"
FIRST_LOOK_BACK = timedelta(days=1)
"""The first sync of a business that moved in mails the buyers of the last day only."""
LONGEST_LOOK_BACK = timedelta(days=30)
"""A buyer who has waited longer than this has asked, or has been answered by hand."""
LOCK_WAIT_S = 30.0
PURCHASES = Purpose(kind=MailKind.PURCHASE)


def plan_pending(desk: MailDesk, *, now: datetime) -> int:
    """Queue what buyers are owed, purchases and receipts of renewals; return how many are new."""
    return _plan_purchases(desk, now) + receipts.plan(desk, now=now)


def _plan_purchases(desk: MailDesk, now: datetime) -> int:
    """Queue one mail for every right granted since deliveries began."""
    with desk.store.reading() as connection:
        since = _since(connection, now)
        is_first = facts.find(connection, SINCE) is None
        rows = [
            new_delivery(desk, one, now) for one in deliveries.undelivered(connection, since, now)
        ]
        ended = deliveries.waiting_for_nothing(connection, now)
    if not (is_first or rows or ended):
        return 0
    with desk.store.writing() as connection:
        if is_first:
            facts.keep(connection, SINCE, instant_text(since))
        deliveries.set_aside(connection, ended, DeliveryState.SKIPPED, "the right ended first")
        return deliveries.queue_purchases(connection, rows)


def send_pending(
    desk: MailDesk, *, passing: PassingTime, advance: Advance = lambda count: None
) -> DeliveryReport:
    """Send what is queued. Whoever opted out of the list still gets what they bought.

    Raises SettingsInvalid, Refused, RemoteProblem or Busy; what was not sent stays queued.
    """
    report = _send_purchases(desk, passing, advance)
    with desk.store.reading() as connection:
        before = receipt_rows.count_sent(connection)
        waiting = receipt_rows.waiting(connection)
    if not waiting:
        return report
    _check_letterhead(desk)
    mailer = desk.mailer()
    failures = notices.send(desk, passing=passing, again="kpay deliver", advance=advance)
    with desk.store.reading() as connection:
        return replace(
            report,
            failures=report.failures + failures,
            receipts=receipt_rows.count_sent(connection) - before,
            receipts_waiting=len(receipt_rows.waiting(connection)),
            where=mailer.where,
            is_live=mailer.is_live,
        )


def _send_purchases(desk: MailDesk, passing: PassingTime, advance: Advance) -> DeliveryReport:
    before = _tally(desk)
    waiting = sum(before.get(state, 0) for state in (*WAITING, DeliveryState.SENDING))
    if not waiting:
        return DeliveryReport(0, 0, before, "", is_live=False)
    _check_letterhead(desk)
    mailer = desk.mailer()
    press = PurchasePress(desk)
    with sending.sending_lock(desk.store, kind=MailKind.PURCHASE, wait_s=LOCK_WAIT_S):
        run = sending.Run(
            desk.store,
            mailer,
            lambda row: press.envelope(row, passing.now()),
            purpose=PURCHASES,
            rules=sending.PURCHASE,
            passing=passing,
            again="kpay deliver",
            advance=advance,
            limits=desk.limits,
        )
        run.go()
    after = _tally(desk)
    sent = after.get(DeliveryState.SENT, 0) - before.get(DeliveryState.SENT, 0)
    return DeliveryReport(sent, run.failures, after, mailer.where, mailer.is_live)


class Handover(NamedTuple):
    """What became of the purchases that a sync found; `is_trouble` wants to be heard."""

    sentence: str
    is_trouble: bool


def after_sync(desk: MailDesk, *, passing: PassingTime) -> Handover | None:
    """Queue and send what new buyers are owed; None when there was nothing to do.

    A sync has done its own work by now, so trouble with the mail is told, not raised: what was
    not sent waits for the next sync or for `kpay deliver`.
    """
    plan_pending(desk, now=passing.now())
    try:
        report = send_pending(desk, passing=passing)
    except Interrupted:
        raise
    except KpayError as error:
        waiting = pending(desk, now=passing.now())
        sentence = f"{len(waiting.owed)} purchases wait to be mailed: {error.message}"
        return Handover(sentence, is_trouble=True)
    if not (report.sent_now or report.receipts or report.is_partial):
        return None
    return Handover(report.to_document().title, is_trouble=report.is_partial)


def pending(desk: MailDesk, *, now: datetime) -> PendingDeliveries:
    """Return what is owed: rights without a mail yet, and mails that are not out. Writes nothing."""
    with desk.store.reading() as connection:
        new = deliveries.undelivered(connection, _since(connection, now), now)
        waiting = deliveries.owed(connection)
        renewals = receipts.owed(desk, connection, now=now)
        unsent = receipt_rows.waiting(connection)
        questions = confirmations.waiting(connection)
    return PendingDeliveries(
        (
            *(OwedDelivery(one["email"], one["slug"], one["title"], "new") for one in new),
            *(_owed(one) for one in waiting),
            *(OwedDelivery(one["email"], "", one["occasion"], "new") for one in renewals),
            *(_owed_receipt(one) for one in unsent),
            *(_owed_question(one) for one in questions),
        )
    )


def _owed_question(row: RowMapping) -> OwedDelivery:
    title = "a question whether they want mail"
    return OwedDelivery(row["email"], "", title, row["state"], row["due_at"], row["server_reply"])


def question(desk: MailDesk, owed: PendingDeliveries, resend: str | None) -> str:
    """Return what is asked before purchases are mailed: TEST or LIVE, and how much."""
    mailer = desk.open_mailer()
    what = f"everything {resend} bought, again" if resend else f"{len(owed.owed)} purchases"
    return f"{'LIVE' if mailer.is_live else 'TEST'} mail: deliver {what}, over {mailer.where}?"


def queue_again(desk: MailDesk, email: str, *, now: datetime) -> int:
    """Queue everything a buyer was ever sent once more, as new messages; return how many.

    Raises NotFound when there is nothing.
    """
    with desk.store.writing() as connection:
        rows = deliveries.owed(connection, normal_email(email))
        fixed = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.UNCERTAIN)
        again = [row for row in rows if row["state"] in fixed]
        if not again:
            raise NotFound("delivery to", email, f"kpay customer show {email}")
        deliveries.queue_again(connection, [next_delivery(desk, row, now) for row in again])
    return len(again)


def next_delivery(desk: MailDesk, row: RowMapping, now: datetime) -> dict[str, Any]:
    """Return how a delivery goes out once more: as a message of its own."""
    return {
        "delivery": row["id"],
        "again_at": now,
        "identity": desk.identity(f"{row['message_id']} again", row["email"]),
    }


def _since(connection: Connection, now: datetime) -> datetime:
    kept = facts.find(connection, SINCE)
    if kept is not None:
        return parse_instant(kept)
    selling_since = facts.find(connection, SELLING_SINCE)
    if selling_since is None:
        return now - FIRST_LOOK_BACK
    return max(parse_instant(selling_since), now - LONGEST_LOOK_BACK)


def new_delivery(desk: MailDesk, one: RowMapping, now: datetime) -> dict[str, Any]:
    """Return the delivery of a right that was never mailed."""
    return {
        "kind": MailKind.PURCHASE.value,
        "entitlement_id": one["entitlement_id"],
        "email": one["email"],
        "customer_id": one["customer_id"],
        "state": DeliveryState.QUEUED.value,
        "message_id": desk.identity(f"purchase {one['entitlement_id']}", one["email"]),
        "context": {"name": one["name"], "content_id": one["content_id"]},
        "due_at": now,
        "is_test": not desk.allows_live,
    }


def _owed(row: RowMapping) -> OwedDelivery:
    return OwedDelivery(
        row["email"], row["slug"], row["title"], row["state"], row["due_at"], row["server_reply"]
    )


def _owed_receipt(row: RowMapping) -> OwedDelivery:
    return OwedDelivery(
        row["email"], "", row["occasion"], row["state"], row["due_at"], row["server_reply"]
    )


def _check_letterhead(desk: MailDesk) -> None:
    problem = desk.letterhead.problem()
    if problem:
        raise SettingsInvalid(problem, "kpay config mail_from")


def _tally(desk: MailDesk) -> dict[str, int]:
    with desk.store.reading() as connection:
        return deliveries.tally(connection, PURCHASES)
