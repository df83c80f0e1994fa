"""Who goes through which sequence, and the letters that they get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    bindparam,
    func,
    literal,
    select,
    update,
)

from kpay.domain.delivery import WAITING
from kpay.domain.enums import DeliveryState, MailKind, OrderStatus, SubscriberStatus
from kpay.domain.sequences import Bought, EndReason
from kpay.models import (
    Content,
    Customer,
    Delivery,
    Enrolment,
    Entitlement,
    Order,
    Subscriber,
)
from kpay.store.dialect import among, insert_missing, table_of

ENROLMENT, DELIVERY = table_of(Enrolment), table_of(Delivery)
SUBSCRIBER, CUSTOMER = table_of(Subscriber), table_of(Customer)
ORDER, CONTENT, ENTITLEMENT = table_of(Order), table_of(Content), table_of(Entitlement)
KEY = ("sequence", "email", "trigger_key")
MARKETING_KINDS = (MailKind.CAMPAIGN.value, MailKind.SEQUENCE.value)


def names(connection: Connection) -> list[str]:
    """Return the names of all sequences that somebody was ever in."""
    query = select(ENROLMENT.c.sequence).distinct().order_by(ENROLMENT.c.sequence)
    return list(connection.scalars(query))


def still_in(connection: Connection, sequence: str) -> Sequence[RowMapping]:
    """Return the enrolments of a sequence that have not ended, oldest first."""
    query = (
        select(ENROLMENT)
        .where(ENROLMENT.c.sequence == sequence, ENROLMENT.c.ended_at.is_(None))
        .order_by(ENROLMENT.c.began_at, ENROLMENT.c.id)
    )
    return connection.execute(query).mappings().all()


def known(connection: Connection, sequence: str, keys: Iterable[str]) -> set[tuple[str, str]]:
    """Return (email, key) of those happenings that somebody was enrolled for before."""
    query = select(ENROLMENT.c.email, ENROLMENT.c.trigger_key).where(
        ENROLMENT.c.sequence == sequence, among(ENROLMENT.c.trigger_key, keys)
    )
    return {(row.email, row.trigger_key) for row in connection.execute(query)}


def enrol(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add the enrolments that are not there yet; return how many."""
    return insert_missing(connection, Enrolment, rows, key=KEY)


def end(connection: Connection, ids: Iterable[int], at: datetime, reason: EndReason) -> None:
    """End enrolments, and take their letters that have not left out of the queue."""
    wanted = list(ids)
    connection.execute(
        update(ENROLMENT)
        .where(among(ENROLMENT.c.id, wanted), ENROLMENT.c.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason.value, next_due_at=None)
    )
    connection.execute(
        update(DELIVERY)
        .where(among(DELIVERY.c.enrolment_id, wanted), _waits())
        .values(state=DeliveryState.SKIPPED.value, server_reply=reason.value, claimed_by=None)
    )


def _waits() -> ColumnElement[bool]:
    return DELIVERY.c.state.in_([state.value for state in WAITING])


def advance(connection: Connection, moves: Sequence[Mapping[str, Any]]) -> None:
    """Move enrolments on: rows of enrolment, before, after, due_at, context.

    One that another run has moved meanwhile stays where it is.
    """
    if not moves:
        return
    connection.execute(
        update(ENROLMENT)
        .where(
            ENROLMENT.c.id == bindparam("enrolment"),
            ENROLMENT.c.next_step == bindparam("before"),
            ENROLMENT.c.ended_at.is_(None),
        )
        .values(
            next_step=bindparam("after"),
            next_due_at=bindparam("due_at"),
            context=bindparam("values"),
        ),
        [dict(move) for move in moves],
    )


def last_sent(connection: Connection, ids: Iterable[int]) -> dict[int, datetime]:
    """Return when each of some enrolments last had a letter sent."""
    query = (
        select(DELIVERY.c.enrolment_id, func.max(DELIVERY.c.sent_at).label("at"))
        .where(among(DELIVERY.c.enrolment_id, ids), DELIVERY.c.sent_at.is_not(None))
        .group_by(DELIVERY.c.enrolment_id)
    )
    return {row.enrolment_id: row.at for row in connection.execute(query)}


def last_mailed(connection: Connection, emails: Iterable[str]) -> dict[str, datetime]:
    """Return when each of some addresses last got a campaign or a letter of a sequence."""
    query = (
        select(DELIVERY.c.email, func.max(DELIVERY.c.sent_at).label("at"))
        .where(
            among(DELIVERY.c.email, emails),
            DELIVERY.c.kind.in_(MARKETING_KINDS),
            DELIVERY.c.sent_at.is_not(None),
        )
        .group_by(DELIVERY.c.email)
    )
    return {row.email: row.at for row in connection.execute(query)}


def unsettled(connection: Connection) -> Sequence[RowMapping]:
    """Return the letters of sequences that have not left: delivery, enrolment, email, occasion."""
    query = select(
        DELIVERY.c.id, DELIVERY.c.enrolment_id, DELIVERY.c.email, DELIVERY.c.occasion
    ).where(DELIVERY.c.enrolment_id.is_not(None), _waits())
    return connection.execute(query).mappings().all()


def put_off(connection: Connection, ids: Iterable[int], until: datetime) -> None:
    """Let letters that wait wait longer."""
    connection.execute(
        update(DELIVERY).where(among(DELIVERY.c.id, ids), _waits()).values(due_at=until)
    )


