"""People: customers (someone with an order), subscribers (someone on the list), suppressions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from kpay.domain.enums import SubscriberStatus
from kpay.models.base import STRICT, flag, one_of
from kpay.models.types import Flag, Instant, Json


class Customer(SQLModel, table=True):
    """One person: found by provider id first, else by normalised email; guests too."""

    __tablename__ = "customer"
    __table_args__ = (UniqueConstraint("email"), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    email: str | None = None
    name: str = ""
    country: str | None = None
    tags: list[str] = Field(default_factory=list, sa_type=Json)
    created_at: datetime = Field(sa_type=Instant)


class CustomerIdentity(SQLModel, table=True):
    """A provider's customer id and the person it means."""

    __tablename__ = "customer_identity"
    __table_args__ = (
        UniqueConstraint("account", "livemode", "external_id"),
        *flag("livemode", "is_deleted"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    livemode: bool = Field(sa_type=Flag)
    external_id: str
    customer_id: int = Field(foreign_key="customer.id", index=True)
    is_deleted: bool = Field(default=False, sa_type=Flag)


class Subscriber(SQLModel, table=True):
    """Someone on the mailing list, with the proof of consent.

    `consent_wording` is what they agreed to; with a double opt-in `confirm_sent_at` is when they were
    asked by mail and `confirmed_at` when they said yes.
    """

    __tablename__ = "subscriber"
    __table_args__ = (UniqueConstraint("email"), one_of("status", SubscriberStatus), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    email: str
    name: str = ""
    status: str = SubscriberStatus.SUBSCRIBED.value
    consent_source: str = ""
    consented_at: datetime | None = Field(default=None, sa_type=Instant)
    consent_wording: str | None = None
    confirm_sent_at: datetime | None = Field(default=None, sa_type=Instant)
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)
    unsubscribed_at: datetime | None = Field(default=None, sa_type=Instant)
    timezone: str | None = None
    tags: list[str] = Field(default_factory=list, sa_type=Json)
    created_at: datetime = Field(sa_type=Instant)


class Suppression(SQLModel, table=True):
    """An address that must not be mailed, by hash; outlives the subscriber."""

    __tablename__ = "suppression"
    __table_args__ = (STRICT,)

    email_hash: str = Field(primary_key=True)
    reason: str
    since_at: datetime = Field(sa_type=Instant)
