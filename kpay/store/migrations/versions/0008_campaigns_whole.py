"""Plans with a row a person, deliveries of any occasion, segments, sequences, notices, paces.

Revision: 0008, after 0007.
"""

from __future__ import annotations

import json
import zlib
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OF_A_DELIVERY = (
    "id, campaign_id, entitlement_id, email, customer_id, state, variant, message_id, context, "
    "attempts, due_at, claimed_by, sent_at, is_test, server_reply"
)


def upgrade() -> None:
    """Create the tables, rebuild two of them, and keep every plan and delivery."""
    add_columns()
    rebuild_campaign_plan()
    create_enrolment()
    rebuild_delivery()
    create_mail_pace()
    create_segment()
    create_mail_notice()


def add_columns() -> None:
    """Say why a campaign stands still, and how a subscriber agreed."""
    op.add_column("campaign", sa.Column("state_reason", sa.Text(), nullable=True))
    op.add_column("subscriber", sa.Column("consent_wording", sa.Text(), nullable=True))
    op.add_column("subscriber", sa.Column("confirm_sent_at", sa.Text(), nullable=True))
    op.add_column("subscriber", sa.Column("confirmed_at", sa.Text(), nullable=True))


def rebuild_campaign_plan() -> None:
    """Give each person of a plan a row; before, all of them stood in one compressed text."""
    connection = op.get_bind()
    old = connection.exec_driver_sql("SELECT id, recipients FROM campaign_plan").fetchall()
    kept = connection.exec_driver_sql(
        "SELECT id, campaign_id, hash, source, holdout_share, figures, planned_at FROM campaign_plan"
    ).fetchall()
    op.drop_table("campaign_plan")
    create_campaign_plan()
    create_plan_recipient()
    packed = {plan: unpacked(recipients) for plan, recipients in old}
    for plan in kept:
        content = packed[plan[0]]
        connection.exec_driver_sql(
            "INSERT INTO campaign_plan (id, campaign_id, hash, source, holdout_share, figures, "
            "planned_at, wording, letter_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*plan, json.dumps(content["wording"], ensure_ascii=False), content["letter"]),
        )
        people = [
            (plan[0], email, customer, int(held_out), json.dumps(context, ensure_ascii=False))
            for email, customer, held_out, context in content["people"]
        ]
        if people:
            connection.exec_driver_sql(
                "INSERT INTO plan_recipient (plan_id, email, customer_id, is_held_out, context) "
                "VALUES (?, ?, ?, ?, ?)",
                people,
            )


def unpacked(recipients: bytes) -> dict[str, Any]:
    """Read a plan as revision 0005 kept it; one that cannot be read has nobody in it."""
    try:
        content: dict[str, Any] = json.loads(zlib.decompress(recipients))
    except (zlib.error, ValueError):
        content = {"wording": {}, "letter": "", "people": []}
    return content


def create_campaign_plan() -> None:
    """Create campaign_plan."""
    op.create_table(
        "campaign_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("letter_digest", sa.Text(), nullable=False),
        sa.Column("holdout_share", sa.REAL(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
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


def create_plan_recipient() -> None:
    """Create plan_recipient."""
    op.create_table(
        "plan_recipient",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("is_held_out", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("context", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "is_held_out IN (0, 1)", name=op.f("ck_plan_recipient_is_held_out_flag")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["campaign_plan.id"], name=op.f("fk_plan_recipient_plan_id_campaign_plan")
        ),
        sa.PrimaryKeyConstraint("plan_id", "email", name=op.f("pk_plan_recipient")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def create_enrolment() -> None:
    """Create enrolment."""
    op.create_table(
        "enrolment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("trigger_key", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("began_at", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Integer(), nullable=False),
        sa.Column("next_due_at", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_enrolment_customer_id_customer")
        ),
        sa.UniqueConstraint(
            "sequence", "email", "trigger_key", name=op.f("uq_enrolment_sequence_email_trigger_key")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_enrolment_email"), "enrolment", ["email"])


def rebuild_delivery() -> None:
    """Let a message be of other occasions too; a constraint can only be changed by a new table."""
    op.drop_index("ix_delivery_email", "delivery")
    op.drop_index("ix_delivery_state", "delivery")
    op.rename_table("delivery", "delivery_before")
    create_delivery()
    op.execute(
        f"INSERT INTO delivery ({OF_A_DELIVERY}, kind, batch) "  # noqa: S608 - our own columns
        f"SELECT {OF_A_DELIVERY}, CASE WHEN campaign_id IS NULL THEN 'purchase' ELSE 'campaign' END, 0 "
        "FROM delivery_before"
    )
    op.drop_table("delivery_before")


def create_delivery() -> None:
    """Create delivery."""
    op.create_table(
        "delivery",
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
            "kind IN ('campaign', 'purchase', 'sequence', 'confirmation', 'receipt')",
            name=op.f("ck_delivery_kind_known"),
        ),
    )


def references_of_a_delivery() -> tuple[sa.ForeignKeyConstraint, ...]:
    """Return what a delivery points to."""
    return (
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_delivery_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_delivery_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_delivery_enrolment_id_enrolment")
        ),
        sa.ForeignKeyConstraint(
            ["entitlement_id"],
            ["entitlement.id"],
            name=op.f("fk_delivery_entitlement_id_entitlement"),
        ),
    )


def create_mail_pace() -> None:
    """Create mail_pace."""
    op.create_table(
        "mail_pace",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("tokens", sa.REAL(), nullable=False),
        sa.Column("rate_per_s", sa.REAL(), nullable=False),
        sa.Column("counted_at", sa.Text(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("since_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_mail_pace")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def create_segment() -> None:
    """Create segment."""
    op.create_table(
        "segment",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("predicate", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_segment")),
        sqlite_strict=True,
    )


def create_mail_notice() -> None:
    """Create mail_notice."""
    op.create_table(
        "mail_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("noticed_at", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('hard_bounce', 'soft_bounce', 'complaint', 'unsubscribe', 'confirm')",
            name=op.f("ck_mail_notice_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_mail_notice_delivery_id_delivery")
        ),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_mail_notice_fingerprint")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_notice")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_mail_notice_email"), "mail_notice", ["email"])
    op.create_index(op.f("ix_mail_notice_delivery_id"), "mail_notice", ["delivery_id"])
