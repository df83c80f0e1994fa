"""Renewals go to those whose membership ends or has ended, and to no other member."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from kpay.domain.enums import CampaignGoal, ContentKind
from kpay.models import LineItem, Order, Subscription
from kpay.services.campaign_drafts import DraftWish, new
from kpay.services.campaign_planning import plan
from kpay.services.mail_desk import MailDesk
from kpay.services.preview_page import chosen_people, kept_with_people
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import (
    NOW,
    add_content,
    add_customer,
    grant,
    mail_desk,
    subscribe,
)

BEGAN = NOW - timedelta(days=60)


@pytest.fixture
def club(tmp_path: Path) -> MailDesk:
    """A club: Ana stays, Bo has said that it ends, Cy has left, Di never was in it."""
    desk = mail_desk(tmp_path)
    club = add_content(desk, "club", kind=ContentKind.MEMBERSHIP, interval="month")
    subscribe(desk, [f"{name}@r.example" for name in ("ana", "bo", "cy", "di")])
    for name in ("ana", "bo", "cy"):
        customer = add_customer(desk, f"{name}@r.example")
        ended = {"ended_at": NOW - timedelta(days=3)} if name == "cy" else {}
        grant(desk, customer, club, BEGAN, **ended)
        paid = {
            "source": "stripe", "external_id": f"in_{name}", "customer_id": customer, "tracking": {},
            "ordered_at": BEGAN, "currency": "usd", "gross_minor": 900, "total_minor": 900,
        }  # fmt: skip
        order = add(desk, Order, paid)
        add(
            desk,
            LineItem,
            {"order_id": order, "position": 1, "content_id": club, "amount_minor": 900},
        )
        add(
            desk,
            Subscription,
            {
                "account": "a", "livemode": False, "external_id": f"sub_{name}", "customer_id": customer,
                "content_id": club, "amount_minor": 900, "currency": "usd", "interval": "month",
                "status": "canceled" if ended else "active", "started_at": BEGAN,
                "is_ending": name == "bo", **ended,
            },
        )  # fmt: skip
    return desk


def add(desk: MailDesk, model: Any, row: dict[str, Any]) -> int:
    """Write a row; return its id."""
    with desk.store.writing() as connection:
        key = connection.execute(insert(table_of(model)), row).inserted_primary_key
    assert key is not None
    return int(key[0])


def test_a_drafted_renewal_reaches_whose_membership_ends_or_ended(club: MailDesk) -> None:
    new(club, DraftWish("back", CampaignGoal.RENEWAL), NOW)
    made = plan(club, "back", NOW)
    assert made.problems == ()
    people = {one.email for one, _ in chosen_people(club, kept_with_people(club, "back")[1])}
    assert made.recipients + made.held_out == 2
    assert people <= {"bo@r.example", "cy@r.example"}
    assert "(2 people today)" in (club.home / "campaigns" / "back.md").read_text()


def test_any_other_campaign_leaves_owners_out(club: MailDesk) -> None:
    new(club, DraftWish("club-opens", CampaignGoal.LAUNCH, "club"), NOW)
    made = plan(club, "club-opens", NOW)
    assert made.left_out["already_owns"] == 2
    assert made.recipients + made.held_out == 2
