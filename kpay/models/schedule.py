"""Jobs that run by themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from kpay.models.base import STRICT, flag
from kpay.models.types import Flag, Instant, Json


class Job(SQLModel, table=True):
    """A kpay command line and when it is due: five cron fields in the creator's zone."""

    __tablename__ = "job"
    __table_args__ = (UniqueConstraint("name"), *flag("is_enabled"), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    command: list[str] = Field(sa_type=Json)
    cron: str
    is_enabled: bool = Field(default=True, sa_type=Flag)
    created_at: datetime = Field(sa_type=Instant)
    next_due_at: datetime = Field(sa_type=Instant, index=True)


class JobRun(SQLModel, table=True):
    """One run of a job for one due time; UNIQUE, so that a due time is run once.

    `missed` counts the earlier due times that this run caught up.
    """

    __tablename__ = "job_run"
    __table_args__ = (UniqueConstraint("job_id", "due_at"), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    job_id: int = Field(foreign_key="job.id")
    due_at: datetime = Field(sa_type=Instant)
    started_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    exit_code: int | None = None
    missed: int = 0
