"""Mail, and what models learned.

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_campaign()
    create_campaign_plan()
    create_delivery()
    create_model_run()
    create_score()
    create_forecast_run()


def create_campaign() -> None:
    """Create campaign."""
    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("plan_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("first_sent_at", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('draft', 'planned', 'sending', 'paused', 'sent', 'cancelled')",
            name=op.f("ck_campaign_state_known"),
        ),
        sa.UniqueConstraint("name", name=op.f("uq_campaign_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sqlite_strict=True,
    )


def create_campaign_plan() -> None:
    """Create campaign_plan."""
    op.create_table(
        "campaign_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("holdout_share", sa.REAL(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("recipients", sa.LargeBinary(), nullable=False),
        sa.Column("planned_at", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "holdout_share >= 0 AND holdout_share < 1",
            name=op.f("ck_campaign_plan_holdout_share_range"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_plan_campaign_id_campaign")
        ),
        sa.UniqueConstraint("campaign_id", "hash", name=op.f("uq_campaign_plan_campaign_id_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_plan")),
        sqlite_strict=True,
    )


def create_delivery() -> None:
    """Create delivery."""
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("entitlement_id", sa.Integer(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Text(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.Text(), nullable=True),
        sa.Column("is_test", sa.Integer(), nullable=False),
        sa.Column("server_reply", sa.Text(), nullable=True),
        sa.CheckConstraint("is_test IN (0, 1)", name=op.f("ck_delivery_is_test_flag")),
        sa.CheckConstraint(
            "(campaign_id IS NULL) <> (entitlement_id IS NULL)",
            name=op.f("ck_delivery_one_purpose"),
        ),
        sa.CheckConstraint(
            "state IN ('held_out', 'queued', 'claimed', 'sending', 'sent', 'retry', 'failed', 'uncertain', 'suppressed', 'skipped')",
            name=op.f("ck_delivery_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_delivery_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_delivery_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["entitlement_id"],
            ["entitlement.id"],
            name=op.f("fk_delivery_entitlement_id_entitlement"),
        ),
        sa.UniqueConstraint("campaign_id", "email", name=op.f("uq_delivery_campaign_id_email")),
        sa.UniqueConstraint("entitlement_id", name=op.f("uq_delivery_entitlement_id")),
        sa.UniqueConstraint("message_id", name=op.f("uq_delivery_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_delivery_email"), "delivery", ["email"])
    op.create_index(op.f("ix_delivery_state"), "delivery", ["state"])


def create_model_run() -> None:
    """Create model_run."""
    op.create_table(
        "model_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("buyers", sa.Integer(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("is_champion", sa.Integer(), nullable=False),
        sa.Column("trained_at", sa.Text(), nullable=False),
        sa.CheckConstraint("is_champion IN (0, 1)", name=op.f("ck_model_run_is_champion_flag")),
        sa.UniqueConstraint("run", name=op.f("uq_model_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_run")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_model_run_as_of"), "model_run", ["as_of"])


def create_score() -> None:
    """Create score."""
    op.create_table(
        "score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("propensity", sa.REAL(), nullable=False),
        sa.Column("expected_value_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("decile", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "propensity >= 0 AND propensity <= 1", name=op.f("ck_score_propensity_range")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_score_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["run"], ["model_run.run"], name=op.f("fk_score_run_model_run")),
        sa.UniqueConstraint(
            "run", "as_of", "customer_id", name=op.f("uq_score_run_as_of_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_score_customer_id"), "score", ["customer_id"])


def create_forecast_run() -> None:
    """Create forecast_run."""
    op.create_table(
        "forecast_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("freq", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.UniqueConstraint("run", name=op.f("uq_forecast_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_run")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_forecast_run_as_of"), "forecast_run", ["as_of"])
