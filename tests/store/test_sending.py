"""Sending: whatever breaks, nobody gets two, and the sink alone is the judge."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from kpay.adapters.outbox_mailer import OutboxMailer
from kpay.adapters.smtp_mailer import SmtpMailer
from kpay.domain.delivery import MailReply
from kpay.domain.enums import DeliveryState
from kpay.domain.pacing import USUAL_LIMITS
from kpay.domain.send_report import SendReport
from kpay.errors import Busy, DiskProblem, Interrupted, Refused, RemoteProblem
from kpay.models import Campaign, Delivery, Subscriber
from kpay.ports import Envelope
from kpay.services import campaign_sending, sending
from kpay.services.campaign_planning import plan
from kpay.services.mail_desk import MailDesk
from kpay.store import audience
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import (
    NOW,
    PassingQuickly,
    add_content,
    add_customer,
    grant,
    mail_desk,
    readers,
    subscribe,
    write_campaign,
)
from tests.fakes.smtp_sink import Faults, SmtpSink

DELIVERY = table_of(Delivery)


@pytest.fixture
def sink() -> SmtpSink:
    return SmtpSink(Faults())


@pytest.fixture
def desk(tmp_path: Path, sink: SmtpSink) -> Iterator[MailDesk]:
    with sink.serving() as url:
        yield mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(url, lambda: ""))


def begin(desk: MailDesk, count: int = 60) -> list[str]:
    emails = readers(count)
    subscribe(desk, emails)
    write_campaign(desk)
    return emails


def send(desk: MailDesk, passing: PassingQuickly | None = None) -> SendReport:
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    return campaign_sending.send(
        desk, ready, passing=passing or PassingQuickly(), advance=lambda count: None
    )


def states(desk: MailDesk) -> dict[str, str]:
    with desk.store.reading() as connection:
        rows = connection.execute(select(DELIVERY.c.email, DELIVERY.c.state))
        return {row.email: row.state for row in rows}


def held_out(desk: MailDesk) -> set[str]:
    return {email for email, state in states(desk).items() if state == DeliveryState.HELD_OUT}


def test_everyone_but_the_holdout_gets_one_message(desk: MailDesk, sink: SmtpSink) -> None:
    begin(desk)
    report = send(desk)
    assert report.counts == {
        "sent": 48,
        "failed": 0,
        "uncertain": 0,
        "queued": 0,
        "suppressed": 0,
        "held_out": 12,
    }
    assert not sink.twice
    held = {email for email, state in states(desk).items() if state == DeliveryState.HELD_OUT}
    assert len(sink.taken) == 48
    assert held.isdisjoint(sink.recipients)


def test_sending_again_sends_nothing_and_says_so(desk: MailDesk, sink: SmtpSink) -> None:
    begin(desk)
    send(desk)
    before = states(desk), sink.connections
    report = send(desk)
    assert "nothing to do" in report.to_document().title
    assert (states(desk), sink.connections) == before


def test_a_message_lost_after_the_dot_is_uncertain_and_stays_so(
    desk: MailDesk, sink: SmtpSink
) -> None:
    emails = begin(desk)
    sink.faults.drop_after_taking = set(emails)
    first = send(desk)
    again = send(desk)
    assert first.counts["uncertain"] == again.counts["uncertain"] == 48
    assert first.is_partial
    assert not sink.twice


def test_a_message_lost_before_the_dot_is_tried_again(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk)
    sink.faults.drop_before_dot = set(emails[::3])
    report = send(desk)
    assert report.counts["sent"] == 48
    assert not sink.twice


@pytest.mark.parametrize("answer", ["450 4.2.1 later", "451 4.3.0 greylisted", "421 4.7.0 busy"])
def test_a_refusal_for_now_is_tried_again_within_ten_seconds(
    desk: MailDesk, sink: SmtpSink, answer: str
) -> None:
    emails = begin(desk)
    sink.faults.once = dict.fromkeys(emails[::4], answer)
    passing = PassingQuickly()
    assert send(desk, passing).counts["sent"] == 48
    assert 4 < passing.waited_s < 10
    assert not sink.twice


def test_what_is_refused_for_hours_waits_and_the_run_ends(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk, 10)
    sink.faults.rcpt = dict.fromkeys(emails, "450 4.2.1 later")
    passing = PassingQuickly()
    report = send(desk, passing)
    assert report.counts["queued"] == 8
    assert report.is_partial
    assert passing.waited_s < 800
    with desk.store.reading() as connection:
        attempts = set(connection.execute(select(DELIVERY.c.attempts)).scalars())
    assert attempts == {0, 5}


def test_a_refusal_for_ever_gives_up_in_the_end(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk, 10)
    sink.faults.rcpt = dict.fromkeys(emails, "450 4.2.1 later")
    passing = PassingQuickly()
    for _ in range(4):
        report = send(desk, passing)
        passing.wait(24 * 3600)
    assert report.counts["failed"] == 8


def test_a_refusal_for_good_fails_without_a_second_try(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk)
    sink.faults.rcpt = dict.fromkeys(emails, "554 5.6.0 too ugly")
    report = send(desk)
    assert report.counts["failed"] == 48
    assert report.is_partial
    with desk.store.reading() as connection:
        assert set(connection.execute(select(DELIVERY.c.attempts)).scalars()) == {0, 1}
        assert not audience.suppressions(connection)


def test_an_address_that_does_not_exist_is_never_written_to_again(
    desk: MailDesk, sink: SmtpSink
) -> None:
    emails = begin(desk)
    sink.faults.rcpt = dict.fromkeys(emails, "550 5.1.1 no such user")
    report = send(desk)
    assert report.counts["failed"] == 48
    assert not report.is_partial
    with desk.store.reading() as connection:
        assert set(audience.suppressions(connection).values()) == {"bounce"}
    write_campaign(desk, name="salt")
    assert plan(desk, "salt", NOW).left_out["suppressed"] == 48


def test_a_server_that_refuses_us_stops_the_run_and_loses_nobody(
    desk: MailDesk, sink: SmtpSink
) -> None:
    emails = begin(desk, 200)
    sink.faults.rcpt = {emails[0]: "550 5.7.515 not authenticated"} | dict.fromkeys(
        emails[1:], "550 5.7.515 not authenticated"
    )
    with pytest.raises(RemoteProblem, match=r"5\.7\.515"):
        send(desk)
    assert Counter(states(desk).values()) == {"queued": 160, "held_out": 40}
    sink.faults.rcpt = {}
    assert send(desk).counts["sent"] == 160


def test_mailboxes_that_refuse_us_keep_nobody_else_waiting_for_ever(
    desk: MailDesk, sink: SmtpSink
) -> None:
    refusing = set(begin(desk, 200)[:8])
    sink.faults.rcpt = dict.fromkeys(refusing, "550 5.7.1 you may not write to this mailbox")
    report = send(desk)
    refused = {email for email, state in states(desk).items() if state == DeliveryState.FAILED}
    assert refused == refusing - held_out(desk)
    assert len(sink.taken) == report.counts["sent"]


def test_who_opts_out_after_the_plan_is_not_mailed(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk)
    ready = campaign_sending.prepare(desk, "bread", plan(desk, "bread", NOW).hash, NOW)
    with desk.store.writing() as connection:
        audience.opt_out(connection, emails[:30], "unsubscribe", NOW)
    report = campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda n: None)
    assert report.counts["suppressed"] + report.counts["sent"] == 48
    assert set(emails[:30]).isdisjoint(sink.recipients)


def test_who_opts_out_while_it_goes_out_is_not_mailed(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk, 200)

    def leave(recipient: str) -> None:
        if len(sink.taken) == 1:
            with desk.store.writing() as connection:
                audience.opt_out(connection, emails, "unsubscribe", NOW)

    sink.faults.on_taken = leave
    report = send(desk)
    assert report.counts["sent"] <= USUAL_LIMITS.connections * sending.IN_FLIGHT_A_CONNECTION
    assert report.counts["sent"] + report.counts["suppressed"] == 160


def test_who_left_the_list_by_another_way_is_not_mailed_either(
    desk: MailDesk, sink: SmtpSink
) -> None:
    emails = begin(desk)
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    with desk.store.writing() as connection:
        left = table_of(Subscriber).c.email.in_(emails[::2])
        connection.execute(update(table_of(Subscriber)).where(left).values(status="unsubscribed"))
    campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda n: None)
    assert sink.taken
    assert set(emails[::2]).isdisjoint(sink.recipients)


def test_a_full_disk_stops_the_run_and_loses_nobody(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    begin(desk)
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    full = replace(ready, mailer=SmallOutbox(tmp_path / "outbox"))
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(DiskProblem, match="cannot be written"):
            campaign_sending.send(desk, full, passing=PassingQuickly(), advance=lambda count: None)
    finally:
        signal.signal(signal.SIGXFSZ, handler)
    assert Counter(states(desk).values()) == {"queued": 48, "held_out": 12}
    assert send(desk).counts["sent"] == 48
    assert not list((tmp_path / "outbox").glob("*.part"))


class SmallOutbox(OutboxMailer):
    """An outbox on a disk that has no room for a message."""

    def deliver(self, envelope: Envelope) -> MailReply:
        """Deliver while no file may grow beyond a few bytes."""
        with DISK:
            limit = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (64, limit[1]))
            try:
                return super().deliver(envelope)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limit)


DISK = threading.Lock()


def test_what_a_dead_run_left_on_its_way_is_uncertain(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk)
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    sink.faults.rcpt = dict.fromkeys(emails, "450 4.2.1 later")
    campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda n: None)
    mailed = [email for email, state in states(desk).items() if state == DeliveryState.RETRY]
    with desk.store.writing() as connection:
        connection.execute(
            update(DELIVERY)
            .where(DELIVERY.c.email.in_(mailed[:5]))
            .values(state=DeliveryState.SENDING.value)
        )
    sink.faults.rcpt = {}
    passing = PassingQuickly()
    passing.wait(24 * 3600)
    report = send(desk, passing)
    assert report.counts["uncertain"] == 5
    assert report.counts["sent"] == 43
    assert set(mailed[:5]).isdisjoint(sink.recipients)


def test_stopping_finishes_the_message_in_flight_and_the_next_run_goes_on(
    desk: MailDesk, sink: SmtpSink
) -> None:
    begin(desk, 300)
    once = threading.Event()

    def interrupt(recipient: str) -> None:
        if len(sink.taken) > 20 and not once.is_set():
            once.set()
            os.kill(os.getpid(), signal.SIGINT)

    sink.faults.on_taken = interrupt
    with pytest.raises(Interrupted):
        send(desk)
    left = Counter(states(desk).values())
    assert left["uncertain"] == left["sending"] == 0
    assert left["sent"] == len(sink.taken) < 240
    assert send(desk).counts["sent"] == 240
    assert not sink.twice


def test_a_server_that_goes_away_is_waited_for_and_then_reported(
    tmp_path: Path, sink: SmtpSink
) -> None:
    with sink.serving() as url:
        desk = mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(url, lambda: ""))
        begin(desk)
        ready = campaign_sending.prepare(desk, "bread", None, NOW)
    with pytest.raises(RemoteProblem, match=r"127\.0\.0\.1"):
        campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda n: None)
    assert states(desk) == {}
    with desk.store.reading() as connection:
        assert connection.execute(select(table_of(Campaign).c.first_sent_at)).scalar() is None


def test_two_runs_at_once_are_one_too_many(desk: MailDesk) -> None:
    begin(desk)
    with sending.sending_lock(desk.store), pytest.raises(Busy):
        send(desk)


def test_one_plan_is_sent_and_no_other(desk: MailDesk, sink: SmtpSink) -> None:
    begin(desk)
    old = plan(desk, "bread", NOW).hash
    subscribe(desk, ["late@readers.example"])
    new = plan(desk, "bread", NOW).hash
    assert new != old
    with pytest.raises(Refused, match="not its plan any more"):
        campaign_sending.prepare(desk, "bread", old, NOW)
    subscribe(desk, ["later@readers.example"])
    ready = campaign_sending.prepare(desk, "bread", new, NOW)
    campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda n: None)
    assert "later@readers.example" not in sink.recipients


def test_who_bought_meanwhile_is_not_mailed_about_it(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk)
    content_id = add_content(desk, "sourdough")
    write_campaign(desk, "---\nsubject: Bread\nholdout: 0\nabout: sourdough\n---\nHello.\n")
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    for email in emails[::2]:
        grant(desk, add_customer(desk, email), content_id, NOW)
    report = campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda n: None)
    assert set(sink.recipients) == set(emails[1::2])
    assert (report.counts["sent"], report.counts["queued"]) == (30, 0)
    assert Counter(states(desk).values())[DeliveryState.SKIPPED] == 30


def test_a_run_that_ends_with_nothing_but_distrust_loses_nobody(
    desk: MailDesk, sink: SmtpSink
) -> None:
    emails = begin(desk, 10)
    sink.faults.rcpt = dict.fromkeys(emails, "550 5.7.1 we do not know you")
    with pytest.raises(RemoteProblem, match=r"5\.7\.1"):
        send(desk)
    assert Counter(states(desk).values()) == {"queued": 8, "held_out": 2}
    with desk.store.reading() as connection:
        assert set(connection.execute(select(DELIVERY.c.attempts)).scalars()) == {0}


def test_a_password_that_is_asked_for_stops_everything(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk)
    sink.faults.rcpt = dict.fromkeys(emails, "530 5.7.0 authenticate first")
    with pytest.raises(RemoteProblem, match="530"):
        send(desk)
    assert Counter(states(desk).values()) == {"queued": 48, "held_out": 12}


def test_a_second_try_does_not_wait_behind_everybody_else(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk, 400)
    sink.faults.once = {emails[0]: "450 4.2.1 later", emails[1]: "450 4.2.1 later"}
    passing = PassingQuickly()
    sink.faults.on_taken = lambda recipient: passing.wait(0.1)
    send(desk, passing)
    again = [sink.recipients.index(email) for email in emails[:2] if email in sink.recipients]
    assert again
    assert all(40 < place < 120 for place in again), "five seconds are fifty messages here"


def test_what_the_server_calls_a_message_is_kept(desk: MailDesk, sink: SmtpSink) -> None:
    begin(desk, 10)
    sink.faults.answer = "250 2.0.0 Ok: queued as 4F3C2A1B"
    send(desk)
    with desk.store.reading() as connection:
        sent = DELIVERY.c.state == DeliveryState.SENT.value
        rows = connection.execute(select(DELIVERY.c.provider_id, DELIVERY.c.began_at).where(sent))
        assert {tuple(row) for row in rows} == {("4F3C2A1B", NOW)}


def test_whoever_knows_a_message_again_may_be_given_it_again(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    begin(desk)
    outbox = OutboxMailer(tmp_path / "outbox")
    send(desk)
    files = {path.name for path in (tmp_path / "outbox").iterdir()}
    lost = DELIVERY.c.state == DeliveryState.SENT.value
    with desk.store.writing() as connection:
        connection.execute(update(DELIVERY).where(lost).values(state="sending", sent_at=None))
    assert send(desk).counts["sent"] == 48
    assert {path.name for path in (tmp_path / "outbox").iterdir()} == files
    with desk.store.writing() as connection:
        elsewhere = {"state": "uncertain", "claimed_by": "mail.example:25 pid 7"}
        connection.execute(update(DELIVERY).where(lost).values(**elsewhere))
    assert outbox.where != "mail.example:25"
    assert send(desk).counts["uncertain"] == 48, "another server's uncertain mail is not its own"


def test_a_slow_message_holds_nobody_up(desk: MailDesk, sink: SmtpSink) -> None:
    emails = begin(desk, 100)
    done = threading.Event()
    slow: list[str] = []

    def hang(recipient: str) -> None:
        if not slow:
            slow.append(recipient)
            done.wait(20)
        elif len(sink.taken) > 70:
            done.set()

    sink.faults.on_taken = hang
    assert send(desk).counts["sent"] == 80
    assert done.is_set()
    assert len(emails) == 100


def test_fewer_connections_are_used_where_the_server_takes_no_more(
    desk: MailDesk, sink: SmtpSink
) -> None:
    begin(desk, 200)
    sink.faults.most_connections = 2
    report = send(desk)
    assert report.counts["sent"] == 160
    assert report.counts["uncertain"] == 0
    assert sink.most_at_once == 2


def test_a_connection_that_the_server_ends_is_opened_again_without_a_refusal(
    desk: MailDesk, sink: SmtpSink
) -> None:
    begin(desk, 100)
    sink.faults.messages_a_connection = 5
    passing = PassingQuickly()
    assert send(desk, passing).counts["sent"] == 80
    assert passing.waited_s == 0
    with desk.store.reading() as connection:
        assert set(connection.execute(select(DELIVERY.c.attempts)).scalars()) == {0, 1}
