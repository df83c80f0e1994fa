"""Sales, and the rights that they grant.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_orders()
    index_orders()
    create_line_item()
    create_refund()
    create_dispute()
    create_entitlement()


def orders_checks() -> list[sa.CheckConstraint]:
    """What must hold of every row of orders."""
    return [
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_orders_currency_code"),
        ),
        sa.CheckConstraint(
            "discount_minor >= 0", name=op.f("ck_orders_discount_minor_not_negative")
        ),
        sa.CheckConstraint("gross_minor >= 0", name=op.f("ck_orders_gross_minor_not_negative")),
        sa.CheckConstraint(
            "kind IN ('one_time', 'subscription_start', 'renewal', 'subscription_update')",
            name=op.f("ck_orders_kind_known"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_orders_livemode_flag")),
        sa.CheckConstraint(
            "status IN ('paid', 'pending', 'failed')", name=op.f("ck_orders_status_known")
        ),
        sa.CheckConstraint("tax_minor >= 0", name=op.f("ck_orders_tax_minor_not_negative")),
        sa.CheckConstraint(
            "total_minor = gross_minor - discount_minor", name=op.f("ck_orders_total_adds_up")
        ),
        sa.CheckConstraint("total_minor >= 0", name=op.f("ck_orders_total_minor_not_negative")),
    ]


def create_orders() -> None:
    """Create orders."""
    op.create_table(
        "orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("ordered_at", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gross_minor", sa.Integer(), nullable=False),
        sa.Column("discount_minor", sa.Integer(), nullable=False),
        sa.Column("tax_minor", sa.Integer(), nullable=False),
        sa.Column("total_minor", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("charge_id", sa.Text(), nullable=True),
        sa.Column("payment_intent_id", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("subscription_id", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("tracking", sa.Text(), nullable=False),
        *orders_checks(),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_orders_customer_id_customer")
        ),
        sa.UniqueConstraint(
            "source",
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_orders_source_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sqlite_strict=True,
    )


def index_orders() -> None:
    """Make orders quick to search."""
    op.create_index(op.f("ix_orders_charge_id"), "orders", ["charge_id"])
    op.create_index(op.f("ix_orders_customer_id"), "orders", ["customer_id"])
    op.create_index(op.f("ix_orders_invoice_id"), "orders", ["invoice_id"])
    op.create_index(op.f("ix_orders_ordered_at"), "orders", ["ordered_at"])
    op.create_index(op.f("ix_orders_payment_intent_id"), "orders", ["payment_intent_id"])
    op.create_index(op.f("ix_orders_reference"), "orders", ["reference"])
    op.create_index(op.f("ix_orders_session_id"), "orders", ["session_id"])
    op.create_index(op.f("ix_orders_subscription_id"), "orders", ["subscription_id"])


def create_line_item() -> None:
    """Create line_item."""
    op.create_table(
        "line_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=True),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("price_external_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_line_item_content_id_content")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_line_item_order_id_orders")
        ),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_line_item_order_id_position")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_item")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_line_item_content_id"), "line_item", ["content_id"])


def create_refund() -> None:
    """Create refund."""
    op.create_table(
        "refund",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("charge_id", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("refunded_at", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_refund_amount_minor_not_negative")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_refund_currency_code"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_refund_livemode_flag")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_refund_order_id_orders")
        ),
        sa.UniqueConstraint(
            "source",
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_refund_source_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_refund_charge_id"), "refund", ["charge_id"])
    op.create_index(op.f("ix_refund_order_id"), "refund", ["order_id"])
    op.create_index(op.f("ix_refund_refunded_at"), "refund", ["refunded_at"])


def create_dispute() -> None:
    """Create dispute."""
    op.create_table(
        "dispute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("charge_id", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_dispute_currency_code"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_dispute_livemode_flag")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_dispute_order_id_orders")
        ),
        sa.UniqueConstraint(
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_dispute_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_dispute_charge_id"), "dispute", ["charge_id"])
    op.create_index(op.f("ix_dispute_opened_at"), "dispute", ["opened_at"])
    op.create_index(op.f("ix_dispute_order_id"), "dispute", ["order_id"])


def create_entitlement() -> None:
    """Create entitlement."""
    op.create_table(
        "entitlement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_entitlement_content_id_content")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_entitlement_customer_id_customer")
        ),
        sa.UniqueConstraint(
            "customer_id",
            "content_id",
            "source",
            "source_id",
            name=op.f("uq_entitlement_customer_id_content_id_source_source_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_entitlement_content_id"), "entitlement", ["content_id"])
    op.create_index(op.f("ix_entitlement_customer_id"), "entitlement", ["customer_id"])
    op.create_index(op.f("ix_entitlement_granted_at"), "entitlement", ["granted_at"])
