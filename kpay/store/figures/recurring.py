"""What the store knows of subscriptions: their prices over time, and their bills."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, case, func, select

from kpay.domain.subscription_facts import Bill, Phase, SubscriptionFacts
from kpay.models.billing import Invoice, Subscription, SubscriptionPhase
from kpay.store.dialect import table_of

SUBSCRIPTIONS = table_of(Subscription)
PHASES = table_of(SubscriptionPhase)
INVOICES = table_of(Invoice)
BILLED = ("open", "paid", "uncollectible")

Key = tuple[str, bool, str]


def subscriptions(connection: Connection) -> list[SubscriptionFacts]:
    """Return what is known of every subscription, in the order of their start.

    One without phases (its invoices were never read) has its present price from the start on.
    """
    phases, bills = _phases(connection), _bills(connection)
    rows = connection.execute(select(SUBSCRIPTIONS).order_by(SUBSCRIPTIONS.c.started_at)).mappings()
    found = []
    for row in rows:
        key = (row["account"], row["livemode"], row["external_id"])
        facts = SubscriptionFacts(
            key=row["external_id"],
            customer=str(row["customer_id"] or row["external_id"]),
            currency=row["currency"],
            status=row["status"],
            phases=tuple(phases.get(key) or [_present_phase(row)]),
            trial_end_at=row["trial_end_at"],
            ended_at=row["ended_at"],
            cancel_reason=row["cancel_reason"],
            bills=tuple(bills.get(key, ())),
        )
        found.append(facts)
    return found


def _present_phase(row: Any) -> Phase:
    return Phase(
        row["started_at"],
        row["amount_minor"] * row["quantity"],
        row["interval"],
        row["interval_count"],
    )


def _phases(connection: Connection) -> dict[Key, list[Phase]]:
    columns = PHASES.c
    query = select(
        columns.account,
        columns.livemode,
        columns.subscription_external_id,
        columns.starts_at,
        columns.amount_minor,
        columns.interval,
        columns.interval_count,
    ).order_by(columns.starts_at)
    found: dict[Key, list[Phase]] = defaultdict(list)
    for account, livemode, subscription, *phase in connection.execute(query):
        found[account, livemode, subscription].append(Phase(*phase))
    return found


def _bills(connection: Connection) -> dict[Key, list[Bill]]:
    columns = INVOICES.c
    query = (
        select(
            columns.account,
            columns.livemode,
            columns.subscription_external_id,
            columns.created_at,
            case(
                (columns.status == "paid", func.coalesce(columns.paid_at, columns.created_at)),
                else_=None,
            ),
        )
        .where(
            columns.subscription_external_id.is_not(None),
            columns.status.in_(BILLED),
            columns.total_minor > 0,
        )
        .order_by(columns.created_at)
    )
    found: dict[Key, list[Bill]] = defaultdict(list)
    for account, livemode, subscription, *bill in connection.execute(query):
        found[account, livemode, subscription].append(Bill(*bill))
    return found
