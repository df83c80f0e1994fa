"""What was done to other people's money, who asked for it and when, so that nobody can unsay it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from kpay.models.base import STRICT, currency, not_negative
from kpay.models.types import Instant, Json


class AuditEntry(SQLModel, table=True):
    """One deed; `chain` is an HMAC over the entry and the chain before it. Never changed or removed."""

    __tablename__ = "audit_entry"
    __table_args__ = (STRICT,)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant)
    action: str
    subject: str
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    chain: str


class RefundRequest(SQLModel, table=True):
    """A refund that was asked for; `answered_at` is empty until the provider's answer is known.

    The row is kept before the provider is asked, so that a request that was cut off can be asked
    again with the same key and gives the money back once.
    """

    __tablename__ = "refund_request"
    __table_args__ = (
        UniqueConstraint("idempotency_key"),
        currency(),
        *not_negative("amount_minor"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    order_id: int = Field(foreign_key="orders.id", index=True)
    charge_id: str
    amount_minor: int
    currency: str
    idempotency_key: str
    reason: str | None = None
    asked_at: datetime = Field(sa_type=Instant)
    answered_at: datetime | None = Field(default=None, sa_type=Instant)
    refund_external_id: str | None = None
    refusal: str | None = None
