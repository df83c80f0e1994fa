"""Rows that mirror one provider object each, written with the object and read back as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, select, update
from sqlmodel import SQLModel

from kpay.domain.checkout import Account
from kpay.models import (
    BalanceTransaction,
    Charge,
    CheckoutSession,
    Coupon,
    Dispute,
    Invoice,
    InvoicePayment,
    PaymentIntent,
    PaymentLink,
    Payout,
    Price,
    Product,
    PromotionCode,
    ProviderCustomer,
    Refund,
    SubscriptionItem,
)
from kpay.store.dialect import among, table_of, upsert_rows

KEY: Final = ("account", "livemode", "external_id")
MIRRORS: Final[dict[str, tuple[type[SQLModel], tuple[str, ...]]]] = {
    "balance_transaction": (BalanceTransaction, KEY),
    "charge": (Charge, KEY),
    "checkout.session": (CheckoutSession, KEY),
    "coupon": (Coupon, KEY),
    "customer": (ProviderCustomer, KEY),
    "dispute": (Dispute, KEY),
    "invoice_payment": (InvoicePayment, KEY),
    "payment_intent": (PaymentIntent, KEY),
    "payout": (Payout, KEY),
    "price": (Price, KEY),
    "promotion_code": (PromotionCode, KEY),
    "refund": (Refund, ("source", *KEY)),
    "subscription_item": (SubscriptionItem, KEY),
}
"""The table of each mirrored kind, and what its rows are known by."""

GONE: Final[dict[str, tuple[type[SQLModel], dict[str, Any]]]] = {
    "customer": (ProviderCustomer, {"is_deleted": True}),
    "coupon": (Coupon, {"is_deleted": True, "is_valid": False}),
    "product": (Product, {"is_active": False}),
    "price": (Price, {"is_active": False}),
    "payment_link": (PaymentLink, {"is_active": False}),
    "invoice": (Invoice, {"status": "deleted"}),
}
"""What a row says once its object is gone at the provider; money that moved keeps its rows."""

_charges = table_of(Charge)
_customers = table_of(ProviderCustomer)
_payments = table_of(PaymentIntent)


def save(connection: Connection, kind: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Upsert the rows of one kind; return how many were written."""
    model, key = MIRRORS[kind]
    return upsert_rows(connection, model, rows, key=key)


def mark_gone(connection: Connection, account: Account, kind: str, ids: Iterable[str]) -> None:
    """Have the rows of deleted objects say so."""
    if kind not in GONE:
        return
    model, said = GONE[kind]
    table = table_of(model)
    connection.execute(update(table).where(_among(table, account, ids)).values(**said))


def charges(connection: Connection, account: Account, ids: Sequence[str]) -> dict[str, Any]:
    """Return some charges by id."""
    return _by_id(connection, _charges, account, ids)


def customers(connection: Connection, account: Account, ids: Iterable[str]) -> dict[str, Any]:
    """Return some of the provider's customers by id, deleted ones too."""
    return _by_id(connection, _customers, account, sorted(ids))


def payment_contents(
    connection: Connection, account: Account, ids: Iterable[str]
) -> dict[str, str]:
    """Return the content that some payment intents name."""
    query = select(_payments.c.external_id, _payments.c.content).where(
        _among(_payments, account, ids), _payments.c.content.is_not(None)
    )
    return dict(connection.execute(query).all())


def _by_id(
    connection: Connection, table: Table, account: Account, ids: Sequence[str]
) -> dict[str, Any]:
    query = select(table).where(_among(table, account, ids))
    return {row.external_id: row for row in connection.execute(query).all()}


def _among(table: Table, account: Account, ids: Iterable[str]) -> Any:
    return and_(
        table.c.account == account.id,
        table.c.livemode == account.livemode,
        among(table.c.external_id, ids),
    )
