"""Sending a planned campaign: rows first, in one transaction, then message by message."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

from sqlalchemy import RowMapping

from kpay.domain.campaign_file import CampaignFile
from kpay.domain.campaign_plan import Plan
from kpay.domain.document import Document
from kpay.domain.enums import CampaignState, DeliveryState
from kpay.domain.letterhead import Letterhead
from kpay.domain.send_report import SendReport
from kpay.errors import NotFound, Refused
from kpay.ports import Envelope, Mailer
from kpay.services import campaign_control, campaign_files, sending
from kpay.services.campaign_planning import change_since, plan
from kpay.services.campaign_watch import CampaignWatch
from kpay.services.frozen_plan import FrozenPerson, FrozenPlan, kept_plan, people_of
from kpay.services.letters import SOLE, Press
from kpay.services.mail_desk import MailDesk
from kpay.services.passing import PassingTime
from kpay.services.sending import Advance
from kpay.services.subject_trials import assign_due, plan_batches
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
    def shown(self) -> Document:
        """The plan as it is shown before the question."""
        return replace(replace(self.plan, is_new=True).to_document(), next_steps=())

    @property
    def question(self) -> str:
        """What is asked before anything leaves: TEST or LIVE, and how many."""
        mode = "LIVE mail" if self.mailer.is_live else "TEST mail"
        return (
            f"{mode}: send {self.plan.campaign!r} to {self.waiting:,} people "
            f"over {self.mailer.where} ({self.plan.held_out:,} held out)?"
        )


def prepare(
    desk: MailDesk, name: str, plan_hash: str | None, now: datetime, *, target: str | None = None
) -> ReadyToSend:
    """Return the plan that would be sent: the one named, or a plan made now.

    A plan made now is for whom it was planned before, unless `target` says otherwise. Raises NotFound, Refused or InputInvalid when it must not be sent as it is.
    """
    if plan_hash is None:
        plan(desk, name, now, target=target or _target_before(desk, name))
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, name)
        kept = kept_plan(connection, campaign) if campaign is not None else None
        if campaign is None or kept is None:
            campaign_files.read(desk.reader, desk.home, name)
            raise NotFound("plan", plan_hash or name, f"kpay campaign plan {name}")
        tally = deliveries.tally(connection, Purpose(campaign["id"]))
    shown, frozen = kept
    campaign_control.check_may_leave(campaign)
    _check_hash(shown, plan_hash)
    waiting = _waiting(tally) if shown.is_sent else shown.recipients
    _check_problems(shown)
    _check_somebody(shown)
    if not shown.is_sent:
        _check_unchanged(desk, shown, frozen)
    mailer = desk.mailer()
    letterhead = desk.proven_letterhead(mailer, shown.recipients)
    return ReadyToSend(shown, frozen, campaign, mailer, letterhead, waiting)


def _target_before(desk: MailDesk, name: str) -> str | None:
    """Return whom a campaign was planned for, where its plan says that."""
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, name)
        kept = kept_plan(connection, campaign) if campaign is not None else None
    return str(kept[0].aim["target"]) if kept is not None and kept[0].aim else None


def send(
    desk: MailDesk, ready: ReadyToSend, *, passing: PassingTime, advance: Advance
) -> SendReport:
    """Send what waits of a campaign; run again it goes on, and what is sent stays sent."""
    purpose, started_s = Purpose(ready.campaign["id"]), time.monotonic()
    press = Press(ready.frozen.wording, ready.letterhead, desk.renderer, desk.signer)
    with sending.sending_lock(desk.store):
        before = _tally(desk, purpose)
        if not before:
            ready.mailer.connect().close()  # nobody is marked when nobody answers
            _queue(desk, ready, press, passing.now())
        run = _run(desk, ready, press, passing, advance)
        run.go()
        campaign_control.sweep_cancelled(desk, ready.campaign["id"])
        after = _tally(desk, purpose)
        if not _waiting(after):
            _finish(desk, ready)
    return SendReport.of(
        ready.plan.campaign,
        before,
        after,
        failures=run.failures,
        seconds=time.monotonic() - started_s,
        where=ready.mailer.where,
        is_live=ready.mailer.is_live,
        stopped_by=run.stopped_by,
        goes_on_at=run.goes_on_at,
    )


def _run(
    desk: MailDesk, ready: ReadyToSend, press: Press, passing: PassingTime, advance: Advance
) -> sending.Run:
    name, subjects = ready.plan.campaign, ready.frozen.wording.subjects

    def compose(row: RowMapping) -> Envelope:
        variant = row["variant"] or SOLE
        return press.envelope(
            row["email"], row["context"], passing.now(), message=row["id"], variant=variant
        )

    def choose_subjects() -> None:
        if len(subjects) > 1:
            with desk.store.reading() as connection:
                campaign = campaigns.find(connection, name)
            if campaign is not None:
                assign_due(desk.store, campaign, subjects, passing.now())

    return sending.Run(
        desk.store,
        ready.mailer,
        compose,
        purpose=Purpose(ready.campaign["id"]),
        rules=sending.MARKETING,
        passing=passing,
        again=f"kpay campaign send {name}",
        advance=advance,
        limits=desk.limits,
        overseer=CampaignWatch(
            ready.campaign, ready.frozen.plan_id, _settings(desk, ready), desk.customs
        ),
        on_due=choose_subjects,
    )


def _settings(desk: MailDesk, ready: ReadyToSend) -> CampaignFile:
    return campaign_files.settings_of(desk.reader, ready.plan.campaign, ready.frozen.source)


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
    settings = _settings(desk, ready)
    hours, zone = desk.customs.hours_for(settings), desk.customs.timezone
    batches = _batches(ready, settings)
    with desk.store.writing() as connection:
        after = ""
        while people := people_of(connection, ready.frozen, after=after):
            rows = [_row(ready, one, press) for one in people]
            for one, row in zip(people, rows, strict=True):
                row["batch"] = 0 if one.is_held_out else next(batches)
                at = now + timedelta(hours=settings.batch_hours * row["batch"])
                row["due_at"] = hours.next_open(at, one.timezone or zone) if hours else at
            deliveries.queue_campaign(connection, rows)
            after = people[-1].email
        campaigns.start_sending(connection, ready.campaign["id"], now)


def _batches(ready: ReadyToSend, settings: CampaignFile) -> Iterator[int]:
    """Give each recipient a batch; all are in the first unless several subjects are tried."""
    batches = settings.batches_for(ready.plan.recipients)
    if batches == 1:
        return repeat(0)
    salt = f"batches of {ready.plan.campaign} {ready.plan.hash}"
    return iter(plan_batches(ready.plan.recipients, batches, salt))


def _row(ready: ReadyToSend, one: FrozenPerson, press: Press) -> dict[str, Any]:
    """Return a delivery's columns; with all of them named, rows are written without preparation."""
    state = DeliveryState.HELD_OUT if one.is_held_out else DeliveryState.QUEUED
    return {
        "campaign_id": ready.campaign["id"],
        "email": one.email,
        "customer_id": one.customer_id,
        "state": state.value,
        "variant": "",
        "message_id": press.identity(one.email),
        "context": one.context,
        "attempts": 0,
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
