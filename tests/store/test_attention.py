"""The price of attention from a store: what past mails teach, and whom it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from kpay.models import Campaign, CampaignPlan, Delivery, Event, MailNotice, ModelRun, Score
from kpay.services.attention import Worth, worth
from kpay.services.mail_desk import MailDesk
from kpay.store import audience
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import (
    NOW,
    add_content,
    add_customer,
    grant,
    mail_desk,
    readers,
    subscribe,
)
from tests.fakes.stores import digest

TOPICS = ("bread", "cakes", "tea")


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    found = mail_desk(tmp_path)
    for topic in TOPICS:
        add_content(found, topic, tags=[topic])
    return found


def send(desk: MailDesk, number: int, about: str, emails: Iterable[str], at: datetime) -> None:
    """Write down a campaign as sent."""
    with desk.store.writing() as connection:
        campaign = {
            "id": number, "name": f"mail-{number}", "state": "sent", "plan_hash": f"h{number}",
            "created_at": at, "first_sent_at": at,
        }  # fmt: skip
        connection.execute(insert(table_of(Campaign)), campaign)
        plan = {
            "campaign_id": number, "hash": f"h{number}", "source": "", "letter_digest": "",
            "wording": {"shared": {"contents": [{"slug": about}]}}, "holdout_share": 0.0,
            "figures": {}, "planned_at": at,
        }  # fmt: skip
        connection.execute(insert(table_of(CampaignPlan)), plan)
        rows = [
            {
                "kind": "campaign", "campaign_id": number, "email": email, "state": "sent",
                "message_id": f"<{number}-{email}>", "due_at": at, "sent_at": at, "context": {},
            }
            for email in emails
        ]  # fmt: skip
        connection.execute(insert(table_of(Delivery)), rows)


def note(desk: MailDesk, kind: str, emails: Sequence[str], at: datetime, content: str = "") -> None:
    """Write down what people did."""
    if emails:
        rows = [
            {"email": email, "kind": kind, "happened_at": at, "content": content, "value": ""}
            for email in emails
        ]
        with desk.store.writing() as connection:
            connection.execute(insert(table_of(Event)), rows)


def ask(desk: MailDesk, emails: Sequence[str], *about: str, now: datetime = NOW) -> Worth:
    with desk.store.reading() as connection:
        wanted = set(emails)
        chosen = [one for one in audience.people(connection, now) if one.email in wanted]
        return worth(connection, chosen, about, now)


def harsh_past(desk: MailDesk, people: int = 600, weeks: int = 12) -> list[str]:
    """Live some weeks in which 3 % leave after each mail, and only those who asked for it click."""
    everyone = readers(people)
    for number, topic in enumerate(TOPICS):
        subscribe(desk, everyone[number :: len(TOPICS)], tags=[topic])
    listed = list(everyone)
    for week in range(weeks):
        at = NOW - timedelta(weeks=weeks - week)
        topic = week % len(TOPICS)
        send(desk, week + 1, TOPICS[topic], listed, at)
        fans = set(everyone[topic :: len(TOPICS)])
        clickers = [email for email in listed if email in fans][:: 8 + week % 3]
        note(desk, "click", clickers, at + timedelta(hours=2), TOPICS[topic])
        bored = [email for email in listed if email not in fans]
        leaving = bored[week :: len(bored) // (3 * len(listed) // 100)]
        note(desk, "unsubscribe", leaving, at + timedelta(hours=5))
        listed = [email for email in listed if email not in set(leaving)]
    return listed


def test_without_a_past_published_rates_decide_and_nobody_is_left_out(desk: MailDesk) -> None:
    subscribe(desk, readers(20))
    found = ask(desk, readers(20), "bread")
    assert found.low_value == frozenset()
    assert (found.mails_seen, found.opt_outs_seen, found.is_mostly_prior) == (0, 0, True)
    assert 0.001 < found.opt_outs[0] < 0.005
    assert found.opt_outs[1] < found.opt_outs[0] / 2 < 2 * found.opt_outs[0] < found.opt_outs[2]
    assert found.sentence.startswith("Nobody is left out")
    assert "published rates still weigh in" in found.sentence
    assert "assumed: there are too few campaigns" in found.sentence


def test_a_mail_about_what_somebody_has_is_never_worth_it(desk: MailDesk) -> None:
    subscribe(desk, ["owner@r.example", "reader@r.example"])
    rye = add_content(desk, "rye")
    grant(desk, add_customer(desk, "owner@r.example"), rye, NOW - timedelta(days=9))
    found = ask(desk, ["owner@r.example", "reader@r.example"], "rye")
    assert found.low_value == {"owner@r.example"}
    assert ask(desk, ["owner@r.example"], "rye", "bread").low_value == frozenset()


def test_many_opt_outs_make_the_rule_leave_out_whom_it_bores(desk: MailDesk) -> None:
    listed = harsh_past(desk)
    found = ask(desk, listed, "bread")
    asked_for_it = set(readers(600)[0::3])
    assert not found.is_mostly_prior
    assert found.opt_outs[1] < 0.03 < found.opt_outs[2]
    assert found.opt_outs[0] == pytest.approx(found.opt_outs_seen / found.mails_seen, rel=0.1)
    assert found.is_rhythm_known
    assert found.days_between == pytest.approx(7.0)
    assert found.clicks_seen > 100
    assert len(found.low_value) > 50
    assert len(found.low_value & asked_for_it) < len(found.low_value - asked_for_it) / 10


def test_scores_say_what_mailing_and_not_mailing_may_be_worth(desk: MailDesk) -> None:
    listed = harsh_past(desk)
    assert "Nobody is scored" in ask(desk, listed, "bread").sentence
    asked = [add_customer(desk, email) for email in listed[:300]]
    run = {
        "run": "r1", "as_of": date(2026, 9, 30), "horizon_days": 90, "rung": "rule",
        "customers": 300, "buyers": 9, "checksum": "", "card": {}, "trained_at": NOW,
    }  # fmt: skip
    scores = [
        {
            "run": "r1", "as_of": date(2026, 9, 30), "customer_id": customer, "propensity": 0.2,
            "expected_value_minor": 900, "currency": "usd", "decile": 1,
        }
        for customer in asked
    ]  # fmt: skip
    with desk.store.writing() as connection:
        connection.execute(insert(table_of(ModelRun)), run)
        connection.execute(insert(table_of(Score)), scores)
    found = ask(desk, listed, "bread")
    assert found.expected_net_minor is not None
    assert found.loss_avoided_minor is not None
    assert 0 < found.expected_net_minor < 300 * 900
    assert 0 < found.loss_avoided_minor < 300 * 900
    assert (found.currency, found.unscored) == ("usd", len(listed) - 300)
    assert "Estimated, not measured" in found.sentence
    assert "avoids a loss of $" in found.sentence
    plain = found.to_plain()
    assert (plain["low_value"], plain["is_estimate"]) == (len(found.low_value), True)


def test_an_opt_out_counts_once_for_the_mail_before_it_and_a_bounce_never(desk: MailDesk) -> None:
    people = readers(40)
    subscribe(desk, people)
    for week in (3, 2, 1):
        send(desk, week, "bread", people, NOW - timedelta(weeks=week))
    gone, bounced, late = people[:3], people[3:6], people[6:8]
    note(desk, "unsubscribe", gone, NOW - timedelta(days=6))
    note(desk, "bounce", bounced, NOW - timedelta(days=6))
    note(desk, "complaint", late, NOW + timedelta(days=30))
    notice = {
        "fingerprint": "f", "kind": "unsubscribe", "email": gone[0],
        "noticed_at": NOW - timedelta(days=6), "words": "",
    }  # fmt: skip
    with desk.store.writing() as connection:
        connection.execute(insert(table_of(MailNotice)), notice)
        audience.opt_out(connection, bounced, "bounce", NOW - timedelta(days=6))
        audience.opt_out(connection, people[9:10], "unsubscribe", NOW - timedelta(days=5))
    found = ask(desk, people[10:], "bread", now=NOW + timedelta(days=60))
    assert (found.mails_seen, found.opt_outs_seen) == (120, 4)


def test_asking_writes_nothing_and_answers_the_same_all_day(desk: MailDesk) -> None:
    listed = harsh_past(desk, people=200)
    before = digest(desk.store)
    first = ask(desk, listed, "cakes")
    assert ask(desk, listed, "cakes", now=NOW + timedelta(hours=9)) == first
    assert digest(desk.store) == before


def test_a_business_without_any_piece_can_ask_as_well(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    subscribe(desk, readers(3))
    assert ask(desk, readers(3)).low_value == frozenset()
