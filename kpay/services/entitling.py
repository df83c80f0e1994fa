"""Who may read what: entitlements brought in line with orders, refunds, disputes and subscriptions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from kpay.domain.checkout import Account
from kpay.domain.entitlements import (
    NEVER_BEGAN,
    VOID,
    End,
    Membership,
    MoneyBack,
    PaidOrder,
    contents_granted,
    order_end,
    period_end,
    subscription_end,
    taken_back,
)
from kpay.domain.enums import OrderStatus
from kpay.domain.records import SubscriptionRecord
from kpay.domain.tenure import Bill, Tenure, tenures, widest
from kpay.store import billing, catalog, entitlements

BY_ORDER = "order"
BY_SUBSCRIPTION = "subscription"


def entitle_by_orders(connection: Connection, order_ids: Iterable[int]) -> int:
    """Write what some orders grant, or no longer do; return how many rows were written.

    An order that a subscription made grants nothing of itself: the subscription does.
    """
    wanted = set(order_ids)
    included = catalog.included(connection)
    ends = _MoneyWentBack(connection, wanted)
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for sold in entitlements.lines_sold(connection, wanted):
        if sold.status == OrderStatus.PENDING or sold.subscription_id:
            continue
        has_failed = sold.status == OrderStatus.FAILED
        end = End(sold.ordered_at, "payment_failed") if has_failed else ends.of(sold)
        for content in contents_granted(sold.content_id, included):
            right = _row(sold.customer_id, content, sold.ordered_at, end)
            rows[content, sold.external_id] = right | {
                "source": BY_ORDER,
                "source_id": sold.external_id,
            }
    return entitlements.save(connection, list(rows.values()))


class _MoneyWentBack:
    """When the money of some orders went back, by refund or by dispute."""

    def __init__(self, connection: Connection, order_ids: Collection[int]) -> None:
        self._refunds: dict[int, list[MoneyBack]] = defaultdict(list)
        for one in entitlements.money_back(connection, order_ids):
            self._refunds[one.order_id].append(MoneyBack(one.amount_minor, one.status, one.at))
        self._disputes: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
        for one in entitlements.disputed(connection, order_ids):
            self._disputes[one.order_id].append((one.status, one.at))

    def of(self, order: Any) -> End | None:
        """Return when all of it was back, or None while it is not."""
        refunds, disputes = self._refunds.get(order.id, ()), self._disputes.get(order.id, ())
        return order_end(order.total_minor, refunds, disputes)


def entitle_by_subscriptions(
    connection: Connection, account: Account, touched: Iterable[SubscriptionRecord]
) -> int:
    """Write what some subscriptions grant, or no longer do; return how many rows were written.

    Their orders must be in the store, with what went back of them.
    """
    record_of = {one.id: one for one in touched}
    included = catalog.included(connection)
    ends = _ends(connection, account, record_of)
    bills = _bills(connection, account, record_of)
    rows = []
    granted: dict[str, set[int]] = defaultdict(set)
    for kept in billing.subscriptions(connection, account, record_of):
        record = record_of[kept.external_id]
        if record.status in NEVER_BEGAN or kept.customer_id is None or kept.content_id is None:
            continue
        held = tenures(
            bills.get(record.id, ()),
            {kept.content_id},
            started_at=record.started_at,
            changed_at=record.period_start_at or record.started_at,
        )
        for content, tenure in widest(held, included).items():
            granted[record.id].add(content)
            end = _earlier(ends[record.id], tenure)
            right = _row(kept.customer_id, content, tenure.since, end)
            rows.append(right | {"source": BY_SUBSCRIPTION, "source_id": record.id})
    written = entitlements.save(connection, rows)
    return written + _end_what_was_left(connection, record_of, granted)


def _earlier(end: End | None, tenure: Tenure) -> End | None:
    """Return the end of a right: the subscription's, or a change of plan before it."""
    if tenure.until is None or (end is not None and end.at <= tenure.until):
        return end
    return End(tenure.until, "plan_changed")


