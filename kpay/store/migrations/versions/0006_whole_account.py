"""Rows for every kind of object that an account holds, and what is yet to be derived from them.

Revision: 0006, after 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and columns; everything kept so far is to be derived anew."""
    create_charge()
    create_payment_intent()
    create_checkout_session()
    create_invoice_payment()
    create_provider_customer()
    create_coupon()
    create_promotion_code()
    create_subscription_item()
    create_underived()
    create_seen_event()
    add_columns()
    index_what_belongs_to_something()
    mark_everything_underived()


def create_charge() -> None:
    """Create charge."""
    op.create_table(
        "charge",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("payment_intent_external_id", sa.Text(), nullable=True),
        sa.Column("invoice_external_id", sa.Text(), nullable=True),
        sa.Column("customer_external_id", sa.Text(), nullable=True),
        sa.Column("balance_transaction_external_id", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("captured_minor", sa.Integer(), nullable=False),
        sa.Column("refunded_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("is_sale", sa.Integer(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("payment_method", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint("is_sale IN (0, 1)", name=op.f("ck_charge_is_sale_flag")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_charge_currency_code"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_charge_livemode_flag")),
        sa.PrimaryKeyConstraint("account", "livemode", "external_id", name=op.f("pk_charge")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_charge_invoice_external_id"), "charge", ["invoice_external_id"])


def create_payment_intent() -> None:
    """Create payment_intent."""
    op.create_table(
        "payment_intent",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("customer_external_id", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_payment_intent_currency_code"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_payment_intent_livemode_flag")),
        sa.PrimaryKeyConstraint(
            "account", "livemode", "external_id", name=op.f("pk_payment_intent")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def create_checkout_session() -> None:
    """Create checkout_session."""
    op.create_table(
        "checkout_session",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("payment_status", sa.Text(), nullable=True),
        sa.Column("customer_external_id", sa.Text(), nullable=True),
        sa.Column("payment_intent_external_id", sa.Text(), nullable=True),
        sa.Column("invoice_external_id", sa.Text(), nullable=True),
        sa.Column("subscription_external_id", sa.Text(), nullable=True),
        sa.Column("payment_link_external_id", sa.Text(), nullable=True),
        sa.Column("amount_total_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_checkout_session_livemode_flag")),
        sa.PrimaryKeyConstraint(
            "account", "livemode", "external_id", name=op.f("pk_checkout_session")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def create_invoice_payment() -> None:
    """Create invoice_payment."""
    op.create_table(
        "invoice_payment",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("invoice_external_id", sa.Text(), nullable=True),
        sa.Column("payment_intent_external_id", sa.Text(), nullable=True),
        sa.Column("charge_external_id", sa.Text(), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_invoice_payment_livemode_flag")),
        sa.PrimaryKeyConstraint(
            "account", "livemode", "external_id", name=op.f("pk_invoice_payment")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_invoice_payment_invoice_external_id"), "invoice_payment", ["invoice_external_id"]
    )


def create_provider_customer() -> None:
    """Create provider_customer."""
    op.create_table(
        "provider_customer",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("is_deleted", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "is_deleted IN (0, 1)", name=op.f("ck_provider_customer_is_deleted_flag")
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_provider_customer_livemode_flag")),
        sa.PrimaryKeyConstraint(
            "account", "livemode", "external_id", name=op.f("pk_provider_customer")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def create_coupon() -> None:
    """Create coupon."""
    op.create_table(
        "coupon",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("percent_off", sa.Text(), nullable=True),
        sa.Column("amount_off_minor", sa.Integer(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("duration", sa.Text(), nullable=True),
        sa.Column("duration_months", sa.Integer(), nullable=True),
        sa.Column("times_redeemed", sa.Integer(), nullable=False),
        sa.Column("is_valid", sa.Integer(), nullable=False),
        sa.Column("is_deleted", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint("is_deleted IN (0, 1)", name=op.f("ck_coupon_is_deleted_flag")),
        sa.CheckConstraint("is_valid IN (0, 1)", name=op.f("ck_coupon_is_valid_flag")),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_coupon_currency_code"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_coupon_livemode_flag")),
        sa.PrimaryKeyConstraint("account", "livemode", "external_id", name=op.f("pk_coupon")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def create_promotion_code() -> None:
    """Create promotion_code."""
    op.create_table(
        "promotion_code",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("coupon_external_id", sa.Text(), nullable=True),
        sa.Column("times_redeemed", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint("is_active IN (0, 1)", name=op.f("ck_promotion_code_is_active_flag")),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_promotion_code_livemode_flag")),
        sa.PrimaryKeyConstraint(
            "account", "livemode", "external_id", name=op.f("pk_promotion_code")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def create_subscription_item() -> None:
    """Create subscription_item."""
    op.create_table(
        "subscription_item",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("subscription_external_id", sa.Text(), nullable=False),
        sa.Column("price_external_id", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_subscription_item_currency_code"),
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_subscription_item_livemode_flag")),
        sa.PrimaryKeyConstraint(
            "account", "livemode", "external_id", name=op.f("pk_subscription_item")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_subscription_item_subscription_external_id"),
        "subscription_item",
        ["subscription_external_id"],
    )


def create_underived() -> None:
    """Create underived."""
    op.create_table(
        "underived",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_underived_livemode_flag")),
        sa.PrimaryKeyConstraint(
            "account", "livemode", "object", "external_id", name=op.f("pk_underived")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def create_seen_event() -> None:
    """Create seen_event."""
    op.create_table(
        "seen_event",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.Text(), nullable=False),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_seen_event_livemode_flag")),
        sa.PrimaryKeyConstraint("account", "livemode", "external_id", name=op.f("pk_seen_event")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def add_columns() -> None:
    """Add what older rows do not tell yet; the next derivation fills it in."""
    op.add_column("price", sa.Column("content", sa.Text(), nullable=True))
    op.add_column("refund", sa.Column("failure_reason", sa.Text(), nullable=True))
    op.add_column("refund", sa.Column("balance_transaction_external_id", sa.Text(), nullable=True))
    op.add_column("subscription", sa.Column("pause_behavior", sa.Text(), nullable=True))
    op.add_column("subscription", sa.Column("resumes_at", sa.Text(), nullable=True))
    op.execute("ALTER TABLE invoice ADD COLUMN discount_minor INTEGER NOT NULL DEFAULT 0")
    op.execute(
        "ALTER TABLE payout ADD COLUMN is_automatic INTEGER NOT NULL DEFAULT 1 "
        "CONSTRAINT ck_payout_is_automatic_flag CHECK (is_automatic IN (0, 1))"
    )


def index_what_belongs_to_something() -> None:
    """Leave out of the index what hangs on nothing, and have it name all that is asked with it.

    With fewer columns than the table's key, the key was searched instead: every object of a kind.
    """
    op.drop_index("ix_provider_object_belongs_to", "provider_object")
    op.create_index(
        "ix_provider_object_belongs_to",
        "provider_object",
        ["belongs_to", "object", "account", "livemode"],
        sqlite_where=sa.text("belongs_to IS NOT NULL"),
    )


def mark_everything_underived() -> None:
    """The rows of the new tables come from objects that are kept already."""
    op.execute(
        "INSERT INTO underived (account, livemode, object, external_id) "
        "SELECT account, livemode, object, external_id FROM provider_object"
    )
    op.execute("DELETE FROM fact WHERE name = 'underived'")
