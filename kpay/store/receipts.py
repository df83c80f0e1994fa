"""Orders as receipts need them: the one behind a right, and the renewals that have no receipt yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, literal, or_, select

from kpay.domain.delivery import WAITING
from kpay.domain.enums import DeliveryState, MailKind, OrderKind, OrderStatus
from kpay.models import Customer, Delivery, Entitlement, LineItem, Order
from kpay.store.dialect import table_of
from kpay.store.imported_orders import SOURCE as IMPORTED

ORDER, LINE, CUSTOMER = table_of(Order), table_of(LineItem), table_of(Customer)
ENTITLEMENT, DELIVERY = table_of(Entitlement), table_of(Delivery)
OCCASION = "receipt "
AGAIN = (OrderKind.RENEWAL.value, OrderKind.SUBSCRIPTION_UPDATE.value)
"""The orders that bring nothing new to read, so that no mail of a purchase carries their receipt."""


def order_behind(connection: Connection, entitlement_id: int) -> int | None:
    """Return the order that bought a right, if one of its lines is the piece itself.

    What came along with something else (a bundle, a membership) has its receipt in that one's mail.
    """
    query = (
        select(ORDER.c.id)
        .select_from(ENTITLEMENT)
        .join(
            ORDER,
            or_(
                (ENTITLEMENT.c.source == "order")
                & (ORDER.c.external_id == ENTITLEMENT.c.source_id),
                (ENTITLEMENT.c.source == "subscription")
                & (ORDER.c.subscription_id == ENTITLEMENT.c.source_id),
            ),
        )
        .join(
            LINE,
            (LINE.c.order_id == ORDER.c.id) & (LINE.c.content_id == ENTITLEMENT.c.content_id),
        )
        .where(
            ENTITLEMENT.c.id == entitlement_id,
            ORDER.c.customer_id == ENTITLEMENT.c.customer_id,
            ORDER.c.status == OrderStatus.PAID.value,
        )
        .order_by(ORDER.c.ordered_at, ORDER.c.id)
        .limit(1)
    )
    found: int | None = connection.execute(query).scalar_one_or_none()
    return found


def without_receipt(connection: Connection, since: datetime) -> Sequence[RowMapping]:
    """Return the renewals paid from a moment on for which no receipt was ever queued.

    What was paid elsewhere, and imported, has its receipt from there.
    """
    email = func.coalesce(CUSTOMER.c.email, ORDER.c.email)
    occasion = literal(OCCASION).concat(ORDER.c.external_id)
    query = (
        select(
            ORDER.c.id,
            ORDER.c.external_id,
            ORDER.c.customer_id,
            email.label("email"),
            CUSTOMER.c.name,
            occasion.label("occasion"),
        )
        .outerjoin(CUSTOMER, CUSTOMER.c.id == ORDER.c.customer_id)
        .outerjoin(DELIVERY, DELIVERY.c.occasion == occasion)
        .where(
            ORDER.c.ordered_at >= since,
            ORDER.c.status == OrderStatus.PAID.value,
            ORDER.c.kind.in_(AGAIN),
            ORDER.c.total_minor > 0,
            ORDER.c.source != IMPORTED,
            email.is_not(None),
            DELIVERY.c.id.is_(None),
        )
        .order_by(ORDER.c.ordered_at, ORDER.c.id)
    )
    return connection.execute(query).mappings().all()


def waiting(connection: Connection) -> Sequence[RowMapping]:
    """Return the receipts that have not left: email, occasion, state, due_at, server_reply."""
    states = [state.value for state in (*WAITING, DeliveryState.SENDING)]
    query = (
        select(
            DELIVERY.c.email,
            DELIVERY.c.occasion,
            DELIVERY.c.state,
            DELIVERY.c.due_at,
            DELIVERY.c.server_reply,
        )
        .where(
            DELIVERY.c.state.in_(states),
            DELIVERY.c.kind == MailKind.RECEIPT.value,
            DELIVERY.c.enrolment_id.is_(None),
        )
        .order_by(DELIVERY.c.due_at, DELIVERY.c.id)
    )
    return connection.execute(query).mappings().all()


def count_sent(connection: Connection) -> int:
    """Return how many receipts have left."""
    query = select(func.count()).where(
        DELIVERY.c.kind == MailKind.RECEIPT.value,
        DELIVERY.c.enrolment_id.is_(None),
        DELIVERY.c.state == DeliveryState.SENT.value,
    )
    return int(connection.execute(query).scalar_one())
