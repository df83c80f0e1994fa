"""Results: by intention to treat, within the window, each currency by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kpay.domain.campaign_results import CampaignResults
from kpay.domain.experiment import Arm, effect
from kpay.errors import Refused
from kpay.services import campaign_sending
from kpay.services.campaign_planning import plan
from kpay.services.experiments import results
from kpay.services.frozen_plan import kept_plan, people_of
from kpay.services.mail_desk import MailDesk
from kpay.store import audience, campaigns
from tests.fakes.mail_rooms import (
    NOW,
    PassingQuickly,
    add_order,
    mail_desk,
    readers,
    subscribe,
    write_campaign,
)

AFTER = NOW + timedelta(days=20)


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    return mail_desk(tmp_path)


def send(desk: MailDesk) -> tuple[list[str], list[str]]:
    """Send a campaign to a hundred readers; return who was mailed and who was held out."""
    subscribe(desk, readers(100))
    write_campaign(desk)
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    with desk.store.reading() as connection:
        campaign = campaigns.find(connection, "bread")
        assert campaign is not None
        kept = kept_plan(connection, campaign)
        assert kept is not None
        people = people_of(connection, kept[1])
    campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda count: None)
    arms: tuple[list[str], list[str]] = ([], [])
    for one in people:
        arms[one.is_held_out].append(one.email)
    return arms


def test_buyers_and_money_are_compared_by_arm(desk: MailDesk) -> None:
    mailed, held = send(desk)
    for email in mailed[:8]:
        add_order(desk, email.upper(), NOW + timedelta(days=2), 2500)
    add_order(desk, mailed[0], NOW + timedelta(days=5), 500)
    add_order(desk, held[0], NOW + timedelta(days=3), 1900)
    found = results(desk, "bread", AFTER, level=0.95).to_document().payload
    assert (found["treated"], found["held_out"]) == (80, 20)
    buyers, money = found["outcomes"]["buyers"], found["outcomes"]["revenue_minor"]
    assert (buyers["treated"], buyers["held_out"]) == (8, 1)
    assert buyers["effect"] == pytest.approx(8 / 80 - 1 / 20)
    assert money["treated_mean"] == pytest.approx(20_500 / 80)
    assert money["held_out_mean"] == pytest.approx(95)
    assert money["currency"] == "usd"
    assert money["low95"] < money["incremental_total"] < money["high95"]


def test_only_orders_of_the_window_count(desk: MailDesk) -> None:
    mailed, _ = send(desk)
    add_order(desk, mailed[0], NOW - timedelta(seconds=1), 900)
    add_order(desk, mailed[1], NOW, 900)
    add_order(desk, mailed[2], NOW + timedelta(days=14) - timedelta(seconds=1), 900)
    add_order(desk, mailed[3], NOW + timedelta(days=14), 900)
    assert results(desk, "bread", AFTER, level=0.95).buyers.treated.buyers == 2
    assert results(desk, "bread", NOW, level=0.95).buyers.treated.buyers == 1
    assert results(desk, "bread", AFTER, level=0.95, days=15).buyers.treated.buyers == 3
    assert not results(desk, "bread", NOW, level=0.95).is_over


def test_two_currencies_are_never_added(desk: MailDesk) -> None:
    mailed, _ = send(desk)
    add_order(desk, mailed[0], NOW, 900, "usd")
    add_order(desk, mailed[0], NOW, 700, "eur")
    add_order(desk, mailed[1], NOW, 700, "eur")
    found = results(desk, "bread", AFTER, level=0.95).to_document().payload
    assert found["outcomes"]["buyers"]["treated"] == 2
    assert found["outcomes"]["revenue_minor"]["treated_mean"] == pytest.approx(900 / 80)
    (euros,) = found["other_currencies"]
    assert euros["treated_mean"] == pytest.approx(1400 / 80)


def test_people_count_in_the_arm_they_were_drawn_into(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    subscribe(desk, readers(100))
    write_campaign(desk)
    ready = campaign_sending.prepare(desk, "bread", plan(desk, "bread", NOW).hash, NOW)
    with desk.store.writing() as connection:
        audience.opt_out(connection, readers(100)[:40], "unsubscribe", NOW)
    campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda count: None)
    assert results(desk, "bread", AFTER, level=0.95).buyers.treated.people == 80


def test_a_campaign_that_was_not_sent_has_no_results(desk: MailDesk) -> None:
    subscribe(desk, readers(10))
    write_campaign(desk)
    plan(desk, "bread", NOW)
    with pytest.raises(Refused, match="not sent yet"):
        results(desk, "bread", AFTER, level=0.95)


@pytest.mark.parametrize(
    ("mailed", "held", "words"),
    [
        (Arm(1000, (1000,) * 200), Arm(1000, (1000,) * 20), "The mail sold"),
        (Arm(1000, (1000,) * 20), Arm(1000, (1000,) * 200), "cost sales"),
        (Arm(900, (1000,) * 20), Arm(100, (1000,) * 2), "can show only"),
        (Arm(900), Arm(100), "Nobody bought"),
        (Arm(900, (1000,)), Arm(0), "cannot be known"),
    ],
)
def test_the_verdict_says_no_more_than_is_known(mailed: Arm, held: Arm, words: str) -> None:
    found = effect(mailed, held)
    shown = CampaignResults("x", "usd", NOW, AFTER, True, found, {"usd": found})
    assert words in shown.verdict
    assert shown.to_document().payload["verdict"] == shown.verdict
