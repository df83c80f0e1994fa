"""The mailing list: who is on it, and who must not be mailed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from kpay.domain.address import email_hash
from kpay.domain.enums import SubscriberStatus
from kpay.models.people import Subscriber, Suppression
from kpay.store.dialect import ROWS_A_STATEMENT, among, insert_missing, table_of

SUBSCRIBER = table_of(Subscriber)
SUPPRESSION = table_of(Suppression)


def find(connection: Connection, email: str) -> dict[str, Any] | None:
    """Return the subscriber with a normalised address."""
    query = select(SUBSCRIBER).where(SUBSCRIBER.c.email == email)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def listed(connection: Connection, status: SubscriberStatus | None) -> list[dict[str, Any]]:
    """Return the subscribers (of one status), by address."""
    query = select(SUBSCRIBER).order_by(SUBSCRIBER.c.email)
    if status is not None:
        query = query.where(SUBSCRIBER.c.status == status.value)
    return [dict(row) for row in connection.execute(query).mappings()]


def add(connection: Connection, row: dict[str, Any]) -> bool:
    """Put someone on the list; say whether they were not on it before."""
    return insert_missing(connection, Subscriber, [row], key=["email"]) == 1


def opted_out_among(connection: Connection, emails: Sequence[str]) -> set[str]:
    """Return which of the addresses have left the list or must not be mailed."""
    gone: set[str] = set()
    for start in range(0, len(emails), ROWS_A_STATEMENT):
        some = emails[start : start + ROWS_A_STATEMENT]
        left = select(SUBSCRIBER.c.email).where(
            SUBSCRIBER.c.email.in_(some),
            SUBSCRIBER.c.status == SubscriberStatus.UNSUBSCRIBED.value,
        )
        gone.update(connection.execute(left).scalars())
        by_hash = {email_hash(email): email for email in some}
        suppressed = select(SUPPRESSION.c.email_hash).where(
            SUPPRESSION.c.email_hash.in_(list(by_hash))
        )
        gone.update(by_hash[digest] for digest in connection.execute(suppressed).scalars())
    return gone


def statuses(connection: Connection, emails: Sequence[str]) -> dict[str, str]:
    """Return how those of the addresses stand that have a place on the list."""
    query = select(SUBSCRIBER.c.email, SUBSCRIBER.c.status).where(among(SUBSCRIBER.c.email, emails))
    return {row.email: row.status for row in connection.execute(query)}


def reason_not_to_mail(connection: Connection, email: str) -> str | None:
    """Return why an address must not be mailed (unsubscribe, bounce...), or None."""
    query = select(SUPPRESSION.c.reason).where(SUPPRESSION.c.email_hash == email_hash(email))
    return connection.execute(query).scalar_one_or_none()
