"""Plans, subscription events, exchange rates and other income from a file; mail to the creator.

Revision: 0011, after 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OF_A_DELIVERY = (
    "id, kind, campaign_id, entitlement_id, occasion, enrolment_id, email, customer_id, state, batch, "
    "variant, message_id, context, attempts, due_at, claimed_by, began_at, sent_at, is_test, "
    "server_reply, provider_id"
)


def upgrade() -> None:
    """Create the tables of imported books, and let a message be a report."""
    create_imported_plan()
    create_subscription_event()
    create_exchange_rate()
    create_income()
    op.add_column(
        "subscription_phase",
        sa.Column("ending_discount_minor", sa.Integer(), nullable=False, server_default="0"),
    )
    op.add_column("refund", sa.Column("tax_minor", sa.Integer(), nullable=True))
    op.create_index(
        op.f("ix_orders_customer_id_ordered_at_status"),
        "orders",
        ["customer_id", "ordered_at", "status"],
    )
    op.drop_index("ix_orders_customer_id", "orders")
    op.create_index(
        op.f("ix_balance_transaction_converted"),
        "balance_transaction",
        ["currency", "created_at"],
        sqlite_where=sa.text("exchange_rate IS NOT NULL"),
    )
    rebuild_delivery()


def create_imported_plan() -> None:
    """Create imported_plan."""
    op.create_table(
        "imported_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("interval_count", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "interval IN ('day', 'week', 'month', 'year')",
            name=op.f("ck_imported_plan_interval_known"),
        ),
        sa.CheckConstraint(
            "amount_minor >= 0", name=op.f("ck_imported_plan_amount_minor_not_negative")
        ),
        _currency("imported_plan", "currency"),
        sa.UniqueConstraint("plan", name=op.f("uq_imported_plan_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_plan")),
        sqlite_strict=True,
    )


def create_subscription_event() -> None:
    """Create subscription_event."""
    op.create_table(
        "subscription_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscription", sa.Text(), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("discount_pct", sa.REAL(), nullable=False),
        sa.Column("discount_until", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "discount_pct >= 0 AND discount_pct <= 100",
            name=op.f("ck_subscription_event_discount_range"),
        ),
        sa.UniqueConstraint(
            "subscription",
            "happened_at",
            "event",
            name=op.f("uq_subscription_event_subscription_happened_at_event"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_event")),
        sqlite_strict=True,
    )


def create_exchange_rate() -> None:
    """Create exchange_rate."""
    op.create_table(
        "exchange_rate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        _currency("exchange_rate", "currency"),
        _currency("exchange_rate", "base"),
        sa.UniqueConstraint(
            "first_day", "currency", "base", name=op.f("uq_exchange_rate_first_day_currency_base")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rate")),
        sqlite_strict=True,
    )


def create_income() -> None:
    """Create income."""
    op.create_table(
        "income",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        _currency("income", "currency"),
        sa.UniqueConstraint("day", "kind", "currency", name=op.f("uq_income_day_kind_currency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_income")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_income_day"), "income", ["day"])


def _currency(table: str, column: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"length({column}) = 3 AND {column} = lower({column})",
        name=op.f(f"ck_{table}_{column}_code"),
    )


def rebuild_delivery() -> None:
    """Add a kind of message; notices refer to deliveries, so the new table is renamed."""
    for index in ("email", "enrolment_id", "waiting", "on_its_way"):
        op.drop_index(f"ix_delivery_{index}", "delivery")
    create_delivery()
    op.execute(
        f"INSERT INTO delivery_next ({OF_A_DELIVERY}) SELECT {OF_A_DELIVERY} FROM delivery"  # noqa: S608 - our own columns
    )
    op.drop_table("delivery")
    op.rename_table("delivery_next", "delivery")
    op.create_index(op.f("ix_delivery_email"), "delivery", ["email"])
    op.create_index(op.f("ix_delivery_enrolment_id"), "delivery", ["enrolment_id"])
    op.create_index(
        op.f("ix_delivery_waiting"),
        "delivery",
        ["due_at", "id"],
        sqlite_where=sa.text("state IN ('queued', 'retry')"),
    )
    op.create_index(
        op.f("ix_delivery_on_its_way"),
        "delivery",
        ["id"],
        sqlite_where=sa.text("state = 'sending'"),
    )


def create_delivery() -> None:
    """Create delivery under the name of what comes next."""
    op.create_table(
        "delivery_next",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=True),
        sa.Column("entitlement_id", sa.Integer(), nullable=True),
        sa.Column("occasion", sa.Text(), nullable=True),
        sa.Column("enrolment_id", sa.Integer(), nullable=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Text(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("began_at", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.Text(), nullable=True),
        sa.Column("is_test", sa.Integer(), nullable=False),
        sa.Column("server_reply", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        *checks_of_a_delivery(),
        *references_of_a_delivery(),
        sa.UniqueConstraint("campaign_id", "email", name=op.f("uq_delivery_campaign_id_email")),
        sa.UniqueConstraint("entitlement_id", name=op.f("uq_delivery_entitlement_id")),
        sa.UniqueConstraint("occasion", name=op.f("uq_delivery_occasion")),
        sa.UniqueConstraint("message_id", name=op.f("uq_delivery_message_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sqlite_strict=True,
    )


def checks_of_a_delivery() -> tuple[sa.CheckConstraint, ...]:
    """Return what holds of every delivery."""
    return (
        sa.CheckConstraint("is_test IN (0, 1)", name=op.f("ck_delivery_is_test_flag")),
        sa.CheckConstraint(
            "(campaign_id IS NOT NULL) + (entitlement_id IS NOT NULL) + (occasion IS NOT NULL) = 1",
            name=op.f("ck_delivery_one_purpose"),
        ),
        sa.CheckConstraint(
            "state IN ('held_out', 'queued', 'claimed', 'sending', 'sent', 'retry', 'failed', 'uncertain', 'suppressed', 'skipped')",
            name=op.f("ck_delivery_state_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('campaign', 'purchase', 'sequence', 'confirmation', 'receipt', 'report')",
            name=op.f("ck_delivery_kind_known"),
        ),
    )


def references_of_a_delivery() -> tuple[sa.ForeignKeyConstraint, ...]:
    """Return what a delivery points to."""
    return tuple(
        sa.ForeignKeyConstraint(
            [column], [f"{table}.id"], name=op.f(f"fk_delivery_{column}_{table}")
        )
        for column, table in (
            ("campaign_id", "campaign"),
            ("customer_id", "customer"),
            ("enrolment_id", "enrolment"),
            ("entitlement_id", "entitlement"),
        )
    )
