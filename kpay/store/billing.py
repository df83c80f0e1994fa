"""Subscriptions, their phases and invoices; balance transactions and payouts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, func, select

from kpay.domain.checkout import Account
from kpay.models import (
    BalanceTransaction,
    Invoice,
    Payout,
    Subscription,
    SubscriptionItem,
    SubscriptionPhase,
)
from kpay.store.dialect import among, table_of, upsert_rows

KEY = ["account", "livemode", "external_id"]
PHASE_KEY = ["account", "livemode", "subscription_external_id", "starts_at"]
_subscriptions = table_of(Subscription)
_items = table_of(SubscriptionItem)
_balance = table_of(BalanceTransaction)
_payouts = table_of(Payout)

Rows = Sequence[Mapping[str, Any]]


def _ours(table: Table, account: Account) -> Any:
    return and_(table.c.account == account.id, table.c.livemode == account.livemode)


def save_subscriptions(connection: Connection, rows: Rows) -> int:
    """Upsert subscriptions; return how many rows were written."""
    return upsert_rows(connection, Subscription, rows, key=KEY)


def drop_other_items(
    connection: Connection, account: Account, kept: Mapping[str, set[str]]
) -> None:
    """Remove the items that subscriptions no longer have; `kept` names those that they have."""
    query = select(_items.c.subscription_external_id, _items.c.external_id).where(
        _ours(_items, account), among(_items.c.subscription_external_id, kept)
    )
    gone = [item for whose, item in connection.execute(query) if item not in kept[whose]]
    connection.execute(
        delete(_items).where(_ours(_items, account), among(_items.c.external_id, gone))
    )


def save_invoices(connection: Connection, rows: Rows) -> int:
    """Upsert invoices; return how many rows were written."""
    return upsert_rows(connection, Invoice, rows, key=KEY)


def save_phases(connection: Connection, rows: Rows) -> int:
    """Upsert the phases of subscriptions; return how many rows were written."""
    return upsert_rows(connection, SubscriptionPhase, rows, key=PHASE_KEY)


def subscriptions(
    connection: Connection, account: Account, external_ids: Iterable[str]
) -> list[Any]:
    """Return some subscriptions."""
    query = select(_subscriptions).where(
        _ours(_subscriptions, account), among(_subscriptions.c.external_id, external_ids)
    )
    return list(connection.execute(query))


def net_by_currency(connection: Connection, account: Account) -> dict[str, int]:
    """Return the sum of all movements of the balance, in minor units of each currency."""
    query = (
        select(_balance.c.currency, func.sum(_balance.c.net_minor))
        .where(_ours(_balance, account))
        .group_by(_balance.c.currency)
        .order_by(_balance.c.currency)
    )
    return {currency: int(net) for currency, net in connection.execute(query)}
