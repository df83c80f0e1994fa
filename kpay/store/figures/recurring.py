"""What the store knows of subscriptions: their prices over time, and their bills."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, Text, case, func, or_, select, type_coerce

from kpay.domain.subscription_facts import PROMPT, Bill, Phase, SubscriptionFacts
from kpay.models.billing import Invoice, Subscription, SubscriptionPhase
from kpay.store.dialect import table_of

SUBSCRIPTIONS = table_of(Subscription)
PHASES = table_of(SubscriptionPhase)
INVOICES = table_of(Invoice)
BILLED = ("open", "paid", "uncollectible", "void")

Key = tuple[str, bool, str]


def subscriptions(connection: Connection) -> list[SubscriptionFacts]:
    """Return what is known of every subscription, in the order of their start.

    One without phases (its invoices were never read) has its present price from the start on.
    """
    phases, bills = _phases(connection), _bills(connection)
    columns = SUBSCRIPTIONS.c
    rows = connection.execute(select(SUBSCRIPTIONS).order_by(columns.started_at, columns.id))
    found = []
    for row in rows.mappings():
        key = (row["account"], row["livemode"], row["external_id"])
        facts = SubscriptionFacts(
            key=row["external_id"],
            customer=str(row["customer_id"] or row["external_id"]),
            currency=row["currency"],
            status=row["status"],
            phases=tuple(phases.get(key) or [_present_phase(row)]),
            trial_end_at=row["trial_end_at"],
            canceled_at=row["canceled_at"],
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
    """Return the phases in which a price begins that the one before did not have.

    Each invoice writes a phase; of a member of three years that is one of forty.
    """
    columns = PHASES.c
    told = (
        columns.amount_minor,
        columns.interval,
        columns.interval_count,
        columns.ending_discount_minor,
    )
    each = select(
        *_key(PHASES),
        columns.starts_at,
        *told,
        or_(
            *(
                column.is_distinct_from(_neighbour(func.lag, column, PHASES, columns.starts_at))
                for column in told
            )
        ).label("is_new"),
    ).subquery()
    query = select(*list(each.c)[:-1]).where(each.c.is_new).order_by(each.c.starts_at)
    found: dict[Key, list[Phase]] = defaultdict(list)
    for account, livemode, subscription, *phase in connection.execute(query):
        found[account, livemode, subscription].append(Phase(*phase))
    return found


def _bills(connection: Connection) -> dict[Key, list[Bill]]:
    """Return the bills that tell something: the first, the last, late ones and what follows them.

    A bill that the creator made void is one that nobody paid, as it was on the day before.
    """
    columns = INVOICES.c
    paid_at = case(
        (columns.status == "paid", func.coalesce(columns.paid_at, columns.created_at)), else_=None
    )
    waited_days = _julian(paid_at) - _julian(columns.created_at)
    late = or_(paid_at.is_(None), waited_days > PROMPT / timedelta(days=1))
    each = (
        select(
            *_key(INVOICES),
            columns.created_at,
            paid_at.label("paid_at"),
            late.label("is_late"),
            _neighbour(func.lag, late, INVOICES, columns.created_at).label("was_late"),
            _neighbour(func.lead, columns.id, INVOICES, columns.created_at).label("following"),
        )
        .where(
            columns.subscription_external_id.is_not(None),
            columns.status.in_(BILLED),
            columns.total_minor > 0,
        )
        .subquery()
    )
    told = each.c
    query = (
        select(*list(told)[:5])
        .where(or_(told.is_late, told.was_late.is_(None), told.was_late, told.following.is_(None)))
        .order_by(told.created_at)
    )
    found: dict[Key, list[Bill]] = defaultdict(list)
    for account, livemode, subscription, *bill in connection.execute(query):
        found[account, livemode, subscription].append(Bill(*bill))
    return found


def _key(table: Table) -> Sequence[ColumnElement[Any]]:
    return (table.c.account, table.c.livemode, table.c.subscription_external_id)


def _neighbour(
    function: Any, value: ColumnElement[Any], table: Table, moment: ColumnElement[Any]
) -> ColumnElement[Any]:
    """Return a value of the row before (lag) or after (lead) of the same subscription."""
    neighbour: ColumnElement[Any] = function(value).over(
        partition_by=_key(table), order_by=(moment, table.c.id)
    )
    return neighbour


def _julian(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.julianday(type_coerce(moment, Text))
