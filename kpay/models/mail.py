"""Mail: campaigns, their frozen plans, and one delivery a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import REAL, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from kpay.domain.enums import CampaignState, DeliveryState
from kpay.models.base import STRICT, flag, one_of
from kpay.models.types import Flag, Instant, Json


class Campaign(SQLModel, table=True):
    """One message to one audience; the text lives in campaigns/<name>.md."""

    __tablename__ = "campaign"
    __table_args__ = (UniqueConstraint("name"), one_of("state", CampaignState), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    state: str = CampaignState.DRAFT.value
    plan_hash: str | None = None
    created_at: datetime = Field(sa_type=Instant)
    first_sent_at: datetime | None = Field(default=None, sa_type=Instant)


class CampaignPlan(SQLModel, table=True):
    """A frozen audience and text, named by its hash; the hash covers everything that would be sent.

    `source` is the campaign file as it was, `figures` what the plan showed, and `recipients` the
    people with their arm and their template's values: zlib-compressed canonical JSON.
    """

    __tablename__ = "campaign_plan"
    __table_args__ = (
        UniqueConstraint("campaign_id", "hash"),
        CheckConstraint("holdout_share >= 0 AND holdout_share < 1", name="holdout_share_range"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaign.id")
    hash: str
    source: str
    holdout_share: float = Field(sa_type=REAL)
    figures: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    recipients: bytes
    planned_at: datetime = Field(sa_type=Instant)


class Delivery(SQLModel, table=True):
    """One attempt to one person: of a campaign, or of a purchase (`entitlement_id`).

    `context` holds the plain values the template was given, so that what is sent later is what was
    planned. UNIQUE on (campaign, address) and on the entitlement: nobody is mailed twice.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("campaign_id", "email"),
        UniqueConstraint("entitlement_id"),
        UniqueConstraint("message_id"),
        CheckConstraint("(campaign_id IS NULL) <> (entitlement_id IS NULL)", name="one_purpose"),
        one_of("state", DeliveryState),
        *flag("is_test"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int | None = Field(default=None, foreign_key="campaign.id")
    entitlement_id: int | None = Field(default=None, foreign_key="entitlement.id")
    email: str = Field(index=True)
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    state: str = Field(index=True)
    variant: str = ""
    message_id: str
    context: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    attempts: int = 0
    due_at: datetime = Field(sa_type=Instant)
    claimed_by: str | None = None
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    is_test: bool = Field(default=True, sa_type=Flag)
    server_reply: str | None = None
