"""Models of several targets that are promoted and rolled back, and the groups customers are in.

Revision: 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OF_A_RUN = (
    "id, run, as_of, horizon_days, rung, customers, buyers, checksum, card, is_champion, trained_at"
)


def upgrade() -> None:
    """Rebuild model_run with every run in it, and create customer_group."""
    rebuild_model_run()
    create_customer_group()


def rebuild_model_run() -> None:
    """Say what a run is about and when it was promoted; scores refer to it, so the new one is renamed."""
    op.drop_index("ix_model_run_as_of", "model_run")
    create_model_run()
    op.execute(
        f"INSERT INTO model_run_next ({OF_A_RUN}, target, account, columns_digest, promoted_at) "  # noqa: S608 - our own columns
        f"SELECT {OF_A_RUN}, 'purchase', '', '', CASE WHEN is_champion THEN trained_at END "
        "FROM model_run"
    )
    op.drop_table("model_run")
    op.rename_table("model_run_next", "model_run")
    op.create_index(op.f("ix_model_run_as_of"), "model_run", ["as_of"])


def create_model_run() -> None:
    """Create model_run under the name of what comes next."""
    op.create_table(
        "model_run_next",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("buyers", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("columns_digest", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("is_champion", sa.Integer(), nullable=False),
        sa.Column("trained_at", sa.Text(), nullable=False),
        sa.Column("promoted_at", sa.Text(), nullable=True),
        sa.CheckConstraint("is_champion IN (0, 1)", name=op.f("ck_model_run_is_champion_flag")),
        sa.UniqueConstraint("run", name=op.f("uq_model_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_run")),
        sqlite_strict=True,
    )


def create_customer_group() -> None:
    """Create customer_group."""
    op.create_table(
        "customer_group",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("rfm", sa.Text(), nullable=False),
        sa.Column("behaviour", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_customer_group_customer_id_customer"),
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_group")),
        sqlite_strict=True,
    )
