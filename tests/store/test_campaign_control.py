"""Stopping a campaign: by hand, for good, or because its list looks bad."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from kpay.adapters.smtp_mailer import SmtpMailer
from kpay.domain.enums import CampaignState, DeliveryState
from kpay.domain.send_report import SendReport
from kpay.errors import Refused
from kpay.models import Campaign, Delivery, MailNotice
from kpay.services import campaign_control, campaign_sending
from kpay.services.mail_desk import MailDesk
from kpay.store import audience
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import (
    NOW,
    PassingQuickly,
    mail_desk,
    readers,
    subscribe,
    write_campaign,
)
from tests.fakes.smtp_sink import Faults, SmtpSink

CAMPAIGN, DELIVERY, NOTICE = table_of(Campaign), table_of(Delivery), table_of(MailNotice)
LETTER = "---\nsubject: Bread\nholdout: 0\n---\nHello {{ name }}.\n"
IN_FLIGHT = 20


@pytest.fixture
def sink() -> SmtpSink:
    return SmtpSink(Faults())


@pytest.fixture
def desk(tmp_path: Path, sink: SmtpSink) -> Iterator[MailDesk]:
    with sink.serving() as url:
        desk = mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(url, lambda: ""))
        write_campaign(desk, LETTER)
        yield desk


def send(desk: MailDesk, passing: PassingQuickly | None = None) -> SendReport:
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    return campaign_sending.send(
        desk, ready, passing=passing or PassingQuickly(), advance=lambda count: None
    )


def states(desk: MailDesk) -> Counter[str]:
    with desk.store.reading() as connection:
        return Counter(connection.execute(select(DELIVERY.c.state)).scalars())


def standing(desk: MailDesk) -> tuple[str, str | None]:
    with desk.store.reading() as connection:
        row = connection.execute(select(CAMPAIGN.c.state, CAMPAIGN.c.state_reason)).one()
    return row.state, row.state_reason


def when_taken(sink: SmtpSink, count: int, act: object) -> None:
    """Have something happen while the mail flows."""

    def on_taken(recipient: str) -> None:
        if len(sink.taken) == count and callable(act):
            act()

    sink.faults.on_taken = on_taken


def test_a_run_that_is_sending_notices_a_pause_and_goes_on_after_it(
    desk: MailDesk, sink: SmtpSink
) -> None:
    subscribe(desk, readers(200))
    when_taken(sink, 20, lambda: campaign_control.pause(desk, "bread"))
    report = send(desk)
    assert 20 <= report.counts["sent"] <= 20 + IN_FLIGHT
    assert report.is_partial
    document = report.to_document()
    assert document.next_steps[0] == "kpay campaign resume bread"
    with pytest.raises(Refused, match="paused") as refusal:
        send(desk)
    assert refusal.value.hint == "kpay campaign resume bread"
    assert campaign_control.resume(desk, "bread").next_steps == ("kpay campaign send bread",)
    assert send(desk).counts["sent"] == 200
    assert not sink.twice


def test_what_is_cancelled_is_never_sent(desk: MailDesk, sink: SmtpSink) -> None:
    subscribe(desk, readers(200))
    when_taken(sink, 20, lambda: campaign_control.cancel(desk, "bread"))
    report = send(desk)
    found = states(desk)
    assert found[DeliveryState.SENT] == len(sink.taken) == report.counts["sent"]
    assert found[DeliveryState.SKIPPED] == 200 - len(sink.taken)
    assert standing(desk)[0] == CampaignState.CANCELLED
    for again in (send, lambda desk: campaign_control.resume(desk, "bread")):
        with pytest.raises(Refused, match="cancelled for good"):
            again(desk)
    assert "nothing to do" in campaign_control.cancel(desk, "bread").title


def test_stopping_twice_changes_nothing_and_says_so(desk: MailDesk, sink: SmtpSink) -> None:
    subscribe(desk, readers(40))
    sink.faults.rcpt = dict.fromkeys(readers(40), "450 4.2.1 later")
    send(desk)
    campaign_control.pause(desk, "bread")
    assert "nothing to do" in campaign_control.pause(desk, "bread").title
    campaign_control.resume(desk, "bread")
    assert "nothing to do" in campaign_control.resume(desk, "bread").title


def test_what_has_not_begun_or_is_over_cannot_be_stopped(desk: MailDesk) -> None:
    subscribe(desk, readers(20))
    for act in (campaign_control.pause, campaign_control.resume, campaign_control.cancel):
        with pytest.raises(Refused, match="has not begun"):
            act(desk, "bread")
    send(desk)
    for act in (campaign_control.pause, campaign_control.cancel):
        with pytest.raises(Refused, match="nothing"):
            act(desk, "bread")


def test_a_list_with_too_many_dead_addresses_pauses_and_tells_why(
    desk: MailDesk, sink: SmtpSink
) -> None:
    emails = readers(600)
    subscribe(desk, emails)
    sink.faults.rcpt = dict.fromkeys(emails[::12], "550 5.1.1 no such user")
    report = send(desk)
    assert report.stopped_by is not None
    assert "address does not exist" in report.stopped_by
    assert standing(desk)[0] == CampaignState.PAUSED
    assert 200 <= report.counts["sent"] + report.counts["failed"] <= 200 + 2 * IN_FLIGHT
    campaign_control.resume(desk, "bread")
    assert send(desk).counts["queued"] == 0, "the same reason does not pause it again"


def test_after_a_resume_only_something_clearly_worse_pauses_again(
    desk: MailDesk, sink: SmtpSink
) -> None:
    emails = readers(800)
    subscribe(desk, emails)
    dead = [*emails[:300:12], *emails[300::4]]
    sink.faults.rcpt = dict.fromkeys(dead, "550 5.1.1 no such user")
    assert send(desk).stopped_by
    campaign_control.resume(desk, "bread")
    report = send(desk)
    assert report.stopped_by
    assert report.counts["queued"] > 300


def test_a_few_dead_addresses_pause_nothing(desk: MailDesk, sink: SmtpSink) -> None:
    emails = readers(300)
    subscribe(desk, emails)
    sink.faults.rcpt = dict.fromkeys(emails[::30], "550 5.1.1 no such user")
    assert send(desk).counts["sent"] == 290


def test_complaints_pause_a_campaign(desk: MailDesk, sink: SmtpSink) -> None:
    emails = readers(100)
    subscribe(desk, emails)
    sink.faults.rcpt = dict.fromkeys(emails[50:], "450 4.2.1 later")
    send(desk)
    with desk.store.writing() as connection:
        ids = connection.execute(select(DELIVERY.c.id, DELIVERY.c.email).limit(3)).all()
        for number, email in ids:
            row = {"fingerprint": email, "kind": "complaint", "email": email, "words": ""}
            connection.execute(insert(NOTICE), row | {"delivery_id": number, "noticed_at": NOW})
        connection.execute(update(DELIVERY).where(DELIVERY.c.state == "retry").values(due_at=NOW))
    sink.faults.rcpt = {}
    report = send(desk)
    assert "complained" in str(report.stopped_by)
    assert report.counts["queued"] == 50
    campaign_control.resume(desk, "bread")
    assert send(desk).counts["sent"] == 100


def test_who_opts_out_is_counted_apart_from_who_was_cancelled(
    desk: MailDesk, sink: SmtpSink
) -> None:
    emails = readers(60)
    subscribe(desk, emails)

    def leave() -> None:
        with desk.store.writing() as connection:
            audience.opt_out(connection, emails[50:], "unsubscribe", NOW)

    when_taken(sink, 5, leave)
    send(desk)
    assert states(desk)[DeliveryState.SUPPRESSED] == 10
    assert set(emails[50:]).isdisjoint(sink.recipients)
