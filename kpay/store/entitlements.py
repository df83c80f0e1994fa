"""Entitlements: who may read what, since when and until when; and the sales they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, select, update

from kpay.domain.checkout import Account
from kpay.domain.enums import OrderStatus
from kpay.models import (
    Content,
    Dispute,
    Entitlement,
    Invoice,
    LineItem,
    Order,
    Refund,
    SubscriptionPhase,
)
from kpay.store.dialect import among, table_of, upsert_rows

KEY = ["customer_id", "content_id", "source", "source_id"]
_entitlements = table_of(Entitlement)
_orders = table_of(Order)
_lines = table_of(LineItem)
_refunds = table_of(Refund)
_disputes = table_of(Dispute)
_content = table_of(Content)
_phases = table_of(SubscriptionPhase)
_invoices = table_of(Invoice)


def save(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Upsert entitlements; return how many rows were written."""
    return upsert_rows(connection, Entitlement, rows, key=KEY)


def granted_by(connection: Connection, source: str, source_ids: Iterable[str]) -> list[Any]:
    """Return the entitlements that some orders or subscriptions granted."""
    query = select(_entitlements).where(
        _entitlements.c.source == source, among(_entitlements.c.source_id, source_ids)
    )
    return list(connection.execute(query).all())


def described(connection: Connection, source: str, source_id: str) -> list[Any]:
    """Return what one order or subscription granted, with the slug of each piece."""
    query = (
        select(_entitlements, _content.c.slug)
        .join(_content, _content.c.id == _entitlements.c.content_id)
        .where(_entitlements.c.source == source, _entitlements.c.source_id == source_id)
        .order_by(_entitlements.c.granted_at, _content.c.slug)
    )
    return list(connection.execute(query).all())


def end(connection: Connection, entitlement_id: int, at: datetime, reason: str) -> None:
    """End an entitlement that has not ended."""
    connection.execute(
        update(_entitlements)
        .where(_entitlements.c.id == entitlement_id, _entitlements.c.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
    )


def lines_sold(connection: Connection, order_ids: Iterable[int]) -> list[Any]:
    """Return one row for each piece of content in some orders of known customers."""
    query = (
        select(
            _orders.c.id,
            _orders.c.external_id,
            _orders.c.customer_id,
            _orders.c.ordered_at,
            _orders.c.total_minor,
            _orders.c.status,
            _orders.c.subscription_id,
            _lines.c.content_id,
        )
        .join(_lines, _lines.c.order_id == _orders.c.id)
        .where(
            among(_orders.c.id, order_ids),
            _orders.c.customer_id.is_not(None),
            _lines.c.content_id.is_not(None),
        )
        .order_by(_orders.c.id, _lines.c.position)
    )
    return list(connection.execute(query).all())


def money_back(connection: Connection, order_ids: Iterable[int]) -> list[Any]:
    """Return (order id, amount, status, time) of the refunds of some orders, oldest first."""
    query = (
        select(
            _refunds.c.order_id,
            _refunds.c.amount_minor,
            _refunds.c.status,
            _refunds.c.refunded_at.label("at"),
        )
        .where(among(_refunds.c.order_id, order_ids))
        .order_by(_refunds.c.refunded_at, _refunds.c.id)
    )
    return list(connection.execute(query).all())


def disputed(connection: Connection, order_ids: Iterable[int]) -> list[Any]:
    """Return (order id, status, time) of the disputes of some orders, oldest first."""
    query = (
        select(_disputes.c.order_id, _disputes.c.status, _disputes.c.opened_at.label("at"))
        .where(among(_disputes.c.order_id, order_ids))
        .order_by(_disputes.c.opened_at, _disputes.c.id)
    )
    return list(connection.execute(query).all())


def paid_orders(
    connection: Connection, account: Account, subscriptions: Iterable[str]
) -> list[Any]:
    """Return the orders with which some subscriptions were paid."""
    query = select(
        _orders.c.id,
        _orders.c.external_id,
        _orders.c.subscription_id,
        _orders.c.kind,
        _orders.c.ordered_at,
        _orders.c.total_minor,
    ).where(
        _orders.c.account == account.id,
        _orders.c.livemode == account.livemode,
        among(_orders.c.subscription_id, subscriptions),
        _orders.c.status == OrderStatus.PAID.value,
    )
    return list(connection.execute(query).all())


def billed_contents(
    connection: Connection, account: Account, subscriptions: Iterable[str]
) -> list[Any]:
    """Return (subscription, order, when, content) of what some subscriptions were billed for.

    A credit for an old plan is no such thing.
    """
    query = (
        select(
            _orders.c.subscription_id,
            _orders.c.external_id,
            _orders.c.ordered_at,
            _lines.c.content_id,
        )
        .join(_lines, _lines.c.order_id == _orders.c.id)
        .where(
            _orders.c.account == account.id,
            _orders.c.livemode == account.livemode,
            among(_orders.c.subscription_id, subscriptions),
            _orders.c.status == OrderStatus.PAID.value,
            _lines.c.content_id.is_not(None),
            _lines.c.amount_minor >= 0,
        )
    )
    return list(connection.execute(query).all())


def paid_phases(
    connection: Connection, account: Account, subscriptions: Iterable[str]
) -> list[Any]:
    """Return (subscription, start, interval, count) of the phases for whose bill money came."""
    bill = and_(
        _invoices.c.external_id == _phases.c.invoice_external_id,
        _invoices.c.account == _phases.c.account,
        _invoices.c.livemode == _phases.c.livemode,
    )
    query = (
        select(
            _phases.c.subscription_external_id.label("subscription"),
            _phases.c.starts_at,
            _phases.c.interval,
            _phases.c.interval_count,
        )
        .join(_invoices, bill)
        .where(
            _phases.c.account == account.id,
            _phases.c.livemode == account.livemode,
            among(_phases.c.subscription_external_id, subscriptions),
            _invoices.c.paid_minor > 0,
        )
    )
    return list(connection.execute(query).all())
