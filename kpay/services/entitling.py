"""Who may read what: entitlements brought in line with orders, refunds, disputes and subscriptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from kpay.domain.checkout import Account
from kpay.domain.entitlements import (
    NEVER_BEGAN,
    End,
    MoneyBack,
    contents_granted,
    order_end,
    subscription_end,
)
from kpay.domain.enums import OrderStatus
from kpay.domain.records import SubscriptionRecord
from kpay.store import billing, catalog, entitlements

BY_ORDER = "order"
BY_SUBSCRIPTION = "subscription"


def entitle_by_orders(connection: Connection, order_ids: Iterable[int]) -> int:
    """Write what some orders grant, or no longer do; return how many rows were written.

    An order that a subscription made grants nothing of itself: the subscription does.
    """
    wanted = set(order_ids)
    included = catalog.included(connection)
    refunds: dict[int, list[MoneyBack]] = defaultdict(list)
    for one in entitlements.money_back(connection, wanted):
        refunds[one.order_id].append(MoneyBack(one.amount_minor, one.status, one.at))
    disputes: dict[int, list[tuple[str, Any]]] = defaultdict(list)
    for one in entitlements.disputed(connection, wanted):
        disputes[one.order_id].append((one.status, one.at))
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for sold in entitlements.lines_sold(connection, wanted):
        if sold.status != OrderStatus.PAID or sold.subscription_id:
            continue
        end = order_end(sold.total_minor, refunds[sold.id], disputes[sold.id])
        for content in contents_granted(sold.content_id, included):
            rows[content, sold.external_id] = _row(
                sold.customer_id, content, sold.ordered_at, end
            ) | {
                "source": BY_ORDER,
                "source_id": sold.external_id,
            }
    return entitlements.save(connection, list(rows.values()))


def entitle_by_subscriptions(
    connection: Connection, account: Account, touched: Iterable[SubscriptionRecord]
) -> int:
    """Write what some subscriptions grant, or no longer do; return how many rows were written."""
    records = {one.id: one for one in touched}
    included = catalog.included(connection)
    rows = []
    granted: dict[str, set[int]] = defaultdict(set)
    for kept in billing.subscriptions(connection, account, records):
        record = records[kept.external_id]
        if record.status in NEVER_BEGAN or kept.customer_id is None or kept.content_id is None:
            continue
        end = _end_of(record)
        for content in contents_granted(kept.content_id, included):
            granted[kept.external_id].add(content)
            rows.append(
                _row(kept.customer_id, content, record.started_at, end)
                | {"source": BY_SUBSCRIPTION, "source_id": kept.external_id}
            )
    written = entitlements.save(connection, rows)
    return written + _end_what_was_left(connection, records, granted)


def _end_what_was_left(
    connection: Connection, records: dict[str, SubscriptionRecord], granted: dict[str, set[int]]
) -> int:
    """End the right to what a subscription was for before its plan changed."""
    ended = 0
    for old in entitlements.granted_by(connection, BY_SUBSCRIPTION, granted):
        if old.content_id in granted[old.source_id] or old.ended_at is not None:
            continue
        record = records[old.source_id]
        at = record.period_start_at or record.started_at
        entitlements.end(connection, old.id, at, "plan_changed")
        ended += 1
    return ended


def _end_of(record: SubscriptionRecord) -> End | None:
    return subscription_end(
        record.status,
        period_start_at=record.period_start_at,
        trial_end_at=record.trial_end_at,
        ended_at=record.ended_at,
        started_at=record.started_at,
    )


def _row(customer_id: int, content_id: int, granted_at: Any, end: End | None) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "content_id": content_id,
        "granted_at": granted_at,
        "ended_at": end.at if end else None,
        "end_reason": end.reason if end else None,
    }
