"""Subjects are given to messages batch by batch, once, by what readers did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from kpay.domain.origins import Origin, OriginKind
from kpay.domain.subject_trial import Tally
from kpay.models import Delivery, Order
from kpay.services.subject_trials import assign_due, plan_batches, tallies, trial
from kpay.store.dialect import table_of
from kpay.store.engine import Store
from tests.fakes.mail_rooms import NOW, readers
from tests.fakes.sends import add_clicks, add_deliveries, add_send, campaign_row, subjects_given
from tests.fakes.stores import digest, new_store

HOUR = timedelta(hours=1)
TWO = ("Bread", "Fresh bread")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return new_store(tmp_path)


def queue(store: Store, people: Sequence[str], batches: int = 3) -> int:
    """Queue a campaign: batch k is due k hours from now."""
    campaign_id = add_send(store, "bread", NOW, subjects=TWO)
    drawn = plan_batches(len(people), batches, "salt")
    rows: list[dict[str, Any]] = [
        {"email": one, "state": "queued", "batch": batch, "due_at": NOW + batch * HOUR}
        for one, batch in zip(people, drawn, strict=True)
    ]
    add_deliveries(store, campaign_id, rows, NOW)
    return campaign_id


def mark_sent(store: Store, emails: Sequence[str]) -> None:
    delivery = table_of(Delivery)
    with store.writing() as connection:
        connection.execute(
            update(delivery)
            .where(delivery.c.email.in_(emails))
            .values(state="sent", sent_at=delivery.c.due_at)
        )


def test_the_first_batch_is_split_evenly_and_no_other_is_touched(store: Store) -> None:
    campaign_id = queue(store, readers(61))
    given = assign_due(store, campaign_row(store, "bread"), TWO, NOW)
    assert given == {"A": 11, "B": 10}
    assert Counter(subjects_given(store, campaign_id).values()) == {"A": 11, "B": 10}


def test_a_second_run_changes_nothing(store: Store) -> None:
    queue(store, readers(60))
    assign_due(store, campaign_row(store, "bread"), TWO, NOW)
    before = digest(store)
    assert assign_due(store, campaign_row(store, "bread"), TWO, NOW) == {}
    assert digest(store) == before


def test_later_batches_go_to_the_subject_that_is_clicked(store: Store) -> None:
    campaign_id = queue(store, readers(600))
    assign_due(store, campaign_row(store, "bread"), TWO, NOW)
    first = subjects_given(store, campaign_id)
    mark_sent(store, list(first))
    add_clicks(
        store, [one for one, variant in first.items() if variant == "B"][:30], NOW + HOUR / 2
    )
    given = assign_due(store, campaign_row(store, "bread"), TWO, NOW + HOUR)
    assert sum(given.values()) == 200
    assert given["B"] >= 198
    kept = subjects_given(store, campaign_id)
    assert {one: kept[one] for one in first} == first


def test_the_same_clicks_draw_the_same_subjects(tmp_path: Path) -> None:
    found = []
    for run in ("one", "other"):
        (tmp_path / run).mkdir()
        store = new_store(tmp_path / run)
        campaign_id = queue(store, readers(90))
        for hours in range(3):
            assign_due(store, campaign_row(store, "bread"), TWO, NOW + hours * HOUR)
        found.append(subjects_given(store, campaign_id))
    assert found[0] == found[1]
    assert len(found[0]) == 90


def test_only_waiting_messages_get_a_subject(store: Store) -> None:
    campaign_id = queue(store, readers(4), batches=1)
    states = ("failed", "suppressed", "held_out", "retry")
    delivery = table_of(Delivery)
    with store.writing() as connection:
        for email, state in zip(readers(4), states, strict=True):
            change = update(delivery).where(delivery.c.email == email).values(state=state)
            connection.execute(change)
    assign_due(store, campaign_row(store, "bread"), TWO, NOW)
    assert list(subjects_given(store, campaign_id)) == [readers(4)[3]]


def test_one_subject_needs_no_trial(store: Store) -> None:
    campaign_id = queue(store, readers(5), batches=1)
    assert assign_due(store, campaign_row(store, "bread"), ("Bread",), NOW) == {}
    assert subjects_given(store, campaign_id) == {}
    with store.reading() as connection:
        assert trial(connection, campaign_row(store, "bread"), ("Bread",), NOW) is None


def sent_with(store: Store, name: str = "bread") -> int:
    """Let ten people have got A and ten B."""
    campaign_id = add_send(store, name, NOW, subjects=TWO)
    rows: list[dict[str, Any]] = [
        {"email": one, "variant": "AB"[place % 2], "sent_at": NOW}
        for place, one in enumerate(readers(20))
    ]
    add_deliveries(store, campaign_id, rows, NOW)
    return campaign_id


def counted(store: Store, name: str = "bread", days: float = 20) -> dict[str, Tally]:
    with store.reading() as connection:
        return tallies(connection, campaign_row(store, name), "AB", NOW + timedelta(days=days))


def test_a_click_is_a_persons_and_opens_and_visits_are_none(store: Store) -> None:
    sent_with(store)
    people = readers(20)
    add_clicks(store, [people[0], people[1], people[3]], NOW + HOUR)
    add_clicks(store, [people[0]], NOW + 2 * HOUR)
    add_clicks(store, people, NOW + HOUR, kind="open")
    add_clicks(store, people, NOW + HOUR, kind="visit")
    assert counted(store) == {"A": Tally(10, 1), "B": Tally(10, 2)}


def test_clicks_before_the_mail_or_a_fortnight_later_do_not_count(store: Store) -> None:
    sent_with(store)
    add_clicks(store, readers(20), NOW - HOUR)
    add_clicks(store, readers(20), NOW + timedelta(days=14))
    assert counted(store) == {"A": Tally(10), "B": Tally(10)}


def test_a_click_belongs_to_the_newest_mail(store: Store) -> None:
    sent_with(store)
    add_send(store, "newer", NOW + HOUR, mailed=readers(2))
    add_clicks(store, readers(2), NOW + 2 * HOUR)
    add_clicks(store, readers(4)[2:], NOW + 2 * HOUR)
    assert counted(store) == {"A": Tally(10, 1), "B": Tally(10, 1)}


def test_a_sale_by_the_mails_own_link_counts_as_a_click_once(store: Store) -> None:
    campaign_id = sent_with(store)
    delivery = table_of(Delivery)
    token = Origin(OriginKind.CAMPAIGN, "bread").token
    with store.reading() as connection:
        rows = connection.execute(
            delivery.select().where(delivery.c.campaign_id == campaign_id)
        ).all()
    number = {row.email: row.id for row in rows}
    people = readers(20)
    references = [
        f"{token}-{number[people[0]]}",
        f"{token}-{number[people[1]]}",
        token,
        f"{token}-9999",
    ]
    with store.writing() as connection:
        connection.execute(
            insert(table_of(Order)),
            [
                {
                    "source": "stripe",
                    "external_id": f"ch_{place}",
                    "email": "somebody@else.example",
                    "ordered_at": NOW + HOUR,
                    "currency": "usd",
                    "gross_minor": 900,
                    "total_minor": 900,
                    "tracking": {},
                    "reference": reference,
                }
                for place, reference in enumerate(references)
            ],
        )
    add_clicks(store, [people[0]], NOW + HOUR)
    assert counted(store) == {"A": Tally(10, 1), "B": Tally(10, 1)}