def _bills(
    connection: Connection, account: Account, subscriptions: Iterable[str]
) -> dict[str, list[Bill]]:
    """Return what each order of some subscriptions was for."""
    contents: dict[tuple[str, str, datetime], set[int]] = defaultdict(set)
    for one in entitlements.billed_contents(connection, account, subscriptions):
        contents[one.subscription_id, one.external_id, one.ordered_at].add(one.content_id)
    bills: dict[str, list[Bill]] = defaultdict(list)
    for (subscription, name, at), pieces in contents.items():
        bills[subscription].append(Bill(name, at, frozenset(pieces)))
    return bills


def _end_what_was_left(
    connection: Connection, record_of: dict[str, SubscriptionRecord], granted: dict[str, set[int]]
) -> int:
    """End the right to what a subscription was for before its plan changed without a bill."""
    ended = 0
    for old in entitlements.granted_by(connection, BY_SUBSCRIPTION, granted):
        if old.content_id in granted[old.source_id] or old.ended_at is not None:
            continue
        record = record_of[old.source_id]
        at = record.period_start_at or record.started_at
        entitlements.end(connection, old.id, at, "plan_changed")
        ended += 1
    return ended


def _ends(
    connection: Connection, account: Account, record_of: Mapping[str, SubscriptionRecord]
) -> dict[str, End | None]:
    """Return when the right of each subscription ended or will end."""
    money_back = _money_back(connection, account, record_of)
    paused = [one.id for one in record_of.values() if one.pause_behavior == VOID]
    paid_until = _paid_until(connection, account, paused)
    return {
        one.id: subscription_end(
            Membership(
                status=one.status,
                started_at=one.started_at,
                period_start_at=one.period_start_at,
                trial_end_at=one.trial_end_at,
                ended_at=one.ended_at,
                pause_behavior=one.pause_behavior,
                paid_until=paid_until.get(one.id),
                money_back=money_back.get(one.id),
            )
        )
        for one in record_of.values()
    }


def _money_back(
    connection: Connection, account: Account, subscriptions: Iterable[str]
) -> dict[str, End]:
    """Return when what was paid for the newest period went back, of the subscriptions of which it did."""
    paid = _paid_orders(connection, account, subscriptions)
    found = {name: taken_back(orders) for name, orders in paid.items()}
    return {name: end for name, end in found.items() if end is not None}


def _paid_orders(
    connection: Connection, account: Account, subscriptions: Iterable[str]
) -> dict[str, list[PaidOrder]]:
    rows = entitlements.paid_orders(connection, account, subscriptions)
    ends = _MoneyWentBack(connection, [row.id for row in rows])
    orders: dict[str, list[PaidOrder]] = defaultdict(list)
    for row in rows:
        paid = PaidOrder(row.external_id, row.kind, row.ordered_at, ends.of(row))
        orders[row.subscription_id].append(paid)
    return orders


def orders_of_subscription(
    connection: Connection, account: Account, subscription: str
) -> list[PaidOrder]:
    """Return what a subscription's periods were paid with, and when that money went back."""
    return _paid_orders(connection, account, [subscription]).get(subscription, [])


def _paid_until(
    connection: Connection, account: Account, subscriptions: Iterable[str]
) -> dict[str, datetime]:
    """Return the end of the newest period that was paid, of the subscriptions that have one."""
    found: dict[str, datetime] = {}
    for one in entitlements.paid_phases(connection, account, subscriptions):
        until = period_end(one.starts_at, one.interval, one.interval_count)
        found[one.subscription] = max(until, found.get(one.subscription, until))
    return found


def _row(customer_id: int, content_id: int, granted_at: Any, end: End | None) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "content_id": content_id,
        "granted_at": granted_at,
        "ended_at": end.at if end else None,
        "end_reason": end.reason if end else None,
    }
