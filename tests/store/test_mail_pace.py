"""How fast mail leaves: within budgets, over all runs, and as servers ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from kpay.adapters.smtp_mailer import SmtpMailer
from kpay.domain.hours import parse_hours
from kpay.domain.mail_customs import MailCustoms
from kpay.domain.pacing import MailLimits
from kpay.domain.send_report import SendReport
from kpay.models import Delivery, MailPace
from kpay.services import campaign_sending
from kpay.services.mail_desk import MailDesk
from kpay.services.sending import MARKETING, PURCHASE
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
LETTER = "---\nsubject: Bread\nholdout: 0\n{more}---\nHello {{{{ name }}}}.\n"
EMAILS = readers(60)


@pytest.fixture
def sink() -> SmtpSink:
    return SmtpSink(Faults())


@pytest.fixture
def desk(tmp_path: Path, sink: SmtpSink) -> Iterator[MailDesk]:
    with sink.serving() as url:
        desk = mail_desk(tmp_path, open_mailer=lambda: SmtpMailer(url, lambda: ""))
        subscribe(desk, EMAILS)
        write_campaign(desk, LETTER.format(more=""))
        yield desk


def send(desk: MailDesk, passing: PassingQuickly, **limits: int | bool) -> SendReport:
    desk = replace(desk, limits=MailLimits(**limits))  # type: ignore[arg-type]
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    return campaign_sending.send(desk, ready, passing=passing, advance=lambda count: None)


@pytest.mark.parametrize(("limit", "span"), [("per_hour", 3600), ("per_day", 86400)])
def test_a_budget_holds_over_all_runs_and_says_when_it_opens(
    desk: MailDesk, sink: SmtpSink, limit: str, span: int
) -> None:
    passing = PassingQuickly()
    report = send(desk, passing, **{limit: 25})
    assert (report.counts["sent"], report.counts["queued"]) == (25, 35)
    assert report.goes_on_at is not None
    assert 0 <= (report.goes_on_at - NOW).total_seconds() - span < 2
    assert report.is_partial
    assert send(desk, passing, **{limit: 25}).counts["sent"] == 25, "a new run has no new budget"
    passing.wait(span)
    assert send(desk, passing, **{limit: 25}).counts["sent"] == 50
    passing.wait(span)
    assert send(desk, passing, **{limit: 25}).counts["sent"] == 60
    assert not sink.twice


def test_a_campaign_has_a_rate_of_its_own(desk: MailDesk) -> None:
    write_campaign(desk, LETTER.format(more="rate: 20\n"))
    passing = PassingQuickly()
    assert send(desk, passing).counts["sent"] == 20
    passing.wait(3600)
    assert send(desk, passing).counts["sent"] == 40


def test_messages_a_second_are_spread_over_the_seconds(desk: MailDesk) -> None:
    passing = PassingQuickly()
    assert send(desk, passing, per_second=10).counts["sent"] == 60
    assert 5.5 < passing.waited_s < 8


def test_one_domain_is_held_back_while_others_go_on(desk: MailDesk, sink: SmtpSink) -> None:
    others = [f"li{number}@elsewhere{number}.example" for number in range(20)]
    subscribe(desk, others)
    passing = PassingQuickly()
    report = send(desk, passing, per_domain_minute=30)
    assert report.counts["sent"] == 80
    last = max(sink.recipients.index(email) for email in others)
    assert last < 40, "those of other domains do not wait behind the full one"
    assert 100 < passing.waited_s < 240


def test_a_new_sender_warms_up(desk: MailDesk) -> None:
    subscribe(desk, [f"more{number}@readers.example" for number in range(120)])
    passing = PassingQuickly()
    report = send(desk, passing, warm_up=True)
    assert report.counts["sent"] == 50
    assert report.goes_on_at == NOW.replace(hour=0) + timedelta(days=1)
    passing.wait(15 * 3600)
    assert send(desk, passing, warm_up=True).counts["sent"] == 150
    passing.wait(24 * 3600)
    assert send(desk, passing, warm_up=True).counts["sent"] == 180


def test_nobody_waits_for_a_purchase_until_a_sender_is_warm() -> None:
    limits = MailLimits(per_hour=5, warm_up=True)
    assert PURCHASE.paced(limits) == MailLimits(per_hour=5)
    assert MARKETING.paced(limits) == limits


def test_a_server_that_finds_us_too_fast_is_written_to_more_slowly_in_the_next_run_too(
    desk: MailDesk, sink: SmtpSink
) -> None:
    sink.faults.at_end = dict.fromkeys(EMAILS[10:14], "454 4.7.0 maximum sending rate exceeded")
    passing = PassingQuickly()
    assert send(desk, passing).counts["sent"] == 60
    assert not sink.twice
    with desk.store.reading() as connection:
        pace = table_of(MailPace)
        rates = connection.execute(select(pace.c.scope, pace.c.rate_per_s)).all()
    assert len(rates) == 1
    assert rates[0].scope.startswith("server 127.0.0.1:")
    assert rates[0].rate_per_s < 60
    write_campaign(desk, LETTER.format(more=""), name="salt")
    before = passing.waited_s
    ready = campaign_sending.prepare(desk, "salt", None, NOW)
    campaign_sending.send(desk, ready, passing=passing, advance=lambda count: None)
    assert passing.waited_s - before > 0.5


def test_nothing_is_limited_unless_somebody_says_so(desk: MailDesk) -> None:
    passing = PassingQuickly()
    assert send(desk, passing).counts["sent"] == 60
    assert passing.waited_s == 0
    with desk.store.reading() as connection:
        assert connection.execute(select(table_of(MailPace))).all() == []


def test_a_reader_is_not_reached_outside_the_hours_of_their_own_zone(
    desk: MailDesk, sink: SmtpSink
) -> None:
    asleep = ["kim@far.example", "lee@far.example"]  # 09:00 UTC is 02:00 in Los Angeles
    subscribe(desk, asleep, timezone="America/Los_Angeles")
    open_hours = parse_hours("08:00-20:00")
    desk = replace(desk, customs=MailCustoms("Europe/Berlin", open_hours=open_hours))
    passing = PassingQuickly()
    report = send(desk, passing)
    assert (report.counts["sent"], report.counts["queued"]) == (60, 2)
    assert report.goes_on_at == NOW + timedelta(hours=6)
    assert set(asleep).isdisjoint(sink.recipients)
    passing.wait(6 * 3600)
    assert send(desk, passing).counts["sent"] == 62


def test_who_falls_asleep_before_their_turn_is_put_off_to_the_morning(
    desk: MailDesk, sink: SmtpSink
) -> None:
    open_hours = parse_hours("08:00-09:20")
    desk = replace(desk, customs=MailCustoms("UTC", open_hours=open_hours))
    passing = PassingQuickly()
    assert send(desk, passing, per_hour=30).counts["sent"] == 30
    passing.wait(3600)
    report = send(desk, passing, per_hour=30)
    assert report.counts["sent"] == 30
    assert report.goes_on_at == NOW.replace(hour=8) + timedelta(days=1)
