"""Campaigns that went out already, put into a store without being planned or sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from kpay.models import Campaign, CampaignPlan, Delivery, Event
from kpay.store import campaigns
from kpay.store.dialect import table_of
from kpay.store.engine import Store


def add_send(
    store: Store,
    name: str,
    at: datetime,
    *,
    mailed: Iterable[str] = (),
    held_out: Iterable[str] = (),
    subjects: Sequence[str] = ("Bread",),
) -> int:
    """Let a campaign have gone out at a moment; return its id."""
    row = {"name": name, "state": "sent", "plan_hash": "h", "created_at": at, "first_sent_at": at}
    wording = {
        "campaign": name,
        "goal": "",
        "subjects": list(subjects),
        "body": "",
        "first_line": 1,
    }
    with store.writing() as connection:
        key = connection.execute(insert(table_of(Campaign)), row).inserted_primary_key
        assert key is not None
        plan = {
            "campaign_id": key[0],
            "hash": "h",
            "source": "",
            "wording": wording | {"shared": {}},
            "letter_digest": "d",
            "holdout_share": 0.1,
            "figures": {},
            "planned_at": at,
        }
        connection.execute(insert(table_of(CampaignPlan)), plan)
    add_deliveries(store, int(key[0]), [{"email": one, "sent_at": at} for one in mailed], at)
    out = [{"email": one, "state": "held_out"} for one in held_out]
    add_deliveries(store, int(key[0]), out, at)
    return int(key[0])


def add_deliveries(
    store: Store, campaign_id: int, rows: Sequence[dict[str, Any]], due_at: datetime
) -> None:
    """Add messages of a campaign, sent ones unless a row says otherwise."""
    usual = {
        "kind": "campaign",
        "campaign_id": campaign_id,
        "state": "sent",
        "variant": "",
        "batch": 0,
        "context": {},
        "due_at": due_at,
        "sent_at": None,
    }
    full = [usual | {"message_id": f"<{campaign_id}.{row['email']}>"} | row for row in rows]
    if full:
        with store.writing() as connection:
            connection.execute(insert(table_of(Delivery)), full)


def add_clicks(store: Store, emails: Iterable[str], at: datetime, kind: str = "click") -> None:
    """Let people click at a moment."""
    rows = [
        {"email": one, "happened_at": at, "kind": kind, "content": "", "value": ""}
        for one in emails
    ]
    with store.writing() as connection:
        connection.execute(insert(table_of(Event)), rows)


def campaign_row(store: Store, name: str) -> Any:
    """Return a campaign as the services get it."""
    with store.reading() as connection:
        found = campaigns.find(connection, name)
    assert found is not None
    return found


def subjects_given(store: Store, campaign_id: int) -> dict[str, str]:
    """Return who got which subject, those without one left out."""
    delivery = table_of(Delivery)
    query = select(delivery.c.email, delivery.c.variant).where(
        delivery.c.campaign_id == campaign_id
    )
    with store.reading() as connection:
        return {row.email: row.variant for row in connection.execute(query) if row.variant}
