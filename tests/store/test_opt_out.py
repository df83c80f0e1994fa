"""Opting out: once and for good."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from kpay.models import Subscriber
from kpay.store import audience
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import NOW, mail_desk, subscribe
from tests.fakes.stores import digest


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
        reasons = audience.suppressed_among(connection, ["li@r.example", "mo@r.example"])
    assert [row.status for row in rows] == ["unsubscribed", "subscribed"]
    assert rows[0].unsubscribed_at == NOW
    assert reasons == {"li@r.example": "complaint"}
