"""Settling what is uncertain: by a log that is whole, by hand, or on purpose."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from kpay.adapters.smtp_mailer import SmtpMailer
from kpay.domain.enums import DeliveryState
from kpay.domain.send_report import SendReport
from kpay.errors import Busy, NotFound
from kpay.models import Delivery
from kpay.services import campaign_control, campaign_sending, reconciling, sending
from kpay.services.mail_desk import MailDesk
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

DELIVERY = table_of(Delivery)
LETTER = "---\nsubject: Bread\nholdout: 0\n---\nHello {{ name }}.\n"
EMAILS = readers(40)
ARRIVED, LOST = EMAILS[:6], EMAILS[6:10]


@pytest.fixture
def sink() -> SmtpSink:
    return SmtpSink(Faults(drop_after_taking=set(ARRIVED), drop_at_dot=set(LOST)))


@pytest.fixture
def desk(tmp_path: Path, sink: SmtpSink) -> Iterator[MailDesk]:
    """A campaign of which ten messages are uncertain: six had arrived, four had not."""
    with sink.serving() as url:
        desk = mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(url, lambda: ""))
        subscribe(desk, EMAILS)
        write_campaign(desk, LETTER)
        assert send(desk).counts["uncertain"] == 10
        yield desk


def send(desk: MailDesk) -> SendReport:
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    return campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda count: None)


def log_of(sink: SmtpSink, *, without: Collection[str] = ()) -> list[str]:
    found = []
    for number, (recipient, message) in enumerate(sink.taken):
        identity = message.partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode()
        if recipient not in without:
            found.append(f"A\t{number}\t1\t1\t{identity}\t{recipient}\t{len(message)}")
    return found


def states(desk: MailDesk) -> dict[str, str]:
    with desk.store.reading() as connection:
        return {
            row.email: row.state
            for row in connection.execute(select(DELIVERY.c.email, DELIVERY.c.state))
        }


def test_a_whole_log_settles_everything_and_nobody_gets_two(desk: MailDesk, sink: SmtpSink) -> None:
    report = reconciling.by_log(desk, "bread", log_of(sink), NOW)
    assert (report.sent, report.queued, report.uncertain) == (6, 4, ())
    assert not report.is_partial
    sink.faults = Faults()
    assert send(desk).counts["sent"] == 40
    assert not sink.twice
    assert set(sink.recipients) == set(EMAILS)


def test_a_log_with_gaps_proves_what_it_names_and_nothing_else(
    desk: MailDesk, sink: SmtpSink
) -> None:
    lines = log_of(sink, without={EMAILS[20], EMAILS[30]})
    report = reconciling.by_log(desk, "bread", lines, NOW)
    assert (report.sent, report.queued, len(report.uncertain)) == (6, 0, 4)
    assert report.is_partial
    assert report.missing == (EMAILS[20], EMAILS[30])
    assert "lacks 2 of 30" in str(report.problem)
    again = reconciling.by_log(desk, "bread", log_of(sink), NOW)
    assert (again.sent, again.queued, again.uncertain) == (0, 4, ())


def test_a_log_of_something_else_proves_nothing(desk: MailDesk) -> None:
    report = reconciling.by_log(desk, "bread", ["nothing of ours", ""], NOW)
    assert (report.sent, report.queued, len(report.uncertain)) == (0, 0, 10)
    assert "proves nothing" in str(report.problem)


def test_settling_again_changes_nothing(desk: MailDesk, sink: SmtpSink) -> None:
    reconciling.by_log(desk, "bread", log_of(sink), NOW)
    before = states(desk)
    report = reconciling.by_log(desk, "bread", log_of(sink), NOW)
    assert (report.sent, report.queued, states(desk)) == (0, 0, before)
    assert "nothing to do" in report.to_document().title


def test_without_a_wish_the_uncertain_ones_are_listed(desk: MailDesk, sink: SmtpSink) -> None:
    report = reconciling.listed(desk, "bread")
    assert [one.email for one in report.uncertain] == sorted({*ARRIVED, *LOST})
    one = report.uncertain[0]
    assert one.began_at == NOW
    assert one.server.startswith("127.0.0.1:")
    assert one.message_id.startswith("<")


def test_by_hand_one_by_one(desk: MailDesk, sink: SmtpSink) -> None:
    wishes = reconciling.Wishes(sent=[ARRIVED[0].upper()], unsent=[LOST[0]])
    report = reconciling.by_hand(desk, "bread", wishes, NOW)
    assert (report.sent, report.queued, len(report.uncertain)) == (1, 1, 8)
    assert states(desk)[LOST[0]] == DeliveryState.QUEUED
    with pytest.raises(NotFound, match=EMAILS[35]):
        reconciling.by_hand(desk, "bread", reconciling.Wishes(sent=[EMAILS[35]]), NOW)


def test_sending_once_more_on_purpose_leaves_nobody_out(desk: MailDesk, sink: SmtpSink) -> None:
    reconciling.by_hand(desk, "bread", reconciling.Wishes(resend=True), NOW)
    sink.faults = Faults()
    assert send(desk).counts["sent"] == 40
    assert set(sink.recipients) == set(EMAILS)
    assert sorted(sink.twice) == sorted(ARRIVED)
    for who in sink.twice:
        identities = {
            message.partition(b"Message-ID: ")[2].partition(b"\r\n")[0]
            for recipient, message in sink.taken
            if recipient == who
        }
        assert len(identities) == 1, "many mailboxes fold two letters with one identity"


def test_nothing_of_a_cancelled_campaign_waits_again(desk: MailDesk, sink: SmtpSink) -> None:
    with desk.store.writing() as connection:
        connection.execute(
            DELIVERY.update().where(DELIVERY.c.email == EMAILS[39]).values(state="queued")
        )
    campaign_control.cancel(desk, "bread")
    reconciling.by_log(desk, "bread", log_of(sink), NOW)
    assert {states(desk)[email] for email in LOST} == {DeliveryState.SKIPPED}


def test_nothing_is_settled_while_mail_flows(desk: MailDesk, sink: SmtpSink) -> None:
    with sending.sending_lock(desk.store), pytest.raises(Busy):
        reconciling.by_log(desk, "bread", log_of(sink), NOW)


def test_only_what_is_uncertain_is_settled(desk: MailDesk) -> None:
    with desk.store.writing() as connection:
        ids = connection.execute(select(DELIVERY.c.id)).scalars().all()
        count = reconciling.settle(connection, ids, DeliveryState.SENT, "a reply came", NOW)
    assert count == 10
    assert set(states(desk).values()) == {DeliveryState.SENT}