def has_lost(connection: Connection) -> bool:
    """Say whether a dead run left letters of sequences on their way."""
    query = select(DELIVERY.c.id).where(
        DELIVERY.c.enrolment_id.is_not(None), DELIVERY.c.state == DeliveryState.SENDING.value
    )
    return connection.execute(query.limit(1)).first() is not None


def waits_for_service(connection: Connection) -> bool:
    """Say whether letters about somebody's own contract wait, or were lost on their way."""
    states = (*WAITING, DeliveryState.SENDING)
    query = select(DELIVERY.c.id).where(
        DELIVERY.c.enrolment_id.is_not(None),
        DELIVERY.c.kind == MailKind.RECEIPT.value,
        DELIVERY.c.state.in_([state.value for state in states]),
    )
    return connection.execute(query.limit(1)).first() is not None


def count_sent(connection: Connection) -> int:
    """Return how many letters of sequences have left."""
    query = select(func.count()).where(
        DELIVERY.c.enrolment_id.is_not(None), DELIVERY.c.state == DeliveryState.SENT.value
    )
    return int(connection.execute(query).scalar_one())


def without_consent(connection: Connection, emails: Iterable[str]) -> set[str]:
    """Return those of some addresses that are not on the list, or have not said yes to it."""
    wanted = set(emails)
    query = select(SUBSCRIBER.c.email).where(
        among(SUBSCRIBER.c.email, wanted),
        SUBSCRIBER.c.status == SubscriberStatus.SUBSCRIBED.value,
    )
    return wanted - set(connection.scalars(query))


def bought(connection: Connection, emails: Iterable[str], since: datetime) -> list[Bought]:
    """Return what some people paid for (no piece named), and the rights they got, after a moment."""
    wanted = list(emails)
    email = func.coalesce(CUSTOMER.c.email, ORDER.c.email)
    paid = (
        select(email.label("email"), ORDER.c.ordered_at.label("at"), literal(None).label("slug"))
        .outerjoin(CUSTOMER, CUSTOMER.c.id == ORDER.c.customer_id)
        .where(
            ORDER.c.ordered_at > since,
            ORDER.c.status == OrderStatus.PAID.value,
            among(email, wanted),
        )
    )
    rights = (
        select(CUSTOMER.c.email, ENTITLEMENT.c.granted_at.label("at"), CONTENT.c.slug)
        .join(CUSTOMER, CUSTOMER.c.id == ENTITLEMENT.c.customer_id)
        .join(CONTENT, CONTENT.c.id == ENTITLEMENT.c.content_id)
        .where(ENTITLEMENT.c.granted_at > since, among(CUSTOMER.c.email, wanted))
    )
    rows = [*connection.execute(paid), *connection.execute(rights)]
    return [Bought(row.email, row.at, row.slug) for row in rows]


def owned(connection: Connection, emails: Iterable[str]) -> dict[str, set[str]]:
    """Return the slugs of what some people may read today."""
    query = (
        select(CUSTOMER.c.email, CONTENT.c.slug)
        .join(ENTITLEMENT, ENTITLEMENT.c.customer_id == CUSTOMER.c.id)
        .join(CONTENT, CONTENT.c.id == ENTITLEMENT.c.content_id)
        .where(among(CUSTOMER.c.email, emails), ENTITLEMENT.c.ended_at.is_(None))
    )
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.email, set()).add(row.slug)
    return found


def ends(connection: Connection) -> dict[str, dict[str, int]]:
    """Return how many left each sequence for which reason; "" counts those who are in it."""
    reason = func.coalesce(ENROLMENT.c.end_reason, "")
    query = select(ENROLMENT.c.sequence, reason.label("reason"), func.count().label("people"))
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(query.group_by(ENROLMENT.c.sequence, reason)):
        found.setdefault(row.sequence, {})[row.reason] = row.people
    return found


def letters(connection: Connection) -> Sequence[RowMapping]:
    """Return how many letters of each occasion's sequence stand in which state."""
    query = (
        select(
            ENROLMENT.c.sequence,
            DELIVERY.c.state,
            func.count().label("messages"),
        )
        .join(ENROLMENT, ENROLMENT.c.id == DELIVERY.c.enrolment_id)
        .group_by(ENROLMENT.c.sequence, DELIVERY.c.state)
    )
    return connection.execute(query).mappings().all()


def first_of_each(connection: Connection, sequence: str) -> Sequence[RowMapping]:
    """Return the first enrolment of everybody who was ever in a sequence."""
    first = (
        select(ENROLMENT.c.email, func.min(ENROLMENT.c.id).label("id"))
        .where(ENROLMENT.c.sequence == sequence)
        .group_by(ENROLMENT.c.email)
        .subquery()
    )
    query = (
        select(ENROLMENT).join(first, first.c.id == ENROLMENT.c.id).order_by(ENROLMENT.c.began_at)
    )
    return connection.execute(query).mappings().all()


def orders_of(connection: Connection, emails: Iterable[str], since: datetime) -> list[Any]:
    """Return email, time, currency and total of what some people paid after a moment."""
    email = func.coalesce(CUSTOMER.c.email, ORDER.c.email)
    query = (
        select(email.label("email"), ORDER.c.ordered_at, ORDER.c.currency, ORDER.c.total_minor)
        .outerjoin(CUSTOMER, CUSTOMER.c.id == ORDER.c.customer_id)
        .where(
            ORDER.c.ordered_at > since,
            ORDER.c.status == OrderStatus.PAID.value,
            ORDER.c.total_minor > 0,
            among(email, emails),
        )
    )
    return list(connection.execute(query))
