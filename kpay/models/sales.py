"""Sales: orders and their lines, refunds, disputes, and the right to read that they grant."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from kpay.domain.enums import OrderKind, OrderStatus
from kpay.models.base import STRICT, currency, flag, not_negative, one_of
from kpay.models.types import Flag, Instant, Json


class Order(SQLModel, table=True):
    """One completed purchase. paid = total; total = gross - discount, tax is inside the total.

    `source` is stripe or import; an import has account "" and livemode 0. `external_id` is the
    charge (stripe) or the order_id (import). `tax_minor` is the part of the total that is tax.
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("source", "account", "livemode", "external_id"),
        *flag("livemode"),
        one_of("status", OrderStatus),
        one_of("kind", OrderKind),
        currency(),
        *not_negative("gross_minor", "discount_minor", "tax_minor", "total_minor"),
        CheckConstraint("total_minor = gross_minor - discount_minor", name="total_adds_up"),
        Index("ix_orders_customer_id_ordered_at_status", "customer_id", "ordered_at", "status"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    source: str
    account: str = ""
    livemode: bool = Field(default=False, sa_type=Flag)
    external_id: str
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    email: str | None = None
    ordered_at: datetime = Field(sa_type=Instant, index=True)
    currency: str
    gross_minor: int
    discount_minor: int = 0
    tax_minor: int = 0
    total_minor: int
    status: str = OrderStatus.PAID.value
    kind: str = OrderKind.ONE_TIME.value
    country: str | None = None
    charge_id: str | None = Field(default=None, index=True)
    payment_intent_id: str | None = Field(default=None, index=True)
    session_id: str | None = Field(default=None, index=True)
    invoice_id: str | None = Field(default=None, index=True)
    subscription_id: str | None = Field(default=None, index=True)
    reference: str | None = Field(default=None, index=True)
    tracking: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class LineItem(SQLModel, table=True):
    """One priced position of an order; the content is frozen at the sale."""

    __tablename__ = "line_item"
    __table_args__ = (UniqueConstraint("order_id", "position"), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="orders.id")
    position: int
    content_id: int | None = Field(default=None, foreign_key="content.id", index=True)
    product: str = ""
    price_external_id: str | None = None
    name: str = ""
    quantity: int = 1
    amount_minor: int


class Refund(SQLModel, table=True):
    """Money given back by the creator; counted while succeeded or pending.

    `tax_minor` is the tax inside it where a file told; else the order's share counts.
    """

    __tablename__ = "refund"
    __table_args__ = (
        UniqueConstraint("source", "account", "livemode", "external_id"),
        *flag("livemode"),
        currency(),
        *not_negative("amount_minor"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    source: str
    account: str = ""
    livemode: bool = Field(default=False, sa_type=Flag)
    external_id: str
    order_id: int | None = Field(default=None, foreign_key="orders.id", index=True)
    charge_id: str | None = Field(default=None, index=True)
    amount_minor: int
    currency: str
    status: str
    reason: str | None = None
    failure_reason: str | None = None
    balance_transaction_external_id: str | None = None
    tax_minor: int | None = None
    refunded_at: datetime = Field(sa_type=Instant, index=True)


class Dispute(SQLModel, table=True):
    """Money pulled back by the bank; `status` is the provider's word (won, lost, needs_response...)."""

    __tablename__ = "dispute"
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
    order_id: int | None = Field(default=None, foreign_key="orders.id", index=True)
    charge_id: str | None = Field(default=None, index=True)
    amount_minor: int
    currency: str
    status: str
    reason: str | None = None
    opened_at: datetime = Field(sa_type=Instant, index=True)


class Entitlement(SQLModel, table=True):
    """The right of a customer to a piece of content, and when it ended."""

    __tablename__ = "entitlement"
    __table_args__ = (
        UniqueConstraint("customer_id", "content_id", "source", "source_id"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    content_id: int = Field(foreign_key="content.id", index=True)
    source: str
    source_id: str
    granted_at: datetime = Field(sa_type=Instant, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    end_reason: str | None = None
