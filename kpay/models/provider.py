"""The provider's side: whole objects as they came, and how far each resource was read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from kpay.models.base import KEYED, STRICT, flag
from kpay.models.types import Flag, Instant


class ProviderObject(SQLModel, table=True):
    """A whole provider object, zlib-compressed canonical JSON, beside the typed rows made from it.

    `digest` is the SHA-256 of the uncompressed JSON: equal digests mean nothing changed.
    `belongs_to` is the id of the object this one hangs on (a refund's charge, a session's payment).
    """

    __tablename__ = "provider_object"
    __table_args__ = (
        Index(
            "ix_provider_object_belongs_to",
            "belongs_to",
            "object",
            "account",
            "livemode",
            sqlite_where=text("belongs_to IS NOT NULL"),
        ),
        *flag("livemode", "is_deleted"),
        STRICT,
    )

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    object: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    created_at: datetime | None = Field(default=None, sa_type=Instant)
    belongs_to: str | None = None
    api_version: str
    digest: bytes
    payload: bytes
    is_deleted: bool = Field(default=False, sa_type=Flag)


class SyncCursor(SQLModel, table=True):
    """How far a resource was read. The watermark moves only after a whole walk.

    `target_at` and `starting_after` are set while a walk is unfinished, so that it can go on.
    """

    __tablename__ = "sync_cursor"
    __table_args__ = (*flag("livemode"), STRICT)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    resource: str = Field(primary_key=True)
    watermark_at: datetime | None = Field(default=None, sa_type=Instant)
    target_at: datetime | None = Field(default=None, sa_type=Instant)
    starting_after: str | None = None


class Underived(SQLModel, table=True):
    """An object that is kept, but from which orders, people and rights have yet to follow.

    Written in the transaction that keeps the object, removed in the one that derives from it.
    """

    __tablename__ = "underived"
    __table_args__ = (*flag("livemode"), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    object: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)


class SeenEvent(SQLModel, table=True):
    """A provider's event that was acted on, remembered as long as a sync looks back."""

    __tablename__ = "seen_event"
    __table_args__ = (*flag("livemode"), KEYED)

    account: str = Field(primary_key=True)
    livemode: bool = Field(primary_key=True, sa_type=Flag)
    external_id: str = Field(primary_key=True)
    happened_at: datetime = Field(sa_type=Instant)


class Fact(SQLModel, table=True):
    """A single fact about this business: the account it belongs to, whether it is parked."""

    __tablename__ = "fact"
    __table_args__ = (STRICT,)

    name: str = Field(primary_key=True)
    value: str
