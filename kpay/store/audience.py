"""Who may be mailed: the list, the customers, what they own, and who must not be mailed again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select, update

from kpay.domain.address import email_hash, normal_email
from kpay.domain.audience import Person
from kpay.domain.enums import OrderStatus, SubscriberStatus
from kpay.models import Content, Customer, Entitlement, Order, Subscriber, Suppression
from kpay.store.dialect import chunks, insert_missing, table_of

SUBSCRIBER, CUSTOMER = table_of(Subscriber), table_of(Customer)
SUPPRESSION, ENTITLEMENT = table_of(Suppression), table_of(Entitlement)
CONTENT, ORDER = table_of(Content), table_of(Order)
EMAILS_A_STATEMENT = 500


def people(connection: Connection) -> list[Person]:
    """Return everyone on the list and every customer with an address, by address."""
    refused = suppressions(connection)
    owned = _owned_by_customer(connection)
    buyers = _buyers(connection)
    customers = {
        row.email: row
        for row in connection.execute(
            select(CUSTOMER.c.id, CUSTOMER.c.email, CUSTOMER.c.name, CUSTOMER.c.tags)
        )
        if row.email
    }
    listed = {row.email: row for row in connection.execute(select(SUBSCRIBER))}
    found = []
    for email in sorted(customers.keys() | listed.keys()):
        reader, customer = listed.get(email), customers.get(email)
        customer_id = customer.id if customer else None
        status = reader.status if reader else None
        found.append(
            Person(
                email=email,
                name=(reader.name if reader else "") or (customer.name if customer else ""),
                customer_id=customer_id,
                is_listed=reader is not None,
                has_consent=status == SubscriberStatus.SUBSCRIBED,
                is_suppressed=status == SubscriberStatus.UNSUBSCRIBED
                or email_hash(email) in refused,
                has_bought=customer_id in buyers,
                tags=frozenset(reader.tags if reader else ())
                | frozenset(customer.tags if customer else ()),
                owned=owned.get(customer_id, frozenset()) if customer_id else frozenset(),
            )
        )
    return found


def suppressions(connection: Connection) -> dict[str, str]:
    """Return why each suppressed address, by its hash, must not be mailed."""
    rows = connection.execute(select(SUPPRESSION.c.email_hash, SUPPRESSION.c.reason))
    return {row.email_hash: row.reason for row in rows}


def suppressed_among(connection: Connection, emails: Iterable[str]) -> dict[str, str]:
    """Return the reasons of those addresses that must not be mailed (a short list of addresses)."""
    by_hash = {email_hash(email): email for email in emails}
    rows = connection.execute(
        select(SUPPRESSION.c.email_hash, SUPPRESSION.c.reason).where(
            SUPPRESSION.c.email_hash.in_(list(by_hash))
        )
    )
    return {by_hash[row.email_hash]: row.reason for row in rows}


def left_the_list(connection: Connection, emails: Iterable[str]) -> set[str]:
    """Return those of a few addresses whose owners have left the list."""
    query = select(SUBSCRIBER.c.email).where(
        SUBSCRIBER.c.email.in_(list(emails)),
        SUBSCRIBER.c.status == SubscriberStatus.UNSUBSCRIBED.value,
    )
    return set(connection.execute(query).scalars())


def opt_out(connection: Connection, emails: Iterable[str], reason: str, at: datetime) -> int:
    """Suppress addresses (unsubscribe, complaint, bounce) and end their place on the list.

    Returns how many were not suppressed before; the first reason and its time are kept, and an
    address that is suppressed already is not written again.
    """
    gone = sorted({normal_email(email) for email in emails})
    rows = [{"email_hash": email_hash(email), "reason": reason, "since_at": at} for email in gone]
    added = insert_missing(connection, Suppression, rows, key=["email_hash"])
    for some in chunks([{"email": email} for email in gone], EMAILS_A_STATEMENT):
        connection.execute(
            update(SUBSCRIBER)
            .where(
                SUBSCRIBER.c.email.in_([row["email"] for row in some]),
                SUBSCRIBER.c.status != SubscriberStatus.UNSUBSCRIBED.value,
            )
            .values(status=SubscriberStatus.UNSUBSCRIBED.value, unsubscribed_at=at)
        )
    return added


def _owned_by_customer(connection: Connection) -> dict[int, frozenset[str]]:
    rows = connection.execute(
        select(ENTITLEMENT.c.customer_id, CONTENT.c.slug)
        .join(CONTENT, CONTENT.c.id == ENTITLEMENT.c.content_id)
        .where(ENTITLEMENT.c.ended_at.is_(None))
    )
    owned: defaultdict[int, set[str]] = defaultdict(set)
    for row in rows:
        owned[row.customer_id].add(row.slug)
    return {customer: frozenset(slugs) for customer, slugs in owned.items()}


def _buyers(connection: Connection) -> set[int | None]:
    query = select(ORDER.c.customer_id).where(ORDER.c.status == OrderStatus.PAID.value).distinct()
    return set(connection.execute(query).scalars())
