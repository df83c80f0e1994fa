"""Deliveries: one message to one person, and where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    func,
    select,
    tuple_,
    update,
)

from kpay.domain.delivery import WAITING
from kpay.domain.enums import DeliveryState, MailKind
from kpay.models import Content, ContentVersion, Customer, Delivery, Entitlement
from kpay.store.dialect import among, insert_missing, table_of

DELIVERY, ENTITLEMENT = table_of(Delivery), table_of(Entitlement)
CUSTOMER, CONTENT, VERSION = table_of(Customer), table_of(Content), table_of(ContentVersion)
WAITING_VALUES = [state.value for state in WAITING]


@dataclass(frozen=True, slots=True)
class Purpose:
    """Which deliveries are meant: those of one campaign, or all of another kind."""

    campaign_id: int | None = None
    kind: MailKind = MailKind.CAMPAIGN

    @property
    def condition(self) -> ColumnElement[bool]:
        """The rows of this purpose."""
        if self.campaign_id is not None:
            return DELIVERY.c.campaign_id == self.campaign_id
        if self.kind is MailKind.PURCHASE:
            return DELIVERY.c.entitlement_id.is_not(None)
        if self.kind is MailKind.CAMPAIGN:
            return DELIVERY.c.campaign_id.is_not(None)
        return and_(DELIVERY.c.occasion.is_not(None), DELIVERY.c.kind == self.kind.value)


def queue_campaign(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add the deliveries of a campaign that are not there yet; return how many."""
    return _queue(connection, rows, MailKind.CAMPAIGN, key=["campaign_id", "email"])


