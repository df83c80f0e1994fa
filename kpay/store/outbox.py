"""The queue of messages: which are due, which are on their way, and what became of them.

A run holds the sending lock of its purpose, so nobody else moves its messages from the queue; what may
happen meanwhile is that somebody pauses, cancels or erases, so every move names the state it starts from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    bindparam,
    func,
    literal,
    select,
    text,
    update,
)

from kpay.domain.enums import DeliveryState
from kpay.models.types import Instant
from kpay.store.deliveries import DELIVERY, Purpose
from kpay.store.dialect import among, listed, named, update_many

# SQLite uses a partial index only where its condition stands in the statement word for word.
IS_WAITING: ColumnElement[bool] = text("delivery.state IN ('queued', 'retry')")  # type: ignore[assignment]
IS_ON_ITS_WAY: ColumnElement[bool] = text("delivery.state = 'sending'")  # type: ignore[assignment]
NEEDED = (
    DELIVERY.c.id,
    DELIVERY.c.kind,
    DELIVERY.c.occasion,
    DELIVERY.c.entitlement_id,
    DELIVERY.c.enrolment_id,
    DELIVERY.c.email,
    DELIVERY.c.customer_id,
    DELIVERY.c.variant,
    DELIVERY.c.message_id,
    DELIVERY.c.context,
    DELIVERY.c.attempts,
    DELIVERY.c.due_at,
)
LOST = "the run that was sending this ended before the server answered"


def _of(purpose: Purpose) -> ColumnElement[bool]:
    """Build the condition of a purpose so that the index of what waits is used, and no other."""
    if purpose.campaign_id is not None:
        return DELIVERY.c.campaign_id + 0 == purpose.campaign_id
    return DELIVERY.c.kind == purpose.kind.value


def due(
    connection: Connection, purpose: Purpose, now: datetime, limit: int
) -> Sequence[RowMapping]:
    """Return the messages whose turn it is, in the order in which they were queued."""
    query = (
        select(*NEEDED)
        .where(IS_WAITING, DELIVERY.c.due_at <= now, _of(purpose))
        .order_by(DELIVERY.c.due_at, DELIVERY.c.id)
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def due_again(connection: Connection, ids: Iterable[int], now: datetime) -> Sequence[RowMapping]:
    """Return those of some messages that wait for another attempt whose time has come."""
    query = (
        select(*NEEDED)
        .where(
            among(DELIVERY.c.id, ids),
            DELIVERY.c.state == DeliveryState.RETRY.value,
            DELIVERY.c.due_at <= now,
        )
        .order_by(DELIVERY.c.due_at, DELIVERY.c.id)
    )
    return connection.execute(query).mappings().all()


def retries(
    connection: Connection, purpose: Purpose, until: datetime, limit: int
) -> list[tuple[datetime, int]]:
    """Return when and which messages are tried again soon, the first first."""
    query = (
        select(DELIVERY.c.due_at, DELIVERY.c.id)
        .where(
            IS_WAITING,
            DELIVERY.c.due_at <= until,
            DELIVERY.c.state == DeliveryState.RETRY.value,
            _of(purpose),
        )
        .order_by(DELIVERY.c.due_at, DELIVERY.c.id)
        .limit(limit)
    )
    return [(row.due_at, row.id) for row in connection.execute(query)]


def next_due_at(connection: Connection, purpose: Purpose) -> datetime | None:
    """Return when the next waiting message falls due."""
    query = (
        select(DELIVERY.c.due_at)
        .where(IS_WAITING, _of(purpose))
        .order_by(DELIVERY.c.due_at, DELIVERY.c.id)
        .limit(1)
    )
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found


BEGIN = (
    update(DELIVERY)
    .where(named(DELIVERY.c.id), IS_WAITING)
    .values(
        state=DeliveryState.SENDING.value,
        claimed_by=bindparam("owner"),
        began_at=bindparam("now"),
        attempts=DELIVERY.c.attempts + 1,
    )
    .returning(DELIVERY.c.id)
)


def begin(connection: Connection, ids: Iterable[int], owner: str, now: datetime) -> set[int]:
    """Mark messages as on their way; committed before their last byte can leave.

    Returns those that still waited. `owner` begins with the name of whoever is to take them.
    """
    values = {"values": listed(ids), "owner": owner, "now": now}
    return set(connection.execute(BEGIN, values).scalars())


SETTLE = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("delivery"), IS_ON_ITS_WAY)
    .values(
        state=bindparam("new_state"),
        due_at=bindparam("new_due_at"),
        sent_at=bindparam("new_sent_at"),
        attempts=bindparam("new_attempts"),
        server_reply=bindparam("reply"),
        provider_id=bindparam("name"),
    )
)


def settle(connection: Connection, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Write what became of attempts.

    Rows of delivery, new_state, new_due_at, new_sent_at, new_attempts, reply and name. Who had it stays
    written, for where it is uncertain who has it now.
    """
    update_many(connection, SETTLE, outcomes)


