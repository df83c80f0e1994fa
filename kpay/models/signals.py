"""What people did and what it cost: events, traffic, costs, feedback, as imported or served."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import REAL, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from kpay.models.base import STRICT, currency, not_negative
from kpay.models.types import Day, Instant


class Event(SQLModel, table=True):
    """Something one person did at a moment (visit, click, unsubscribe, complaint, bounce...)."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("email", "happened_at", "kind", "content", "value"), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    email: str
    happened_at: datetime = Field(sa_type=Instant, index=True)
    kind: str = Field(index=True)
    content: str = ""
    value: str = ""


class Traffic(SQLModel, table=True):
    """Anonymous counts of one day, source and content."""

    __tablename__ = "traffic"
    __table_args__ = (
        UniqueConstraint("day", "source", "content"),
        *not_negative("visits", "clicks"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    day: date = Field(sa_type=Day, index=True)
    source: str
    content: str = ""
    visits: int = 0
    clicks: int = 0


class Cost(SQLModel, table=True):
    """Money the creator spent on a day."""

    __tablename__ = "cost"
    __table_args__ = (UniqueConstraint("day", "kind", "campaign", "currency"), currency(), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    day: date = Field(sa_type=Day, index=True)
    kind: str
    campaign: str = ""
    amount_minor: int
    currency: str


class Income(SQLModel, table=True):
    """Money that came in elsewhere: consulting, a grant, a shop that kpay does not read."""

    __tablename__ = "income"
    __table_args__ = (UniqueConstraint("day", "kind", "currency"), currency(), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    day: date = Field(sa_type=Day, index=True)
    kind: str
    amount_minor: int
    currency: str


class Feedback(SQLModel, table=True):
    """A rating or a text that a person left."""

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("email", "at", "kind", "content"),
        CheckConstraint("rating IS NULL OR (rating >= 0 AND rating <= 10)", name="rating_range"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    email: str
    at: datetime = Field(sa_type=Instant, index=True)
    kind: str
    content: str = ""
    rating: float | None = Field(default=None, sa_type=REAL)
    text: str = ""
