"""A campaign with several subjects, sent: everyone gets one, and it is the one that is counted."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from kpay.services import campaign_sending, experiments
from kpay.services.mail_desk import MailDesk
from tests.fakes.mail_rooms import (
    NOW,
    PassingQuickly,
    mail_desk,
    readers,
    subscribe,
    write_campaign,
)
from tests.fakes.sends import add_clicks, campaign_row, subjects_given

LETTER = """\
---
subjects: ["Bread is here", "Warm bread"]
audience: all
holdout: 0.2
batches: 3
batch_hours: 4
---
Hello {{ name }}, there is **bread**.
"""


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    return mail_desk(tmp_path)


def send(desk: MailDesk, hours: int) -> None:
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    passing = PassingQuickly(NOW + timedelta(hours=hours))
    campaign_sending.send(desk, ready, passing=passing, advance=lambda count: None)


def subjects_sent(desk: MailDesk) -> dict[str, str]:
    found = {}
    for path in (desk.home / "outbox").glob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        found[str(message["To"])] = str(message["Subject"])
    return found


def test_every_batch_gets_its_subjects_when_its_turn_comes(desk: MailDesk) -> None:
    subscribe(desk, readers(300))
    write_campaign(desk, LETTER)
    send(desk, 0)
    first = subjects_sent(desk)
    assert Counter(first.values()) == {"Bread is here": 40, "Warm bread": 40}

    liked = [one for one, subject in first.items() if subject == "Warm bread"]
    add_clicks(desk.store, liked[:20], NOW + timedelta(hours=1))
    send(desk, 4)
    send(desk, 8)

    sent = subjects_sent(desk)
    key = campaign_row(desk.store, "bread")["id"]
    texts = {"A": "Bread is here", "B": "Warm bread"}
    given = {one: texts[label] for one, label in subjects_given(desk.store, key).items()}
    assert len(sent) == 240
    assert given == sent
    assert Counter(sent.values())["Warm bread"] >= 195


def test_results_name_the_subjects_that_were_sent(desk: MailDesk) -> None:
    subscribe(desk, readers(50))
    write_campaign(desk, LETTER)
    for hours in (0, 4, 8):
        send(desk, hours)
    found = experiments.results(desk, "bread", NOW + timedelta(days=20), level=0.95)
    variants = found.to_document().payload["variants"]
    assert [one["subject"] for one in variants] == ["Bread is here", "Warm bread"]
    assert sum(one["sent"] for one in variants) == 40
