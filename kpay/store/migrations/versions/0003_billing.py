"""What recurs, and what the bank sees.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_subscription()
    create_subscription_phase()
    create_invoice()
    create_balance_transaction()
    create_payout()


def create_subscription() -> None:
    """Create subscription."""
    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("content_id", sa.Integer(), nullable=True),
        sa.Column("price_external_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("interval_count", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("trial_end_at", sa.Text(), nullable=True),
        sa.Column("current_period_end_at", sa.Text(), nullable=True),
        sa.Column("is_ending", sa.Integer(), nullable=False),
        sa.Column("canceled_at", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_subscription_currency_code"),
        ),
        sa.CheckConstraint(
            "interval IN ('day', 'week', 'month', 'year')",
            name=op.f("ck_subscription_interval_known"),
        ),
        sa.CheckConstraint("is_ending IN (0, 1)", name=op.f("ck_subscription_is_ending_flag")),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_subscription_livemode_flag")),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_subscription_content_id_content")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_subscription_customer_id_customer")
        ),
        sa.UniqueConstraint(
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_subscription_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_subscription_content_id"), "subscription", ["content_id"])
    op.create_index(op.f("ix_subscription_customer_id"), "subscription", ["customer_id"])


def create_subscription_phase() -> None:
    """Create subscription_phase."""
    op.create_table(
        "subscription_phase",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("subscription_external_id", sa.Text(), nullable=False),
        sa.Column("invoice_external_id", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("interval_count", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "interval IN ('day', 'week', 'month', 'year')",
            name=op.f("ck_subscription_phase_interval_known"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_subscription_phase_livemode_flag")),
        sa.UniqueConstraint(
            "account",
            "livemode",
            "subscription_external_id",
            "starts_at",
            name=op.f("uq_subscription_phase_account_livemode_subscription_external_id_starts_at"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_phase")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_subscription_phase_subscription_external_id"),
        "subscription_phase",
        ["subscription_external_id"],
    )


def create_invoice() -> None:
    """Create invoice."""
    op.create_table(
        "invoice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("subscription_external_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("billing_reason", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("subtotal_minor", sa.Integer(), nullable=False),
        sa.Column("total_minor", sa.Integer(), nullable=False),
        sa.Column("tax_minor", sa.Integer(), nullable=False),
        sa.Column("paid_minor", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("paid_at", sa.Text(), nullable=True),
        sa.Column("period_start_at", sa.Text(), nullable=True),
        sa.Column("period_end_at", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_invoice_currency_code"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_invoice_livemode_flag")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_invoice_customer_id_customer")
        ),
        sa.UniqueConstraint(
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_invoice_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_invoice_customer_id"), "invoice", ["customer_id"])
    op.create_index(
        op.f("ix_invoice_subscription_external_id"), "invoice", ["subscription_external_id"]
    )


def create_balance_transaction() -> None:
    """Create balance_transaction."""
    op.create_table(
        "balance_transaction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("fee_minor", sa.Integer(), nullable=False),
        sa.Column("net_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("source_external_id", sa.Text(), nullable=True),
        sa.Column("payout_external_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("exchange_rate", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("available_at", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_balance_transaction_currency_code"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_balance_transaction_livemode_flag")),
        sa.UniqueConstraint(
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_balance_transaction_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_transaction")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_balance_transaction_created_at"), "balance_transaction", ["created_at"]
    )
    op.create_index(
        op.f("ix_balance_transaction_payout_external_id"),
        "balance_transaction",
        ["payout_external_id"],
    )
    op.create_index(
        op.f("ix_balance_transaction_source_external_id"),
        "balance_transaction",
        ["source_external_id"],
    )


def create_payout() -> None:
    """Create payout."""
    op.create_table(
        "payout",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("arrives_at", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_payout_currency_code"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_payout_livemode_flag")),
        sa.UniqueConstraint(
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_payout_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
        sqlite_strict=True,
    )
