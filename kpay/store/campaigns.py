"""Campaigns and their frozen plans, and the orders that their people placed afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, literal, select, update

from kpay.domain.enums import CampaignState, ContentStatus, OrderStatus
from kpay.models import (
    Campaign,
    CampaignPlan,
    Content,
    Customer,
    Delivery,
    Order,
    PaymentLink,
    PlanRecipient,
    PromotionCode,
)
from kpay.models.types import Instant
from kpay.store.dialect import ROWS_A_STATEMENT, insert_missing, table_of

CAMPAIGN, PLAN, DELIVERY = table_of(Campaign), table_of(CampaignPlan), table_of(Delivery)
CONTENT, LINK = table_of(Content), table_of(PaymentLink)
CUSTOMER, ORDER = table_of(Customer), table_of(Order)
RECIPIENT, CODE = table_of(PlanRecipient), table_of(PromotionCode)


def find(connection: Connection, name: str) -> RowMapping | None:
    """Return a campaign that was planned at least once."""
    query = select(CAMPAIGN).where(CAMPAIGN.c.name == name)
    return connection.execute(query).mappings().one_or_none()


def listed(connection: Connection) -> Sequence[RowMapping]:
    """Return every planned campaign, by name."""
    return connection.execute(select(CAMPAIGN).order_by(CAMPAIGN.c.name)).mappings().all()


def state_counts(connection: Connection) -> dict[int, dict[str, int]]:
    """Return, for each campaign, how many deliveries stand in each state."""
    query = (
        select(DELIVERY.c.campaign_id, DELIVERY.c.state, func.count())
        .where(DELIVERY.c.campaign_id.is_not(None))
        .group_by(DELIVERY.c.campaign_id, DELIVERY.c.state)
    )
    counts: dict[int, dict[str, int]] = {}
    for campaign_id, state, count in connection.execute(query):
        counts.setdefault(campaign_id, {})[state] = count
    return counts


def ensure(connection: Connection, name: str, now: datetime) -> RowMapping:
    """Return the campaign, begun now if it is new."""
    row = {"name": name, "state": CampaignState.DRAFT.value, "created_at": now}
    insert_missing(connection, Campaign, [row], key=["name"])
    found = find(connection, name)
    if found is None:
        raise RuntimeError(f"campaign {name} was just written and is not there")
    return found


def plan_of(connection: Connection, campaign_id: int, plan_hash: str) -> RowMapping | None:
    """Return a campaign's plan by its hash."""
    query = select(PLAN).where(PLAN.c.campaign_id == campaign_id, PLAN.c.hash == plan_hash)
    return connection.execute(query).mappings().one_or_none()


def keep_plan(
    connection: Connection, row: dict[str, Any], people: Iterable[Mapping[str, Any]]
) -> None:
    """Keep a plan with its people and make it the campaign's own; earlier plans lose theirs."""
    earlier = select(PLAN.c.id).where(PLAN.c.campaign_id == row["campaign_id"])
    connection.execute(delete(RECIPIENT).where(RECIPIENT.c.plan_id.in_(earlier)))
    insert_missing(connection, CampaignPlan, [row], key=["campaign_id", "hash"])
    kept = plan_of(connection, row["campaign_id"], row["hash"])
    if kept is None:
        raise RuntimeError(f"plan {row['hash']} was just written and is not there")
    named = ({**person, "plan_id": kept["id"]} for person in people)
    while some := list(islice(named, ROWS_A_STATEMENT)):
        insert_missing(connection, PlanRecipient, some, key=["plan_id", "email"])
    connection.execute(
        update(CAMPAIGN)
        .where(CAMPAIGN.c.id == row["campaign_id"])
        .values(plan_hash=row["hash"], state=CampaignState.PLANNED.value, state_reason=None)
    )


def recipients(
    connection: Connection, plan_id: int, after: str = "", limit: int = 1000
) -> Sequence[RowMapping]:
    """Return the next people of a plan behind an address, in the order of their addresses."""
    query = (
        select(RECIPIENT)
        .where(RECIPIENT.c.plan_id == plan_id, RECIPIENT.c.email > after)
        .order_by(RECIPIENT.c.email)
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def recipient(connection: Connection, plan_id: int, email: str) -> RowMapping | None:
    """Return one person of a plan."""
    query = select(RECIPIENT).where(RECIPIENT.c.plan_id == plan_id, RECIPIENT.c.email == email)
    return connection.execute(query).mappings().one_or_none()


def active_codes(connection: Connection) -> set[str]:
    """Return the promotion codes that buyers can use, in capitals."""
    query = select(CODE.c.code).where(CODE.c.is_active)
    return {code.upper() for code in connection.execute(query).scalars() if code}


def stand(
    connection: Connection, campaign_id: int, state: CampaignState, reason: str | None
) -> None:
    """Note where a campaign stands, and why."""
    connection.execute(
        update(CAMPAIGN)
        .where(CAMPAIGN.c.id == campaign_id)
        .values(state=state.value, state_reason=reason)
    )


def start_sending(connection: Connection, campaign_id: int, now: datetime) -> None:
    """Note that a campaign has begun to go out."""
    connection.execute(
        update(CAMPAIGN)
        .where(CAMPAIGN.c.id == campaign_id)
        .values(
            state=CampaignState.SENDING.value,
            first_sent_at=func.coalesce(CAMPAIGN.c.first_sent_at, literal(now, Instant)),
        )
    )


def finish_sending(connection: Connection, campaign_id: int) -> None:
    """Note that nothing of a campaign waits any more; one that was cancelled stays so."""
    settled = (CampaignState.SENT.value, CampaignState.CANCELLED.value)
    connection.execute(
        update(CAMPAIGN)
        .where(CAMPAIGN.c.id == campaign_id, CAMPAIGN.c.state.not_in(settled))
        .values(state=CampaignState.SENT.value, state_reason=None)
    )


def published(connection: Connection) -> Sequence[RowMapping]:
    """Return the content that readers can see, by slug."""
    query = (
        select(CONTENT)
        .where(CONTENT.c.status == ContentStatus.PUBLISHED.value)
        .order_by(CONTENT.c.slug)
    )
    return connection.execute(query).mappings().all()


def payment_urls(connection: Connection) -> dict[int, str]:
    """Return where each piece of content can be bought."""
    query = (
        select(LINK.c.content_id, LINK.c.url)
        .where(LINK.c.is_active, LINK.c.content_id.is_not(None))
        .order_by(LINK.c.id)
    )
    return {row.content_id: row.url for row in connection.execute(query)}


def orders_between(connection: Connection, start: datetime, end: datetime) -> Sequence[RowMapping]:
    """Return paid orders of [start, end): the buyer's address, when, currency and total."""
    query = (
        select(
            func.coalesce(CUSTOMER.c.email, ORDER.c.email).label("email"),
            ORDER.c.ordered_at,
            ORDER.c.currency,
            ORDER.c.total_minor,
        )
        .join(CUSTOMER, CUSTOMER.c.id == ORDER.c.customer_id, isouter=True)
        .where(
            ORDER.c.status == OrderStatus.PAID.value,
            ORDER.c.ordered_at >= start,
            ORDER.c.ordered_at < end,
        )
    )
    return connection.execute(query).mappings().all()
