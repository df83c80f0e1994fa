"""Questions about money that moved, asked for a row of spans at once.

`edges` are the moments between neighbouring spans: n + 1 of them for n spans; each answer says in
which span (from 0) its sums lie. One statement answers for all spans, so that a report of months
reads each table once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    distinct,
    exists,
    func,
    or_,
    select,
)

from kpay.domain.enums import COUNTED_REFUNDS, OrderKind, OrderStatus
from kpay.domain.revenue import (
    REFUND_FAILED_KIND,
    BalanceSum,
    FailedPayments,
    GivenBack,
    Movements,
    SalesSum,
)
from kpay.domain.settlement import TAKEN_KINDS, Conversion
from kpay.models.billing import BalanceTransaction
from kpay.models.payments import Charge
from kpay.models.sales import Dispute, Order, Refund
from kpay.store.dialect import table_of
from kpay.store.figures.spans import Edges, span_of, within

ORDERS = table_of(Order)
REFUNDS = table_of(Refund)
DISPUTES = table_of(Dispute)
CHARGES = table_of(Charge)
BALANCE = table_of(BalanceTransaction)

STRIPE = "stripe"
FAILED = "failed"


def movements(
    connection: Connection, edges: Edges, *, no_dispute_money: Sequence[str]
) -> Movements:
    """Return everything that moved money in the spans.

    `no_dispute_money` are the states in which a dispute that the balance does not know of took
    nothing.
    """
    return Movements(
        sales(connection, edges),
        refunds(connection, edges),
        unbooked_disputes(connection, edges, no_dispute_money),
        balance(connection, edges),
    )


def first_sale_at(connection: Connection, until: datetime) -> datetime | None:
    """Return when the first paid order before `until` was placed."""
    return _sale_moment(connection, func.min(ORDERS.c.ordered_at), until)


def first_movement_at(connection: Connection, until: datetime) -> datetime | None:
    """Return when money first moved before `until`: sold, or on the balance."""
    query = select(func.min(BALANCE.c.created_at)).where(BALANCE.c.created_at < until)
    moments = (first_sale_at(connection, until), connection.execute(query).scalar_one())
    return min(filter(None, moments), default=None)


def last_sale_at(connection: Connection, until: datetime) -> datetime | None:
    """Return when the newest paid order before `until` was placed."""
    return _sale_moment(connection, func.max(ORDERS.c.ordered_at), until)


def last_movement_at(connection: Connection, until: datetime) -> datetime | None:
    """Return when money last moved before `until`: sold, given back, disputed, or on the balance."""
    moments = [last_sale_at(connection, until)]
    for moment in (REFUNDS.c.refunded_at, DISPUTES.c.opened_at, BALANCE.c.created_at):
        query = select(func.max(moment)).where(moment < until)
        moments.append(connection.execute(query).scalar_one())
    return max(filter(None, moments), default=None)


def _sale_moment(connection: Connection, moment: Any, until: datetime) -> datetime | None:
    found: datetime | None = connection.execute(
        select(moment).where(ORDERS.c.status == OrderStatus.PAID.value, ORDERS.c.ordered_at < until)
    ).scalar_one()
    return found


def sales(connection: Connection, edges: Edges) -> tuple[SalesSum, ...]:
    """Return the paid orders of each span and currency; a person counts once in each."""
    columns = ORDERS.c
    span = span_of(columns.ordered_at, edges)
    query = (
        select(
            span,
            columns.currency,
            func.sum(columns.gross_minor),
            func.sum(columns.discount_minor),
            func.sum(columns.tax_minor),
            func.count(),
            func.count(distinct(buyer())),
            func.sum(subscription_sales_minor()),
        )
        .where(columns.status == OrderStatus.PAID.value, within(columns.ordered_at, edges))
        .group_by(span, columns.currency)
    )
    return tuple(SalesSum(*row) for row in connection.execute(query))


def refunds(connection: Connection, edges: Edges) -> tuple[GivenBack, ...]:
    """Return what was given back, and, as a negative sum on the day it failed, what came back.

    Until API 2025-03-31 an authorization that ran out, or was let go, made a refund too. Nothing was
    taken then, so nothing was given back: a refund of a charge that is no sale does not count.
    """
    columns = REFUNDS.c
    span = span_of(columns.refunded_at, edges)
    query = (
        select(span, columns.currency, func.sum(columns.amount_minor), func.sum(refunded_tax()))
        .outerjoin(ORDERS, ORDERS.c.id == columns.order_id)
        .outerjoin(CHARGES, of_charge())
        .where(
            is_given_back(),
            within(columns.refunded_at, edges),
            CHARGES.c.is_sale.is_not(False),
        )
        .group_by(span, columns.currency)
    )
    sent = (GivenBack(*row) for row in connection.execute(query))
    return (*sent, *_refunds_that_failed(connection, edges))


def _refunds_that_failed(connection: Connection, edges: Edges) -> Iterator[GivenBack]:
    span = span_of(BALANCE.c.created_at, edges)
    tax = func.sum(refunded_tax())
    query = (
        select(span, REFUNDS.c.currency, func.sum(REFUNDS.c.amount_minor), tax)
        .join(REFUNDS, brought_back())
        .outerjoin(ORDERS, ORDERS.c.id == REFUNDS.c.order_id)
        .where(within(BALANCE.c.created_at, edges))
        .group_by(span, REFUNDS.c.currency)
    )
    for number, currency, amount_minor, tax_minor in connection.execute(query):
        yield GivenBack(number, currency, -amount_minor, -tax_minor)


def failed_payments(connection: Connection, edges: Edges) -> tuple[FailedPayments, ...]:
    """Count the attempts to pay that failed: the provider's, and those of imported payments."""
    tables = (
        (CHARGES, CHARGES.c.created_at, CHARGES.c.status == FAILED),
        (ORDERS, ORDERS.c.ordered_at, is_failed_import()),
    )
    found: list[FailedPayments] = []
    for table, moment, is_failed in tables:
        span = span_of(moment, edges)
        query = (
            select(span, table.c.currency, func.count())
            .where(is_failed, within(moment, edges))
            .group_by(span, table.c.currency)
        )
        found += [FailedPayments(*row) for row in connection.execute(query)]
    return tuple(found)


