"""Subscriptions, their phases and invoices; balance transactions and payouts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, func, select, update

from kpay.domain.checkout import Account
from kpay.models import BalanceTransaction, Invoice, Payout, Subscription, SubscriptionPhase
from kpay.store.dialect import chunks, table_of, upsert_rows

IDS_A_QUERY = 5000
KEY = ["account", "livemode", "external_id"]
PHASE_KEY = ["account", "livemode", "subscription_external_id", "starts_at"]
_subscriptions = table_of(Subscription)
_balance = table_of(BalanceTransaction)
_payouts = table_of(Payout)

Rows = Sequence[Mapping[str, Any]]


def _ours(table: Table, account: Account) -> Any:
    return and_(table.c.account == account.id, table.c.livemode == account.livemode)


def save_subscriptions(connection: Connection, rows: Rows) -> int:
    """Upsert subscriptions; return how many rows were written."""
    return upsert_rows(connection, Subscription, rows, key=KEY)


def save_invoices(connection: Connection, rows: Rows) -> int:
    """Upsert invoices; return how many rows were written."""
    return upsert_rows(connection, Invoice, rows, key=KEY)


def save_phases(connection: Connection, rows: Rows) -> int:
    """Upsert the phases of subscriptions; return how many rows were written."""
    return upsert_rows(connection, SubscriptionPhase, rows, key=PHASE_KEY)


def save_balance_transactions(connection: Connection, rows: Rows) -> int:
    """Upsert movements of the balance; return how many rows were written."""
    return upsert_rows(connection, BalanceTransaction, rows, key=KEY)


def save_payouts(connection: Connection, rows: Rows) -> int:
    """Upsert payouts; return how many rows were written."""
    return upsert_rows(connection, Payout, rows, key=KEY)


def subscriptions(
    connection: Connection, account: Account, external_ids: Iterable[str]
) -> list[Any]:
    """Return some subscriptions."""
    found: list[Any] = []
    for some in chunks(sorted(external_ids), IDS_A_QUERY):
        query = select(_subscriptions).where(
            _ours(_subscriptions, account), _subscriptions.c.external_id.in_(some)
        )
        found += connection.execute(query)
    return found


def net_by_currency(connection: Connection, account: Account) -> dict[str, int]:
    """Return the sum of all movements of the balance, in minor units of each currency."""
    query = (
        select(_balance.c.currency, func.sum(_balance.c.net_minor))
        .where(_ours(_balance, account))
        .group_by(_balance.c.currency)
        .order_by(_balance.c.currency)
    )
    return {currency: int(net) for currency, net in connection.execute(query)}


def movements(connection: Connection, account: Account) -> dict[str, tuple[int, str]]:
    """Return (net, currency) of every movement of the balance by its id."""
    query = select(_balance.c.external_id, _balance.c.net_minor, _balance.c.currency).where(
        _ours(_balance, account)
    )
    return {row.external_id: (row.net_minor, row.currency) for row in connection.execute(query)}


def paid_payouts(connection: Connection, account: Account) -> list[Any]:
    """Return the payouts that left the balance, oldest first."""
    query = select(_payouts).where(
        _ours(_payouts, account), _payouts.c.status.in_(("paid", "in_transit", "pending"))
    )
    return list(connection.execute(query.order_by(_payouts.c.created_at, _payouts.c.external_id)))


def payouts_of_movements(connection: Connection, account: Account) -> dict[str, str]:
    """Return the payout of every movement of the balance of which it is known."""
    query = select(_balance.c.external_id, _balance.c.payout_external_id).where(
        _ours(_balance, account), _balance.c.payout_external_id.is_not(None)
    )
    return {row.external_id: row.payout_external_id for row in connection.execute(query)}


def tie_to_payout(
    connection: Connection, account: Account, payout: str, movement_ids: Sequence[str]
) -> None:
    """Remember which payout brought movements to the bank."""
    if movement_ids:
        statement = (
            update(_balance)
            .where(_ours(_balance, account), _balance.c.external_id == bindparam("movement"))
            .values(payout_external_id=payout)
        )
        connection.execute(statement, [{"movement": one} for one in movement_ids])
