"""Who was asked to confirm a place on the list, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select, update

from kpay.domain.double_opt_in import Asked
from kpay.domain.enums import MailKind, SubscriberStatus
from kpay.models import Delivery, Subscriber
from kpay.store.dialect import among, table_of
from kpay.store.outbox import IS_WAITING

DELIVERY, SUBSCRIBER = table_of(Delivery), table_of(Subscriber)
CONFIRMATION = MailKind.CONFIRMATION.value


def asked(connection: Connection, emails: Iterable[str]) -> dict[str, Asked]:
    """Return how often some addresses were asked, for those that were, also before an erasure."""
    query = (
        select(
            DELIVERY.c.email, func.count().label("times"), func.max(DELIVERY.c.due_at).label("at")
        )
        .where(among(DELIVERY.c.email, emails), DELIVERY.c.kind == CONFIRMATION)
        .group_by(DELIVERY.c.email)
    )
    found = connection.execute(query)
    return {row.email: Asked(row.times, row.at) for row in found}


def unconfirmed(
    connection: Connection, emails: Iterable[str] | None = None
) -> Sequence[RowMapping]:
    """Return id, email and name of those who have not confirmed, all of them or some, by address."""
    columns = SUBSCRIBER.c
    query = (
        select(columns.id, columns.email, columns.name)
        .where(columns.status == SubscriberStatus.UNCONFIRMED.value)
        .order_by(columns.email)
    )
    if emails is not None:
        query = query.where(among(columns.email, emails))
    return connection.execute(query).mappings().all()


def note_asked(connection: Connection, ids: Iterable[int], at: datetime) -> None:
    """Remember when people were asked."""
    connection.execute(
        update(SUBSCRIBER).where(among(SUBSCRIBER.c.id, ids)).values(confirm_sent_at=at)
    )


def find(connection: Connection, subscriber_id: int) -> RowMapping | None:
    """Return somebody on the list by their number."""
    query = select(SUBSCRIBER).where(SUBSCRIBER.c.id == subscriber_id)
    return connection.execute(query).mappings().first()


def wording_sent(connection: Connection, email: str) -> str | None:
    """Return the words of the newest question to an address."""
    query = (
        select(DELIVERY.c.context)
        .where(DELIVERY.c.email == email, DELIVERY.c.kind == CONFIRMATION)
        .order_by(DELIVERY.c.id.desc())
        .limit(1)
    )
    context = connection.execute(query).scalar()
    return None if context is None else context.get("wording")


def accept(
    connection: Connection, subscriber_id: int, *, source: str, wording: str, at: datetime
) -> None:
    """Write down a yes: its source, its words and its time."""
    connection.execute(
        update(SUBSCRIBER)
        .where(SUBSCRIBER.c.id == subscriber_id)
        .values(
            status=SubscriberStatus.SUBSCRIBED.value,
            consent_source=source,
            consented_at=at,
            consent_wording=wording,
            confirmed_at=at,
        )
    )


def no_longer_asked(connection: Connection) -> list[int]:
    """Return the waiting questions to people who have confirmed meanwhile, or are off the list."""
    query = (
        select(DELIVERY.c.id)
        .outerjoin(
            SUBSCRIBER,
            (SUBSCRIBER.c.email == DELIVERY.c.email)
            & (SUBSCRIBER.c.status == SubscriberStatus.UNCONFIRMED.value),
        )
        .where(
            IS_WAITING,
            DELIVERY.c.kind == CONFIRMATION,
            SUBSCRIBER.c.id.is_(None),
        )
    )
    return list(connection.execute(query).scalars())


def waiting(connection: Connection) -> Sequence[RowMapping]:
    """Return the questions that have not left yet, by when they are due."""
    columns = DELIVERY.c
    query = (
        select(columns.email, columns.state, columns.due_at, columns.server_reply)
        .where(IS_WAITING, columns.kind == CONFIRMATION)
        .order_by(columns.due_at, columns.id)
    )
    return connection.execute(query).mappings().all()
