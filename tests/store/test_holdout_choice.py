"""How many a plan holds out when the file does not say: by the list, its buyers and the creator's pace."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from kpay.services.campaign_planning import plan
from kpay.services.mail_desk import MailDesk
from tests.fakes.mail_rooms import NOW, add_order, mail_desk, readers, subscribe, write_campaign
from tests.fakes.sends import add_send

DAY = timedelta(days=1)
LETTER = "---\nsubject: Bread\n---\nHello\n"


def busy_shop(folder: Path) -> MailDesk:
    """A hundred readers of whom about sixty buy in a fortnight."""
    desk = mail_desk(folder)
    subscribe(desk, readers(100))
    for fortnight in range(6):
        for one in readers(60):
            add_order(desk, one, NOW - DAY - timedelta(days=14 * fortnight), 900)
    write_campaign(desk, LETTER)
    return desk


def test_the_smallest_share_that_can_measure_is_taken_and_explained(tmp_path: Path) -> None:
    planned = plan(busy_shop(tmp_path), "bread", NOW)
    assert planned.held_out == 10
    assert planned.holdout_why is not None
    assert planned.holdout_why.startswith("10 % are held out: 6 buyers are expected among them")
    assert "(a mail a week)" in planned.holdout_why
    assert planned.to_document().payload["holdout_why"] == planned.holdout_why


def test_who_mails_seldom_holds_out_more(tmp_path: Path) -> None:
    desk = busy_shop(tmp_path)
    add_send(desk.store, "old", NOW - 170 * DAY, mailed=readers(1))
    planned = plan(desk, "bread", NOW)
    assert planned.holdout_why is not None
    assert planned.held_out == 20
    assert "(1 send)" in planned.holdout_why
    assert "no share holds out five buyers" in planned.holdout_why


def test_a_share_of_the_file_is_taken_as_it_is(tmp_path: Path) -> None:
    desk = busy_shop(tmp_path)
    write_campaign(desk, "---\nsubject: Bread\nholdout: 0.3\n---\nHello\n")
    planned = plan(desk, "bread", NOW)
    assert (planned.held_out, planned.holdout_why) == (30, None)
