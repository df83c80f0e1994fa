"""Sending a planned campaign: rows first, in one transaction, then message by message."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from kpay.domain.campaign_plan import Plan
from kpay.domain.enums import CampaignState, DeliveryState, MailKind
from kpay.domain.letterhead import Letterhead
from kpay.domain.send_report import SendReport
from kpay.errors import NotFound, Refused
from kpay.ports import Mailer
from kpay.services import campaign_files, sending
from kpay.services.campaign_planning import change_since, plan
from kpay.services.frozen_plan import FrozenPerson, FrozenPlan, kept_plan, people_of
from kpay.services.letters import Press
from kpay.services.mail_desk import MailDesk
from kpay.services.passing import PassingTime
from kpay.services.sending import Advance
from kpay.store import campaigns, deliveries
from kpay.store.deliveries import Purpose


@dataclass(frozen=True)
class ReadyToSend:
    """A plan that may be sent: what is shown before the question, and what `send` needs."""

    plan: Plan
    frozen: FrozenPlan
    campaign: RowMapping
    mailer: Mailer
    letterhead: Letterhead
    waiting: int

    @property
    def question(self) -> str:
        """What is asked before anything leaves: TEST or LIVE, and how many."""
        mode = "LIVE mail" if self.mailer.is_live else "TEST mail"
        return (
            f"{mode}: send {self.plan.campaign!r} to {self.waiting:,} people "
            f"over {self.mailer.where} ({self.plan.held_out:,} held out)?"
        )


def prepare(desk: MailDesk, name: str, plan_hash: str | None, now: datetime) -> ReadyToSend:
    """Return the plan that would be sent: the one named, or a plan made now.

    Raises NotFound, Refused or InputInvalid when it must not be sent as it is.
    """
    if plan_hash is None:
        plan(desk, name, now)
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, name)
        kept = kept_plan(connection, campaign) if campaign is not None else None
        if campaign is None or kept is None:
            campaign_files.read(desk.reader, desk.home, name)
            raise NotFound("plan", plan_hash or name, f"kpay campaign plan {name}")
        tally = deliveries.tally(connection, Purpose(campaign["id"]))
    shown, frozen = kept
    _check_hash(shown, plan_hash)
    waiting = _waiting(tally) if shown.is_sent else shown.recipients
    _check_problems(shown)
    _check_somebody(shown)
    if not shown.is_sent:
        _check_unchanged(desk, shown, frozen)
    mailer = desk.mailer()
    letterhead = desk.proven_letterhead(mailer, shown.recipients)
    return ReadyToSend(shown, frozen, campaign, mailer, letterhead, waiting)


def send(
    desk: MailDesk, ready: ReadyToSend, *, passing: PassingTime, advance: Advance
) -> SendReport:
    """Send what waits of a campaign; run again it goes on, and what is sent stays sent."""
    name, campaign_id = ready.plan.campaign, ready.campaign["id"]
    purpose, started_s = Purpose(campaign_id), time.monotonic()
    press = Press(ready.frozen.wording, ready.letterhead, desk.renderer, desk.signer)
    with sending.sending_lock(desk.store):
        before = _tally(desk, purpose)
        if not before:
            ready.mailer.connect().close()  # nobody is marked when nobody answers
            _queue(desk, ready, press, passing.now())
        run = sending.Run(
            desk.store,
            ready.mailer,
            lambda row: press.envelope(
                row["email"], row["context"], passing.now(), message=row["id"]
            ),
            purpose=purpose,
            rules=sending.MARKETING,
            passing=passing,
            again=f"kpay campaign send {name}",
            advance=advance,
        )
        run.go()
        after = _tally(desk, purpose)
        if not _waiting(after):
            _finish(desk, ready)
    return SendReport.of(
        name,
        before,
        after,
        failures=run.failures,
        seconds=time.monotonic() - started_s,
        where=ready.mailer.where,
        is_live=ready.mailer.is_live,
    )


def _check_hash(shown: Plan, plan_hash: str | None) -> None:
    if plan_hash is not None and plan_hash != shown.hash:
        raise Refused(
            f"plan {plan_hash} of {shown.campaign!r} is not its plan any more (that is {shown.hash})",
            f"kpay campaign plan {shown.campaign}",
        )


def _check_problems(shown: Plan) -> None:
    if not shown.problems:
        return
    first = shown.problems[0]
    raise Refused(
        f"the plan of {shown.campaign!r} has {len(shown.problems)} "
        f"problem{'' if len(shown.problems) == 1 else 's'}, the first: {first.problem}",
        f"kpay campaign plan {shown.campaign}",
    )


def _check_somebody(shown: Plan) -> None:
    """A campaign is sent once: sent to nobody, it could never reach those who join tomorrow."""
    if not shown.recipients and not shown.is_sent:
        raise Refused(
            f"nobody would get {shown.campaign!r}: its audience is empty",
            f"kpay campaign plan {shown.campaign}",
        )


def _check_unchanged(desk: MailDesk, shown: Plan, frozen: FrozenPlan) -> None:
    changed = change_since(desk, shown.campaign, frozen)
    if changed:
        raise Refused(
            f"{changed} since {shown.campaign!r} was planned",
            f"kpay campaign plan {shown.campaign}",
        )


def _queue(desk: MailDesk, ready: ReadyToSend, press: Press, now: datetime) -> None:
    """Make a delivery for everyone of the plan, in one transaction and page by page."""
    with desk.store.writing() as connection:
        after = ""
        while people := people_of(connection, ready.frozen, after=after):
            deliveries.queue_campaign(connection, [_row(ready, one, press, now) for one in people])
            after = people[-1].email
        campaigns.start_sending(connection, ready.campaign["id"], now)


def _row(ready: ReadyToSend, one: FrozenPerson, press: Press, now: datetime) -> dict[str, Any]:
    state = DeliveryState.HELD_OUT if one.is_held_out else DeliveryState.QUEUED
    return {
        "kind": MailKind.CAMPAIGN.value,
        "campaign_id": ready.campaign["id"],
        "email": one.email,
        "customer_id": one.customer_id,
        "state": state.value,
        "message_id": press.identity(one.email),
        "context": dict(one.context),
        "due_at": now,
        "is_test": not ready.mailer.is_live,
    }


def _tally(desk: MailDesk, purpose: Purpose) -> dict[str, int]:
    with desk.store.reading() as connection:
        return deliveries.tally(connection, purpose)


def _waiting(tally: dict[str, int]) -> int:
    return tally.get(DeliveryState.QUEUED, 0) + tally.get(DeliveryState.RETRY, 0)


def _finish(desk: MailDesk, ready: ReadyToSend) -> None:
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, ready.plan.campaign)
    if campaign is not None and campaign["state"] != CampaignState.SENT.value:
        with desk.store.writing() as connection:
            campaigns.finish_sending(connection, campaign["id"])
