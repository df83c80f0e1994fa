"""Mailing one order again: what it bought, as a new message, to its buyer, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from kpay.errors import NotFound, Refused
from kpay.models import Order
from kpay.services import delivering
from kpay.services.mail_desk import MailDesk
from kpay.services.redelivering import parcel_of_order, queue_again
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import (
    NOW,
    PassingQuickly,
    add_content,
    add_customer,
    add_order,
    grant,
    mail_desk,
)
from tests.fakes.stores import rows

BOUGHT_AT = NOW + timedelta(days=1)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    made = mail_desk(tmp_path)
    delivering.plan_pending(made, now=NOW)
    return made


def sell(desk: MailDesk, email: str, *slugs: str, at: object = BOUGHT_AT, **right: object) -> str:
    """Sell pieces in one order; return its name."""
    add_order(desk, email, BOUGHT_AT, 900)
    orders = table_of(Order)
    with desk.store.reading() as connection:
        query = select(orders.c.external_id).where(orders.c.email == email)
        name = str(connection.execute(query).scalar_one())
    person = add_customer(desk, email)
    for slug in slugs:
        grant(desk, person, add_content(desk, slug), at, source_id=name, **right)  # type: ignore[arg-type]
    return name


def deliver(desk: MailDesk) -> int:
    """Deliver what is owed; return how many messages ever left."""
    passing = PassingQuickly(LATER)
    delivering.plan_pending(desk, now=LATER)
    delivering.send_pending(desk, passing=passing)
    return len(list((desk.home / "outbox").glob("*.eml")))


def messages(desk: MailDesk) -> set[object]:
    """Return the identity of the newest message of each delivery."""
    return {row[0] for row in rows(desk.store, "SELECT message_id FROM delivery")}


def test_each_piece_of_an_order_is_mailed_again_as_a_message_of_its_own(desk: MailDesk) -> None:
    order = sell(desk, "li@r.example", "rye", "wheat")
    sell(desk, "al@r.example", "oats")
    assert deliver(desk) == 3
    before = messages(desk)

    parcel = parcel_of_order(desk, order, now=LATER)
    assert parcel.question(desk).startswith("TEST mail: deliver rye, wheat to li@r.example again")
    assert queue_again(desk, parcel, now=LATER) == 2

    assert deliver(desk) == 5
    assert len(messages(desk) - before) == 2


def test_what_was_bought_before_deliveries_began_is_mailed_once_asked_for(desk: MailDesk) -> None:
    order = sell(desk, "li@r.example", "rye", at=NOW - timedelta(days=400))
    assert deliver(desk) == 0

    assert queue_again(desk, parcel_of_order(desk, order, now=LATER), now=LATER) == 1

    assert deliver(desk) == 1


def test_what_waits_to_be_mailed_is_not_queued_twice(desk: MailDesk) -> None:
    order = sell(desk, "li@r.example", "rye")
    delivering.plan_pending(desk, now=LATER)

    assert queue_again(desk, parcel_of_order(desk, order, now=LATER), now=LATER) == 0

    assert deliver(desk) == 1


def test_what_may_not_be_read_any_more_is_refused(desk: MailDesk) -> None:
    order = sell(desk, "li@r.example", "rye", ended_at=LATER, end_reason="refund")

    with pytest.raises(Refused, match=r"has ended \(refund\)"):
        parcel_of_order(desk, order, now=LATER)


def test_a_right_that_is_known_to_end_is_good_until_then(desk: MailDesk) -> None:
    later = LATER + timedelta(days=1)
    order = sell(desk, "li@r.example", "rye", ended_at=later, end_reason="paused")

    assert deliver(desk) == 1
    assert len(parcel_of_order(desk, order, now=LATER).rights) == 1
    with pytest.raises(Refused, match="has ended"):
        parcel_of_order(desk, order, now=later)


def test_an_order_without_anything_to_read_is_refused(desk: MailDesk) -> None:
    order = sell(desk, "li@r.example")

    with pytest.raises(Refused, match="bought nothing that kpay has published"):
        parcel_of_order(desk, order, now=LATER)


def test_an_order_that_does_not_exist_is_not_found(desk: MailDesk) -> None:
    with pytest.raises(NotFound):
        parcel_of_order(desk, "ch_nothing", now=LATER)
