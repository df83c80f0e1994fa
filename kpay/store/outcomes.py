"""What became of campaigns: how many people stand in each group, who bought, who clicked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    func,
    literal_column,
    select,
    update,
)

from kpay.domain.enums import DeliveryState, OrderStatus
from kpay.models import Campaign, Delivery, Event, Order
from kpay.store.dialect import among, table_of
from kpay.store.origins import AFTER_DASH

DELIVERY, CAMPAIGN = table_of(Delivery), table_of(Campaign)
EVENT, ORDER = table_of(Event), table_of(Order)
WAITS = literal_column("delivery.state IN ('queued', 'retry')", Boolean())
"""Written out, because SQLite takes the partial index of waiting messages only for its own words."""


def begun(connection: Connection) -> Sequence[RowMapping]:
    """Return the campaigns whose sending has begun, in the order in which it did."""
    query = (
        select(CAMPAIGN)
        .where(CAMPAIGN.c.first_sent_at.is_not(None))
        .order_by(CAMPAIGN.c.first_sent_at, CAMPAIGN.c.id)
    )
    return connection.execute(query).mappings().all()


def begun_since(connection: Connection, start: datetime) -> Sequence[datetime]:
    """Return when each campaign began to go out, from a moment on, oldest first."""
    query = select(CAMPAIGN.c.first_sent_at).where(CAMPAIGN.c.first_sent_at >= start)
    return connection.execute(query.order_by(CAMPAIGN.c.first_sent_at)).scalars().all()


def group_sizes(connection: Connection, campaign_id: int) -> tuple[int, int]:
    """Return how many people were drawn to be mailed, and to be held out."""
    is_held_out = DELIVERY.c.state == DeliveryState.HELD_OUT.value
    query = (
        select(is_held_out, func.count())
        .where(DELIVERY.c.campaign_id == campaign_id)
        .group_by(is_held_out)
    )
    sizes = {bool(row[0]): int(row[1]) for row in connection.execute(query)}
    return sizes.get(False, 0), sizes.get(True, 0)


def groups_of(connection: Connection, campaign_id: int, emails: Iterable[str]) -> dict[str, bool]:
    """Return which of these people a campaign drew, and whether each was held out."""
    query = select(DELIVERY.c.email, DELIVERY.c.state).where(
        DELIVERY.c.campaign_id == campaign_id, among(DELIVERY.c.email, emails)
    )
    return {
        row.email: row.state == DeliveryState.HELD_OUT.value for row in connection.execute(query)
    }


def sent_by_variant(connection: Connection, campaign_id: int) -> dict[str, int]:
    """Return to how many people each subject of a campaign went."""
    query = (
        select(DELIVERY.c.variant, func.count())
        .where(DELIVERY.c.campaign_id == campaign_id, DELIVERY.c.sent_at.is_not(None))
        .group_by(DELIVERY.c.variant)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def clicked(connection: Connection, campaign_id: int, end: datetime) -> dict[int, str]:
    """Return the messages whose reader clicked before `end`, with the subject that each had.

    A click counts for the newest campaign's mail that the reader had by then.
    """
    later = DELIVERY.alias("later")
    has_newer = (
        select(later.c.id)
        .where(
            later.c.email == DELIVERY.c.email,
            later.c.campaign_id != campaign_id,
            later.c.sent_at > DELIVERY.c.sent_at,
            later.c.sent_at <= EVENT.c.happened_at,
        )
        .exists()
    )
    query = (
        select(DELIVERY.c.id, DELIVERY.c.variant)
        .join(EVENT, EVENT.c.email == DELIVERY.c.email)
        .where(
            DELIVERY.c.campaign_id == campaign_id,
            DELIVERY.c.sent_at.is_not(None),
            EVENT.c.kind == "click",
            EVENT.c.happened_at >= DELIVERY.c.sent_at,
            EVENT.c.happened_at < end,
            ~has_newer,
        )
        .distinct()
    )
    return {row.id: row.variant for row in connection.execute(query)}


def references(connection: Connection, token: str, start: datetime, end: datetime) -> Sequence[str]:
    """Return the references of paid orders of [start, end) that name a message with this token."""
    query = select(ORDER.c.reference).where(
        ORDER.c.reference > f"{token}-",
        ORDER.c.reference < f"{token}{AFTER_DASH}",
        ORDER.c.status == OrderStatus.PAID.value,
        ORDER.c.ordered_at >= start,
        ORDER.c.ordered_at < end,
    )
    return connection.execute(query).scalars().all()


def variants_of(
    connection: Connection, campaign_id: int, messages: Iterable[int]
) -> dict[int, str]:
    """Return which subject each of these messages of a campaign had."""
    query = select(DELIVERY.c.id, DELIVERY.c.variant).where(
        DELIVERY.c.campaign_id == campaign_id, among(DELIVERY.c.id, messages)
    )
    return {row.id: row.variant for row in connection.execute(query)}


def is_without_subject(connection: Connection, campaign_id: int, now: datetime) -> bool:
    """Say whether the turn of any waiting message without a subject has come.

    Asked again and again while mail flows, so it must look at what is due and not at the whole
    campaign: a column with a plus before it offers SQLite no index.
    """
    query = select(DELIVERY.c.id).where(
        WAITS,
        DELIVERY.c.due_at <= now,
        literal_column("+delivery.campaign_id", Integer()) == campaign_id,
        DELIVERY.c.variant == "",
    )
    return connection.execute(query.limit(1)).first() is not None


def without_subject(
    connection: Connection, campaign_id: int, now: datetime
) -> Sequence[RowMapping]:
    """Return the waiting messages without a subject whose turn it is: id, address and batch.

    The first batch comes whole, so that it can be split evenly.
    """
    has_come = (DELIVERY.c.due_at <= now) | (DELIVERY.c.batch == 0)
    query = (
        select(DELIVERY.c.id, DELIVERY.c.email, DELIVERY.c.batch)
        .where(*_lacks_subject(campaign_id), has_come)
        .order_by(DELIVERY.c.batch, DELIVERY.c.email)
    )
    return connection.execute(query).mappings().all()


def _lacks_subject(campaign_id: int) -> tuple[ColumnElement[bool], ...]:
    return DELIVERY.c.campaign_id == campaign_id, WAITS, DELIVERY.c.variant == ""


def give_subject(connection: Connection, variant: str, messages: Iterable[int]) -> int:
    """Give messages that have none a subject; return how many."""
    return connection.execute(
        update(DELIVERY)
        .where(among(DELIVERY.c.id, messages), DELIVERY.c.variant == "", WAITS)
        .values(variant=variant)
    ).rowcount
