"""How fast servers and domains were written to, kept from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from kpay.domain.enums import DeliveryState
from kpay.models import Delivery, MailPace
from kpay.store.dialect import table_of, upsert_rows

PACE, DELIVERY = table_of(MailPace), table_of(Delivery)


def kept(connection: Connection, prefix: str) -> Sequence[RowMapping]:
    """Return what is kept of the scopes whose names begin so, oldest first."""
    query = (
        select(PACE)
        .where(PACE.c.scope >= prefix, PACE.c.scope < f"{prefix}\uffff")
        .order_by(PACE.c.counted_at)
    )
    return connection.execute(query).mappings().all()


def keep(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep how fast some scopes may be written to."""
    upsert_rows(connection, MailPace, rows, key=["scope"])


def add_use(connection: Connection, scope: str, count: int, now: datetime) -> None:
    """Count messages that leave, beside what another run may be counting."""
    row = {"scope": scope, "tokens": 0.0, "rate_per_s": 0.0, "used": count}
    statement = insert(PACE).values(**row, counted_at=now, since_at=now)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["scope"],
            set_={"used": PACE.c.used + new.used, "counted_at": new.counted_at},
        )
    )


def forget(connection: Connection, before: datetime) -> None:
    """Drop what was counted before a moment."""
    connection.execute(delete(PACE).where(PACE.c.counted_at < before))


def days_with_mail(connection: Connection, before: datetime, *, is_test: bool) -> int:
    """Return on how many days before a moment mail was sent."""
    query = select(func.count(func.distinct(func.substr(DELIVERY.c.sent_at, 1, 10)))).where(
        DELIVERY.c.state == DeliveryState.SENT.value,
        DELIVERY.c.is_test == is_test,
        DELIVERY.c.sent_at < before,
    )
    return int(connection.execute(query).scalar_one())


def sent_since(connection: Connection, start: datetime, *, is_test: bool) -> int:
    """Return how many messages were sent since a moment."""
    query = select(func.count()).where(
        DELIVERY.c.state == DeliveryState.SENT.value,
        DELIVERY.c.is_test == is_test,
        DELIVERY.c.sent_at >= start,
    )
    return int(connection.execute(query).scalar_one())