def queue_purchases(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add the deliveries of purchases that are not there yet; return how many."""
    return _queue(connection, rows, MailKind.PURCHASE, key=["entitlement_id"])


def queue_occasions(
    connection: Connection, kind: MailKind, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Add messages of a kind whose `occasion` has none yet; return how many.

    Rows hold occasion, email, customer_id, state, message_id, context, due_at and is_test, and may
    hold enrolment_id.
    """
    return _queue(connection, rows, kind, key=["occasion"])


def of_occasion(connection: Connection, occasion: str) -> RowMapping | None:
    """Return the message of an occasion, if there is one."""
    query = select(DELIVERY).where(DELIVERY.c.occasion == occasion)
    return connection.execute(query).mappings().first()


def _queue(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    kind: MailKind,
    *,
    key: Sequence[str],
) -> int:
    return insert_missing(connection, Delivery, [{**row, "kind": kind} for row in rows], key=key)


def set_aside(connection: Connection, ids: Iterable[int], state: DeliveryState, why: str) -> None:
    """Take deliveries out of the queue for good."""
    connection.execute(
        update(DELIVERY)
        .where(among(DELIVERY.c.id, ids))
        .values(state=state.value, server_reply=why, claimed_by=None)
    )


def tally(connection: Connection, purpose: Purpose) -> dict[str, int]:
    """Return how many deliveries stand in each state."""
    query = (
        select(DELIVERY.c.state, func.count().label("messages"))
        .where(purpose.condition)
        .group_by(DELIVERY.c.state)
    )
    return {row.state: row.messages for row in connection.execute(query)}


def _has_ended(now: datetime) -> ColumnElement[bool]:
    """The rights that are over; one that is known to end later goes on until then."""
    return and_(ENTITLEMENT.c.ended_at.is_not(None), ENTITLEMENT.c.ended_at <= now)


def undelivered(connection: Connection, since: datetime, now: datetime) -> Sequence[RowMapping]:
    """Return the rights granted since a moment, still alive, for which no delivery exists yet."""
    query = (
        select(
            ENTITLEMENT.c.id.label("entitlement_id"),
            ENTITLEMENT.c.content_id,
            ENTITLEMENT.c.customer_id,
            CUSTOMER.c.email,
            CUSTOMER.c.name,
            CONTENT.c.slug,
            CONTENT.c.title,
        )
        .join(CUSTOMER, CUSTOMER.c.id == ENTITLEMENT.c.customer_id)
        .join(CONTENT, CONTENT.c.id == ENTITLEMENT.c.content_id)
        .join(DELIVERY, DELIVERY.c.entitlement_id == ENTITLEMENT.c.id, isouter=True)
        .where(
            ENTITLEMENT.c.granted_at >= since,
            ~_has_ended(now),
            DELIVERY.c.id.is_(None),
            CUSTOMER.c.email.is_not(None),
        )
        .order_by(ENTITLEMENT.c.granted_at, ENTITLEMENT.c.id)
    )
    return connection.execute(query).mappings().all()


def owed(connection: Connection, email: str | None = None) -> Sequence[RowMapping]:
    """Return the deliveries of purchases that are not sent, or all those to one address."""
    query = (
        select(
            DELIVERY.c.id,
            DELIVERY.c.email,
            DELIVERY.c.state,
            DELIVERY.c.due_at,
            DELIVERY.c.server_reply,
            DELIVERY.c.message_id,
            CONTENT.c.slug,
            CONTENT.c.title,
        )
        .join(ENTITLEMENT, ENTITLEMENT.c.id == DELIVERY.c.entitlement_id)
        .join(CONTENT, CONTENT.c.id == ENTITLEMENT.c.content_id)
        .order_by(DELIVERY.c.due_at, DELIVERY.c.id)
    )
    if email is not None:
        return connection.execute(query.where(DELIVERY.c.email == email)).mappings().all()
    open_states = [*WAITING_VALUES, DeliveryState.SENDING.value, DeliveryState.UNCERTAIN.value]
    return connection.execute(query.where(DELIVERY.c.state.in_(open_states))).mappings().all()


def of_rights(connection: Connection, sources: Sequence[tuple[str, str]]) -> Sequence[RowMapping]:
    """Return the rights that some orders or subscriptions granted, with the delivery of each.

    `sources` are like ("order", "ch_1"); a right that was never mailed has no delivery.
    """
    query = (
        select(
            ENTITLEMENT.c.id.label("entitlement_id"),
            ENTITLEMENT.c.content_id,
            ENTITLEMENT.c.customer_id,
            ENTITLEMENT.c.ended_at,
            ENTITLEMENT.c.end_reason,
            CUSTOMER.c.email,
            CUSTOMER.c.name,
            CONTENT.c.slug,
            DELIVERY.c.id,
            DELIVERY.c.state,
            DELIVERY.c.message_id,
        )
        .join(CUSTOMER, CUSTOMER.c.id == ENTITLEMENT.c.customer_id)
        .join(CONTENT, CONTENT.c.id == ENTITLEMENT.c.content_id)
        .join(DELIVERY, DELIVERY.c.entitlement_id == ENTITLEMENT.c.id, isouter=True)
        .where(tuple_(ENTITLEMENT.c.source, ENTITLEMENT.c.source_id).in_(list(sources)))
        .order_by(ENTITLEMENT.c.granted_at, ENTITLEMENT.c.id)
    )
    return connection.execute(query).mappings().all()


def waiting_for_nothing(connection: Connection, now: datetime) -> list[int]:
    """Return the waiting deliveries whose right has ended meanwhile."""
    query = (
        select(DELIVERY.c.id)
        .join(ENTITLEMENT, ENTITLEMENT.c.id == DELIVERY.c.entitlement_id)
        .where(DELIVERY.c.state.in_(WAITING_VALUES), _has_ended(now))
    )
    return list(connection.execute(query).scalars())


def queue_again(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put deliveries back into the queue under a new identity: rows of delivery, again_at, identity."""
    connection.execute(
        update(DELIVERY)
        .where(DELIVERY.c.id == bindparam("delivery"))
        .values(
            state=DeliveryState.QUEUED.value,
            attempts=0,
            due_at=bindparam("again_at"),
            message_id=bindparam("identity"),
            server_reply=None,
        ),
        [dict(row) for row in rows],
    )


def parcel_of(connection: Connection, content_id: int) -> tuple[RowMapping, str, list[str]]:
    """Return a piece of content, its newest text, and the titles of the pieces it includes."""
    content = connection.execute(select(CONTENT).where(CONTENT.c.id == content_id)).mappings().one()
    body = connection.execute(
        select(VERSION.c.body).where(
            VERSION.c.content_id == content_id, VERSION.c.version == content["version"]
        )
    ).scalar_one_or_none()
    titles = {
        row.slug: row.title
        for row in connection.execute(
            select(CONTENT.c.slug, CONTENT.c.title).where(CONTENT.c.slug.in_(content["includes"]))
        )
    }
    return content, body or "", [titles[slug] for slug in content["includes"] if slug in titles]
