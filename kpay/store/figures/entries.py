"""What moved money, thing by thing: the rows behind the sums of kpay.store.figures.ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, literal, select

from kpay.domain.entries import (
    Entry,
    FailedPayment,
    GivenBackEntry,
    Movement,
    Sale,
    UnbookedDispute,
    Who,
)
from kpay.domain.enums import OrderKind, OrderStatus
from kpay.models.people import Customer, CustomerIdentity
from kpay.store.dialect import table_of
from kpay.store.figures import ledger
from kpay.store.figures.ledger import BALANCE, CHARGES, DISPUTES, ORDERS, REFUNDS

CUSTOMERS = table_of(Customer)
IDENTITIES = table_of(CustomerIdentity)
SETTLED = BALANCE.alias("settled")
SOURCES = ("stripe", "import")

Between = tuple[datetime, datetime]


def entries(
    connection: Connection,
    between: Between,
    *,
    as_of: datetime,
    no_dispute_money: Iterable[str],
) -> list[Entry]:
    """Return everything that moved money, or failed to, in [start, end): oldest first.

    What was settled is told as known before `as_of`.
    """
    found: list[Entry] = [
        *sales(connection, between, as_of=as_of),
        *refunds(connection, between, as_of=as_of),
        *unbooked_disputes(connection, between, no_dispute_money),
        *movements(connection, between),
        *failed_payments(connection, between),
    ]
    return sorted(found, key=lambda one: (one.at, one.provider, one.what))


def sales(connection: Connection, between: Between, *, as_of: datetime) -> Iterator[Sale]:
    """Yield the paid orders."""
    columns = ORDERS.c
    query = (
        select(
            columns.ordered_at,
            columns.currency,
            columns.gross_minor,
            columns.discount_minor,
            columns.tax_minor,
            columns.kind != OrderKind.ONE_TIME.value,
            columns.country,
            func.coalesce(columns.charge_id, columns.external_id),
            columns.account,
            columns.id,
            _settled_in(columns.charge_id, ORDERS, as_of),
            *_buyer(),
        )
        .outerjoin(CUSTOMERS, CUSTOMERS.c.id == columns.customer_id)
        .where(columns.status == OrderStatus.PAID.value, _within(columns.ordered_at, between))
    )
    for *told, number, name, email in connection.execute(query):
        yield Sale._make((*told, Who(number, name, email)))


def refunds(
    connection: Connection, between: Between, *, as_of: datetime
) -> Iterator[GivenBackEntry]:
    """Yield what was given back, and what of it came back because it failed."""
    given = _given_back(REFUNDS.c.refunded_at, as_of, came_back=False).select_from(REFUNDS)
    given = given.outerjoin(CHARGES, ledger.of_charge()).where(
        ledger.is_given_back(), CHARGES.c.is_sale.is_not(False)
    )
    failed = _given_back(BALANCE.c.created_at, as_of, came_back=True).select_from(BALANCE)
    failed = failed.join(REFUNDS, ledger.brought_back())
    for query, moment in ((given, REFUNDS.c.refunded_at), (failed, BALANCE.c.created_at)):
        whole = query.outerjoin(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        whole = whole.outerjoin(CUSTOMERS, CUSTOMERS.c.id == ORDERS.c.customer_id)
        for *told, number, name, email in connection.execute(whole.where(_within(moment, between))):
            yield GivenBackEntry._make((*told, Who(number, name, email)))


def _given_back(
    moment: ColumnElement[datetime], as_of: datetime, *, came_back: bool
) -> Select[Any]:
    columns = REFUNDS.c
    return select(
        moment,
        columns.currency,
        columns.amount_minor,
        ledger.refunded_tax(),
        literal(came_back),
        ORDERS.c.country,
        columns.external_id,
        columns.account,
        _settled_in(columns.external_id, REFUNDS, as_of),
        *_buyer(),
    )


def unbooked_disputes(
    connection: Connection, between: Between, no_money: Iterable[str]
) -> Iterator[UnbookedDispute]:
    """Yield disputes that took money of which the balance does not know."""
    columns = DISPUTES.c
    query = (
        select(
            columns.opened_at,
            columns.currency,
            columns.amount_minor,
            columns.external_id,
            columns.account,
            *_buyer(),
        )
        .select_from(DISPUTES)
        .outerjoin(BALANCE, ledger.caused_by_dispute())
        .outerjoin(ORDERS, ORDERS.c.id == columns.order_id)
        .outerjoin(CUSTOMERS, CUSTOMERS.c.id == ORDERS.c.customer_id)
        .where(
            BALANCE.c.id.is_(None),
            columns.status.not_in(sorted(no_money)),
            _within(columns.opened_at, between),
        )
    )
    for *told, number, name, email in connection.execute(query):
        yield UnbookedDispute._make((*told, Who(number, name, email)))


def movements(connection: Connection, between: Between) -> Iterator[Movement]:
    """Yield the movements of the balance, with whom and which currency their cause is of."""
    columns = BALANCE.c
    refunded = and_(
        REFUNDS.c.source.in_(SOURCES),
        REFUNDS.c.account == columns.account,
        REFUNDS.c.livemode == columns.livemode,
        REFUNDS.c.external_id == columns.source_external_id,
    )
    order_of_money_back = ORDERS.alias("order_of_money_back")
    returned = func.coalesce(REFUNDS.c.order_id, DISPUTES.c.order_id)
    person = func.coalesce(ORDERS.c.customer_id, order_of_money_back.c.customer_id)
    query = (
        select(
            columns.created_at,
            columns.currency,
            columns.kind,
            DISPUTES.c.id.is_not(None),
            columns.amount_minor,
            columns.fee_minor,
            columns.net_minor,
            columns.external_id,
            columns.source_external_id,
            func.coalesce(ORDERS.c.currency, REFUNDS.c.currency, DISPUTES.c.currency),
            columns.account,
            person,
            CUSTOMERS.c.name,
            func.coalesce(ORDERS.c.email, order_of_money_back.c.email, CUSTOMERS.c.email),
        )
        .select_from(BALANCE)
        .outerjoin(DISPUTES, ledger.caused_by_dispute())
        .outerjoin(REFUNDS, refunded)
        .outerjoin(ORDERS, _charged())
        .outerjoin(order_of_money_back, order_of_money_back.c.id == returned)
        .outerjoin(CUSTOMERS, CUSTOMERS.c.id == person)
        .where(_within(columns.created_at, between))
    )
    for *told, number, name, email in connection.execute(query):
        yield Movement._make((*told, Who(number, name, email)))


def failed_payments(connection: Connection, between: Between) -> Iterator[FailedPayment]:
    """Yield the attempts to pay that failed."""
    charges = CHARGES.c
    person = and_(
        IDENTITIES.c.account == charges.account,
        IDENTITIES.c.livemode == charges.livemode,
        IDENTITIES.c.external_id == charges.customer_external_id,
    )
    tried = (
        select(
            charges.created_at, charges.currency, charges.external_id, charges.account,
            IDENTITIES.c.customer_id, charges.name, charges.email,
        )
        .outerjoin(IDENTITIES, person)
        .where(charges.status == ledger.FAILED, _within(charges.created_at, between))
    )  # fmt: skip
    columns = ORDERS.c
    imported = (
        select(
            columns.ordered_at, columns.currency, columns.external_id, columns.account, *_buyer()
        )
        .outerjoin(CUSTOMERS, CUSTOMERS.c.id == columns.customer_id)
        .where(ledger.is_failed_import(), _within(columns.ordered_at, between))
    )
    for query in (tried, imported):
        for *told, number, name, email in connection.execute(query):
            yield FailedPayment._make((*told, Who(number, name, email)))


def _settled_in(
    cause: ColumnElement[str | None], table: Table, as_of: datetime
) -> ColumnElement[str | None]:
    """The currency of the balance's movements that something caused."""
    moved = SETTLED.c
    return (
        select(func.min(moved.currency))
        .where(
            moved.source_external_id == cause,
            moved.account == table.c.account,
            moved.livemode == table.c.livemode,
            moved.created_at < as_of,
        )
        .scalar_subquery()
    )


def _charged() -> ColumnElement[bool]:
    return and_(
        ORDERS.c.charge_id == BALANCE.c.source_external_id,
        ORDERS.c.account == BALANCE.c.account,
        ORDERS.c.livemode == BALANCE.c.livemode,
    )


def _buyer() -> tuple[ColumnElement[Any], ...]:
    email = func.coalesce(ORDERS.c.email, CUSTOMERS.c.email)
    return (ORDERS.c.customer_id, CUSTOMERS.c.name, email)


def _within(moment: ColumnElement[Any], between: Between) -> ColumnElement[bool]:
    return and_(moment >= between[0], moment < between[1])
