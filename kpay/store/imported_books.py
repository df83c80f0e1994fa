"""Plans, subscription events and what they make of subscriptions: as imported, and as derived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select

from kpay.domain.enums import OrderStatus
from kpay.domain.subscription_story import Happening, Plan, ToldEvent, ToldPayment
from kpay.models.billing import Invoice, Subscription, SubscriptionPhase
from kpay.models.books import ImportedPlan, SubscriptionEvent
from kpay.models.sales import Order
from kpay.store import billing
from kpay.store.dialect import among, table_of
from kpay.store.imported_orders import SOURCE
from kpay.store.imported_people import ELSEWHERE

PLANS = table_of(ImportedPlan)
EVENTS = table_of(SubscriptionEvent)
ORDERS = table_of(Order)
SUBSCRIPTIONS = table_of(Subscription)
PHASES = table_of(SubscriptionPhase)
INVOICES = table_of(Invoice)

Rows = Sequence[Mapping[str, Any]]


def plans(connection: Connection) -> dict[str, Plan]:
    """Return every imported plan by its name."""
    columns = PLANS.c
    query = select(
        columns.plan,
        columns.interval,
        columns.interval_count,
        columns.amount_minor,
        columns.currency,
    )
    return {row.plan: Plan(*row) for row in connection.execute(query)}


def events(connection: Connection, names: Iterable[str]) -> dict[str, list[ToldEvent]]:
    """Return what happened to some subscriptions, in the order of time."""
    columns = EVENTS.c
    query = (
        select(EVENTS)
        .where(among(columns.subscription, names))
        .order_by(columns.happened_at, columns.id)
    )
    found: dict[str, list[ToldEvent]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.subscription].append(
            ToldEvent(
                row.happened_at,
                Happening(row.event),
                row.customer,
                row.plan,
                row.discount_pct,
                row.discount_until,
            )
        )
    return found


def payments(connection: Connection, names: Iterable[str]) -> dict[str, list[ToldPayment]]:
    """Return the attempts to pay for some subscriptions, in the order of time."""
    columns = ORDERS.c
    query = (
        select(columns.subscription_id, columns.ordered_at, columns.status)
        .where(columns.source == SOURCE, among(columns.subscription_id, names))
        .order_by(columns.ordered_at, columns.external_id)
    )
    found: dict[str, list[ToldPayment]] = defaultdict(list)
    for name, at, status in connection.execute(query):
        found[name].append(ToldPayment(at, status == OrderStatus.PAID.value))
    return found


def on_plans(connection: Connection, names: Iterable[str]) -> set[str]:
    """Return the subscriptions that are, or once were, on some plans."""
    columns = EVENTS.c
    query = select(columns.subscription).where(among(columns.plan, names)).distinct()
    return set(connection.scalars(query))


def to_end(connection: Connection) -> set[str]:
    """Return the imported subscriptions that are to end with their period and have not yet."""
    columns = SUBSCRIPTIONS.c
    query = select(columns.external_id).where(
        columns.account == ELSEWHERE.id, columns.is_ending.is_(True), columns.ended_at.is_(None)
    )
    return set(connection.scalars(query))


def known_until(connection: Connection) -> datetime | None:
    """Return when the newest thing happened of which imported books tell."""
    columns = ORDERS.c
    ordered = select(func.max(columns.ordered_at)).where(
        columns.source == SOURCE, columns.subscription_id.is_not(None)
    )
    moments = (
        connection.execute(select(func.max(EVENTS.c.happened_at))).scalar_one(),
        connection.execute(ordered).scalar_one(),
    )
    return max(filter(None, moments), default=None)


def save(connection: Connection, subscriptions: Rows, phases: Rows, invoices: Rows) -> None:
    """Write subscriptions with all that they have; phases and bills that they no longer have go."""
    names = [row["external_id"] for row in subscriptions]
    _drop_others(connection, PHASES, names, "starts_at", phases)
    _drop_others(connection, INVOICES, names, "external_id", invoices)
    billing.save_subscriptions(connection, subscriptions)
    billing.save_phases(connection, phases)
    billing.save_invoices(connection, invoices)


def _drop_others(
    connection: Connection, table: Table, names: Sequence[str], key: str, kept: Rows
) -> None:
    columns = table.c
    wanted = {(row["subscription_external_id"], row[key]) for row in kept}
    query = select(columns.id, columns.subscription_external_id, columns[key]).where(
        columns.account == ELSEWHERE.id, among(columns.subscription_external_id, names)
    )
    gone = [row.id for row in connection.execute(query) if tuple(row[1:]) not in wanted]
    if gone:
        connection.execute(delete(table).where(among(columns.id, gone)))
