"""What campaigns with a holdout tell of whom mail moves: who was drawn, and what went before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from kpay.domain.enums import DeliveryState, MailKind
from kpay.models import Campaign, Customer, Delivery, Event, Subscriber
from kpay.store.dialect import table_of

CAMPAIGN, CUSTOMER, DELIVERY = table_of(Campaign), table_of(Customer), table_of(Delivery)
EVENT, SUBSCRIBER = table_of(Event), table_of(Subscriber)
MARKETING = (MailKind.CAMPAIGN.value, MailKind.SEQUENCE.value)

Rows = Sequence[Any]


def with_holdout(connection: Connection, begun_until: datetime) -> Rows:
    """Return id, name and first message of each campaign that held somebody out, the newest first."""
    query = (
        select(CAMPAIGN.c.id, CAMPAIGN.c.name, CAMPAIGN.c.first_sent_at)
        .where(
            CAMPAIGN.c.first_sent_at <= begun_until,
            select(DELIVERY.c.id)
            .where(
                DELIVERY.c.campaign_id == CAMPAIGN.c.id,
                DELIVERY.c.state == DeliveryState.HELD_OUT.value,
            )
            .exists(),
        )
        .order_by(CAMPAIGN.c.first_sent_at.desc(), CAMPAIGN.c.id.desc())
    )
    return connection.execute(query).all()


def drawn(connection: Connection, campaign_id: int) -> Rows:
    """Return address and whether held out of everybody a campaign drew, by address."""
    is_held_out = DELIVERY.c.state == DeliveryState.HELD_OUT.value
    query = select(DELIVERY.c.email, is_held_out).where(DELIVERY.c.campaign_id == campaign_id)
    return connection.execute(query.order_by(DELIVERY.c.email)).all()


def mails(connection: Connection, until: datetime) -> Rows:
    """Return address and time of each campaign or sequence mail sent before a moment."""
    query = select(DELIVERY.c.email, DELIVERY.c.sent_at).where(
        DELIVERY.c.sent_at < until, DELIVERY.c.kind.in_(MARKETING)
    )
    return connection.execute(query).all()


def clicks(connection: Connection, until: datetime) -> Rows:
    """Return address and time of each click before a moment."""
    query = select(EVENT.c.email, EVENT.c.happened_at).where(
        EVENT.c.kind == "click", EVENT.c.happened_at < until
    )
    return connection.execute(query).all()


def people(connection: Connection) -> Rows:
    """Return address, when they joined the list and the customer of everybody known, by address."""
    joined = func.coalesce(SUBSCRIBER.c.consented_at, SUBSCRIBER.c.created_at)
    listed = select(SUBSCRIBER.c.email, joined.label("joined"), CUSTOMER.c.id).outerjoin(
        CUSTOMER, CUSTOMER.c.email == SUBSCRIBER.c.email
    )
    return connection.execute(listed.order_by(SUBSCRIBER.c.email)).all()
