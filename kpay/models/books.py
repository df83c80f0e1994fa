"""Books from elsewhere: plans, what happened to subscriptions, and exchange rates, as imported."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import REAL, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from kpay.domain.enums import Interval
from kpay.models.base import STRICT, currency, not_negative, one_of
from kpay.models.types import Day, Instant


class ImportedPlan(SQLModel, table=True):
    """A recurring price from a file: `amount_minor` an interval, without tax."""

    __tablename__ = "imported_plan"
    __table_args__ = (
        UniqueConstraint("plan"),
        one_of("interval", Interval),
        *not_negative("amount_minor"),
        currency(),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    plan: str
    interval: str
    interval_count: int = 1
    amount_minor: int
    currency: str


class SubscriptionEvent(SQLModel, table=True):
    """Something that happened to a subscription, as a file tells it; `discount_pct` is 0 to 100."""

    __tablename__ = "subscription_event"
    __table_args__ = (
        UniqueConstraint("subscription", "happened_at", "event"),
        CheckConstraint("discount_pct >= 0 AND discount_pct <= 100", name="discount_range"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    subscription: str
    customer: str
    happened_at: datetime = Field(sa_type=Instant)
    event: str
    plan: str
    discount_pct: float = Field(default=0.0, sa_type=REAL)
    discount_until: datetime | None = Field(default=None, sa_type=Instant)
    note: str = ""


class ExchangeRate(SQLModel, table=True):
    """What one unit of a currency is worth in the base from a day on, as decimal text."""

    __tablename__ = "exchange_rate"
    __table_args__ = (
        UniqueConstraint("first_day", "currency", "base"),
        currency(),
        currency("base"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    first_day: date = Field(sa_type=Day)
    currency: str
    base: str
    rate: str