def customers(connection: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """Count the people with a paid order in [start, end), by currency."""
    columns = ORDERS.c
    query = (
        select(columns.currency, func.count(distinct(buyer())))
        .where(
            columns.status == OrderStatus.PAID.value,
            within(columns.ordered_at, (start, end)),
        )
        .group_by(columns.currency)
    )
    return {code: int(count) for code, count in connection.execute(query)}


def paying_customers(connection: Connection, edges: Edges) -> list[int]:
    """Count, for each span, the people who paid in it, whatever the currency."""
    span = span_of(ORDERS.c.ordered_at, edges)
    query = (
        select(span, func.count(distinct(buyer())))
        .where(
            ORDERS.c.status == OrderStatus.PAID.value,
            ORDERS.c.total_minor > 0,
            within(ORDERS.c.ordered_at, edges),
        )
        .group_by(span)
    )
    counts = {int(number): int(count) for number, count in connection.execute(query)}
    return [counts.get(number, 0) for number in range(len(edges) - 1)]


def conversions(connection: Connection, start: datetime, end: datetime) -> tuple[Conversion, ...]:
    """Return the orders that were settled in another currency, with both sums.

    A charge that was captured in parts has several movements, which are added up first.
    """
    columns = BALANCE.c
    settled = (
        select(
            columns.account,
            columns.livemode,
            columns.source_external_id.label("charge"),
            columns.currency,
            func.sum(columns.amount_minor).label("minor"),
        )
        .where(
            columns.exchange_rate.is_not(None),
            columns.kind.in_(sorted(TAKEN_KINDS)),
            columns.created_at >= start,
            columns.created_at < end,
        )
        .group_by(columns.account, columns.livemode, columns.source_external_id, columns.currency)
        .subquery()
    )
    query = (
        select(
            ORDERS.c.currency,
            settled.c.currency,
            func.count(),
            func.sum(ORDERS.c.total_minor),
            func.sum(settled.c.minor),
        )
        .join(
            settled,
            and_(
                ORDERS.c.charge_id == settled.c.charge,
                ORDERS.c.account == settled.c.account,
                ORDERS.c.livemode == settled.c.livemode,
                ORDERS.c.currency != settled.c.currency,
            ),
        )
        .group_by(ORDERS.c.currency, settled.c.currency)
        .order_by(ORDERS.c.currency, settled.c.currency)
    )
    return tuple(Conversion(*row) for row in connection.execute(query))


def balance(connection: Connection, edges: Edges) -> tuple[BalanceSum, ...]:
    """Return the balance transactions of each span, currency and kind, disputes' own apart."""
    columns = BALANCE.c
    span = span_of(columns.created_at, edges)
    is_disputed = DISPUTES.c.id.is_not(None)
    query = (
        select(
            span,
            columns.currency,
            columns.kind,
            is_disputed,
            func.sum(columns.amount_minor),
            func.sum(columns.fee_minor),
            func.sum(columns.net_minor),
        )
        .outerjoin(DISPUTES, caused_by_dispute())
        .where(within(columns.created_at, edges))
        .group_by(span, columns.currency, columns.kind, is_disputed)
    )
    return tuple(
        BalanceSum(span, currency, kind, bool(disputed), *sums)
        for span, currency, kind, disputed, *sums in connection.execute(query)
    )


def unbooked_disputes(
    connection: Connection, edges: Edges, no_money: Sequence[str]
) -> tuple[GivenBack, ...]:
    """Return disputed money of which no balance transaction is known."""
    columns = DISPUTES.c
    span = span_of(columns.opened_at, edges)
    query = (
        select(span, columns.currency, func.sum(columns.amount_minor))
        .outerjoin(BALANCE, caused_by_dispute())
        .where(
            BALANCE.c.id.is_(None),
            columns.status.not_in(no_money),
            within(columns.opened_at, edges),
        )
        .group_by(span, columns.currency)
    )
    return tuple(GivenBack(*row) for row in connection.execute(query))


def orders_without_fee(connection: Connection, start: datetime, end: datetime) -> int:
    """Count the paid orders whose fee is not known: no balance transaction has their charge."""
    columns = ORDERS.c
    booked = and_(
        BALANCE.c.source_external_id == columns.charge_id, BALANCE.c.account == columns.account
    )
    query = (
        select(func.count())
        .select_from(ORDERS.outerjoin(BALANCE, booked))
        .where(
            columns.status == OrderStatus.PAID.value,
            columns.total_minor > 0,
            within(columns.ordered_at, (start, end)),
            or_(columns.charge_id.is_(None), BALANCE.c.id.is_(None)),
        )
    )
    return int(connection.execute(query).scalar_one())


def buyer() -> ColumnElement[int]:
    """The person of an order; a guest is somebody else each time."""
    return func.coalesce(ORDERS.c.customer_id, -ORDERS.c.id)


def subscription_sales_minor() -> ColumnElement[int]:
    """What an order brought without tax if it is of a subscription, else nothing."""
    columns = ORDERS.c
    brought = columns.total_minor - columns.tax_minor
    return case((columns.kind == OrderKind.ONE_TIME.value, 0), else_=brought)


def refunded_tax() -> ColumnElement[int]:
    """The part of a refund that is tax: what a file told, else the order's share, rounded half up."""
    total = ORDERS.c.total_minor
    refunded = 2 * REFUNDS.c.amount_minor * ORDERS.c.tax_minor
    share = case((total > 0, (refunded + total) // (2 * total)), else_=0)
    return func.coalesce(REFUNDS.c.tax_minor, share)


def is_given_back() -> ColumnElement[bool]:
    """Whether a refund's money left: it stands, or the balance knows when it came back."""
    came_back = exists().where(brought_back())
    return or_(REFUNDS.c.status.in_(COUNTED_REFUNDS), came_back)


def brought_back() -> ColumnElement[bool]:
    """A movement of the balance by which a refund that failed came back."""
    return and_(
        BALANCE.c.kind == REFUND_FAILED_KIND,
        BALANCE.c.source_external_id == REFUNDS.c.external_id,
        BALANCE.c.account == REFUNDS.c.account,
        BALANCE.c.livemode == REFUNDS.c.livemode,
    )


def is_failed_import() -> ColumnElement[bool]:
    """An imported payment that failed; those of the provider are charges."""
    return and_(ORDERS.c.status == OrderStatus.FAILED.value, ORDERS.c.source != STRIPE)


def of_charge() -> ColumnElement[bool]:
    """The charge that a refund belongs to."""
    return and_(
        CHARGES.c.account == REFUNDS.c.account,
        CHARGES.c.livemode == REFUNDS.c.livemode,
        CHARGES.c.external_id == REFUNDS.c.charge_id,
    )


def caused_by_dispute() -> ColumnElement[bool]:
    """A movement of the balance that a dispute caused."""
    return and_(
        BALANCE.c.account == DISPUTES.c.account,
        BALANCE.c.livemode == DISPUTES.c.livemode,
        BALANCE.c.source_external_id == DISPUTES.c.external_id,
    )
