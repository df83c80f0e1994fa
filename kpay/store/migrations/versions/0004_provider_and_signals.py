"""The provider's objects, what people did, and jobs.

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_provider_object()
    create_sync_cursor()
    create_event()
    create_traffic()
    create_cost()
    create_feedback()
    create_job()
    create_job_run()


def create_provider_object() -> None:
    """Create provider_object."""
    op.create_table(
        "provider_object",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=True),
        sa.Column("belongs_to", sa.Text(), nullable=True),
        sa.Column("api_version", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("is_deleted", sa.Integer(), nullable=False),
        sa.CheckConstraint("is_deleted IN (0, 1)", name=op.f("ck_provider_object_is_deleted_flag")),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_provider_object_livemode_flag")),
        sa.PrimaryKeyConstraint(
            "account", "livemode", "object", "external_id", name=op.f("pk_provider_object")
        ),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_provider_object_belongs_to"), "provider_object", ["belongs_to", "object"]
    )


def create_sync_cursor() -> None:
    """Create sync_cursor."""
    op.create_table(
        "sync_cursor",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("watermark_at", sa.Text(), nullable=True),
        sa.Column("target_at", sa.Text(), nullable=True),
        sa.Column("starting_after", sa.Text(), nullable=True),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_sync_cursor_livemode_flag")),
        sa.PrimaryKeyConstraint("account", "livemode", "resource", name=op.f("pk_sync_cursor")),
        sqlite_strict=True,
    )


def create_event() -> None:
    """Create event."""
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.UniqueConstraint(
            "email",
            "happened_at",
            "kind",
            "content",
            "value",
            name=op.f("uq_event_email_happened_at_kind_content_value"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_event_happened_at"), "event", ["happened_at"])
    op.create_index(op.f("ix_event_kind"), "event", ["kind"])


def create_traffic() -> None:
    """Create traffic."""
    op.create_table(
        "traffic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("clicks", sa.Integer(), nullable=False),
        sa.CheckConstraint("clicks >= 0", name=op.f("ck_traffic_clicks_not_negative")),
        sa.CheckConstraint("visits >= 0", name=op.f("ck_traffic_visits_not_negative")),
        sa.UniqueConstraint("day", "source", "content", name=op.f("uq_traffic_day_source_content")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traffic")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_traffic_day"), "traffic", ["day"])


def create_cost() -> None:
    """Create cost."""
    op.create_table(
        "cost",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_cost_currency_code"),
        ),
        sa.UniqueConstraint(
            "day", "kind", "campaign", "currency", name=op.f("uq_cost_day_kind_campaign_currency")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_cost_day"), "cost", ["day"])


def create_feedback() -> None:
    """Create feedback."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("rating", sa.REAL(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "rating IS NULL OR (rating >= 0 AND rating <= 10)",
            name=op.f("ck_feedback_rating_range"),
        ),
        sa.UniqueConstraint(
            "email", "at", "kind", "content", name=op.f("uq_feedback_email_at_kind_content")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_feedback_at"), "feedback", ["at"])


def create_job() -> None:
    """Create job."""
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("next_due_at", sa.Text(), nullable=False),
        sa.CheckConstraint("is_enabled IN (0, 1)", name=op.f("ck_job_is_enabled_flag")),
        sa.UniqueConstraint("name", name=op.f("uq_job_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_job_next_due_at"), "job", ["next_due_at"])


def create_job_run() -> None:
    """Create job_run."""
    op.create_table(
        "job_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_run_job_id_job")),
        sa.UniqueConstraint("job_id", "due_at", name=op.f("uq_job_run_job_id_due_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
        sqlite_strict=True,
    )
