"""What is published and what is sold: content, its versions, products, prices, links, coupons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from kpay.domain.enums import ContentKind, ContentStatus, Interval
from kpay.models.base import KEYED, STRICT, currency, flag, not_negative, one_of
from kpay.models.types import Flag, Instant, Json


class Content(SQLModel, table=True):
    """A piece of content; `pricing` is fixed, free or from (pay what you want, at least).

    `archived_at` is empty where a piece was archived before that was written down.
    """

    __tablename__ = "content"
    __table_args__ = (
        UniqueConstraint("slug"),
        one_of("kind", ContentKind),
        one_of("status", ContentStatus),
        one_of("interval", Interval),
        *not_negative("amount_minor", "version"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    slug: str
    kind: str
    title: str
    summary: str = ""
    language: str = "en"
    tags: list[str] = Field(default_factory=list, sa_type=Json)
    includes: list[str] = Field(default_factory=list, sa_type=Json)
    pricing: str = "fixed"
    amount_minor: int = 0
    currency: str | None = None
    interval: str | None = None
    trial_days: int = 0
    status: str = ContentStatus.DRAFT.value
    version: int = 1
    digest: str
    file: str
    attachments: list[str] = Field(default_factory=list, sa_type=Json)
    published_at: datetime | None = Field(default=None, sa_type=Instant)
    archived_at: datetime | None = Field(default=None, sa_type=Instant)
    created_at: datetime = Field(sa_type=Instant)


class ContentVersion(SQLModel, table=True):
    """The text of a piece of content as it was published once; never changed."""

    __tablename__ = "content_version"
    __table_args__ = (UniqueConstraint("content_id", "version"), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    content_id: int = Field(foreign_key="content.id")
    version: int
    digest: str
    front_matter: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    preview: str = ""
    body: str
    created_at: datetime = Field(sa_type=Instant)


class Product(SQLModel, table=True):
    """What the provider sells; `content_id` says which content it stands for, if known."""

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("account", "livemode", "external_id"),
        *flag("livemode", "is_active"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    livemode: bool = Field(sa_type=Flag)
    external_id: str
    content_id: int | None = Field(default=None, foreign_key="content.id", index=True)
    name: str
    is_active: bool = Field(default=True, sa_type=Flag)
    created_at: datetime = Field(sa_type=Instant)


class Price(SQLModel, table=True):
    """An immutable amount, currency and interval of a product; `content` is the slug it names itself."""

    __tablename__ = "price"
    __table_args__ = (
        UniqueConstraint("account", "livemode", "external_id"),
        *flag("livemode", "is_active"),
        one_of("interval", Interval),
        currency(),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    livemode: bool = Field(sa_type=Flag)
    external_id: str
    product_external_id: str = Field(index=True)
    amount_minor: int | None = None
    currency: str
    interval: str | None = None
    interval_count: int = 1
    is_active: bool = Field(default=True, sa_type=Flag)
    content: str | None = None
    created_at: datetime = Field(sa_type=Instant)


class PaymentLink(SQLModel, table=True):
    """The address where a price can be paid."""

    __tablename__ = "payment_link"
    __table_args__ = (
        UniqueConstraint("account", "livemode", "external_id"),
        *flag("livemode", "is_active"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    livemode: bool = Field(sa_type=Flag)
    external_id: str
    price_external_id: str | None = Field(default=None, index=True)
    content_id: int | None = Field(default=None, foreign_key="content.id", index=True)
    url: str
    is_active: bool = Field(default=True, sa_type=Flag)


class Coupon(SQLModel, table=True):
    """What takes a share or an amount off; `percent_off` is the provider's number as text."""

    __tablename__ = "coupon"
    __table_args__ = (*flag("livemode", "is_valid", "is_deleted"), currency(), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    external_id: str = Field(primary_key=True)
    name: str = ""
    percent_off: str | None = None
    amount_off_minor: int | None = None
    currency: str | None = None
    duration: str | None = None
    duration_months: int | None = None
    times_redeemed: int = 0
    is_valid: bool = Field(default=True, sa_type=Flag)
    is_deleted: bool = Field(default=False, sa_type=Flag)
    created_at: datetime = Field(sa_type=Instant)


class PromotionCode(SQLModel, table=True):
    """The word that a buyer types to get a coupon."""

    __tablename__ = "promotion_code"
    __table_args__ = (*flag("livemode", "is_active"), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    external_id: str = Field(primary_key=True)
    code: str
    coupon_external_id: str | None = None
    times_redeemed: int = 0
    is_active: bool = Field(default=True, sa_type=Flag)
    created_at: datetime = Field(sa_type=Instant)
