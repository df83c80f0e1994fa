"""Sales, subscriptions and invoices that were derived before the catalogue told what they sold.

A sync that breaks off may have read an invoice and not its price. When the price is there, what names it
and could make nothing of it is derived once more; what was mapped stays as it was frozen.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    literal,
    or_,
    select,
    union,
)

from kpay.domain.checkout import Account
from kpay.models import (
    CheckoutSession,
    Invoice,
    LineItem,
    Order,
    Price,
    Subscription,
    SubscriptionPhase,
    Underived,
)
from kpay.store import underived
from kpay.store.dialect import table_of

_due = table_of(Underived)
_orders = table_of(Order)
_lines = table_of(LineItem)
_prices = table_of(Price)
_sessions = table_of(CheckoutSession)
_subscriptions = table_of(Subscription)
_invoices = table_of(Invoice)
_phases = table_of(SubscriptionPhase)


def add_what_the_catalogue_reaches(connection: Connection, account: Account) -> None:
    """Note what sold something unknown by a price, product or link that is underived now."""
    of_catalogue = _due.c.object.in_(("price", "product", "payment_link"))
    if not connection.scalar(select(exists().where(_of(_due, account), of_catalogue))):
        return
    for kind, chosen in (
        ("charge", _sales(account, _orders.c.charge_id)),
        ("checkout.session", _sales(account, _orders.c.session_id)),
        ("subscription", _subscriptions_without_content(account)),
        ("invoice", _invoices_without_phase(account)),
    ):
        table, column, condition = chosen
        named = [table.c.account, table.c.livemode, literal(kind), column]
        query = select(*named).where(_of(table, account), column.is_not(None), condition)
        underived.add_chosen(connection, query)


def _sales(account: Account, column: Any) -> tuple[Any, Any, ColumnElement[bool]]:
    """Orders with a line that nobody could name, and whose price or link is told of now."""
    by_link = select(_sessions.c.external_id).where(
        _of(_sessions, account),
        _sessions.c.payment_link_external_id.in_(_told(account, "payment_link")),
    )
    unnamed = select(_lines.c.order_id).where(
        _lines.c.content_id.is_(None),
        or_(
            _lines.c.price_external_id.in_(_prices_told(account)), _orders.c.session_id.in_(by_link)
        ),
        _lines.c.order_id == _orders.c.id,
    )
    return _orders, column, exists(unnamed)


def _subscriptions_without_content(account: Account) -> tuple[Any, Any, ColumnElement[bool]]:
    condition = and_(
        _subscriptions.c.content_id.is_(None),
        _subscriptions.c.price_external_id.in_(_prices_told(account)),
    )
    return _subscriptions, _subscriptions.c.external_id, condition


def _invoices_without_phase(account: Account) -> tuple[Any, Any, ColumnElement[bool]]:
    """Bills of subscriptions that begin no phase: the terms of their price may have been unknown."""
    beginning = select(_phases.c.invoice_external_id).where(
        _of(_phases, account), _phases.c.invoice_external_id.is_not(None)
    )
    condition = and_(
        _invoices.c.subscription_external_id.is_not(None),
        _invoices.c.external_id.not_in(beginning),
        exists(_told(account, "price")),
    )
    return _invoices, _invoices.c.external_id, condition


def _prices_told(account: Account) -> Select[Any]:
    of_products = select(_prices.c.external_id).where(
        _of(_prices, account), _prices.c.product_external_id.in_(_told(account, "product"))
    )
    return select(union(_told(account, "price"), of_products).subquery().c[0])


def _told(account: Account, kind: str) -> Select[Any]:
    return select(_due.c.external_id).where(_of(_due, account), _due.c.object == kind)


def _of(table: Any, account: Account) -> ColumnElement[bool]:
    return and_(table.c.account == account.id, table.c.livemode == account.livemode)
