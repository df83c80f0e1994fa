"""Pausing, resuming and cancelling a campaign; a run that is sending notices before its next message."""

from __future__ import annotations

from sqlalchemy import RowMapping

from kpay.domain.delivery import WAITING
from kpay.domain.document import Document, done
from kpay.domain.enums import CampaignState, DeliveryState
from kpay.errors import Busy, NotFound, Refused
from kpay.services import campaign_files, sending
from kpay.services.mail_desk import MailDesk
from kpay.store import campaigns, deliveries, last_look, outbox
from kpay.store.deliveries import Purpose

CANCELLED = "the campaign was cancelled"


def pause(desk: MailDesk, name: str) -> Document:
    """Let nothing more of a campaign leave until it is resumed; Refused when nothing waits."""
    campaign, waiting = _begun(desk, name, "pause")
    if campaign["state"] == CampaignState.PAUSED:
        return _document("pause", name, f"{name} was paused before; nothing to do", waiting)
    if campaign["state"] != CampaignState.SENDING:
        raise Refused(
            f"{name!r} is {campaign['state']}, so nothing of it waits",
            f"kpay campaign results {name}",
        )
    _stand(desk, campaign, CampaignState.PAUSED, "by hand")
    return _document("pause", name, f"{name} is paused: {_messages(waiting)} waiting", waiting)


def resume(desk: MailDesk, name: str) -> Document:
    """Lift the pause of a campaign; sending it is another command. Refused when it was cancelled."""
    campaign, waiting = _begun(desk, name, "resume")
    if campaign["state"] == CampaignState.CANCELLED:
        raise Refused(f"{name!r} was cancelled for good", f"kpay campaign results {name}")
    if campaign["state"] != CampaignState.PAUSED:
        return _document("resume", name, f"{name} is not paused; nothing to do", waiting)
    _stand(desk, campaign, CampaignState.SENDING, None)
    return _document("resume", name, f"{name} may go on: {_messages(waiting)} waiting", waiting)


def cancel(desk: MailDesk, name: str) -> Document:
    """End a campaign for good: what waits is never sent, what was sent stays sent and measured."""
    campaign, waiting = _begun(desk, name, "cancel")
    if campaign["state"] == CampaignState.CANCELLED:
        return _document("cancel", name, f"{name} was cancelled before; nothing to do", 0)
    if not waiting and campaign["state"] == CampaignState.SENT:
        raise Refused(
            f"everything of {name!r} was sent; nothing is left to cancel",
            f"kpay campaign results {name}",
        )
    _stand(desk, campaign, CampaignState.CANCELLED, None)
    sweep_cancelled(desk, campaign["id"])
    try:
        with sending.sending_lock(desk.store), desk.store.writing() as connection:
            outbox.give_up_on_lost(connection, Purpose(campaign["id"]))
    except Busy:
        pass  # the run that is sending settles what it has under way
    return _document("cancel", name, f"{name} is cancelled: {_messages(waiting)} never sent", 0)


def sweep_cancelled(desk: MailDesk, campaign_id: int) -> None:
    """Take what still waits of a cancelled campaign out of the queue."""
    with desk.store.reading() as connection:
        state, _ = last_look.campaign_state(connection, campaign_id)
        tally = deliveries.tally(connection, Purpose(campaign_id))
    if state == CampaignState.CANCELLED and any(tally.get(waiting) for waiting in WAITING):
        with desk.store.writing() as connection:
            outbox.skip_waiting(connection, Purpose(campaign_id), CANCELLED)


def check_may_leave(campaign: RowMapping) -> None:
    """Raise Refused for a campaign that is paused or cancelled."""
    name, reason = campaign["name"], campaign["state_reason"]
    if campaign["state"] == CampaignState.PAUSED:
        why = f" ({reason})" if reason else ""
        raise Refused(f"{name!r} is paused{why}", f"kpay campaign resume {name}")
    if campaign["state"] == CampaignState.CANCELLED:
        raise Refused(f"{name!r} was cancelled for good", f"kpay campaign results {name}")


def _begun(desk: MailDesk, name: str, verb: str) -> tuple[RowMapping, int]:
    """Return a campaign that has begun to go out, and how many of its messages wait."""
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, name)
        tally = deliveries.tally(connection, Purpose(campaign["id"])) if campaign else {}
    if campaign is None:
        campaign_files.read(desk.reader, desk.home, name)
    if campaign is None or campaign["first_sent_at"] is None:
        raise Refused(
            f"{name!r} has not begun to go out; there is nothing to {verb}",
            f"kpay campaign plan {name}",
        )
    waiting = (*WAITING, DeliveryState.SENDING)
    return campaign, sum(tally.get(state, 0) for state in waiting)


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def find(desk: MailDesk, name: str) -> RowMapping:
    """Return a campaign that was planned; NotFound."""
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, name)
    if campaign is None:
        raise NotFound("planned campaign", name, f"kpay campaign plan {name}")
    return campaign


def _stand(desk: MailDesk, campaign: RowMapping, state: CampaignState, reason: str | None) -> None:
    with desk.store.writing() as connection:
        campaigns.stand(connection, campaign["id"], state, reason)


NEXT = {"pause": "resume", "resume": "send", "cancel": "results"}


def _document(verb: str, name: str, title: str, waiting: int) -> Document:
    return done(
        f"kpay.campaign.{verb}/1",
        title,
        {"campaign": name, "waiting": waiting},
        f"kpay campaign {NEXT[verb]} {name}",
    )
