"""People, what is published and what is sold.

Revision: 0001, after nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    create_fact()
    create_customer()
    create_customer_identity()
    create_subscriber()
    create_suppression()
    create_content()
    create_content_version()
    create_product()
    create_price()
    create_payment_link()


def create_fact() -> None:
    """Create fact."""
    op.create_table(
        "fact",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fact")),
        sqlite_strict=True,
    )


def create_customer() -> None:
    """Create customer."""
    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.UniqueConstraint("email", name=op.f("uq_customer_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sqlite_strict=True,
    )


def create_customer_identity() -> None:
    """Create customer_identity."""
    op.create_table(
        "customer_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("is_deleted", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "is_deleted IN (0, 1)", name=op.f("ck_customer_identity_is_deleted_flag")
        ),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_customer_identity_livemode_flag")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_identity_customer_id_customer")
        ),
        sa.UniqueConstraint(
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_customer_identity_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_identity")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_customer_identity_customer_id"), "customer_identity", ["customer_id"])


def create_subscriber() -> None:
    """Create subscriber."""
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("consent_source", sa.Text(), nullable=False),
        sa.Column("consented_at", sa.Text(), nullable=True),
        sa.Column("unsubscribed_at", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "status IN ('subscribed', 'unconfirmed', 'unsubscribed')",
            name=op.f("ck_subscriber_status_known"),
        ),
        sa.UniqueConstraint("email", name=op.f("uq_subscriber_email")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sqlite_strict=True,
    )


def create_suppression() -> None:
    """Create suppression."""
    op.create_table(
        "suppression",
        sa.Column("email_hash", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("email_hash", name=op.f("pk_suppression")),
        sqlite_strict=True,
    )


def create_content() -> None:
    """Create content."""
    op.create_table(
        "content",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("includes", sa.Text(), nullable=False),
        sa.Column("pricing", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("interval", sa.Text(), nullable=True),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("attachments", sa.Text(), nullable=False),
        sa.Column("published_at", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_content_amount_minor_not_negative")),
        sa.CheckConstraint(
            "interval IN ('day', 'week', 'month', 'year')", name=op.f("ck_content_interval_known")
        ),
        sa.CheckConstraint(
            "kind IN ('article', 'ebook', 'course', 'audio', 'video', 'bundle', 'membership')",
            name=op.f("ck_content_kind_known"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'scheduled', 'published', 'archived')",
            name=op.f("ck_content_status_known"),
        ),
        sa.CheckConstraint("version >= 0", name=op.f("ck_content_version_not_negative")),
        sa.UniqueConstraint("slug", name=op.f("uq_content_slug")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content")),
        sqlite_strict=True,
    )


def create_content_version() -> None:
    """Create content_version."""
    op.create_table(
        "content_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("front_matter", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_content_version_content_id_content")
        ),
        sa.UniqueConstraint(
            "content_id", "version", name=op.f("uq_content_version_content_id_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_version")),
        sqlite_strict=True,
    )


def create_product() -> None:
    """Create product."""
    op.create_table(
        "product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint("is_active IN (0, 1)", name=op.f("ck_product_is_active_flag")),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_product_livemode_flag")),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_product_content_id_content")
        ),
        sa.UniqueConstraint(
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_product_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_product_content_id"), "product", ["content_id"])


def create_price() -> None:
    """Create price."""
    op.create_table(
        "price",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("product_external_id", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=True),
        sa.Column("interval_count", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "length(currency) = 3 AND currency = lower(currency)",
            name=op.f("ck_price_currency_code"),
        ),
        sa.CheckConstraint(
            "interval IN ('day', 'week', 'month', 'year')", name=op.f("ck_price_interval_known")
        ),
        sa.CheckConstraint("is_active IN (0, 1)", name=op.f("ck_price_is_active_flag")),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_price_livemode_flag")),
        sa.UniqueConstraint(
            "account", "livemode", "external_id", name=op.f("uq_price_account_livemode_external_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_price_product_external_id"), "price", ["product_external_id"])


def create_payment_link() -> None:
    """Create payment_link."""
    op.create_table(
        "payment_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("livemode", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("price_external_id", sa.Text(), nullable=True),
        sa.Column("content_id", sa.Integer(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Integer(), nullable=False),
        sa.CheckConstraint("is_active IN (0, 1)", name=op.f("ck_payment_link_is_active_flag")),
        sa.CheckConstraint("livemode IN (0, 1)", name=op.f("ck_payment_link_livemode_flag")),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_payment_link_content_id_content")
        ),
        sa.UniqueConstraint(
            "account",
            "livemode",
            "external_id",
            name=op.f("uq_payment_link_account_livemode_external_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_link")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payment_link_content_id"), "payment_link", ["content_id"])
    op.create_index(
        op.f("ix_payment_link_price_external_id"), "payment_link", ["price_external_id"]
    )
