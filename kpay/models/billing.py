"""Recurring billing and cash: subscriptions, invoices, balance transactions, payouts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from kpay.domain.enums import Interval
from kpay.models.base import KEYED, STRICT, currency, flag, one_of
from kpay.models.types import Flag, Instant


class Subscription(SQLModel, table=True):
    """A recurring purchase; `status` is the provider's word (trialing, active, past_due...)."""

    __tablename__ = "subscription"
    __table_args__ = (
        UniqueConstraint("account", "livemode", "external_id"),
        *flag("livemode", "is_ending"),
        one_of("interval", Interval),
        currency(),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    livemode: bool = Field(sa_type=Flag)
    external_id: str
    customer_id: int | None = Field(default=None, foreign_key="customer.id", index=True)
    content_id: int | None = Field(default=None, foreign_key="content.id", index=True)
    price_external_id: str | None = None
    status: str
    amount_minor: int
    currency: str
    interval: str
    interval_count: int = 1
    quantity: int = 1
    started_at: datetime = Field(sa_type=Instant)
    trial_end_at: datetime | None = Field(default=None, sa_type=Instant)
    current_period_end_at: datetime | None = Field(default=None, sa_type=Instant)
    is_ending: bool = Field(default=False, sa_type=Flag)
    canceled_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    cancel_reason: str | None = None
    pause_behavior: str | None = None
    resumes_at: datetime | None = Field(default=None, sa_type=Instant)


class SubscriptionItem(SQLModel, table=True):
    """One price of a subscription; `amount_minor` is what an interval of it costs, times its quantity."""

    __tablename__ = "subscription_item"
    __table_args__ = (*flag("livemode"), currency(), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    external_id: str = Field(primary_key=True)
    subscription_external_id: str = Field(index=True)
    price_external_id: str | None = None
    quantity: int = 1
    amount_minor: int
    currency: str


class SubscriptionPhase(SQLModel, table=True):
    """From when a subscription paid which price; read from its invoices, for MRR movements.

    `amount_minor` is what one interval costs without tax, after discounts; `ending_discount_minor` is
    the part of the discounts that ends by itself.
    """

    __tablename__ = "subscription_phase"
    __table_args__ = (
        UniqueConstraint("account", "livemode", "subscription_external_id", "starts_at"),
        *flag("livemode"),
        one_of("interval", Interval),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    livemode: bool = Field(sa_type=Flag)
    subscription_external_id: str = Field(index=True)
    invoice_external_id: str
    starts_at: datetime = Field(sa_type=Instant)
    amount_minor: int
    interval: str
    interval_count: int = 1
    ending_discount_minor: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class Invoice(SQLModel, table=True):
    """A bill of a subscription."""

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("account", "livemode", "external_id"),
        *flag("livemode"),
        currency(),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    livemode: bool = Field(sa_type=Flag)
    external_id: str
    customer_id: int | None = Field(default=None, foreign_key="customer.id", index=True)
    subscription_external_id: str | None = Field(default=None, index=True)
    status: str
    billing_reason: str | None = None
    currency: str
    subtotal_minor: int
    total_minor: int
    discount_minor: int = 0
    tax_minor: int = 0
    paid_minor: int = 0
    attempts: int = 0
    created_at: datetime = Field(sa_type=Instant)
    paid_at: datetime | None = Field(default=None, sa_type=Instant)
    period_start_at: datetime | None = Field(default=None, sa_type=Instant)
    period_end_at: datetime | None = Field(default=None, sa_type=Instant)


class BalanceTransaction(SQLModel, table=True):
    """A movement of the account's balance: what the bank sees. net = amount - fee."""

    __tablename__ = "balance_transaction"
    __table_args__ = (
        UniqueConstraint("account", "livemode", "external_id"),
        *flag("livemode"),
        currency(),
        Index(
            "ix_balance_transaction_converted",
            "currency",
            "created_at",
            sqlite_where=text("exchange_rate IS NOT NULL"),
        ),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    livemode: bool = Field(sa_type=Flag)
    external_id: str
    kind: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    source_external_id: str | None = Field(default=None, index=True)
    payout_external_id: str | None = Field(default=None, index=True)
    status: str
    exchange_rate: str | None = None
    created_at: datetime = Field(sa_type=Instant, index=True)
    available_at: datetime | None = Field(default=None, sa_type=Instant)


class Payout(SQLModel, table=True):
    """A transfer to the creator's bank."""

    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("account", "livemode", "external_id"),
        *flag("livemode", "is_automatic"),
        currency(),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    account: str
    livemode: bool = Field(sa_type=Flag)
    external_id: str
    amount_minor: int
    currency: str
    status: str
    created_at: datetime = Field(sa_type=Instant)
    arrives_at: datetime | None = Field(default=None, sa_type=Instant)
    is_automatic: bool = Field(default=True, sa_type=Flag)
