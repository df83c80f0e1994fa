"""What is asked once more in the transaction that marks messages as on their way."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, func, select

from kpay.domain.address import email_hash
from kpay.domain.enums import DeliveryState, NoticeKind, SubscriberStatus
from kpay.models import (
    Campaign,
    Content,
    Customer,
    Delivery,
    Entitlement,
    MailNotice,
    PlanRecipient,
    Subscriber,
    Suppression,
)
from kpay.store.dialect import among, listed, named, table_of

CAMPAIGN, DELIVERY, NOTICE = table_of(Campaign), table_of(Delivery), table_of(MailNotice)
SUBSCRIBER, SUPPRESSION = table_of(Subscriber), table_of(Suppression)
CUSTOMER, ENTITLEMENT, CONTENT = table_of(Customer), table_of(Entitlement), table_of(Content)
RECIPIENT = table_of(PlanRecipient)


_SUPPRESSED = select(SUPPRESSION.c.email_hash, SUPPRESSION.c.reason).where(
    named(SUPPRESSION.c.email_hash)
)
_LEFT = select(SUBSCRIBER.c.email).where(
    named(SUBSCRIBER.c.email), SUBSCRIBER.c.status == SubscriberStatus.UNSUBSCRIBED.value
)
_OWNERS = (
    select(CUSTOMER.c.email)
    .join(ENTITLEMENT, ENTITLEMENT.c.customer_id == CUSTOMER.c.id)
    .join(CONTENT, CONTENT.c.id == ENTITLEMENT.c.content_id)
    .where(
        named(CUSTOMER.c.email), ENTITLEMENT.c.ended_at.is_(None), named(CONTENT.c.slug, "slugs")
    )
    .group_by(CUSTOMER.c.email)
    .having(func.count(func.distinct(CONTENT.c.slug)) == bindparam("pieces"))
)
_STANDS = select(CAMPAIGN.c.state, CAMPAIGN.c.state_reason).where(
    CAMPAIGN.c.id == bindparam("campaign")
)


def suppressed(connection: Connection, emails: Collection[str]) -> dict[str, str]:
    """Return the reasons of those addresses that must not be mailed."""
    by_hash = {email_hash(email): email for email in emails}
    rows = connection.execute(_SUPPRESSED, {"values": listed(by_hash)})
    return {by_hash[row.email_hash]: row.reason for row in rows}


def left_the_list(connection: Connection, emails: Collection[str]) -> set[str]:
    """Return those addresses whose owners have left the list."""
    return set(connection.execute(_LEFT, {"values": listed(emails)}).scalars())


def owners(connection: Connection, emails: Collection[str], slugs: Sequence[str]) -> set[str]:
    """Return those addresses whose owners have a right to all of some pieces by now."""
    asked = {"values": listed(emails), "slugs": listed(slugs), "pieces": len(set(slugs))}
    return set(connection.execute(_OWNERS, asked).scalars())


def campaign_state(connection: Connection, campaign_id: int) -> tuple[str, str | None]:
    """Return where a campaign stands, and why if it was stopped."""
    row = connection.execute(_STANDS, {"campaign": campaign_id}).one()
    return row.state, row.state_reason


def complaints(connection: Connection, campaign_id: int) -> int:
    """Return how many readers complained of a campaign."""
    query = (
        select(func.count(func.distinct(NOTICE.c.delivery_id)))
        .join(DELIVERY, DELIVERY.c.id == NOTICE.c.delivery_id)
        .where(NOTICE.c.kind == NoticeKind.COMPLAINT.value, DELIVERY.c.campaign_id == campaign_id)
    )
    return int(connection.execute(query).scalar_one())


def sent(connection: Connection, campaign_id: int) -> int:
    """Return how many messages of a campaign were taken."""
    query = select(func.count()).where(
        DELIVERY.c.campaign_id == campaign_id, DELIVERY.c.state == DeliveryState.SENT.value
    )
    return int(connection.execute(query).scalar_one())


def last_answers(connection: Connection, campaign_id: int, limit: int) -> list[str | None]:
    """Return the server's words about the last messages of a campaign that were settled, oldest first."""
    settled = (DeliveryState.SENT.value, DeliveryState.FAILED.value)
    query = (
        select(DELIVERY.c.server_reply)
        .where(
            DELIVERY.c.campaign_id == campaign_id,
            DELIVERY.c.state.in_(settled),
            DELIVERY.c.began_at.is_not(None),
        )
        .order_by(DELIVERY.c.began_at.desc(), DELIVERY.c.id.desc())
        .limit(limit)
    )
    return list(connection.execute(query).scalars())[::-1]


def zones(connection: Connection, plan_id: int, emails: Collection[str]) -> dict[str, str]:
    """Return the time zones of those people of a plan who have told theirs."""
    query = select(RECIPIENT.c.email, RECIPIENT.c.timezone).where(
        RECIPIENT.c.plan_id == plan_id,
        among(RECIPIENT.c.email, emails),
        RECIPIENT.c.timezone.is_not(None),
    )
    return {row.email: row.timezone for row in connection.execute(query)}