PUT_OFF = (
    update(DELIVERY)
    .where(DELIVERY.c.id == bindparam("delivery"), IS_WAITING)
    .values(due_at=bindparam("turn_at"))
)


def put_off(connection: Connection, turns: Sequence[tuple[int, datetime]]) -> None:
    """Let messages wait until their turn comes."""
    update_many(connection, PUT_OFF, [{"delivery": one, "turn_at": at} for one, at in turns])


def take_back(connection: Connection, ids: Iterable[int], now: datetime) -> None:
    """Put messages that were refused because of us back into the queue, as if never tried."""
    connection.execute(
        update(DELIVERY)
        .where(among(DELIVERY.c.id, ids), DELIVERY.c.state == DeliveryState.FAILED.value)
        .values(state=DeliveryState.QUEUED.value, attempts=DELIVERY.c.attempts - 1, due_at=now)
    )


def skip_waiting(connection: Connection, purpose: Purpose, why: str) -> int:
    """Take everything that waits out of the queue for good; return how many."""
    return connection.execute(
        update(DELIVERY)
        .where(purpose.condition, IS_WAITING)
        .values(state=DeliveryState.SKIPPED.value, server_reply=why)
    ).rowcount


def has_lost(connection: Connection, purpose: Purpose) -> bool:
    """Say whether a dead run left messages on their way."""
    query = select(DELIVERY.c.id).where(IS_ON_ITS_WAY, _of(purpose))
    return connection.execute(query.limit(1)).first() is not None


def give_up_on_lost(connection: Connection, purpose: Purpose) -> int:
    """Mark what a dead run left on its way as uncertain; call only while holding the sending lock."""
    return connection.execute(
        update(DELIVERY)
        .where(IS_ON_ITS_WAY, _of(purpose))
        .values(state=DeliveryState.UNCERTAIN.value, server_reply=LOST)
    ).rowcount


def known_again(purpose: Purpose, owner: str, since: datetime | None) -> ColumnElement[bool]:
    """Build the condition of uncertain messages that whoever was to take them would know again."""
    condition = (
        purpose.condition
        & (DELIVERY.c.state == DeliveryState.UNCERTAIN.value)
        & DELIVERY.c.claimed_by.startswith(f"{owner} ", autoescape=True)
    )
    return condition if since is None else condition & (DELIVERY.c.began_at > since)


def count_known_again(
    connection: Connection, purpose: Purpose, owner: str, since: datetime | None
) -> int:
    """Return how many uncertain messages can be handed over again without harm."""
    query = select(func.count()).where(known_again(purpose, owner, since))
    return int(connection.execute(query).scalar_one())


def queue_known_again(
    connection: Connection, purpose: Purpose, owner: str, since: datetime | None
) -> None:
    """Put back into the queue what whoever takes it would know again."""
    connection.execute(
        update(DELIVERY)
        .where(known_again(purpose, owner, since))
        .values(state=DeliveryState.QUEUED.value)
    )


def uncertain(connection: Connection, purpose: Purpose) -> Sequence[RowMapping]:
    """Return the messages of which nobody knows whether they arrived, by address."""
    query = (
        select(
            DELIVERY.c.id,
            DELIVERY.c.email,
            DELIVERY.c.message_id,
            DELIVERY.c.began_at,
            DELIVERY.c.claimed_by,
            DELIVERY.c.server_reply,
        )
        .where(purpose.condition, DELIVERY.c.state == DeliveryState.UNCERTAIN.value)
        .order_by(DELIVERY.c.email)
    )
    return connection.execute(query).mappings().all()


def acknowledged(connection: Connection, purpose: Purpose) -> Iterator[tuple[str, str]]:
    """Yield address and identity of the messages that a server said it took, in the order of the queue.

    Those that were settled in another way are not among them.
    """
    query = (
        select(DELIVERY.c.email, DELIVERY.c.message_id)
        .where(
            purpose.condition,
            DELIVERY.c.state == DeliveryState.SENT.value,
            DELIVERY.c.claimed_by.is_not(None),
        )
        .order_by(DELIVERY.c.id)
    )
    for row in connection.execute(query):
        yield row.email, row.message_id


def settle_uncertain(
    connection: Connection, ids: Iterable[int], state: DeliveryState, why: str, now: datetime
) -> int:
    """Write what is known by now of uncertain messages; return how many were uncertain still.

    One that arrived was sent when its last attempt began. Settled is not acknowledged: nobody has it.
    """
    sent_at = func.coalesce(DELIVERY.c.began_at, literal(now, Instant))
    values = {"state": state.value, "server_reply": why, "claimed_by": None}
    return connection.execute(
        update(DELIVERY)
        .where(among(DELIVERY.c.id, ids), DELIVERY.c.state == DeliveryState.UNCERTAIN.value)
        .values(
            **values,
            sent_at=sent_at if state is DeliveryState.SENT else None,
            due_at=literal(now, Instant) if state is DeliveryState.QUEUED else DELIVERY.c.due_at,
        )
    ).rowcount
