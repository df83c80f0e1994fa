"""Opting out: once and for good."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from kpay.domain.audience import parse_audience
from kpay.domain.enums import ImportKind
from kpay.domain.importing import Circumstances
from kpay.errors import Refused
from kpay.models import Subscriber
from kpay.services import campaign_planning
from kpay.services.importing import import_csv
from kpay.services.mail_desk import MailDesk
from kpay.services.mailing_list import Newcomer, add_subscriber
from kpay.store import audience, last_look
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import NOW, mail_desk, readers, subscribe, write_campaign
from tests.fakes.stores import digest, tables


def test_an_opt_out_ends_the_subscription_and_keeps_its_first_reason(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    subscribe(desk, ["li@r.example", "mo@r.example"])
    with desk.store.writing() as connection:
        assert (
            audience.opt_out(connection, ["LI@r.example ", "new@r.example"], "complaint", NOW) == 2
        )
    kept = digest(desk.store)
    later = NOW + timedelta(days=9)
    with desk.store.writing() as connection:
        assert audience.opt_out(connection, ["li@r.example"], "bounce", later) == 0
    assert digest(desk.store) == kept
    with desk.store.reading() as connection:
        rows = connection.execute(select(table_of(Subscriber)).order_by("email")).all()
        reasons = last_look.suppressed(connection, ["li@r.example", "mo@r.example"])
    assert [row.status for row in rows] == ["unsubscribed", "subscribed"]
    assert rows[0].unsubscribed_at == NOW
    assert reasons == {"li@r.example": "complaint"}


@pytest.fixture
def erased(tmp_path: Path) -> MailDesk:
    """A mail room in which one reader has opted out and was then erased: a hash is all that is left."""
    desk = mail_desk(tmp_path)
    subscribe(desk, [*readers(12), "li+news@r.example"])
    with desk.store.writing() as connection:
        audience.opt_out(connection, ["li+news@r.example"], "unsubscribe", NOW)
        subscriber = table_of(Subscriber)
        connection.execute(delete(subscriber).where(subscriber.c.email == "li+news@r.example"))
    assert b"li+news" not in b"".join(repr(row).encode() for row in all_rows(desk))
    return desk


def all_rows(desk: MailDesk) -> list[tuple[object, ...]]:
    return [row for rows in tables(desk.store).values() for row in rows]


def bring(desk: MailDesk, kind: ImportKind, text: str) -> None:
    circumstances = Circumstances(NOW, "UTC")
    import_csv(desk.store, kind, text.encode(), name="people.csv", circumstances=circumstances)


@pytest.mark.parametrize("address", ["li+news@r.example", " LI+News@R.Example "])
def test_no_import_brings_an_erased_opt_out_back(erased: MailDesk, address: str) -> None:
    text = f"email,consent_source,status\n{address},form,subscribed\n"
    before = digest(erased.store)
    bring(erased, ImportKind.SUBSCRIBERS, text)
    assert digest(erased.store) == before


def test_an_address_without_its_plus_is_another_one(erased: MailDesk) -> None:
    """Whose mailbox an address leads to is for its owner's server to say."""
    bring(erased, ImportKind.SUBSCRIBERS, "email\nli@r.example\nli+other@r.example\n")
    assert {row[1] for row in tables(erased.store)["subscriber"]} >= {
        "li@r.example",
        "li+other@r.example",
    }


def test_nobody_adds_an_erased_opt_out_by_hand(erased: MailDesk) -> None:
    with pytest.raises(Refused, match="must not be mailed"):
        add_subscriber(erased.store, Newcomer("Li+News@r.example", "Li", "fair"), NOW)


def test_an_erased_opt_out_who_buys_again_is_a_customer_and_gets_no_campaign(
    erased: MailDesk,
) -> None:
    orders = "order_id,email,ordered_at,amount,currency\n1,Li+News@r.example,2026-09-01,9,usd\n"
    bring(erased, ImportKind.ORDERS, orders)
    text = "---\nsubject: Hi\naudience: {}\nholdout: 0\n---\nHello\n"
    for wanted, people in (("customers", 0), ("customers or all", 12)):
        write_campaign(erased, text.format(wanted))
        plan = campaign_planning.plan(erased, "bread", NOW)
        assert plan.recipients == people
        assert plan.left_out["suppressed"] == 1


def test_whoever_opted_out_stays_out_of_every_segment_that_may_be_mailed(erased: MailDesk) -> None:
    bring(erased, ImportKind.CUSTOMERS, "email\nli+news@r.example\n")
    with erased.store.reading() as connection:
        known = {one.email: one for one in audience.people(connection, NOW)}
    assert known["li+news@r.example"].is_suppressed
    assert not parse_audience("subscribed()")(known["li+news@r.example"])
