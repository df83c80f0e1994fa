"""What the models learned: runs, scores of people, forecasts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import REAL, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from kpay.models.base import STRICT, flag
from kpay.models.types import Day, Flag, Instant, Json


class ModelRun(SQLModel, table=True):
    """A trained model; `run` is the hash of its rows, settings and versions. `card` holds the rest.

    The model itself is `models/<run>.json` in the business folder; `checksum` is its SHA-256. `target` is
    what it predicts: "purchase", "content:SLUG", "renewal", "refund" or "uplift". Of each target and
    horizon one run is the champion; `promoted_at` says when it became that, and is taken away again by
    a rollback. `account` and `columns_digest` say what it learned from.
    """

    __tablename__ = "model_run"
    __table_args__ = (UniqueConstraint("run"), *flag("is_champion"), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    run: str
    target: str = "purchase"
    as_of: date = Field(sa_type=Day, index=True)
    horizon_days: int
    rung: str
    customers: int
    buyers: int
    account: str = ""
    columns_digest: str = ""
    checksum: str
    card: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    is_champion: bool = Field(default=True, sa_type=Flag)
    trained_at: datetime = Field(sa_type=Instant)
    promoted_at: datetime | None = Field(default=None, sa_type=Instant)


class Score(SQLModel, table=True):
    """One person's propensity and expected value as of a day, by one model run."""

    __tablename__ = "score"
    __table_args__ = (
        UniqueConstraint("run", "as_of", "customer_id"),
        CheckConstraint("propensity >= 0 AND propensity <= 1", name="propensity_range"),
        STRICT,
    )

    id: int | None = Field(default=None, primary_key=True)
    run: str = Field(foreign_key="model_run.run")
    as_of: date = Field(sa_type=Day)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    propensity: float = Field(sa_type=REAL)
    expected_value_minor: int
    currency: str
    decile: int


class CustomerGroup(SQLModel, table=True):
    """Which groups a customer was in when groups were last told apart: one row a customer."""

    __tablename__ = "customer_group"
    __table_args__ = (STRICT,)

    customer_id: int = Field(primary_key=True, foreign_key="customer.id")
    as_of: date = Field(sa_type=Day)
    rfm: str
    behaviour: str


class ForecastRun(SQLModel, table=True):
    """A forecast as it was printed, so that it can be compared with what came."""

    __tablename__ = "forecast_run"
    __table_args__ = (UniqueConstraint("run"), STRICT)

    id: int | None = Field(default=None, primary_key=True)
    run: str
    as_of: date = Field(sa_type=Day, index=True)
    horizon_days: int
    freq: str
    currency: str
    model: str
    document: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    made_at: datetime = Field(sa_type=Instant)
