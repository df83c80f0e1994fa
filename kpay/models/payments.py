"""Payments as the provider keeps them: one row for each object, made from that object alone.

An order is made from several of these. Amounts are minor units of `currency`; ids are the provider's.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from kpay.models.base import KEYED, currency, flag
from kpay.models.types import Flag, Instant


class Charge(SQLModel, table=True):
    """One attempt to take money; `is_sale` when it succeeded and was captured."""

    __tablename__ = "charge"
    __table_args__ = (*flag("livemode", "is_sale"), currency(), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    external_id: str = Field(primary_key=True)
    payment_intent_external_id: str | None = None
    invoice_external_id: str | None = Field(default=None, index=True)
    customer_external_id: str | None = None
    balance_transaction_external_id: str | None = None
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    status: str
    is_sale: bool = Field(sa_type=Flag)
    failure_code: str | None = None
    payment_method: str | None = None
    email: str | None = None
    name: str = ""
    country: str | None = None
    content: str | None = None
    description: str = ""
    created_at: datetime = Field(sa_type=Instant)


class PaymentIntent(SQLModel, table=True):
    """What ties a charge to its checkout; `content` is the slug in its metadata."""

    __tablename__ = "payment_intent"
    __table_args__ = (*flag("livemode"), currency(), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    external_id: str = Field(primary_key=True)
    customer_external_id: str | None = None
    amount_minor: int
    currency: str
    status: str
    content: str | None = None
    created_at: datetime = Field(sa_type=Instant)


class CheckoutSession(SQLModel, table=True):
    """A checkout, paid or not; `reference` is its client_reference_id."""

    __tablename__ = "checkout_session"
    __table_args__ = (*flag("livemode"), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    external_id: str = Field(primary_key=True)
    mode: str
    status: str | None = None
    payment_status: str | None = None
    customer_external_id: str | None = None
    payment_intent_external_id: str | None = None
    invoice_external_id: str | None = None
    subscription_external_id: str | None = None
    payment_link_external_id: str | None = None
    amount_total_minor: int
    currency: str | None = None
    email: str | None = None
    reference: str | None = None
    created_at: datetime = Field(sa_type=Instant)


class InvoicePayment(SQLModel, table=True):
    """What ties an invoice to the payment that settled it, since API 2025-03-31."""

    __tablename__ = "invoice_payment"
    __table_args__ = (*flag("livemode"), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    external_id: str = Field(primary_key=True)
    invoice_external_id: str | None = Field(default=None, index=True)
    payment_intent_external_id: str | None = None
    charge_external_id: str | None = None
    amount_minor: int
    currency: str | None = None
    status: str
    created_at: datetime = Field(sa_type=Instant)


class ProviderCustomer(SQLModel, table=True):
    """A customer object of the provider, whether they ever bought or not."""

    __tablename__ = "provider_customer"
    __table_args__ = (*flag("livemode", "is_deleted"), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    external_id: str = Field(primary_key=True)
    email: str | None = None
    name: str = ""
    country: str | None = None
    is_deleted: bool = Field(default=False, sa_type=Flag)
    created_at: datetime = Field(sa_type=Instant)
