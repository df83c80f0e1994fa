"""Mail: campaigns, their frozen plans, one delivery a person, segments, sequences, what came back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import REAL, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from kpay.domain.enums import CampaignState, DeliveryState, MailKind, NoticeKind
from kpay.models.base import KEYED, STRICT, flag, one_of
from kpay.models.types import Flag, Instant, Json


class Campaign(SQLModel, table=True):
    """One message to one audience; the text lives in campaigns/<name>.md.

    `state_reason` says why it was paused or cancelled, where kpay did it by itself.
    """

    __tablename__ = "campaign"
    __table_args__ = (UniqueConstraint("name"), one_of("state", CampaignState), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    state: str = CampaignState.DRAFT.value
    state_reason: str | None = None
    plan_hash: str | None = None
    created_at: datetime = Field(sa_type=Instant)
    first_sent_at: datetime | None = Field(default=None, sa_type=Instant)


class CampaignPlan(SQLModel, table=True):
    """A frozen audience and text, named by its hash; the hash covers everything that would be sent.

    `source` is the campaign file as it was, `wording` what the letter is made of (canonical JSON),
    `letter_digest` the letter with its layout before anyone's values, `figures` what the plan showed.
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
    wording: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    letter_digest: str
    holdout_share: float = Field(sa_type=REAL)
    figures: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    planned_at: datetime = Field(sa_type=Instant)


class PlanRecipient(SQLModel, table=True):
    """One person of a frozen plan: in which arm, and with which values of the template.

    `timezone` is the person's own, for quiet hours.
    """

    __tablename__ = "plan_recipient"
    __table_args__ = (*flag("is_held_out"), KEYED)

    plan_id: int = Field(primary_key=True, foreign_key="campaign_plan.id")
    email: str = Field(primary_key=True)
    customer_id: int | None = None
    is_held_out: bool = Field(default=False, sa_type=Flag)
    timezone: str | None = None
    context: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class Delivery(SQLModel, table=True):
    """One message to one person: of a campaign, of a purchase (`entitlement_id`), or of an `occasion`.

    An occasion names what a message of another kind is for ("sequence welcome 2 17", "confirm 4"), so
    that the same occasion never makes two. `context` holds the plain values the template was given,
    so that what is sent later is what was planned. `batch` and `variant` belong to campaigns that try
    several subjects. `began_at` is when the last attempt began, `provider_id` the name that the
    server gave to what it took. UNIQUE on each purpose: nobody is mailed twice.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("campaign_id", "email"),
        UniqueConstraint("entitlement_id"),
        UniqueConstraint("occasion"),
        UniqueConstraint("message_id"),
        CheckConstraint(
            "(campaign_id IS NOT NULL) + (entitlement_id IS NOT NULL) + (occasion IS NOT NULL) = 1",
            name="one_purpose",
        ),
        one_of("state", DeliveryState),
        one_of("kind", MailKind),
        *flag("is_test"),
        Index(
            "ix_delivery_waiting", "due_at", "id", sqlite_where=text("state IN ('queued', 'retry')")
        ),
        Index("ix_delivery_on_its_way", "id", sqlite_where=text("state = 'sending'")),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    campaign_id: int | None = Field(default=None, foreign_key="campaign.id")
    entitlement_id: int | None = Field(default=None, foreign_key="entitlement.id")
    occasion: str | None = None
    enrolment_id: int | None = Field(default=None, foreign_key="enrolment.id", index=True)
    email: str = Field(index=True)
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    state: str
    batch: int = 0
    variant: str = ""
    message_id: str
    context: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    attempts: int = 0
    due_at: datetime = Field(sa_type=Instant)
    claimed_by: str | None = None
    began_at: datetime | None = Field(default=None, sa_type=Instant)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    is_test: bool = Field(default=True, sa_type=Flag)
    server_reply: str | None = None
    provider_id: str | None = None


class MailPace(SQLModel, table=True):
    """How fast a server or a domain may be written to, kept from run to run.

    A `scope` is like "server mail.example.com:587 second" or "domain example.com": a token bucket
    that held `tokens` at `counted_at` and refills by `rate_per_s`; `used` counts since `since_at`.
    """

    __tablename__ = "mail_pace"
    __table_args__ = (KEYED,)

    scope: str = Field(primary_key=True)
    tokens: float = Field(sa_type=REAL)
    rate_per_s: float = Field(sa_type=REAL)
    counted_at: datetime = Field(sa_type=Instant)
    used: int = 0
    since_at: datetime = Field(sa_type=Instant)


class Segment(SQLModel, table=True):
    """A named predicate over people, as it was written; read anew each time it is asked."""

    __tablename__ = "segment"
    __table_args__ = (STRICT,)

    name: str = Field(primary_key=True)
    predicate: str
    created_at: datetime = Field(sa_type=Instant)


class Enrolment(SQLModel, table=True):
    """Someone who goes through a sequence, once for each thing that triggers it.

    `trigger_key` is that thing (an order, a subscription's end); `next_step` counts from 0 and is
    due at `next_due_at`; both are past the end when `ended_at` is set, and `end_reason` says why.
    """

    __tablename__ = "enrolment"
    __table_args__ = (UniqueConstraint("sequence", "email", "trigger_key"), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    sequence: str
    email: str = Field(index=True)
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    trigger_key: str
    context: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    began_at: datetime = Field(sa_type=Instant)
    next_step: int = 0
    next_due_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    end_reason: str | None = None


class MailNotice(SQLModel, table=True):
    """What came back about an address: a bounce, a complaint, a wish to leave or to join.

    `fingerprint` is of the notice itself, so that reading a mailbox twice counts nothing twice;
    `status` is the enhanced status code (RFC 3463) where there is one.
    """

    __tablename__ = "mail_notice"
    __table_args__ = (UniqueConstraint("fingerprint"), one_of("kind", NoticeKind), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    fingerprint: str
    kind: str
    email: str = Field(index=True)
    delivery_id: int | None = Field(default=None, foreign_key="delivery.id", index=True)
    noticed_at: datetime = Field(sa_type=Instant)
    status: str | None = None
    words: str = ""
